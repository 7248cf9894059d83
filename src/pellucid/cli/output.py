"""What the commands share in writing: JSON, tables, and a picture in text."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
import numpy as np

from pellucid.shapes import AnyArray

SHADES = " ░▒▓█"


def write_json(document: Any) -> None:
    """One JSON document on standard output; numbers of NumPy become plain ones, NaN becomes null."""
    click.echo(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False))


def console() -> Any:
    """A rich console on standard output, plain when it is no terminal or NO_COLOR is set."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def picture_as_text(pixels: AnyArray) -> str:
    """A uint8 picture (H, W), two rows of pixels a line, bright pixels dark: ``░▒▓█``."""
    rows = pixels[: len(pixels) // 2 * 2].reshape(-1, 2, pixels.shape[1]).mean(axis=1)
    levels = np.minimum((rows / 256 * len(SHADES)).astype(int), len(SHADES) - 1)
    if (sys.stdout.encoding or "").lower().replace("-", "") not in ("utf8", "utf16"):
        return "\n".join("".join(" .:+#"[level] for level in row).rstrip() for row in levels)
    return "\n".join("".join(SHADES[level] for level in row).rstrip() for row in levels)


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
