"""Permutation importance: against scikit-learn, against closed forms, and its intervals against many repetitions."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance as reference
from small_tables import learned, outputs, read_csv, write_houses

import pellucid as pl
from pellucid.core import random
from pellucid.data.tables.columns import NumberColumn
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.reports.columns.importance import importance_of


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """target -> (model, a table that it has not seen)."""
    folder = tmp_path_factory.mktemp("models")
    made = {}
    for target in ("price", "class"):
        model = learned(write_houses(folder / f"{target}.csv", target), target, folder / f"{target}.safetensors", epochs=40)
        made[target] = model, write_houses(folder / f"new {target}.csv", target, 400, 7)
    return made


class OfTexts(BaseEstimator):
    """A model of rows of texts, as scikit-learn permutes them; its answers are computed by NumPy."""

    def __init__(self, model=None, names=()):
        self.model, self.names = model, names

    def fit(self, x, y):
        return self

    def predict(self, x):
        z = outputs(self.model, [dict(zip(self.names, row, strict=True)) for row in x])
        return np.array(self.model.labels)[z.argmax(axis=1)] if self.model.labels else z[:, 0]


@pytest.mark.parametrize(("target", "scoring"), [("price", "neg_root_mean_squared_error"), ("class", "accuracy")])
def test_it_is_that_of_scikit_learn_on_the_raw_cells(models, target, scoring):
    """Both permute at random, so they agree within the spread of the reference's own repetitions."""
    model, path = models[target]
    rows = read_csv(path)
    names = [name for name in rows[0] if name != target]
    x = np.array([[row[name] for name in names] for row in rows], object)
    y = np.array([row[target] for row in rows]) if model.labels else np.array([float(row[target]) for row in rows])
    expected = reference(OfTexts(model, names), x, y, scoring=scoring, n_repeats=12, random_state=0)
    found = pl.permutation_importance(model, path, permutations=12)
    assert found.metric == ("accuracy" if model.labels else "rmse")
    for one in found.columns:
        k = names.index(one.column)
        spread = expected.importances_std[k]
        assert one.importance == pytest.approx(expected.importances_mean[k], abs=1.5 * spread + 1e-9)
    assert [one.column for one in found.columns][:2] == [names[k] for k in np.argsort(-expected.importances_mean)][:2]
    assert [one.importance for one in found.columns] == sorted((one.importance for one in found.columns), reverse=True)


def linear(weights, bias=0.0):
    """A regression of several numbers that are read as they are (up to a soft clip that is far away)."""
    columns = tuple(NumberColumn(f"c{k}", center=0.0, scale=1000.0) for k in range(len(weights)))
    network = pl.Network([pl.Input(len(weights)), pl.Regression()])
    network.parameters["output.weight"] = 1000 * np.array(weights)[:, None]
    network.parameters["output.bias"] = np.array([bias])
    return pl.Model(network, TablePipeline(columns, NumberColumn("y")))


def drawn(model, weights, count, seed, noise=1.0):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(count, len(weights)))
    x = model.pipeline.encode(list(raw.T))
    return x, raw @ weights + noise * rng.normal(size=count)


def test_of_a_linear_model_it_is_known_and_its_intervals_hold_it():
    """E (y - f)^2 = s^2 + 2 w^2 var(x) for a permuted column (Fisher, Rudin and Dominici 2019), and s^2 before. The 95 %
    intervals of 200 samples hold that in about 190, and are hardly wider than the answers spread."""
    weights = np.array([2.0, 0.5, 0.0])
    model = linear(weights)
    truth = np.sqrt(1 + 2 * weights**2) - 1
    held, reaches, answers = np.zeros(3), [], []
    for seed in range(200):
        x, y = drawn(model, weights, 300, seed)
        found = {one.column: one for one in importance_of(model, x, y, seed=seed).columns}
        of = [found[f"c{k}"] for k in range(3)]
        held += [one.low - 1e-6 <= true <= one.high + 1e-6 for one, true in zip(of, truth, strict=True)]
        reaches.append([(one.high - one.low) / 2 for one in of])
        answers.append([one.importance for one in of])
    assert (held[:2] >= 184).all()
    assert held[2] == 200  # a column of no weight changes nothing
    spread = np.std(answers, axis=0)[:2]
    assert np.mean(answers, axis=0) == pytest.approx(truth, abs=0.02)
    ratio = np.mean(reaches, axis=0)[:2] / (1.96 * spread)
    assert (ratio > 0.9).all()
    assert (ratio < 1.35).all()


def test_that_of_several_targets_is_in_their_standard_deviations_and_says_so():
    """y = x for the target a, and 1000 z for b, each read from its column alone: either column without its order costs
    E (z - z')^2 = 2 standard deviations of one of two targets, so that the rmse goes from 0 to 1."""
    columns = (NumberColumn("x", center=0.0, scale=1000.0), NumberColumn("z", center=0.0, scale=1000.0))
    network = pl.Network([pl.Input(2), pl.Regression(2)])
    network.parameters["output.weight"] = np.diag([1000.0, 1e6])
    model = pl.Model(network, TablePipeline(columns, NumberColumn("a"), (NumberColumn("b"),)))
    raw = np.random.default_rng(0).normal(size=(2000, 2))
    found = importance_of(model, model.pipeline.encode(list(raw.T)), raw * [1, 1000])
    assert [one.importance for one in found.columns] == pytest.approx([1, 1], abs=0.05)
    assert "the rmse rises, in standard deviations of the targets, when" in str(found)
    assert found.as_data()["targets"] == 2


def test_of_a_class_that_is_a_sign_it_is_known_and_its_intervals_hold_it():
    """y = [x0 > 0], flipped for a tenth of the rows: permuting x0 makes half of the answers right, of 90 % before."""
    network = pl.Network([pl.Input(2), pl.Classification(2)])
    network.parameters["output.weight"] = np.array([[-1.0, 1.0], [0.0, 0.0]])
    columns = tuple(NumberColumn(f"c{k}") for k in range(2))
    model = pl.Model(network, TablePipeline(columns, NumberColumn("y")), labels=["no", "yes"])
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(200, 2)).astype(np.float32)
        y = ((x[:, 0] > 0) ^ (rng.random(200) < 0.1)).astype(int)
        first, second = importance_of(model, x, y, permutations=2, seed=seed).columns
        held += first.low <= 0.4 <= first.high
        assert (first.column, second.column, second.importance) == ("c0", "c1", 0)
        assert -0.02 < second.low < 0 < second.high < 0.02  # not even then is it known to be 0
    assert 180 < held < 200


def test_the_numbers_of_a_column_are_permuted_together_and_the_others_stay(models):
    """For one permutation: the errors of rows whose cells of this column come from others, encoded anew."""
    model, path = models["price"]
    rows = read_csv(path)
    y = np.array([float(row["price"]) for row in rows])
    before = np.sqrt(np.mean((outputs(model, rows)[:, 0] - y) ** 2))
    found = {one.column: one.importance for one in pl.permutation_importance(model, path, permutations=1, seed=3).columns}
    for k, column in enumerate(model.pipeline.columns):
        order = random.permutation(random.key(3, random.Purpose.PERMUTE, k, 0), len(rows))
        moved = [{**row, column.name: rows[i][column.name]} for row, i in zip(rows, order, strict=True)]
        after = np.sqrt(np.mean((outputs(model, moved)[:, 0] - y) ** 2))
        assert found[column.name] == pytest.approx(after - before, rel=1e-4, abs=1e-3)


def test_a_large_test_is_sampled_and_says_so():
    model = linear([1.0, 2.0])
    x, y = drawn(model, np.array([1.0, 2.0]), 30_000, 0)
    found = importance_of(model, x, y)
    assert (found.rows, found.rows_in_all, found.permutations) == (10_000, 30_000, 5)
    assert "5 permutations of a sample of 10,000 of 30,000 rows" in str(found)
    assert found.columns[0].importance == pytest.approx(3 - 1, abs=0.1)
    few = importance_of(model, x, y, max_rows=500)
    assert few.rows == 500
    assert few.columns[0].high - few.columns[0].low > 3 * (found.columns[0].high - found.columns[0].low)
    assert importance_of(model, x, y, max_rows=500) == few
    assert importance_of(model, x, y, max_rows=500, seed=1) != few


def test_a_wide_table_is_answered_for_fewer_rows():
    model = linear([1.0] * 60)
    x, y = drawn(model, np.ones(60), 6000, 0)
    assert importance_of(model, x, y, permutations=1).rows == 200_000 // 60


def test_a_table_that_was_read_is_as_good_as_its_file(models):
    for target, (model, path) in models.items():
        assert pl.permutation_importance(model, pl.datasets.table(path, target)) == pl.permutation_importance(model, path)


def test_classes_that_the_model_does_not_know_are_left_out(models, tmp_path):
    model, path = models["class"]
    rows = read_csv(path)
    with open(tmp_path / "more.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows([*rows, *({**row, "class": "huge"} for row in rows[:40])])
    more = pl.datasets.table(tmp_path / "more.csv", "class")
    assert len(more.labels) == 4
    assert pl.permutation_importance(model, more) == pl.permutation_importance(model, path)
    lines = (tmp_path / "more.csv").read_text().splitlines()
    ends = [f"{line.rpartition(',')[0]},{'ab'[k % 2]}" for k, line in enumerate(lines[1:])]
    (tmp_path / "more.csv").write_text("\n".join([lines[0], *ends]))
    with pytest.raises(pl.DataError, match=r"no row of .* has a class that the model knows"):
        pl.permutation_importance(model, pl.datasets.table(tmp_path / "more.csv", "class"))


def test_what_does_not_fit_is_one_sentence(models, tmp_path):
    model, path = models["price"]
    with pytest.raises(pl.DataError, match=r"is 'rooms', that of the model 'price'"):
        pl.permutation_importance(model, pl.datasets.table(path, "rooms"))
    table = pl.datasets.table(path, "price", kinds={"rooms": "category"})
    with pytest.raises(pl.DataError, match=r"'rooms' of .* is of the kind category, the model learned it as number"):
        pl.permutation_importance(model, table)
    with pytest.raises(pl.DataError, match="no column 'sea', which the model needs"):
        pl.permutation_importance(model, pl.datasets.table(path, "price", drop=["sea"]))
    with pytest.raises(pl.DataError, match="no column 'sea'"):
        pl.permutation_importance(model, {"age": [1], "rooms": [2], "price": [3]})
    pictures = pl.Model(pl.Network([pl.Input(3), pl.Regression()]))
    with pytest.raises(pl.ArgumentError, match="was trained on none"):
        pl.permutation_importance(pictures, path)
    for options in ({"permutations": 0}, {"max_rows": 0}, {"seed": "a"}):
        with pytest.raises(pl.ArgumentError):
            pl.permutation_importance(model, path, **options)


def test_the_answer_shows_itself(models):
    model, path = models["class"]
    found = pl.permutation_importance(model, path)
    lines = str(found).splitlines()
    assert lines[0].startswith("How far the accuracy falls when the cells of one column are shuffled")
    assert [line.split()[0] for line in lines[2:]] == [one.column for one in found.columns]
    assert lines[2].split()[1] == f"{100 * found.columns[0].importance:.2f}"
    assert found.columns[0].column in found._repr_html_()
    assert found.as_data()["columns"][0]["column"] == found.columns[0].column
