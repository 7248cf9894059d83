"""Output of the commands: safe text, JSON, tables, and pictures as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import Any

import click
import numpy as np

from pellucid.core.display.drawing import as_shades
from pellucid.core.display.text import aligned, printable
from pellucid.core.files import check_replaceable
from pellucid.core.shapes import AnyArray

BLOCKS = " ░▒▓█"
PAGE_START = b"<!DOCTYPE HTML"


def say(text: object, *, err: bool = False) -> None:
    """Print text with control characters escaped, so that no label or file name can control the terminal.

    Messages that cannot be written to standard error are dropped; they do not end the work.
    """
    shown = "\n".join(printable(line) for line in str(text).split("\n"))
    with suppress(OSError) if err else nullcontext():
        click.echo(shown, err=err)


def write_json(document: Any) -> None:
    """One JSON document on standard output; NumPy numbers become plain ones, NaN becomes null."""
    click.echo("".join(_json(_plain(document), "\n")))


def _json(value: Any, line: str) -> Iterator[str]:
    """JSON with a line for each member; arrays of numbers and strings stay on one line."""
    if isinstance(value, dict) and value:
        for number, (key, item) in enumerate(value.items()):
            yield from ("," if number else "{", f"{line}  {json.dumps(key)}: ", *_json(item, f"{line}  "))
        yield f"{line}}}"
    elif isinstance(value, list) and _holds_objects(value):
        for number, item in enumerate(value):
            yield from ("," if number else "[", f"{line}  ", *_json(item, f"{line}  "))
        yield f"{line}]"
    else:
        yield json.dumps(value, allow_nan=False)


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_objects, value)))


def write_table(title: str, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    """A title, and columns aligned to the right; each row is one line, whatever its cells hold."""
    lines = aligned([header, *map(tuple, rows)], left=0)
    say("\n".join([f"\n{title}\n", lines[0], "-" * len(lines[0]), *lines[1:]]))


def check_page(path: str) -> None:
    """Raise `OutputError` if an HTML page cannot be written there, or would take the place of something else."""
    check_replaceable(path, PAGE_START, "an HTML page")


def picture_as_text(pixels: AnyArray) -> str:
    """A picture as `as_shades` draws it, in blocks where the terminal can print them: ``░▒▓█``."""
    return as_shades(pixels, BLOCKS) if _can_print(BLOCKS) else as_shades(pixels)


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
