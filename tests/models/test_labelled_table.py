"""Rows with true targets, in the form that a model takes: against NumPy from the text of the cells."""

from __future__ import annotations

import numpy as np
import pytest
from small_tables import learned, read_csv, row_of_numbers, write_houses

import pellucid as pl
from pellucid.data.tables.table import open_rows
from pellucid.models.labelled_table import cells_of, labelled_rows, rows_of_table


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        target: learned(write_houses(folder / f"{target}.csv", target), target, folder / f"{target}.safetensors", epochs=2)
        for target in ("price", "class")
    }


@pytest.mark.parametrize("target", ["price", "class"])
def test_rows_become_numbers_and_targets(models, tmp_path, target):
    model = models[target]
    path = write_houses(tmp_path / "new.csv", target, rows=80, seed=9)
    found, rows = labelled_rows(model.pipeline, open_rows(path)), read_csv(path)
    np.testing.assert_allclose(found.x, [row_of_numbers(model, row) for row in rows], atol=1e-6)
    expected = [float(row["price"]) if target == "price" else model.labels.index(row["class"]) for row in rows]
    np.testing.assert_array_equal(found.y, expected)
    np.testing.assert_array_equal(found.rows, np.arange(1, 81))


def test_a_row_without_a_target_or_with_an_unknown_one_is_refused(models, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("class,built,sea,rooms,age\nlow,2001-01-01,far,5,30\n,2001-01-01,far,5,30\nhuge,2001-01-01,far,5,30\n"
                    "top,2002-02-02,near,7,\n")  # fmt: skip
    found = labelled_rows(models["class"].pipeline, open_rows(path))
    assert found.rows.tolist() == [1, 4]
    assert [models["class"].labels[k] for k in found.y] == ["low", "top"]
    assert (found.account.rows_in, found.account.rows_refused, found.account.cells_missing) == (4, 2, 1)
    assert {(entry.row, entry.value) for entry in found.account.entries} == {(2, ""), (3, "huge")}


def test_a_column_that_is_not_there_is_named(models, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("age,rooms,price\n1,2,3\n")
    with pytest.raises(pl.DataError, match="no column 'sea', 'built', which the model needs"):
        labelled_rows(models["price"].pipeline, open_rows(path))


def test_cells_of_rows_as_they_stand(tmp_path):
    """Also where other rows are refused, or a cell holds the end of a line."""
    path = tmp_path / "odd.csv"
    path.write_text('a,b\n1,x\n2\n" 3",\n4,"two\nlines"\n5,€ 7\n', encoding="utf-8")
    rows = open_rows(path)
    assert cells_of(rows, [1, 2, 3, 4, 9]) == {1: ("1", "x"), 3: ("3", ""), 4: ("4", "two\nlines")}
    assert cells_of(rows, []) == {}


def test_cells_of_a_row_far_down(tmp_path):
    """In a file of several blocks."""
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "".join(f"{k},{'y' * 40}{k}\n" for k in range(1, 60_001)))
    assert cells_of(open_rows(path), {60_000, 1, 31_234}) == {k: (str(k), f"{'y' * 40}{k}") for k in (1, 31_234, 60_000)}


def test_levels_in_another_order_are_another_column(tmp_path):
    (tmp_path / "sizes.csv").write_text("size,y\n" + "S,1.5\nM,2.5\nL,3.5\n" * 20)
    one, other = (
        pl.datasets.table(tmp_path / "sizes.csv", "y", kinds={"size": tuple(levels)}) for levels in ("SML", "LMS")
    )
    pipeline = one.pipeline(np.arange(60))
    np.testing.assert_allclose(rows_of_table(pipeline, one).x[:3, 0], [-1, 0, 1])
    with pytest.raises(pl.DataError, match=r"'size' of .* the model learned it as ordered"):
        rows_of_table(pipeline, other)
