"""Equations: parentheses where a reader needs them, and as many digits as it takes."""

from __future__ import annotations

import numpy as np
import pytest
from documents import arithmetic
from hypothesis import given
from hypothesis import strategies as st

from pellucid.core.display.equation import Arithmetic, applied, equation, product, sum_of_products, total, worded


def n(value):
    return Arithmetic(f"{value:g}", value)


def test_a_sum_takes_the_sign_of_its_term_and_a_product_puts_it_in_parentheses():
    assert (n(2) + n(-3)).text == "2 - 3"
    assert (n(2) - n(-3)).text == "2 - (-3)"
    assert (n(-2) * n(-3)).text == "(-2) * (-3)"
    assert (n(-2) ** n(2)).text == "(-2)^2"
    assert (-applied(np.log, n(0.5))).text == "-log(0.5)"
    assert ((n(2) + n(3)) * n(4) / (n(5) * n(6))).text == "(2 + 3) * 4 / (5 * 6)"
    assert applied(max, n(1), n(-2)).text == "max(1, -2)"


def test_a_term_of_a_long_sum_is_short_and_says_what_it_stands_for():
    assert [product(n(a), n(b)).text for a, b in ((2, 3), (2, -3), (-2, 3), (-2, -3))] == [
        "2*3",
        "-2*3",
        "(-2)*3",
        "(-2)*(-3)",
    ]
    assert total([n(2), worded("", n(-3), " from biases")]).text == "2 - 3 from biases"
    a, b = np.array([2.0, 0.0, -1.0, 5.0, 1.0]), np.array([3.0, 9.0, 4.0, 0.0, -0.5])
    assert sum_of_products(a, b, 2)(n).text == "2*3 + (-1)*4 + ... (1 more: -0.5)"
    assert sum_of_products(a, b, 9, -7.0)(n).text == "2*3 + (-1)*4 - 1*0.5 - 7"
    assert total([]).text == "0"


def joined(given):
    sign, a, b = given
    if sign == "/" and b.value == 0:
        return a
    made = {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__truediv__, "product": lambda b: product(a, b)}
    return made[sign](b)


PARTS = st.recursive(
    st.integers(-999, 999).map(lambda hundredths: n(hundredths / 100)),
    lambda parts: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "product"]), parts, parts).map(joined),
        parts.map(lambda part: -part),
    ),
    max_leaves=8,
)


@given(PARTS)
def test_what_is_printed_is_what_is_computed(part):
    """Read and computed by Python's own grammar."""
    assert arithmetic(part.text) == pytest.approx(part.value, rel=1e-9, abs=1e-9)


def test_the_left_side_has_as_many_digits_as_it_takes():
    assert equation(lambda n: n(1 / 3) * n(3), 1.0) == "0.33333 * 3 = 1"
    assert equation(lambda n: n(1.0) - n(1 - 1e-9), 1e-9) == "1 - 0.999999999 = 1e-09"
    assert equation(lambda n: n(0.5) * n(0.25), 0.125) == "0.5 * 0.25 = 0.125"
    assert equation(lambda n: n(1.0, 6) / n(1.00193, 6), 1 / 1.00193) == "1 / 1.00193 = 0.9981"
    assert equation(lambda n: n(0.123456), 0.123456) == "0.1235"


def test_whole_numbers_have_all_their_digits():
    assert equation(lambda n: n(7.0) / n(12544), 7 / 12544) == "7 / 12544 = 0.000558"


def test_what_no_digits_bring_to_the_value_is_about_it():
    assert equation(lambda n: n(1e5) - n(1e5), 1e-12) == "100000 - 100000 = about 1e-12"
