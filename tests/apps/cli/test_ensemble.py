"""``--ensemble``: several networks in one, from training to the explanation of a row."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from trace_checks import run

import pellucid as pl
from pellucid.data.tables.table import open_rows
from pellucid.models.labelled_table import labelled_rows

QUICK = ("--epochs", "2", "--layers", "dense8 dropout0.1 dense6")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of numbers and words, for a target of classes and one of numbers."""
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("table") / "pets.csv"
    x, kind = rng.normal(size=(160, 2)), rng.integers(0, 3, 160)
    names = np.array(["cat", "dog", "newt"])
    weight = 3 + 2 * x[:, 0] - x[:, 1] + kind
    lines = [f"{a:.4f},{b:.4f},{names[k]},{w:.4f}" for (a, b), k, w in zip(x, kind, weight, strict=True)]
    path.write_text("\n".join(["length,age,kind,weight", *lines]) + "\n")
    return path


@pytest.fixture
def trained(cli, table, tmp_path):
    """``trained("kind")`` trains an ensemble of 3 members and gives the path of its model."""

    def train(target, *options):
        out = tmp_path / f"{target}.safetensors"
        done = cli("train", table, "--target", target, "--out", out, *QUICK, *(options or ("--ensemble", "3")))
        assert done.returncode == 0, done.stderr
        return out

    return train


@pytest.mark.parametrize(("options", "members"), [(("--ensemble",), 8), (("--ensemble", "3"), 3), (("--seed", "1"), 1)])
def test_as_many_members_as_asked_for(trained, options, members):
    assert pl.load(trained("kind", *options)).network.output.members == members


def test_info_shows_the_layers(cli, trained):
    shown = cli("info", trained("kind")).stdout
    assert "EnsembleDense(8, 3, 'relu', scales=Normal(mean=1.0, std=1.0))" in shown
    assert "EnsembleDense(6, 3, 'relu')" in shown
    assert "Classification(3, members=3)" in shown


@pytest.mark.parametrize("target", ["kind", "weight"])
def test_predictions_are_those_of_the_mean_of_the_members(cli, trained, table, target):
    file = trained(target)
    said = [row[target] for row in csv.DictReader(io.StringIO(cli("predict", file, table).stdout))]
    model, cells = pl.load(file), list(csv.DictReader(table.read_text().splitlines()))
    names = [name for name in ("length", "age", "kind", "weight") if name != target]
    x = np.stack([model.pipeline.prepare({name: row[name] for name in names}).pixels for row in cells])
    members = model.network.propagate(model.network.input.check(x), keep=True).outputs[-1]
    assert members.shape[:2] == (160, 3)
    mean = members.mean(axis=1)
    if target == "kind":
        assert said == [model.labels[k] for k in mean.argmax(axis=1)]
    else:
        np.testing.assert_allclose(np.array(said, float), mean[:, 0], rtol=1e-5)


@pytest.mark.parametrize("target", ["kind", "weight"])
def test_evaluate(cli, trained, table, target):
    file = trained(target)
    found = json.loads(cli("evaluate", file, table, "--json").stdout)
    model = pl.load(file)
    rows = labelled_rows(model.pipeline, open_rows(str(table)))
    assert found["loss"] == pytest.approx(model.network.evaluate(rows.x, rows.y)["loss"], rel=1e-6)
    assert found["accuracy" if target == "kind" else "r2"] <= 1


@pytest.mark.parametrize("target", ["kind", "weight"])
def test_a_row_is_explained_to_the_last_digit(cli, trained, table, target, tmp_path):
    file = trained(target)
    text = cli("explain", file, table, "--row", "7").stdout
    assert "Each of the 3 members has its own; the answer is their mean." in text
    assert "Method: exact" in text
    data = json.loads(cli("explain", file, table, "--row", "7", "--json").stdout)
    given = data["attribution"]
    total = np.sum(given["contributions"]) + sum(given["bias"].values())
    assert total == pytest.approx(given["score"], rel=1e-12)
    cli("explain", file, table, "--row", "7", "--trace", tmp_path / "trace.json")
    assert run(tmp_path / "trace.json").returncode == 0


def test_one_neuron_of_one_member(cli, trained, table):
    file = trained("kind")
    whole = cli("explain", file, table, "--row", "7", "--neuron", "ensemble_dense_2[3]@1")
    assert whole.returncode == 0, whole.stderr
    assert "dweight of this member" in whole.stdout
    assert cli("explain", file, table, "--row", "7", "--neuron", "output[2]").returncode == 0
    without = cli("explain", file, table, "--row", "7", "--neuron", "ensemble_dense_2[3]")
    assert without.returncode == 2
    assert "say whose: ensemble_dense_2[3]@0" in without.stderr
    beyond = cli("explain", file, table, "--row", "7", "--neuron", "ensemble_dense_2[3]@9")
    assert beyond.returncode == 2
    assert "ensemble_dense_2 has 3 members" in beyond.stderr


@pytest.mark.parametrize("number", ["0", "many", "2.5", "100000"])
def test_a_wrong_number_ends_with_a_sentence(cli, table, number):
    done = cli("train", table, "--target", "kind", f"--ensemble={number}", *QUICK)
    assert done.returncode == 2
    assert "ensemble" in done.stderr
    assert "Traceback" not in done.stderr


def test_layers_that_cannot_be_an_ensemble_end_with_a_sentence(cli, table):
    done = cli("train", table, "--target", "kind", "--ensemble", "2", "--layers", "dense8 norm")
    assert done.returncode == 2
    assert "an ensemble is made of dense layers and dropout" in done.stderr


def test_it_is_for_tables_alone(cli, shapes):
    for data in ("digits", shapes):
        done = cli("train", data, "--ensemble", "2")
        assert done.returncode == 2
        assert "leave --ensemble out" in done.stderr
