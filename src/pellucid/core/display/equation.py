"""Equations that hold as they are printed: ``2*0.8728 - 0.5*0.5953 + ... (40 more: 0.53) + 0.08 = 2.058``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TypeAlias

import numpy as np

from pellucid.core.display.numbers import DIGITS, largest, written
from pellucid.core.shapes import Array

MOST_DIGITS = 17  # they tell any two numbers of float64 apart
NUMBER, PRODUCT, SUM = range(3)


@dataclass(frozen=True)
class Arithmetic:
    """Arithmetic as it is printed, and what a reader gets who computes what is printed."""

    text: str
    value: float
    kind: int = NUMBER

    def inside(self, kind: int = PRODUCT) -> str:
        """As a part of a product or power: in parentheses if it is negative, or would be read in another way."""
        return f"({self.text})" if self.kind > kind or self.text.startswith("-") else self.text

    def __neg__(self) -> Arithmetic:
        return Arithmetic(f"-{self.inside(NUMBER)}", -self.value, PRODUCT)

    def __add__(self, other: Arithmetic) -> Arithmetic:
        term = f"- {other.text[1:]}" if other.text.startswith("-") else f"+ {other.text}"
        return Arithmetic(f"{self.text} {term}", self.value + other.value, SUM)

    def __sub__(self, other: Arithmetic) -> Arithmetic:
        return Arithmetic(f"{self.text} - {other.inside()}", self.value - other.value, SUM)

    def __mul__(self, other: Arithmetic) -> Arithmetic:
        return Arithmetic(f"{self.inside()} * {other.inside()}", self.value * other.value, PRODUCT)

    def __truediv__(self, other: Arithmetic) -> Arithmetic:
        return Arithmetic(f"{self.inside()} / {other.inside(NUMBER)}", self.value / other.value, PRODUCT)

    def __pow__(self, other: Arithmetic) -> Arithmetic:
        return Arithmetic(f"{self.inside(NUMBER)}^{other.inside(NUMBER)}", self.value**other.value, PRODUCT)


Numbers: TypeAlias = Callable[..., Arithmetic]
"""Makes arithmetic of a number: n(x), or n(x, 6) for at least six digits. Whole numbers (int) have all of theirs."""
Side: TypeAlias = Callable[[Numbers], Arithmetic]
"""The left side of an equation: ``lambda n: n(w) * n(x) + n(b)``."""


@np.errstate(all="ignore")
def equation(left: Side, value: float, digits: int = DIGITS) -> str:
    """``left = value``, with ``digits`` digits of the value, and on the left as many as it takes to come to them; of a lone
    number the value alone. Where numbers cancel, so that no digits are enough: ``left = about value``.
    """
    right = written(value, digits)
    for enough in range(DIGITS, MOST_DIGITS + 1):
        made = left(_numbers(enough))
        if written(made.value, digits) == right:
            return right if made.text == right else f"{made.text} = {right}"
    return f"{made.text} = about {right}"


def _numbers(digits: int) -> Numbers:
    def number(value: float, least: int = 0) -> Arithmetic:
        text = str(value) if isinstance(value, int) else written(value, max(digits, least))
        return Arithmetic(text, np.float64(text))

    return number


def applied(function: Callable[..., float], *arguments: Arithmetic) -> Arithmetic:
    """``max(1, 2)``."""
    text = ", ".join(argument.text for argument in arguments)
    return Arithmetic(f"{function.__name__}({text})", function(*(argument.value for argument in arguments)))


def worded(before: str, number: Arithmetic, after: str) -> Arithmetic:
    """A number among words: ``0.2 from biases``."""
    return Arithmetic(f"{before}{number.text}{after}", number.value)


def product(a: Arithmetic, b: Arithmetic) -> Arithmetic:
    """``0.45*0.12``, as a term of a long sum. If b alone is negative, its sign is that of the term."""
    if b.text.startswith("-") and not a.text.startswith("-"):
        return Arithmetic(f"-{a.text}*{b.text[1:]}", a.value * b.value, PRODUCT)
    return Arithmetic(f"{a.inside()}*{b.inside()}", a.value * b.value, PRODUCT)


def sum_of_products(a: Array, b: Array, count: int, constant: float | None = None) -> Side:
    """The ``count`` products a_d b_d of largest magnitude, the sum of the other nonzero ones, and a constant."""
    products, last = a * b, [] if constant is None else [constant]
    shown = largest(products, count)
    others = np.delete(products, shown)
    return lambda n: total([*(product(n(a[d]), n(b[d])) for d in shown), *rest(n, others), *map(n, last)])


def rest(n: Numbers, others: Array) -> list[Arithmetic]:
    """What the others come to, as one term; none if all are 0."""
    count = np.count_nonzero(others)
    return [worded(f"... ({count:,} more: ", n(others.sum()), ")")] if count else []


def total(terms: list[Arithmetic]) -> Arithmetic:
    """The sum of the terms; 0 for none."""
    return reduce(add, terms) if terms else Arithmetic("0", 0.0)
