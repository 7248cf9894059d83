"""What the commands share in writing: safe text, JSON, tables, a picture in text, and where a page may go."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from typing import Any

import click
import numpy as np

from pellucid.datasets.folder_report import printable
from pellucid.errors import OutputError
from pellucid.shapes import AnyArray
from pellucid.writing import writable_place

SHADES = " ░▒▓█"
PLAIN_SHADES = " .:+#"
WIDEST_PICTURE = 40  # characters
PAGE_START = b"<!DOCTYPE HTML"
LUMINANCE = np.array([0.299, 0.587, 0.114])  # of red, green and blue, in the sum of how bright they look (ITU-R BT.601)


def say(text: object, *, err: bool = False) -> None:
    """Print text; what a label or a file name holds cannot command the terminal: control characters are spelt out.

    Messages on standard error are lost when nobody can read them; they do not end the work.
    """
    shown = "\n".join(printable(line) for line in str(text).split("\n"))
    with suppress(OSError) if err else nullcontext():
        click.echo(shown, err=err)


def write_json(document: Any) -> None:
    """One JSON document on standard output; numbers of NumPy become plain ones, NaN becomes null."""
    click.echo(json.dumps(_plain(document), indent=2, allow_nan=False))


def write_table(title: str, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    """A title, and columns aligned to the right; each row is one line, whatever its cells hold."""
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    say(f"\n{title}\n")
    for number, line in enumerate(lines):
        say("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
        if number == 0:
            say("-" * (sum(widths) + 2 * (len(widths) - 1)))


def check_page(path: str) -> None:
    """Raise `OutputError` if an HTML page cannot be written there, or would take the place of something else."""
    if writable_place(path).exists():
        with open(path, "rb") as file:
            start = file.read(len(PAGE_START))
        if start and start.upper() != PAGE_START:
            raise OutputError(f"{path} exists and is no HTML page; choose another name, or remove it first.")


def picture_as_text(pixels: AnyArray) -> str:
    """A uint8 picture (H, W), or the luminance of (H, W, 3), two rows of pixels a line: ``░▒▓█``, full is bright.

    A wider one than 40 pixels is shown smaller.
    """
    if pixels.ndim == 3:
        pixels = pixels @ LUMINANCE
    step = -(-pixels.shape[1] // WIDEST_PICTURE)
    height, width = (max(1, length // step) for length in pixels.shape)
    pixels = pixels[: height * step, : width * step]
    pixels = pixels.reshape(height, len(pixels) // height, width, -1).mean(axis=(1, 3))
    low, high = float(pixels.min()), float(pixels.max())
    rows = pixels[: len(pixels) // 2 * 2].reshape(-1, 2, pixels.shape[1]).mean(axis=1)
    levels = np.minimum(((rows - low) / (high - low + 1) * len(SHADES)).astype(int), len(SHADES) - 1)
    shades = SHADES if _can_print(SHADES) else PLAIN_SHADES
    return "\n".join("".join(shades[level] for level in row).rstrip() for row in levels)


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
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
