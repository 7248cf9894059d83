"""Numbers and sums of products as text: ``2*0.8728 - 0.5*0.5953 + ... (40 more: 0.53) + 0.08``."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pellucid.core.shapes import Array

DIGITS = 4
FINE = 6  # digits in the steps of a softmax, so that readers can recompute the probability
Term: TypeAlias = tuple[str, str]
"""Its sign, and the rest."""


def written(number: float, digits: int = DIGITS) -> str:
    """A number with ``digits`` significant digits."""
    text = f"{number:.{digits}g}"
    return "0" if text == "-0" else text


def factor(number: float) -> str:
    """A factor of a product, in parentheses if it is negative."""
    return written(number) if number >= 0 else f"({written(number)})"


def signed(number: float) -> Term:
    """A number as a term."""
    return ("-" if number < 0 else "+"), written(abs(number))


def product(a: float, b: float) -> Term:
    """a*b as a term: ("-", "0.45*0.12"). If b alone is negative, its sign is that of the term."""
    if b < 0 <= a:
        return "-", f"{written(a)}*{written(-b)}"
    return "+", f"{factor(a)}*{factor(b)}"


def products_as_terms(a: Array, b: Array, count: int) -> list[Term]:
    """The ``count`` products a_d b_d of largest magnitude, and the sum of the other nonzero ones."""
    products = a * b
    shown = largest(products, count)
    left = np.delete(products, shown)
    terms = [product(float(a[d]), float(b[d])) for d in shown]
    if np.count_nonzero(left):
        terms.append(("+", f"... ({np.count_nonzero(left):,} more: {written(left.sum())})"))
    return terms


def largest(numbers: Array, count: int) -> NDArray[np.int64]:
    """The indices of the ``count`` numbers of largest magnitude, without zeros."""
    order = np.argsort(-np.abs(numbers), kind="stable")[:count]
    return order[numbers[order] != 0]


def as_sum(terms: list[Term]) -> str:
    """The terms with their signs between them; 0 for none."""
    text = " ".join(f"{sign} {term}" for sign, term in terms).removeprefix("+ ") or "0"
    return "-" + text[2:] if text.startswith("- ") else text
