"""Mean contributions of the columns, against a linear model whose contributions are known, and against the single rows."""

from __future__ import annotations

import numpy as np
import pytest
from small_tables import learned, write_houses

import pellucid as pl
from pellucid.data.tables.columns import CategoryColumn, NumberColumn
from pellucid.data.tables.table import open_rows
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.models.labelled_table import labelled_rows
from pellucid.reports.columns.contributions import contributions_of


def test_of_a_linear_model_they_are_weights_times_distances_from_the_mean():
    """Of the first column its number and its mark of a gap belong together; a column without a weight gives nothing."""
    columns = (NumberColumn("a", has_gaps=True), CategoryColumn("b", ("u", "v", "w")), NumberColumn("c"))
    network = pl.Network([pl.Input(6), pl.Regression()])
    weights = np.array([2.0, -1.0, 0.5, 1.5, -2.0, 0.0])
    network.parameters["output.weight"] = weights[:, None]
    model = pl.Model(network, TablePipeline(columns, NumberColumn("y")))
    rng = np.random.default_rng(0)
    a = np.where(rng.random(60) < 0.2, np.nan, rng.normal(size=60))
    x = model.pipeline.encode([a, rng.integers(0, 3, 60).astype(float), rng.normal(size=60)])
    found = contributions_of(model, x)
    given = (x - x.mean(axis=0)) * weights
    expected = {"a": np.abs(given[:, :2].sum(axis=1)), "b": np.abs(given[:, 2:5].sum(axis=1)), "c": np.zeros(60)}
    assert [one.column for one in found.columns] == sorted(expected, key=lambda name: -expected[name].mean())
    for one in found.columns:
        sizes = expected[one.column]
        assert one.size == pytest.approx(sizes.mean(), abs=1e-6)
        assert one.high - one.size == pytest.approx(1.959964 * sizes.std() / np.sqrt(60), abs=1e-6)
    assert (found.rows, found.rows_in_all, found.method, found.unit) == (60, 60, "exact", "units of y")
    assert found.relative_gap < 1e-12


def test_a_category_that_is_embedded_is_counted_from_no_value():
    """The mean of places would be the vector of another value, by chance."""
    columns = (CategoryColumn("a", tuple(f"v{k}" for k in range(70)), is_embedded=True), NumberColumn("b"))
    network = pl.Network([pl.Input(2), pl.Embedding(((0, 70, 1),)), pl.Regression()])
    rng = np.random.default_rng(0)
    vectors = network.parameters["embedding_1.vectors_0"] = rng.normal(size=(71, 1)).astype(np.float32)
    network.parameters["output.weight"] = np.array([[0.5], [2.0]])
    model = pl.Model(network, TablePipeline(columns, NumberColumn("y")))
    codes = rng.integers(0, 70, 60)
    x = model.pipeline.encode([codes.astype(float), rng.normal(size=60)])
    sizes = {one.column: one.size for one in contributions_of(model, x).columns}
    assert sizes["a"] == pytest.approx(np.abs(2 * (vectors[codes] - vectors[70])).mean(), rel=1e-6)
    assert sizes["b"] == pytest.approx(np.abs(0.5 * (x[:, 1] - x[:, 1].mean())).mean(), rel=1e-5)


def test_of_classes_they_are_those_of_the_answer_against_the_runner_up(tmp_path):
    model = learned(write_houses(tmp_path / "class.csv", "class"), "class", tmp_path / "class.safetensors")
    x = labelled_rows(model.pipeline, open_rows(tmp_path / "class.csv")).x[:30]
    found = contributions_of(model, x)
    order = np.argsort(-model.network.forward(x), axis=1)
    single = pl.attribute(model.network, x, order[:, 0], against=order[:, 1], baseline=x.mean(axis=0))
    ends = np.cumsum([column.width for column in model.pipeline.columns])[:-1]
    sums = np.abs([part.sum(axis=1) for part in np.split(single.contributions, ends, axis=1)]).mean(axis=1)
    names = [column.name for column in model.pipeline.columns]
    assert {one.column: pytest.approx(one.size) for one in found.columns} == dict(zip(names, sums, strict=True))
    assert found.gap == pytest.approx(np.abs(single.gap).max())
    assert found.unit == "units of the logit of the answer minus that of the runner-up"


def test_many_rows_are_sampled():
    network = pl.Network([pl.Input(1), pl.Regression()])
    model = pl.Model(network, TablePipeline((NumberColumn("a"),), NumberColumn("y")))
    x = np.random.default_rng(1).normal(size=(500, 1)).astype(np.float32)
    found = contributions_of(model, x, rows=40)
    assert (found.rows, found.rows_in_all) == (40, 500)
    assert contributions_of(model, x, rows=40) == found


def test_a_model_of_yes_or_no_has_one_logit():
    network = pl.Network([pl.Input(2), pl.BinaryClassification()])
    network.parameters["output.weight"] = np.array([[3.0], [0.5]])
    model = pl.Model(
        network, TablePipeline((NumberColumn("a"), NumberColumn("b")), NumberColumn("y")), labels=["no", "yes"]
    )
    x = np.random.default_rng(2).normal(size=(50, 2)).astype(np.float32)
    first, second = contributions_of(model, x).columns
    sizes = np.abs((x - x.mean(axis=0)) * [3.0, 0.5]).mean(axis=0)
    assert (first.column, second.column) == ("a", "b")
    assert [first.size, second.size] == pytest.approx(sizes.tolist(), abs=1e-6)
