"""What lies between a table and its test, against SciPy and plain ways to count."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import pellucid as pl
from pellucid.data.tables.columns import DAY, CategoryColumn, DateColumn, NumberColumn, OrderedColumn
from pellucid.data.tables.suspects.alone import identifier_numbers, identifier_predicts
from pellucid.data.tables.suspects.drift import drift, largest_difference
from pellucid.data.tables.suspects.two_tables import compare_tables
from pellucid.data.tables.table import open_rows

X = NumberColumn("x")
WORDS = CategoryColumn("x", tuple("abcdefgh"))


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_difference_is_that_of_kolmogorov_and_smirnov(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=300).round(1), rng.normal(0.3, 1.2, 170).round(1)  # with ties
    assert largest_difference(one, other) == pytest.approx(stats.ks_2samp(one, other).statistic, abs=1e-12)


def test_rows_without_a_value_count_as_lower_than_all_others():
    one, other = np.arange(200.0), np.where(np.arange(200) < 60, np.nan, np.arange(200.0))
    assert largest_difference(one, other) == pytest.approx(0.3)
    found = drift("x", X, one, other)
    assert found is not None
    assert (found.numbers["missing_in_training"], found.numbers["missing_in_test"]) == (0, 0.3)
    assert "missing are 0.0% and 30.0%" in found.evidence


def test_categories_are_suspected_where_the_chi_squared_test_says_so():
    """Of 400 pairs of samples with shares more and less alike: the decisions are those of SciPy's test at 1 in 1,000, but
    for those within a tenth of that; the size is half of the sum of the differences of shares."""
    decided = set()
    for seed in range(400):
        rng = np.random.default_rng(seed)
        p = rng.dirichlet(np.full(8, 3.0))
        q = rng.dirichlet(200 * p)
        one, other = (rng.choice(8, size, p=shares).astype(float) for size, shares in ((150, p), (90, q)))
        counts = np.stack([np.bincount(codes.astype(int), minlength=8) for codes in (one, other)])
        chance = stats.chi2_contingency(counts[:, counts.any(axis=0)], correction=False).pvalue
        shares = counts / counts.sum(axis=1, keepdims=True)
        distance = np.abs(shares[0] - shares[1]).sum() / 2
        found = drift("x", WORDS, one, other)
        if distance < 0.1 or not 0.0009 < chance < 0.0011:
            assert (found is not None) == (distance >= 0.1 and chance < 0.001), (seed, distance, chance)
            decided.add(found is not None)
        if found is not None:
            assert found.numbers["distance"] == pytest.approx(distance)
    assert decided == {True, False}


def test_values_that_only_the_test_has_are_counted():
    training = np.arange(100) % 5.0
    test = np.where(np.arange(100) < 25, np.nan, training)
    found = drift("x", WORDS, training, test)
    assert found is not None
    assert found.numbers == pytest.approx({"distance": 0.25, "unknown_in_test": 0.25})
    assert "a value that training has not: 0.0% in training, 25.0% in the test" in found.evidence


def test_equal_columns_do_not_drift_and_small_differences_are_not_worth_a_word():
    rng = np.random.default_rng(0)
    for column, values in ((X, rng.normal(size=2000)), (WORDS, rng.integers(0, 8, 2000).astype(float))):
        assert drift("x", column, values, values) is None
        assert drift("x", column, values, values[:1900]) is None
    assert drift("x", X, np.arange(100_000.0), np.arange(100_000.0) + 5000) is None  # sure, but of 5 % of the rows
    assert drift("x", X, np.zeros(5), np.ones(2)) is None  # too few to tell


def test_time_that_runs_on_or_back():
    days = np.arange(300.0) * DAY
    later, earlier = (
        drift("d", DateColumn("d"), days[:200], days[150:]),
        drift("d", DateColumn("d"), days[150:], days[:200]),
    )
    assert later is not None
    assert earlier is not None
    assert (later.kind, later.numbers["beyond"]) == ("later", pytest.approx(100 / 150))
    assert (earlier.kind, earlier.numbers["beyond"]) == ("earlier", pytest.approx(150 / 200))
    assert "training from 1970-01-01 to 1970-07-19, test from 1970-05-31 to 1970-10-27" in later.evidence


def test_the_middle_of_ordered_values_is_a_word():
    found = drift("x", OrderedColumn("x", ("S", "M", "L")), np.zeros(50), np.full(50, 2.0))
    assert found is not None
    assert "median 'S' in training, 'L' in the test" in found.evidence


def test_rows_in_both_are_those_that_a_set_finds():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        first, second = ({"n": rng.integers(0, 9, n), "w": rng.choice(["a", "b", ""], n)} for n in (40, 15))
        first["y"], second["y"] = (np.array(["u", "v", "u", "u"])[np.arange(n) % 4] for n in (40, 15))
        table = pl.datasets.table(first, "y", kinds={"n": "number"})
        known = set(zip(*first.values(), strict=True))
        expected = sum(row in known for row in zip(*second.values(), strict=True))
        found = compare_tables(*table.by_name(), open_rows(second), "y")
        assert [one.numbers["rows"] for one in found if one.kind == "rows_in_both"] == ([expected] if expected else [])


def test_the_test_need_not_have_the_target():
    table = pl.datasets.table({"a": [1.5, 2.5, 3.5, 4.5], "y": ["u", "v", "u", "v"]}, "y")
    found = compare_tables(*table.by_name(), open_rows({"a": [2.5, 9.0]}), "y")
    assert [(one.kind, one.numbers["rows"]) for one in found] == [("rows_in_both", 1)]


def test_an_identifier_is_read_by_its_digits():
    assert identifier_numbers(["C-017", "12/3", "x"]).tolist()[:2] == [17, 123]
    assert np.isnan(identifier_numbers(["x"])[0])
    assert identifier_numbers(["9" * 40])[0] == float("9" * 15)


def test_an_identifier_is_suspected_only_beyond_chance():
    """Of 200 identifiers that tell nothing none is named; one that tells a quarter of the variance is."""
    target = NumberColumn("y")
    rng = np.random.default_rng(2)
    values = np.arange(400.0)
    assert not [k for k in range(200) if identifier_predicts("id", values, target, rng.normal(size=400))]
    classes = CategoryColumn("y", ("a", "b"))
    assert not [k for k in range(200) if identifier_predicts("id", values, classes, rng.integers(0, 2, 400).astype(float))]
    values = np.arange(4000.0)
    found = identifier_predicts("id", values, target, rng.normal(size=4000) + values / 2000)
    assert found is not None
    assert found.numbers["explained"] == pytest.approx(0.25, abs=0.06)


@pytest.mark.filterwarnings("error")
def test_an_identifier_of_a_huge_target_overflows_nothing():
    y = np.where(np.arange(300) % 2, 1e300, -1e300)
    assert identifier_predicts("id", np.arange(300.0), NumberColumn("y"), y) is None
