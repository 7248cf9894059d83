"""What-if curves of columns: the answers are those of the rows with another cell, over what came in training."""

from __future__ import annotations

import numpy as np
import pytest
from small_tables import learned, outputs, probabilities, read_csv, write_houses

import pellucid as pl
from pellucid.data.tables.columns import DAY, CategoryColumn, DateColumn, NumberColumn, OrderedColumn
from pellucid.data.tables.table import open_rows
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.models.labelled_table import labelled_rows
from pellucid.reports.columns.curves import curves_of, in_words, range_of, ticks_of
from pellucid.reports.columns.findings import column_findings
from pellucid.reports.columns.importance import importance_of


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """target -> (model, rows of texts, x, y)."""
    folder = tmp_path_factory.mktemp("houses")
    made = {}
    for target in ("price", "sold", "class"):
        path = write_houses(folder / f"{target}.csv", target)
        model = learned(path, target, folder / f"{target}.safetensors")
        rows = labelled_rows(model.pipeline, open_rows(path))
        made[target] = model, read_csv(path), rows.x, rows.y
    return made


@pytest.mark.parametrize("target", ["price", "sold", "class"])
def test_a_curve_is_the_answer_for_the_row_with_another_cell(houses, target):
    """By NumPy from the texts of the cells: a number, a category, a date."""
    model, rows, x, _ = houses[target]
    tried = {"rooms": ["3", "5.5"], "sea": ["far", "near"], "built": ["1999-12-31", "2004-02-29"]}
    for k, column in enumerate(model.pipeline.columns):
        if column.name not in tried:
            continue
        texts = tried[column.name]
        found = curves_of(model, x[:5], k, column.read(texts).values)
        for s, text in enumerate(texts):
            changed = [{**row, column.name: text} for row in rows[:5]]
            expected = probabilities(model, changed) if model.labels else outputs(model, changed)
            np.testing.assert_allclose(found.answers[:, s], expected, rtol=2e-4, atol=1e-6)
        np.testing.assert_allclose(found.mean, found.answers.mean(axis=0))
        assert found.names == tuple(texts)
        assert (found.is_of_names, found.is_of_dates) == (column.name == "sea", column.name == "built")


def test_numbers_run_over_what_came_in_training_without_the_extremes(houses):
    model, rows, *_ = houses["price"]
    k = [column.name for column in model.pipeline.columns].index("rooms")
    values = range_of(model, k)
    rooms = np.sort([float(row["rooms"]) for row in rows])
    assert len(values) > 30
    assert rooms[0] < values[0] < np.quantile(rooms, 0.1)
    assert np.quantile(rooms, 0.9) < values[-1] < rooms[-1]
    assert min(np.abs(rooms - value).min() for value in values) == 0
    assert max(np.abs(rooms - value).min() for value in values) < 1e-4  # each came: back through the soft clip


def test_dates_run_over_whole_days(houses):
    model, rows, *_ = houses["price"]
    k = [column.name for column in model.pipeline.columns].index("built")
    values = range_of(model, k)
    assert (values % DAY == 0).all()
    built = {row["built"] for row in rows}
    assert {in_words(model.pipeline.columns[k], value) for value in values} <= built


def test_without_bins_numbers_run_around_the_center():
    columns = (NumberColumn("a", center=10.0, scale=4.0), DateColumn("d", center=100.0, scale=10.0))
    network = pl.Network([pl.Input(12), pl.Regression()])
    model = pl.Model(network, TablePipeline(columns, NumberColumn("y")))
    assert (range_of(model, 0)[[0, -1]] == [2, 18]).all()
    assert (range_of(model, 1)[[0, -1]] == [80 * DAY, 120 * DAY]).all()


def test_names_are_tried_one_by_one():
    columns = (CategoryColumn("c", ("", "u", "v")), OrderedColumn("o", ("S", "M", "L", "XL")))
    model = pl.Model(pl.Network([pl.Input(4), pl.Regression()]), TablePipeline(columns, NumberColumn("y")))
    x = model.pipeline.encode([np.array([1.0]), np.array([2.0])])
    assert curves_of(model, x, 0, range_of(model, 0)).names == ("(missing)", "u", "v")
    assert curves_of(model, x, 1, range_of(model, 1)).names == ("S", "M", "L", "XL")


def test_ticks_of_an_axis_are_round_numbers_or_dates(houses):
    model, _, x, _ = houses["price"]
    names = [column.name for column in model.pipeline.columns]
    for name in ("rooms", "built"):
        k = names.index(name)
        curves = curves_of(model, x[:2], k, range_of(model, k))
        ticks = ticks_of(curves)
        assert 2 <= len(ticks) <= 5
        assert all(curves.values[0] <= tick <= curves.values[-1] for tick in ticks)
        read = model.pipeline.columns[k].read(list(ticks.values())).values
        np.testing.assert_allclose(read, list(ticks), rtol=1e-9)


def test_the_findings_show_the_most_important_columns_and_the_commonest_values():
    """A category of 30 values: the 12 that come most often; of six classes the four that are most probable on average."""
    columns = (CategoryColumn("many", tuple(f"v{k:02}" for k in range(30))), NumberColumn("none"))
    network = pl.Network([pl.Input(31), pl.Classification(6)])
    network.parameters["output.weight"] = np.vstack([np.random.default_rng(0).normal(size=(30, 6)), np.zeros((1, 6))])
    network.parameters["output.bias"] = np.array([3.0, 0, 2, 0, 1, 4])
    model = pl.Model(network, TablePipeline(columns, NumberColumn("y")), labels=list("abcdef"))
    codes = np.concatenate([np.repeat(np.arange(0.0, 24, 2), 20), np.arange(30.0)])
    x = model.pipeline.encode([codes, np.zeros(len(codes))])
    importance = importance_of(model, x, model.network.predict(x))
    assert importance.columns[0].column == "many"
    found = column_findings(model, x, importance)
    assert [curves.column for curves in found.curves] == ["many", "none"]
    assert found.curves[0].names == tuple(f"v{k:02}" for k in range(0, 24, 2))
    assert [name for name, _ in found.answers] == ["f", "a", "c", "e"]
    means = model.predict_proba(x)[:, [k for _, k in found.answers]].mean(axis=0)
    np.testing.assert_allclose([found.means[k] for _, k in found.answers], means, atol=0.03)  # of 200 of 270 rows


def test_the_commonest_values_of_a_category_that_is_embedded():
    """Its number is a place, -1 for a value that did not come in training; these are counted, and not added up."""
    column = CategoryColumn("many", tuple(f"v{k:02}" for k in range(70)), is_embedded=True)
    network = pl.Network([pl.Input(2), pl.Embedding(((0, 70, 3),)), pl.Regression()])
    model = pl.Model(network, TablePipeline((column, NumberColumn("none")), NumberColumn("y")))
    codes = np.concatenate([np.repeat(np.arange(1.0, 25, 2), 20), np.arange(70.0), np.full(50, np.nan)])
    x = model.pipeline.encode([codes, np.zeros(len(codes))])
    found = column_findings(model, x, importance_of(model, x, model.network.predict(x)))
    (curves,) = (one for one in found.curves if one.column == "many")
    assert curves.names == tuple(f"v{k:02}" for k in range(1, 25, 2))


def test_two_classes_are_one_line(houses):
    model, _, x, y = houses["sold"]
    found = column_findings(model, x, importance_of(model, x, y, permutations=1))
    assert found.answers == (("yes", 1),)
    model, _, x, y = houses["price"]
    found = column_findings(model, x, importance_of(model, x, y, permutations=1))
    assert found.answers == (("price", 0),)
    assert found.means == pytest.approx([model.network.predict(x).mean()], rel=0.02)
