"""What if a cell of a row were another: the answers against NumPy from the texts of the cells, in all forms of the page."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from report_pages import Page
from small_tables import learned, outputs, probabilities, read_csv, write_houses

import pellucid as pl
from pellucid.core.display.document import Series
from pellucid.data.tables.columns import CategoryColumn, NumberColumn
from pellucid.data.tables.table_pipeline import TablePipeline


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """target -> (model, path)."""
    folder = tmp_path_factory.mktemp("houses")
    made = {}
    for target in ("price", "sold", "class"):
        path = write_houses(folder / f"{target}.csv", target)
        made[target] = learned(path, target, folder / f"{target}.safetensors"), path
    return made


@pytest.mark.parametrize("target", ["price", "sold", "class"])
def test_the_numbers_are_the_answers_for_the_row_with_another_cell(houses, target):
    model, path = houses[target]
    row = read_csv(path)[3]
    found = pl.explain(model, path, row=4)
    said = {each["column"]: each for each in json.loads(json.dumps(found.to_data()))["other_cells"]}
    assert set(said) == {"age", "rooms", "sea", "built"}
    for name, each in said.items():
        assert row[name] in each["values"]
        changed = [{**row, name: value} for value in each["values"]]
        if target == "price":
            np.testing.assert_allclose(each["numbers"], outputs(model, changed)[:, 0], rtol=1e-3)
            continue
        p = probabilities(model, changed)
        np.testing.assert_allclose(each["numbers"], p[:, model.labels.index(found.label)], atol=2e-3)
        clear = np.sort(p, axis=1)[:, -1] - np.sort(p, axis=1)[:, -2] > 5e-3
        expected = np.array(model.labels)[p.argmax(axis=1)]
        assert (np.array(each["answers"]) == expected)[clear].all()
        assert each["label"] == found.label


@pytest.mark.parametrize("target", ["price", "class"])
def test_text_markdown_and_html_say_the_same(houses, target):
    model, path = houses[target]
    found = pl.explain(model, path, row=4)
    text, page = str(found), Page(found.to_html())
    own = read_csv(path)[3]
    lines = text.partition("\nWhat if a cell were another\n")[2].splitlines()
    marked = [line.split()[0] for line in lines if line.endswith("as it is")]
    assert sorted(marked) == sorted(own[name] for name in ("age", "rooms", "sea", "built"))
    (sea,) = (each for each in page.tables if each[0][0] == "sea")
    assert [line[-1] == "as it is" for line in sea[1:]] == [line[0] == own["sea"] for line in sea[1:]]
    for line in sea[1:]:
        assert re.search(rf"^ +{line[0]} +{re.escape(line[1])}", text, re.MULTILINE)
        assert f"| {line[0]} | {line[1]} |" in found.to_markdown()
    charts = [each for each in page.all("svg") if each.get("role") == "img"]
    assert len(charts) == 3
    assert len(page.all("circle")) == 3  # a dot at each cell as it is
    assert "What if a cell were another" in found._repr_html_()


def test_a_missing_cell_has_no_mark_but_is_what_the_bars_are_counted_from(houses):
    model, path = houses["price"]
    rows = read_csv(path)
    number = next(k for k, row in enumerate(rows, 1) if not row["age"])
    found = pl.explain(model, path, row=number)
    (age,) = (one for one in found.row.other_cells if one.curves.column == "age")
    assert age.here is None
    assert float(age.now[0]) == pytest.approx(outputs(model, [rows[number - 1]])[0, 0], rel=1e-4)
    assert len(Page(found.to_html()).all("circle")) == 2


def test_of_many_values_those_that_change_the_answer_most_are_shown():
    """40 values whose answers are their places: of the row with the 20th, the 11 furthest ones and itself."""
    columns = (CategoryColumn("many", tuple(f"v{k:02}" for k in range(40))), NumberColumn("none"))
    network = pl.Network([pl.Input(41), pl.Regression()])
    network.parameters["output.weight"] = np.append(np.arange(40.0), 0.0)[:, None]
    model = pl.Model(network, TablePipeline(columns, NumberColumn("y")))
    found = pl.explain(model, {"many": "v20", "none": 1.0}).row.other_cells[0]
    assert found.curves.names == (*(f"v{k:02}" for k in range(6)), "v20", *(f"v{k}" for k in range(35, 40)))
    assert (found.here, found.numbers[6]) == (6, 20)
    unknown = pl.explain(model, {"many": "new", "none": 1.0}).row.other_cells
    (many,) = (one for one in unknown if one.curves.column == "many")
    assert (many.here, float(many.now[0])) == (None, 0)
    assert many.curves.names == tuple(f"v{k}" for k in range(29, 40))


def test_a_series_as_text_has_few_values_and_that_as_it_is():
    rows = tuple((str(k), str(k * k)) for k in range(100))
    series = Series("caption", ("x", "y"), rows, tuple(float(k * k) for k in range(100)), 49.0, 7, tuple(range(100)))
    shown = series.table().rows
    assert [row[0] for row in shown] == ["0", "7", "12", "25", "37", "50", "62", "74", "87", "99"]
    assert [row[0] for row in shown if row[2]] == ["7"]
    few = Series("caption", ("x", "y"), rows[:4], (0.0, 1.0, 4.0, 9.0), 0.0, None).table()
    assert few.rows == tuple((*row, "") for row in rows[:4])


def test_numbers_of_a_frame_stay_numbers(tmp_path):
    """Also where the column of the file has decimal commas: the value as it is stands among those that are tried."""
    lines = "".join(f"{k % 60},25;{k * 1.5:.2f}\n".replace(".", ",") for k in range(200))
    (tmp_path / "commas.csv").write_text("a;y\n" + lines)
    model = pl.train(pl.datasets.table(tmp_path / "commas.csv", "y"), layers="dense4", epochs=1, progress="none")
    assert model.pipeline.columns[0].decimal == ","
    found = pl.explain(model, {"a": 30.5}).row.other_cells[0]
    assert found.curves.values[found.here] == 30.5
