"""``pellucid info`` for a model of tables: what was learned of each column, against NumPy on the cells."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_tables import learned, read_csv, write_houses

import pellucid as pl


@pytest.fixture(scope="module")
def all_rows(tmp_path_factory):
    """(the file of a model that learned from all rows of a table, these rows)."""
    folder = tmp_path_factory.mktemp("all rows")
    path = write_houses(folder / "houses.csv", "price", rows=60)
    learned(path, "price", folder / "houses.safetensors", epochs=1, validation=None)
    return folder / "houses.safetensors", read_csv(path)


def test_each_column_has_a_line(cli, all_rows):
    file, rows = all_rows
    done = cli("info", file)
    assert done.returncode == 0
    lines = {words[0]: words for line in done.stdout.splitlines() if (words := line.split())}
    for name in ("age", "rooms"):
        numbers = [float(row[name]) for row in rows if row[name]]
        low, center, high = np.percentile(numbers, [25, 50, 75])
        gaps = ["with", "gaps"] if name == "age" else []
        text = f"center {center:.6g}, scale {high - low:.6g}{', ' if gaps else ''}".split()
        assert lines[name] == [name, "number", "2" if gaps else "1", *text, *gaps]
    assert lines["sea"] == ["sea", "category", "3", "3", "values:", "far,", "island,", "near"]
    days = np.array([row["built"] for row in rows], "datetime64[D]").astype(int)
    low, center, high = np.percentile(days, [25, 50, 75])
    assert lines["built"][:3] == ["built", "date", "11"]
    assert lines["built"][4] == str(np.datetime64(int(center), "D")).removesuffix(",") + ("," if center % 1 == 0 else "")
    assert f"scale {high - low:.6g} days, ymd" in done.stdout
    assert "table of 4 columns (17 numbers) with the target 'price'" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 124


def test_json_has_it_all(cli, all_rows):
    file, rows = all_rows
    columns = json.loads(cli("info", file, "--json").stdout)["pipeline"]["columns"]
    assert [column["name"] for column in columns] == ["age", "rooms", "sea", "built"]
    assert columns[1]["center"] == np.median([float(row["rooms"]) for row in rows])


def test_a_model_of_many_columns_is_short_in_a_line(tmp_path):
    path = tmp_path / "wide.csv"
    rng = np.random.default_rng(1)
    np.savetxt(path, rng.normal(size=(40, 60)), "%.4f", ",", header=",".join(f"c{k}" for k in range(60)), comments="")
    model = pl.train(pl.datasets.table(path, target="c0"), layers="dense4", epochs=1, progress="none")
    assert len(repr(model)) < 124
    assert "table of 59 columns (59 numbers) with the target 'c0'" in repr(model)
    assert "table of 59 columns" in model._repr_html_()
    assert "NumberColumn" not in model._repr_html_()


def test_a_name_cannot_command_the_terminal(cli, tmp_path):
    path = tmp_path / "odd.csv"
    rows = [("x\x1b[2J", "y", "z"), *((str(k % 7), ("a\x1b[31m", "b")[k % 2], str(k * k % 23)) for k in range(40))]
    path.write_text("\n".join(map(",".join, rows)) + "\n")
    learned(path, "z", tmp_path / "odd.safetensors", epochs=1)
    done = cli("info", tmp_path / "odd.safetensors")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "x\\x1b[2J" in done.stdout
