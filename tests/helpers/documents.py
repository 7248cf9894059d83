"""The documents, and how to read them: sections, tables, and lines of arithmetic."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BACKPROP = ROOT / "docs" / "mathematics" / "backward.md"
ARCHITECTURE = ROOT / "docs" / "developing" / "architecture.md"
NATIVE = ROOT / "docs" / "developing" / "native.md"
PHOTOS = ROOT / "docs" / "guide" / "photos.md"
TRACE = ROOT / "docs" / "insight" / "trace.md"
ATTRIBUTION = ROOT / "docs" / "insight" / "attribution.md"
CALIBRATION = ROOT / "docs" / "insight" / "calibration.md"
PACKAGE = ROOT / "src" / "pellucid"
SIX_DECIMALS = 0.51e-6
FOUR_DECIMALS = 0.51e-4


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


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
    """The value of plain arithmetic with exp and log; nothing else is evaluated."""
    tree = ast.parse(expression.replace("^", "**"), mode="eval")
    allowed = (ast.Expression, ast.expr_context, ast.operator, ast.unaryop)
    allowed += (ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant)
    assert all(isinstance(node, allowed) for node in ast.walk(tree)), expression
    return float(eval(compile(tree, "<document>", "eval"), {"__builtins__": {}, "exp": math.exp, "log": math.log}))
