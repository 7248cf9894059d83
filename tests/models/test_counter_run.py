"""The counter-run: what a quick network makes of the rows with a suspected column and without it."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.tables.suspects.find import find_suspects
from pellucid.data.tables.suspects.suspect import Suspect
from pellucid.data.tables.table import Table
from pellucid.models.counter_run import with_counter_runs


def leaking(count: int, leaks: int = 1, *, classes: bool = True, seed: int = 0) -> Table:
    """The target is the sign of x, wrong for a fifth of the rows; or x with noise of size 1. So many columns hold it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=count)
    if classes:
        y = (x > 0) ^ (rng.random(count) < 0.2)
        told = {f"leak {k}": np.where(y, 5.0, -5.0) + rng.normal(size=count) for k in range(leaks)}
        return pl.datasets.table({"x": x, **told, "y": np.where(y, "yes", "no")}, "y")
    z = 3 * x + rng.normal(size=count)
    return pl.datasets.table({"x": x, **{f"leak {k}": 7 * z - 2 for k in range(leaks)}, "z": 100 + 10 * z}, "z")


def suspects(table: Table) -> list[Suspect]:
    return find_suspects(*table.by_name(), table.target.name)


def test_with_the_column_nearly_all_rows_are_right_and_without_it_as_many_as_the_noise_leaves():
    table = leaking(3000)
    (found,) = [one for one in with_counter_runs(suspects(table), table) if one.kind == "gives_away"]
    assert found.column == "leak 0"
    assert found.numbers["held_out_rows"] == 750
    assert found.numbers["accuracy_with"] > 0.99
    assert found.numbers["accuracy_without"] == pytest.approx(0.8, abs=0.06)
    assert "accuracy_without_any" not in found.numbers
    assert f"of 750 held-out rows with it, {found.numbers['accuracy_without']:.1%} without it" in found.evidence


def test_of_numbers_it_says_the_error_in_units_of_the_target():
    table = leaking(3000, classes=False)
    (found,) = [one for one in with_counter_runs(suspects(table), table) if one.kind == "gives_away"]
    assert found.numbers["rmse_without"] == pytest.approx(10, rel=0.12)  # the noise
    assert found.numbers["rmse_with"] < 2
    assert f"{found.numbers['rmse_without']:.4g} without it" in found.evidence


def test_of_several_columns_one_says_nothing_but_all_of_them_do():
    table = leaking(2000, 4)
    found = [one for one in with_counter_runs(suspects(table), table) if one.kind == "gives_away"]
    assert [one.column for one in found] == [f"leak {k}" for k in range(4)]
    for one in found[:3]:
        assert one.numbers["accuracy_without"] > 0.99  # the others still tell
        assert one.numbers["accuracy_without_any"] == pytest.approx(0.8, abs=0.06)
    assert set(found[3].numbers) == {"explained"}  # three runs are enough


def test_a_single_column_leaves_a_constant_without_it():
    table = leaking(2000).without(["x"])
    (found,) = [one for one in with_counter_runs(suspects(table), table) if one.kind == "gives_away"]
    assert found.numbers["accuracy_without"] == pytest.approx(0.5, abs=0.06)
    numbers = leaking(2000, classes=False).without(["x"])
    (found,) = [one for one in with_counter_runs(suspects(numbers), numbers) if one.kind == "gives_away"]
    assert found.numbers["rmse_without"] == pytest.approx(numbers.y.std(), rel=0.1)


def test_nothing_is_run_where_nothing_is_given_away():
    table = leaking(300, 0)
    others = [Suspect("placeholder", "x", "what", "evidence")]
    assert with_counter_runs(others, table) == others


def test_the_same_rows_give_the_same_evidence():
    table = leaking(1000)
    assert with_counter_runs(suspects(table), table) == with_counter_runs(suspects(table), table)
