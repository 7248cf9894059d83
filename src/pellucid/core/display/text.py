"""Plain text: printable names, percentages, counts, aligned columns."""

from __future__ import annotations

from collections.abc import Sequence


def printable(name: str) -> str:
    """A name on one line: line breaks and characters that do not print are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)


def percent(share: float | None) -> str:
    """``96.4%``; "–" for None. Only 1 is shown as 100%, and only 0 as 0%."""
    if share is None:
        return "–"
    share = round(share, 9)  # the end of an interval may miss 0 or 1 by a rounding error
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return f"{int(share * 10_000) / 100:.2f}%" if share < 0.9999 else ">99.9%"
    return f"{share:.1%}"


def between(low: float, high: float) -> str:
    """``94.0–96.8%``."""
    return f"{percent(low).removesuffix('%')}–{percent(high)}"


def counted(number: int, word: str, plural: str | None = None) -> str:
    """``1 picture``, ``1,000 pictures``."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """The lines of a table: the first ``left`` columns aligned to the left, the others to the right."""
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.ljust] * left + [str.rjust] * (len(widths) - left)
    lines = ("  ".join(pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True)) for row in rows)
    return [line.rstrip() for line in lines]
