"""Counts, quantiles and several numbers as targets of a table: trained, saved, answered in own units, and explained."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from sklearn import metrics

import pellucid as pl
from pellucid.models.network import Network
from pellucid.models.table_answers import NumbersPrediction
from pellucid.models.train_table import TableTraining, divide_table
from pellucid.reports.judgement import judge_regression

RNG = np.random.default_rng(12)
N = 900
A, B = RNG.normal(size=N), RNG.uniform(0, 2, N)
RATE = 30 * np.exp(0.6 * A - 0.4 * B)  # of calls; from about 3 to 100
DATA = {"a": A, "b": B, "calls": RNG.poisson(RATE), "price": 5000 + 900 * A + RNG.gumbel(size=N) * 300 * (0.3 + B)}
DATA["weight"] = 0.02 + 0.001 * B + RNG.normal(size=N) * 0.0003
BEST = metrics.r2_score(DATA["price"], 5000 + 900 * A + 300 * (0.3 + B) * np.euler_gamma)  # of who knows the means: 0.696
QUIET = {"progress": "none", "seed": 1}


@pytest.fixture(scope="module")
def of_counts(tmp_path_factory):
    return train("calls", tmp_path_factory, loss="poisson")


@pytest.fixture(scope="module")
def of_quantiles(tmp_path_factory):
    return train("price", tmp_path_factory, loss="pinball:0.1,0.5,0.9")


@pytest.fixture(scope="module")
def of_several(tmp_path_factory):
    return train(["price", "weight"], tmp_path_factory)


def train(target, folders, **options):
    """(the table, the model as it comes back from its file)."""
    targets = [target] if isinstance(target, str) else target
    table = pl.datasets.table(
        DATA, target=target, drop=[name for name in ("calls", "price", "weight") if name not in targets]
    )
    model = pl.train(table, layers="dense24", epochs=30, optimizer=pl.Adam(0.01), **QUIET, **options)
    path = folders.mktemp("models") / "model.safetensors"
    model.save(path)
    return table, pl.load(path)


def x_of(table, model):
    return table.encode(model.pipeline)


def columns_of(answers):
    rows = list(csv.reader(io.StringIO(answers.to_csv())))
    return rows[0], np.array([[float(cell) for cell in row] for row in rows[1:]])


class TestCounts:
    def test_the_answers_are_counts_and_near_the_rate_that_made_them(self, of_counts):
        _, model = of_counts
        answers = model.predict(DATA)
        assert (answers.values > 0).all()
        spread = np.abs(np.log(answers.values / RATE))
        assert np.median(spread) < 0.1  # the logarithms of the rates have a deviation of 0.65
        header, numbers = columns_of(answers)
        assert header == ["row", "calls", "cells not understood"]
        np.testing.assert_allclose(numbers[:, 1], answers.values, rtol=1e-6)
        assert float(str(model.predict({"a": 0.0, "b": 0.0}))) == pytest.approx(30, rel=0.15)

    def test_the_network_learned_counts_divided_by_their_mean(self):
        """One network is trained on them by itself: its answers times the mean are those of the model."""
        table = pl.datasets.table(DATA, target="calls", drop=["price", "weight"])
        division = divide_table(table, 0.1, 0)
        ours = TableTraining(table, division, {"layers": "dense8", "epochs": 3}, 0, "poisson")
        options = ours.recipe.fit_options() | {"progress": "none"}
        other = Network(ours.network.layers, 0)
        mean = table.y[ours.training].mean()
        scaled = table.y / mean
        held_out = (ours.x[ours.held_out], scaled[ours.held_out])
        other.fit(ours.x[ours.training], scaled[ours.training], **(options | {"validation": held_out}))
        model = ours.fit(options)
        np.testing.assert_allclose(model.network.predict(ours.x), mean * other.predict(ours.x), rtol=1e-5)

    def test_it_is_judged_in_counts(self, of_counts):
        table, model = of_counts
        found = judge_regression(model, x_of(table, model), table.y)
        predicted = model.predict(DATA).values.astype(float)
        said = found.as_data()
        assert said["loss"] == pytest.approx(metrics.mean_poisson_deviance(table.y, predicted) / 2, rel=1e-4)
        assert said["rmse"] == pytest.approx(metrics.root_mean_squared_error(table.y, predicted), rel=1e-5)
        assert said["mae"] == pytest.approx(metrics.mean_absolute_error(table.y, predicted), rel=1e-5)
        assert said["r2"] == pytest.approx(metrics.r2_score(table.y, predicted), rel=1e-5)

    def test_intervals_are_in_counts_and_never_below_0(self, of_counts):
        table, model = of_counts
        answers = model.predict(DATA, confidence=0.9)
        low, high = answers.intervals.T
        assert low.min() == 0
        assert np.mean((low <= table.y) & (table.y <= high)) > 0.85
        middle = low > 0
        np.testing.assert_allclose((low + high)[middle] / 2, answers.values[middle], rtol=1e-4)

    def test_a_count_below_0_is_refused(self):
        with pytest.raises(pl.ArgumentError, match=r"counts, of 0 or more; the target holds -"):
            pl.train(pl.datasets.table({"a": A, "b": B}, target="a"), loss="poisson", epochs=1, **QUIET)

    def test_few_of_them_are_numbers_too(self):
        """0 to 4 without a gap would be five classes; the loss says that they are counts."""
        table = pl.datasets.table({"a": A, "goals": np.arange(N) % 5}, target="goals")
        assert table.labels == ("0", "1", "2", "3", "4")
        model = pl.train(table, layers="dense8", loss="poisson", epochs=2, **QUIET)
        assert model.network.output.is_of_counts
        assert model.predict({"a": 0.0}).value == pytest.approx(2, rel=0.2)
        assert pl.permutation_importance(model, table).metric == "rmse"  # the same table, read as classes, is one of counts

    def test_an_explanation_is_of_the_logarithm(self, of_counts):
        _, model = of_counts
        row = {"a": 0.7, "b": 1.5}
        found = pl.explain(model, row)
        score = float(found.attribution.score[0])
        assert np.exp(score) == pytest.approx(model.predict(row).value, rel=1e-5)
        page = found.to_text()
        assert "in units of the logarithm of calls" in page
        assert "expected count" in page
        np.testing.assert_allclose(sum(found.row.contributions) + found.attribution.bias[0], score, rtol=1e-5)

    def test_what_if_gives_counts(self, of_counts):
        table, model = of_counts
        x = x_of(table, model)[:3]
        found = pl.what_if(model.network, x, 0, [x[0, 0], x[1, 0]])
        answers = model.network.predict(x)
        np.testing.assert_allclose(found.answers[[0, 1], [0, 1], 0], answers[:2], rtol=1e-6)


class TestQuantiles:
    def test_they_never_cross_and_hold_what_they_say(self, of_quantiles):
        table, model = of_quantiles
        answers = model.predict(DATA)
        header, numbers = columns_of(answers)
        assert header == ["row", "price 0.1", "price 0.5", "price 0.9", "cells not understood"]
        quantiles = numbers[:, 1:4]
        assert (np.diff(quantiles, axis=1) >= 0).all()
        below = (table.y[:, None] < quantiles).mean(axis=0)
        np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.05)

    def test_the_widths_follow_the_noise_of_the_rows(self, of_quantiles):
        """The noise of a row is as wide as 0.3 + b: a constant interval could not follow it."""
        _, model = of_quantiles
        values = model.predict(DATA).values
        width = values[:, 2] - values[:, 0]
        assert np.corrcoef(width, B)[0, 1] > 0.9

    def test_they_are_judged_by_the_pinball_loss_of_each(self, of_quantiles):
        table, model = of_quantiles
        found = judge_regression(model, x_of(table, model), table.y)
        values = model.predict(DATA).values.astype(float)
        losses = [metrics.mean_pinball_loss(table.y, values[:, k], alpha=q) for k, q in enumerate((0.1, 0.5, 0.9))]
        said = found.as_data()
        assert [row["loss"] for row in said["quantiles"]] == pytest.approx(losses, rel=1e-4)
        assert [row["below"] for row in said["quantiles"]] == pytest.approx((table.y[:, None] < values).mean(axis=0))
        assert said["mae"] == pytest.approx(metrics.mean_absolute_error(table.y, values[:, 1]), rel=1e-5)
        assert said["rmse"] == pytest.approx(metrics.root_mean_squared_error(table.y, values[:, 1]), rel=1e-5)
        assert model.network.evaluate(x_of(table, model), table.y)["mae"] == pytest.approx(said["mae"], rel=1e-6)

    def test_a_row_has_them_by_name(self, of_quantiles):
        _, model = of_quantiles
        one = model.predict({"a": 0.0, "b": 1.0})
        assert isinstance(one, NumbersPrediction)
        assert list(one.values) == ["price 0.1", "price 0.5", "price 0.9"]
        assert list(one.values.values()) == sorted(one.values.values())

    def test_a_row_in_words_says_its_interval_too(self, of_quantiles):
        """As that of a single number does, which is "100 (90 to 110 with 90% confidence)"."""
        one = of_quantiles[1].predict({"a": 0.0, "b": 1.0}, confidence=0.9)
        low, high = one.intervals["price"]
        answers = ", ".join(f"{name}: {value:.6g}" for name, value in one.values.items())
        assert str(one) == f"{answers} (price {low:.6g} to {high:.6g} with 90% confidence)"

    def test_intervals_are_around_the_middle_one(self, of_quantiles):
        table, model = of_quantiles
        answers = model.predict(DATA, confidence=0.9)
        low, high = answers.intervals.T
        np.testing.assert_allclose((low + high) / 2, answers.values[:, 1], rtol=1e-5)
        assert np.mean((low <= table.y) & (table.y <= high)) > 0.85
        assert columns_of(answers)[0][4:6] == ["low", "high"]
        assert set(answers[0].intervals) == {"price"}

    def test_one_level_alone(self):
        table = pl.datasets.table(DATA, target="price", drop=["calls", "weight"])
        model = pl.train(table, loss="pinball:0.8", layers="dense16", epochs=20, **QUIET)
        answers = model.predict(DATA)
        assert columns_of(answers)[0][:2] == ["row", "price 0.8"]
        assert np.mean(table.y < answers.values) == pytest.approx(0.8, abs=0.06)

    def test_several_targets_have_no_quantiles(self):
        with pytest.raises(pl.ArgumentError, match="quantiles of one value"):
            pl.train(pl.datasets.table(DATA, target=["price", "weight"]), loss="pinball", **QUIET)

    def test_the_middle_one_is_explained_or_the_one_that_is_named(self, of_quantiles):
        _, model = of_quantiles
        assert pl.explain(model, {"a": 0.0, "b": 1.0}).row.target == "price 0.5"
        assert pl.explain(model, {"a": 0.0, "b": 1.0}, label="price 0.9").row.target == "price 0.9"
        with pytest.raises(pl.ArgumentError, match=r"price 0\.95"):
            pl.explain(model, {"a": 0.0, "b": 1.0}, label="price 0.95")


class TestSeveral:
    def test_each_is_answered_in_its_own_units(self, of_several):
        table, model = of_several
        assert table.y.shape == (N, 2)
        np.testing.assert_allclose(table.y, np.stack([DATA["price"], DATA["weight"]], axis=1))
        answers = model.predict(DATA)
        for v in range(2):
            assert metrics.r2_score(table.y[:, v], answers.values[:, v]) > (BEST - 0.02, 0.6)[v]
        header, numbers = columns_of(answers)
        assert header == ["row", "price", "weight", "cells not understood"]
        np.testing.assert_allclose(numbers[:, 1:3], answers.values, rtol=1e-6)

    def test_each_is_standardised_by_itself(self):
        """A network that was trained on (y - mean) / std, column by column, gives the same answers in units of these."""
        table = pl.datasets.table(DATA, target=["price", "weight"], drop=["calls"])
        ours = TableTraining(table, divide_table(table, 0.1, 0), {"layers": "dense8", "epochs": 3}, 0)
        options = ours.recipe.fit_options() | {"progress": "none"}
        of_training = table.y[ours.training]
        mean, std = of_training.mean(axis=0), of_training.std(axis=0)
        scaled = (table.y - mean) / std
        other = Network(ours.network.layers, 0)
        held_out = (ours.x[ours.held_out], scaled[ours.held_out])
        other.fit(ours.x[ours.training], scaled[ours.training], **(options | {"validation": held_out}))
        expected = mean + std * other.predict(ours.x).astype(float)
        np.testing.assert_allclose(ours.fit(options).network.predict(ours.x), expected, rtol=1e-5)

    def test_figures_are_those_of_each_target_and_their_mean(self, of_several):
        table, model = of_several
        found = judge_regression(model, x_of(table, model), table.y)
        predicted = model.predict(DATA).values.astype(float)
        said = found.as_data()
        assert [row["target"] for row in said["targets"]] == ["price", "weight"]
        for name, reference in (
            ("rmse", metrics.root_mean_squared_error),
            ("mae", metrics.mean_absolute_error),
            ("r2", metrics.r2_score),
        ):
            each = [reference(table.y[:, v], predicted[:, v]) for v in range(2)]
            assert [row[name] for row in said["targets"]] == pytest.approx(each, rel=1e-4)
            assert said[name] == pytest.approx(np.mean(each), rel=1e-4)
        assert [row["target"] for row in said["intervals"]] == ["price", "weight"]

    def test_the_worst_are_those_that_are_far_for_their_target(self, of_several):
        """A weight that is off by 0.01, ten of its deviations, is worse than a price that is off by 500."""
        table, model = of_several
        y = table.y.copy()
        y[33, 1] += 0.01
        found = judge_regression(model, x_of(table, model), y)
        assert (found.worst(1), found.worst_value(33)) == ([33], 1)

    def test_a_row_has_both_by_name_with_intervals(self, of_several):
        _, model = of_several
        one = model.predict({"a": 0.0, "b": 1.0}, confidence=0.9)
        assert list(one.values) == list(one.intervals) == ["price", "weight"]
        for name, (low, high) in one.intervals.items():
            assert low < one.values[name] < high
        header, numbers = columns_of(model.predict(DATA, confidence=0.9))
        assert header[3:7] == ["price low", "price high", "weight low", "weight high"]
        assert (numbers[:, 3] < numbers[:, 4]).all()

    def test_a_row_without_one_of_them_is_refused(self):
        holes = DATA | {"weight": [None if k in (4, 8) else value for k, value in enumerate(DATA["weight"])]}
        table = pl.datasets.table(holes, target=["price", "weight"])
        assert len(table) == N - 2
        assert [entry.rule for entry in table.account.entries] == ["it has no weight"] * 2

    def test_a_target_that_is_no_number_and_a_name_twice_are_refused(self):
        data = DATA | {"kind": ["x", "y", "z"] * (N // 3)}
        with pytest.raises(pl.DataError, match="'kind' is a category"):
            pl.datasets.table(data, target=["price", "kind"])
        with pytest.raises(pl.ArgumentError, match="each once"):
            pl.datasets.table(data, target=["price", "price"])

    def test_whole_numbers_that_would_be_classes_alone_are_numbers_among_several(self):
        data = DATA | {"stars": [k % 4 for k in range(N)]}
        assert pl.datasets.table(data, target="stars").labels == ("0", "1", "2", "3")
        table = pl.datasets.table(data, target=["stars", "price"])
        assert table.labels is None
        np.testing.assert_array_equal(table.y[:, 0], np.arange(N) % 4)

    def test_names_that_columns_of_answers_have_themselves(self):
        data = {"a": A, "row": DATA["price"], "low": DATA["weight"]}
        model = pl.train(pl.datasets.table(data, target=["row", "low"]), layers="dense4", epochs=1, **QUIET)
        answers = model.predict({"a": A[:5]})
        assert list(answers.columns()) == ["row", "row (value)", "low (value)", "not_understood"]
        assert answers.columns()["row"] == [1, 2, 3, 4, 5]

    def test_an_explanation_says_which_one_it_is_of(self, of_several):
        _, model = of_several
        row = {"a": 0.5, "b": 1.0}
        for label, name in ((None, "price"), ("weight", "weight")):
            found = pl.explain(model, row, label=label)
            assert f"in units of {name}," in found.to_text()
            assert float(found.attribution.score[0]) == pytest.approx(model.predict(row).values[name], rel=1e-5)


@pytest.mark.parametrize(("kind", "label"), [("counts", None), ("quantiles", "price 0.9"), ("several", "weight")])
def test_other_cells_show_the_answer_that_is_explained(kind, label, request):
    _, model = request.getfixturevalue(f"of_{kind}")
    found = pl.explain(model, {"a": 0.5, "b": 1.0}, label=label)
    curve = next(one for one in found.row.other_cells if one.curves.column == "a").to_data()
    answers = model.predict([{"a": float(value), "b": 1.0} for value in curve["values"]])
    expected = [one.value if label is None else one.values[label] for one in answers]
    np.testing.assert_allclose(curve["numbers"], expected, rtol=1e-4)


class TestImportance:
    """The rmse of all rows by scikit-learn, and the column that makes most of the target."""

    def test_of_counts(self, of_counts):
        table, model = of_counts
        found = pl.permutation_importance(model, table)
        predicted = model.predict(DATA).values
        assert found.score == pytest.approx(metrics.root_mean_squared_error(table.y, predicted), rel=1e-5)
        assert found.columns[0].column == "a"

    def test_of_quantiles_the_middle_one(self, of_quantiles):
        table, model = of_quantiles
        found = pl.permutation_importance(model, table)
        middle = model.predict(DATA).values[:, 1]
        assert found.score == pytest.approx(metrics.root_mean_squared_error(table.y, middle), rel=1e-5)

    def test_of_several_each_in_units_of_its_deviation(self, of_several):
        """The weight, a millionth of the price, matters as much: its own column b does."""
        table, model = of_several
        found = pl.permutation_importance(model, table)
        off = (model.predict(DATA).values - table.y) / table.y.std(axis=0)
        assert found.score == pytest.approx(np.sqrt((off**2).mean()), rel=1e-4)
        assert min(one.importance for one in found.columns) > 0.1
        other = pl.datasets.table(DATA, target=["weight", "price"])
        with pytest.raises(pl.DataError, match="'weight, price'"):
            pl.permutation_importance(model, other)


@pytest.mark.parametrize(("target", "loss"), [("calls", "poisson"), ("price", "pinball"), (["price", "weight"], None)])
def test_an_ensemble_answers_in_the_same_units(target, loss):
    table = pl.datasets.table(DATA, target=target)
    model = pl.train(table, loss=loss, ensemble=3, layers="dense16", epochs=12, **QUIET)
    found = judge_regression(model, table.encode(model.pipeline), table.y)
    assert model.network.output.members == 3
    assert found.as_data()["r2"] > 0.6


def test_a_loss_of_numbers_is_not_for_classes():
    data = {"a": A, "kind": ["x", "y", "z"] * (N // 3)}
    with pytest.raises(pl.ArgumentError, match="has classes, whose loss is the cross-entropy, not 'mae'"):
        pl.train(pl.datasets.table(data, target="kind"), loss="mae", **QUIET)


@pytest.mark.parametrize("loss", ["mae", "huber", pl.Huber(0.3)])
def test_other_losses_of_numbers(loss):
    table = pl.datasets.table(DATA, target="price", drop=["calls", "weight"])
    model = pl.train(table, loss=loss, layers="dense16", epochs=40, **QUIET)
    assert model.network.output.loss == loss
    assert metrics.r2_score(table.y, model.predict(DATA).values) > BEST - 0.02  # its median alone costs 0.013
