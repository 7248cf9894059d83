"""Categories with many values become vectors: in the network, its explanations and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pellucid as pl
from pellucid.apps.studio.pages.table.cells import controls
from pellucid.data.tables.columns import MOST_ONE_HOT, VECTOR
from pellucid.data.tables.overview import look_at
from pellucid.data.tables.table import inspect_table, open_rows
from pellucid.models.table_front import UNITS, edges_of, table_front

VALUES = 100


def streets(count: int = 1500, seed: int = 0) -> dict[str, list[object]]:
    """Houses whose price is a number of their street, plus their size; one street in ten has few houses."""
    chance = np.random.default_rng(seed)
    street = chance.integers(0, VALUES, count)
    size = chance.uniform(50, 150, count)
    worth = np.random.default_rng(9).normal(0, 30, VALUES)
    price = worth[street] + size
    return {
        "street": [f"street {k}" for k in street],
        "size": size.tolist(),
        "side": [("left", "right")[k] for k in chance.integers(0, 2, count)],
        "price": price.tolist(),
    }


@pytest.fixture(scope="module")
def model() -> pl.Model:
    return pl.train(pl.datasets.table(streets(), "price"), epochs=30, seed=0, progress="none")


def test_a_column_of_many_values_is_one_number_and_then_a_vector(model: pl.Model) -> None:
    embedding, encoding = model.network.layers[1:3]
    assert embedding == pl.Embedding(((0, VALUES, VECTOR),))
    assert isinstance(encoding, pl.PiecewiseLinearEncoding)
    assert model.pipeline.output_shape == (4,)  # street, size, two sides
    assert model.network.engine == "native"


@pytest.mark.parametrize(("values", "width"), [(MOST_ONE_HOT, MOST_ONE_HOT), (MOST_ONE_HOT + 1, 1)])
def test_up_to_64_values_have_a_number_each(values: int, width: int) -> None:
    columns = {"a": [f"v{k % values}" for k in range(300)], "y": [float(k % 7) + 0.5 for k in range(300)]}
    table = pl.datasets.table(columns, "y", kinds={"a": "category"})
    assert table.pipeline(np.arange(300)).output_shape == (width,)


def test_the_streets_are_learned(model: pl.Model) -> None:
    """Without the street the best possible error is the deviation of what streets are worth, about 30."""
    new = streets(500, seed=1)
    answers = model.predict({name: cells for name, cells in new.items() if name != "price"})
    error = np.sqrt(np.mean((answers.values - np.array(new["price"])) ** 2))
    assert error < 12


def test_a_street_that_did_not_come_in_training_is_counted_and_answered(model: pl.Model) -> None:
    answers = model.predict({"street": ["street 3", "elsewhere"], "size": [100.0, 100.0], "side": ["left", "left"]})
    assert answers.not_understood.tolist() == [0, 1]
    assert np.isfinite(answers.values).all()
    x = model.pipeline.prepare({"street": "elsewhere", "size": 100.0, "side": "left"}).pixels
    assert x[0] == -1


def test_equal_bits_from_the_file(model: pl.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m.safetensors")
    rows = {name: cells[:50] for name, cells in streets(seed=2).items() if name != "price"}
    assert np.array_equal(model.predict(rows).values, pl.load(tmp_path / "m.safetensors").predict(rows).values)


def test_an_explanation_names_the_place_and_adds_up(model: pl.Model) -> None:
    row = {"street": "street 42", "size": 80.0, "side": "right"}
    place = sorted(f"street {k}" for k in range(VALUES)).index("street 42")
    found = pl.explain(model, row)
    assert f"street: {place}, place {place} of 0 to {VALUES - 1}" in str(found)
    x = model.pipeline.prepare(row).pixels[None]
    attribution = pl.attribute(model.network, x)
    total = attribution.contributions.sum() + attribution.bias[0] + attribution.gap[0]
    assert total == pytest.approx(float(model.network.predict(x)[0]), rel=1e-4)
    assert abs(attribution.gap[0]) < 1e-2 * abs(total)
    assert found.row is not None
    street, size, *sides = attribution.contributions[0]
    assert found.row.contributions == pytest.approx([street, size, sum(sides)])


def test_bins_lie_where_their_numbers_do(model: pl.Model) -> None:
    layers = model.network.layers
    assert edges_of(layers, 0) == ()
    low, high = model.pipeline.columns[1].encode(np.array([50.0, 150.0]))[:, 0]
    edges = edges_of(layers, 1)
    assert low - 0.05 < edges[0] < edges[-1] < high + 0.05
    assert len(edges) == 49
    assert edges_of(layers, 2) == ()


def test_the_overview_knows_how_many_numbers_a_column_becomes() -> None:
    overview = look_at(inspect_table(open_rows(streets())))
    assert {line.name: line.width for line in overview.columns} == {"street": VECTOR, "size": 1, "side": 2, "price": 1}


def test_each_column_with_bins_becomes_numbers_of_its_own() -> None:
    table = pl.datasets.table(streets(), "price")
    pipeline = table.pipeline(np.arange(len(table)))
    x = table.encode(pipeline)
    front = table_front(pipeline, x, 4)
    assert front.width == 2 + VECTOR + UNITS  # two sides, a street, the size
    changed = x[:1].copy()
    changed[0, 1] += 0.1  # the size
    network = pl.Network([*front.layers, pl.Regression()], seed=0)
    before, after = (network.propagate(one, keep=True).outputs[3][0] for one in (x[:1], changed))
    assert before.shape == (front.width,)
    assert set(np.flatnonzero(before != after)) == set(range(2 + VECTOR, front.width))


def test_all_columns_embedded_and_an_ensemble() -> None:
    cells = streets(600)
    only = {"street": cells["street"], "price": cells["price"]}
    model = pl.train(pl.datasets.table(only, "price"), epochs=2, ensemble=2, progress="none")
    assert np.isfinite(model.predict({"street": ["street 1", "none"]}).values).all()


def test_an_explanation_is_counted_from_no_street_and_says_so(model: pl.Model) -> None:
    found = pl.explain(model, {"street": "street 3", "size": 80.0, "side": "left"})
    zero = model.network.predict(np.array([[-1, 0, 0, 0]], np.float32)).item()
    assert found.attribution.bias[0] == pytest.approx(zero, rel=1e-5)
    assert "counted from a row whose numbers are all 0: the center of each number, and none of the values" in str(found)


def test_the_studio_knows_the_range_of_a_number_beside_a_vector(model: pl.Model) -> None:
    sizes = streets()["size"]
    (size,) = (one for one in controls(model) if one["name"] == "size")
    assert size["is_known"]
    assert (size["low"], size["high"]) == pytest.approx((min(sizes), max(sizes)), rel=0.01)
