"""The documents, and how to read them: sections, tables, and lines of arithmetic."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MATHEMATICS = DOCS / "mathematics"  # a folder of chapters, read as one text
PHOTOS = DOCS / "guide" / "photos.md"
TABLE_BY_HAND = DOCS / "guide" / "table-by-hand.md"
TRACE = DOCS / "insight" / "trace.md"
ATTRIBUTION = DOCS / "insight" / "attribution.md"
CALIBRATION = DOCS / "insight" / "calibration.md"
FORMATS = DOCS / "reference" / "formats.md"
ARCHITECTURE = DOCS / "developing" / "architecture.md"
ADDING = DOCS / "developing" / "adding.md"
NATIVE = DOCS / "developing" / "native.md"
PACKAGE = ROOT / "src" / "pellucid"
SIX_DECIMALS = 0.51e-6
FOUR_DECIMALS = 0.51e-4
FUNCTIONS = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "max": max,
    "sign": np.sign,
    "cos": math.cos,
    "e": np.float64(math.e),
}


def text_of(path: Path) -> str:
    """The text of a page, or of all chapters of a folder in the order in which they are read."""
    if path.is_dir():
        return "\n".join(map(text_of, chapters(path)))
    return path.read_text(encoding="utf-8")


def chapters(folder: Path) -> list[Path]:
    """The index of a folder, and the chapters in the order of its numbered list."""
    index = folder / "index.md"
    return [index, *(folder / name for name in re.findall(r"^\d+\. \[.+\]\((.+)\)$", text_of(index), flags=re.M))]


def sections(path: Path) -> dict[str, str]:
    """Heading -> the text below it, up to the next heading of any level."""
    parts = re.split(r"^#+ (.+)$", text_of(path), flags=re.M)
    assert len(set(parts[1::2])) == len(parts[1::2]), "two sections have the same heading"
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(path: Path, first_cell: str) -> list[list[str]]:
    """The rows of the table whose head begins with ``first_cell``, without markup."""
    match = re.search(rf"^\| {re.escape(first_cell)} \|.*\n\|[-:| ]+\|\n((?:\|.*\n)+)", text_of(path), flags=re.M)
    assert match, f"{path.name} has no table that begins with {first_cell!r}"
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in match[1].splitlines()]


def equations(text: str) -> Iterator[tuple[str, str, float]]:
    """Lines of the form ``name = arithmetic = number``."""
    for name, expression, number in re.findall(r"^(\w+) = ([^=\n]+) = (-?\d+\.\d+)$", text, flags=re.M):
        yield name, expression, float(number)


def arithmetic(expression: str) -> float:
    """The value of plain arithmetic with a few functions; nothing else is evaluated."""
    tree = ast.parse(expression.replace("^", "**"), mode="eval")
    allowed = (ast.Expression, ast.expr_context, ast.operator, ast.unaryop)
    allowed += (ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant)
    assert all(isinstance(node, allowed) for node in ast.walk(tree)), expression
    return float(eval(compile(tree, "<document>", "eval"), {"__builtins__": {}, **FUNCTIONS}))
