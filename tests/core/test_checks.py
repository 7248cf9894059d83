"""Checks of what people pass as numbers: arrays of objects and tables, as pandas and others give them.

``Table`` stands in for a frame of pandas, which is no dependency of ours: names of columns, and an array of objects.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import pellucid as pl
from pellucid.core.checks import as_numbers, plain_list


class NAType:
    """What pandas writes for a missing value."""

    def __repr__(self):
        return "<NA>"

    def __float__(self):
        raise TypeError("float() argument must be a string or a real number, not 'NAType'")


NA = NAType()


class Table:
    """Columns by name; like a frame, it gives an array of objects if their types differ."""

    def __init__(self, **columns):
        self.columns = np.array(list(columns), dtype=object)
        self._columns = list(columns.values())
        self.shape = (len(self._columns[0]), len(columns))

    def to_numpy(self):
        return np.array(self._columns, dtype=object).T

    def __array__(self, dtype=None, copy=None):
        return self.to_numpy()


def network(*between):
    return pl.Network([pl.Input(2), *between, pl.BinaryClassification()], seed=1)


MIXED = {
    "bool and float": ([True, False, True], [0.1, 0.2, 0.3]),
    "NumPy's bool and float": ([np.True_, np.False_, np.True_], [0.1, 0.2, 0.3]),
    "nullable integers": ([1, 0, 7], [np.float32(0.5), 2, 3.0]),
    "decimals and fractions": ([Decimal("1.5"), Decimal(2), 1], [Fraction(1, 4), 0, 1]),
}


@pytest.mark.parametrize("name", MIXED)
def test_a_table_with_columns_of_several_types_is_its_numbers(name):
    """In predictions, training, evaluation and Rescale alike: the bits are those of the floats."""
    first, second = MIXED[name]
    table, y = Table(smokes=first, age=second), [0, 1, 1]
    x = np.array([[float(a), float(b)] for a, b in zip(first, second, strict=True)])
    assert network().predict_proba(table).tobytes() == network().predict_proba(x).tobytes()
    assert network().evaluate(table, y) == network().evaluate(x, y)
    assert pl.Rescale.fit(table) == pl.Rescale.fit(x)
    trained = [network(), network()]
    for one, data in zip(trained, (table, x), strict=True):
        one.fit(data, y, epochs=2, progress="none")
    assert (trained[0].parameters.vector == trained[1].parameters.vector).all()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NA, r"x\[1\], column 'smokes', has no value \(<NA>\); fill it in"),
        (None, r"x\[1\], column 'smokes', has no value \(None\); fill it in"),
        ("yes", r"x\[1\], column 'smokes', is 'yes', not a number; numbers are expected, of the shape \(B, 2\)"),
        ("1", r"column 'smokes', is '1', not a number"),
        (1j, r"column 'smokes', is 1j, not a number"),
        ([1], r"column 'smokes', is \[1\], not a number"),
        (float("nan"), r"x\[1\] holds NaN or infinity, or a number beyond float32 \(column 'smokes'\)"),
        (10**400, "x holds a whole number of too many digits"),
    ],
)
def test_what_is_no_number_is_named_with_its_column(value, words):
    table = Table(smokes=[True, value, False], age=[10**10, 0.2, 0.3] if value != 10**400 else [1, 2, 3])
    for call in (network().predict_proba, network().predict, lambda x: network().fit(x, [0, 1, 1])):
        with pytest.raises(pl.ShapeError, match=words):
            call(table)


def test_columns_without_names_are_counted():
    with pytest.raises(pl.ShapeError, match=r"x\[1, 0\] has no value \(None\)"):
        network().predict([[1.0, 2.0], [None, 3.0]])
    with pytest.raises(pl.ShapeError, match=r"x\[0\] holds NaN .*\(column 1\)"):
        network().predict([[1.0, np.nan]])


def test_whole_numbers_among_objects_stay_whole():
    assert as_numbers(np.array([3, np.int8(4)], object), "y", "").dtype == np.int64
    assert as_numbers(np.array([3, True], object), "y", "").dtype == np.float64
    y = np.array([0, 1, 1], object)
    assert network().evaluate(np.eye(3, 2), y) == network().evaluate(np.eye(3, 2), [0, 1, 1])


def test_a_missing_class_is_named():
    with pytest.raises(pl.ShapeError, match=r"y\[1\] has no value \(<NA>\)"):
        network().fit(np.eye(2), np.array([1, NA], object))
    with pytest.raises(pl.ShapeError, match=r"y\[1\] is NaN; leave out such samples; 2 class numbers 0 to 1"):
        network().fit(np.eye(2), [1.0, np.nan])


def test_names_in_a_series_get_the_advice_for_names():
    class Series:
        def to_numpy(self):
            return np.array(["no", "yes"], object)

    with pytest.raises(pl.ShapeError, match=r"y\[0\] is 'no', not a number.*numpy.unique\(names, return_inverse=True\)"):
        network().fit(np.eye(2), Series())


def test_the_names_of_columns_may_be_an_index():
    """An index of pandas has ``tolist``, as an array has."""
    x = np.array([[1.0, 2.0]])
    for columns in (np.array(["smokes", "age"]), Table(smokes=[1], age=[2]).columns):
        assert pl.attribute(network(), x, columns=columns).columns == ("smokes", "age")
        assert pl.what_if(network(), x, "age", [1.0, 2.0], columns=columns).answers.shape[0] == 1
        assert "age" in str(pl.explain(pl.Model(network()), x[0], columns=columns))
    assert plain_list(np.array([1, 2])) == [1, 2]
    assert plain_list("ab") == "ab"
    with pytest.raises(pl.ArgumentError, match=r"columns is a list of names, not \[0, 1\]"):
        pl.attribute(network(), x, columns=np.arange(2))
