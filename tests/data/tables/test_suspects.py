"""What looks wrong in a table, against slow and plain ways to find it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from pellucid.core import random
from pellucid.data.tables.columns import CategoryColumn, NumberColumn
from pellucid.data.tables.suspects.alone import explained_alone, gives_away
from pellucid.data.tables.suspects.columns import equal_columns, placeholder
from pellucid.data.tables.suspects.find import find_suspects
from pellucid.data.tables.suspects.rows import contradictions, repeated_rows

X = NumberColumn("x")
SMALL = st.sampled_from([0.0, -0.0, 1.0, 2.0, np.nan, 0.5])
TABLES = st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[SMALL] * width), min_size=1, max_size=30))


def by_name(rows: list[tuple[float, ...]]) -> dict[str, np.ndarray]:
    return {f"c{k}": np.array(values) for k, values in enumerate(zip(*rows, strict=True))}


def as_key(row: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(str(value + 0.0) for value in row)  # -0 is 0, and nothing is equal to nothing


@given(TABLES)
def test_repeated_rows_are_counted(rows):
    count = len(rows) - len(set(map(as_key, rows)))
    found = repeated_rows(by_name(rows))
    assert [one.what.split()[0] for one in found] == ([f"{count}"] if count else [])


@given(TABLES, st.randoms(use_true_random=False))
def test_rows_of_equal_inputs_and_unlike_targets_are_counted(rows, random):
    y = [random.choice([0.0, 1.0]) for _ in rows]
    targets: dict[tuple[str, ...], set[float]] = {}
    for row, answer in zip(rows, y, strict=True):
        targets.setdefault(as_key(row), set()).add(answer)
    count = sum(len(targets[as_key(row)]) > 1 for row in rows)
    found = contradictions(by_name(rows), np.array(y))
    assert [one.what.split()[0] for one in found] == ([f"{count}"] if count else [])


@given(TABLES)
def test_columns_that_are_equal_to_an_earlier_one(rows):
    values = by_name(rows)
    keys = {name: as_key(tuple(column)) for name, column in values.items()}
    again = [name for k, name in enumerate(keys) if keys[name] in list(keys.values())[:k]]
    assert [one.column for one in equal_columns(values)] == again


def test_a_number_far_from_all_others_may_stand_for_nothing():
    values = np.array([*np.linspace(0, 50, 500), -999, -999, -999])
    found = placeholder("x", X, values)
    assert found is not None
    assert "-999" in found.what
    assert "3 cells" in found.evidence
    assert placeholder("x", X, values[:-2]) is None  # it comes once
    assert placeholder("x", X, np.linspace(-1500, 50, 500).round()) is None  # it is among the others
    assert placeholder("x", CategoryColumn("x", ("a",)), values) is None
    assert placeholder("x", X, np.full(9, -999.0)) is None
    assert placeholder("x", X, np.full(9, np.nan)) is None


@pytest.mark.parametrize("is_classes", [True, False])
def test_what_one_column_explains_is_what_a_tree_of_its_bins_explains(is_classes):
    rng = np.random.default_rng(1)
    for noise in (0.0, 0.3, 3.0):
        x = rng.integers(0, 30, 4000).astype(float)
        y = np.sin(x) + noise * rng.normal(size=4000)
        y = (y > 0).astype(float) if is_classes else y
        tree = (DecisionTreeClassifier if is_classes else DecisionTreeRegressor)(min_samples_leaf=1)
        order = random.permutation(random.key(0, random.Purpose.SPLIT), 4000)
        learn, test = order[::2], order[1::2]
        guess = tree.fit(x[learn, None], y[learn]).predict(x[test, None])
        if is_classes:
            constant = np.bincount(y[learn].astype(int)).argmax()
            share = 1 - (guess != y[test]).mean() / (constant != y[test]).mean()
        else:
            share = 1 - ((guess - y[test]) ** 2).mean() / ((y[learn].mean() - y[test]) ** 2).mean()
        assert explained_alone(x, y, is_classes) == pytest.approx(share, abs=1e-9)


def test_a_column_that_gives_the_target_away_is_named_and_no_other():
    rng = np.random.default_rng(2)
    y = rng.normal(size=2000)
    values = {"y": y, "leak": 3 * y + 1, "some": y + rng.normal(size=2000), "none": rng.normal(size=2000)}
    columns = {name: NumberColumn(name) for name in values}
    found = [one for one in find_suspects(columns, values, "y") if "gives the target away" in one.what]
    assert [one.column for one in found] == ["leak"]
    share = float(found[0].evidence.split("%")[0].split()[-1])
    assert share == pytest.approx(99, abs=0.9)  # a linear column leaves what varies within its 64 bins
    assert gives_away("leak", values["leak"][:100], columns["y"], y[:100]) is None  # too few rows to say so


def test_rows_that_alternate_hide_nothing():
    y = np.array([0.0, 1.0] * 100)
    assert explained_alone(y, y, True) == 1


def test_rows_without_a_target_say_nothing_of_it():
    y = np.array([0.0, 1.0] * 100)
    values = {"y": np.append(y, [np.nan] * 50), "x": np.append(y, np.arange(50.0))}
    columns = {"y": CategoryColumn("y", ("a", "b")), "x": X}
    found = Counter(one.what for one in find_suspects(columns, values, "y"))
    assert found["it gives the target away"] == 1
    assert not [what for what in found if "another target" in what]


def test_a_target_that_was_not_read_is_not_looked_at():
    assert find_suspects({"x": X}, {"x": np.arange(5.0)}, "y") == []


@pytest.mark.filterwarnings("error")
@given(st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=200, max_size=200), st.booleans())
def test_no_number_is_too_large(values, is_classes):
    x = np.array(values)
    y = np.arange(200.0) % 2 if is_classes else np.nan_to_num(x[::-1])
    target = CategoryColumn("y", ("a", "b")) if is_classes else NumberColumn("y")
    find_suspects({"x": X, "y": target}, {"x": x, "y": y}, "y")


def test_ten_thousand_columns_are_compared_by_their_sums_not_in_pairs():
    rng = np.random.default_rng(0)
    values = {f"c{k}": rng.normal(size=10) for k in range(10_000)} | {"again": np.arange(10.0), "twice": np.arange(10.0)}
    assert [(one.column, one.what) for one in equal_columns(values)] == [("twice", "it is equal to again")]
