"""Columns: what each makes of its cells, against other libraries and Python's own calendar."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.tables.columns import (
    WEEKDAYS,
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    Numbers,
    OrderedColumn,
    robust_scale,
    softly_clipped,
)
from pellucid.nn import catalogue

FINITE = st.floats(allow_nan=False, allow_infinity=False)
USUAL = st.floats(-1e9, 1e9, allow_nan=False)


def arrays(values: st.SearchStrategy, least: int = 1) -> st.SearchStrategy:
    return st.lists(values, min_size=least, max_size=40).map(lambda items: np.array(items, np.float64))


class TestNumbers:
    @given(arrays(USUAL, 2))
    def test_center_and_scale_are_median_and_distance_of_quartiles(self, values):
        column = NumberColumn("x").fit(values)
        assert column.center == pytest.approx(np.median(values))
        spread = scipy.stats.iqr(values)
        reach = (max(values) - min(values)) / 2
        assert column.scale == pytest.approx(spread or reach or 1)

    @given(arrays(USUAL, 2), arrays(USUAL))
    def test_the_number_is_z_softly_clipped(self, training, values):
        column = NumberColumn("x").fit(training)
        x = column.encode(values)
        for value, number in zip(values.tolist(), x[:, 0].tolist(), strict=True):
            z = max(-1e300, min((value - column.center) / column.scale, 1e300))
            assert number == pytest.approx(z / math.hypot(1, z / 3), rel=1e-6, abs=1e-30)

    def test_by_hand(self):
        column = NumberColumn("x").fit(np.array([0.0, 1, 2, 3, 4, np.nan]))
        assert (column.center, column.scale, column.has_gaps) == (2, 2, True)
        x = column.encode(np.array([2, 8, -4, np.nan]))  # z = 0, 3, -3
        np.testing.assert_allclose(x, [[0, 0], [3 / math.sqrt(2), 0], [-3 / math.sqrt(2), 0], [0, 1]], rtol=1e-7)
        assert column.parts == ("x", "x is missing")

    @pytest.mark.filterwarnings("error")
    @given(arrays(FINITE), arrays(FINITE))
    def test_every_finite_number_becomes_one_from_minus_3_to_3_in_order(self, training, values):
        column = NumberColumn("x").fit(training)
        x = column.encode(np.sort(values))[:, 0]
        assert np.isfinite(x).all()
        assert np.abs(x).max() <= 3
        assert (np.diff(x) >= 0).all()

    @pytest.mark.parametrize(("value", "expected"), [(1e300, 3), (-1e200, -3), (1.7e308, 3)])
    def test_very_large_numbers_are_at_the_ends(self, value, expected):
        assert softly_clipped(np.array([value]), 0.0, 1.0)[0] == expected

    def test_without_a_quarter_that_differs_the_extremes_tell_the_scale(self):
        assert robust_scale(np.array([0.0] * 9 + [8])) == (0, 4)
        assert robust_scale(np.array([5.0] * 9)) == (5, 1)
        assert robust_scale(np.array([np.nan] * 3)) == (0, 1)
        assert robust_scale(np.array([])) == (0, 1)

    def test_gaps_that_training_did_not_have_are_the_median(self):
        column = NumberColumn("x").fit(np.array([1.0, 2, 3]))
        assert column.width == 1
        np.testing.assert_array_equal(column.encode(np.array([np.nan, 2])), [[0], [0]])

    def test_the_format_is_that_of_the_column_but_for_numbers_of_a_frame(self):
        column = NumberColumn("x", ",", ".", "€")
        read = column.read(["1.234,5 €", "€2", "3", "", "n/a"])
        np.testing.assert_array_equal(read.values, [1234.5, 2, np.nan, np.nan, np.nan])
        assert read.missing.tolist() == [False, False, False, True, True]
        assert read.refused.tolist() == [False, False, True, False, False]
        assert column.read(Numbers(["1.5", "3", ""])).values[:2].tolist() == [1.5, 3]


class TestCategories:
    def test_codes_that_are_one_number_in_float64_are_two_values(self):
        known = ("9007199254740993", "9007199254740995")
        column = CategoryColumn("code", known)
        cells = [*known, "9007199254740992", "9007199254740993.0"]
        np.testing.assert_array_equal(column.read(cells).values, [0, 1, np.nan, np.nan])

    @given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.sampled_from(["a", "b", "c", "d", "e", ""])))
    def test_one_hot_of_the_values_of_the_training_rows(self, training, cells):
        column = CategoryColumn("x", tuple("abcd"))
        fitted = column.fit(column.read(training).values)
        assert fitted.values == tuple(sorted(set(training)))
        x = fitted.encode(fitted.read(cells).values)
        expected = [[float(cell == value) for value in sorted(set(training))] for cell in cells]
        np.testing.assert_array_equal(x, np.array(expected).reshape(len(cells), fitted.width))

    def test_what_did_not_come_is_refused_and_nothing_is_missing(self):
        read = CategoryColumn("x", ("a", "b")).read(["b", "c", ""])
        assert read.refused.tolist() == [False, True, False]
        assert read.missing.tolist() == [False, False, True]
        assert np.isnan(read.values).tolist() == [False, True, True]

    def test_missing_is_a_value_if_it_came_in_training(self):
        column = CategoryColumn("x", ("", "a"))
        np.testing.assert_array_equal(column.encode(column.read(["", "a", "b"]).values), [[1, 0], [0, 1], [0, 0]])
        assert column.parts == ("x is missing", "x = a")
        assert column.read([""]).missing.tolist() == [True]

    def test_a_known_text_is_itself_before_it_is_what_it_means(self):
        column = CategoryColumn("x", ("1", "1.0", "true"))
        assert column.read(["1", "1.0", "true", "TRUE", "1e0"]).values.tolist() == [0, 1, 2, 0, 0]

    def test_cells_none(self):
        assert CategoryColumn("x", ("a",)).read([]).values.shape == (0,)


class TestOrdered:
    @given(st.integers(2, 9))
    def test_levels_are_evenly_spread_from_minus_1_to_1(self, count):
        levels = tuple(f"level {k}" for k in range(count))
        column = OrderedColumn("x", levels)
        x = column.encode(column.read(levels).values)
        np.testing.assert_allclose(x[:, 0], np.linspace(-1, 1, count), rtol=1e-6, atol=1e-7)

    def test_missing_and_unknown(self):
        column = OrderedColumn("x", ("low", "high"))
        read = column.read(["high", "", "middle"])
        assert (read.missing.tolist(), read.refused.tolist()) == ([False, True, False], [False, False, True])
        fitted = column.fit(read.values)
        np.testing.assert_array_equal(fitted.encode(read.values), [[1, 0], [0, 1], [0, 1]])
        assert fitted.parts == ("x", "x is missing")
        np.testing.assert_array_equal(column.encode(read.values), [[1], [0], [0]])

    def test_levels_that_are_numbers_may_be_written_otherwise(self):
        assert OrderedColumn("x", ("1", "2", "3")).read(["3.0", "2", "4"]).values[:2].tolist() == [2, 1]


class TestDates:
    @given(st.lists(st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)), min_size=2, max_size=10))
    def test_the_parts_are_those_of_the_calendar(self, dates):
        dates = [date.replace(microsecond=0) for date in dates]
        column = DateColumn("x")
        read = column.read([str(date) for date in dates])
        epoch = dt.datetime(1970, 1, 1)
        np.testing.assert_array_equal(read.values, [(date - epoch).total_seconds() for date in dates])
        fitted = column.fit(read.values)
        x = dict(zip(fitted.parts, fitted.encode(read.values).T.astype(float), strict=True))
        for k, date in enumerate(dates):
            angle = 2 * math.pi * (date.month - 1) / 12
            assert x["x: month (sine)"][k] == pytest.approx(math.sin(angle), abs=1e-6)
            assert x["x: month (cosine)"][k] == pytest.approx(math.cos(angle), abs=1e-6)
            assert x["x: day of the month"][k] == pytest.approx((date.day - 16) / 15, abs=1e-6)
            assert [name for name in WEEKDAYS if x[f"x: {name}"][k]] == [date.strftime("%A")]
            days = (date - epoch) / dt.timedelta(days=1)
            z = (days - fitted.center) / fitted.scale
            assert x["x: time"][k] == pytest.approx(z / math.sqrt(1 + z * z / 9), abs=1e-4)
            if any(date.time() != dt.time() for date in dates):
                turn = 2 * math.pi * (date.hour * 3600 + date.minute * 60 + date.second) / 86_400
                assert x["x: hour (sine)"][k] == pytest.approx(math.sin(turn), abs=1e-6)
                assert x["x: hour (cosine)"][k] == pytest.approx(math.cos(turn), abs=1e-6)
        assert ("x: hour (sine)" in x) == any(date.time() != dt.time() for date in dates)

    def test_a_missing_date_is_0_in_all_parts_but_the_last(self):
        column = DateColumn("x").fit(np.array([0.0, np.nan, 86_400 * 40]))
        x = column.encode(np.array([np.nan, 0]))
        assert x[0].tolist() == [0.0] * (column.width - 1) + [1]
        assert x[1, -1] == 0
        assert column.parts[-1] == "x: is missing"

    def test_all_missing(self):
        column = DateColumn("x").fit(np.full(3, np.nan))
        assert np.isfinite(column.encode(np.array([np.nan, 1e9]))).all()


COLUMNS = [
    NumberColumn("x", ",", ".", "€", 0.1, 3.0, True),
    CategoryColumn("x", ("", "a", "ä")),
    OrderedColumn("x", ("low", "high"), True),
    DateColumn("x", "dmy", 0.1, 2.0, True, True),
]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: type(column).__name__)
def test_columns_are_saved_and_have_a_name_for_each_number(column: Column):
    catalogue.register(type(column))
    assert catalogue.from_dict(catalogue.to_dict(column), Column) == column
    x = column.encode(np.array([0.0, 1.0, np.nan]))
    assert x.dtype == np.float32
    assert x.shape == (3, column.width) == (3, len(set(column.parts)))


def test_every_column_is_in_the_list():
    assert {type(column) for column in COLUMNS} == set(Column.__subclasses__())
