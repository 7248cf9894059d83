"""pl.train for tables: rows are divided, numbers standardised within, and the answer is in the target's own units."""

from __future__ import annotations

import signal
from contextlib import suppress

import numpy as np
import pytest

import pellucid as pl
from pellucid.data.tables.table import Table
from pellucid.models.network import Network
from pellucid.models.table_split import FEWEST_HELD_OUT
from pellucid.models.train_table import TableTraining, divide_table


def prices(count: int = 200) -> Table:
    """A regression whose target is far from 0, and wide."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(count, 2))
    y = 250_000 + 40_000 * (x[:, 0] - 0.5 * x[:, 1])
    return pl.datasets.table({"a": x[:, 0], "b": x[:, 1], "price": y}, "price")


def classes(count: int = 200) -> Table:
    rng = np.random.default_rng(5)
    y = np.array(["rare", *["often"] * 3])[rng.integers(0, 4, count)]
    return pl.datasets.table({"a": rng.normal(size=count), "y": y}, "y")


def training(table: Table, **changes: object) -> tuple[TableTraining, dict]:
    division = divide_table(table, 0.15, 0)
    training = TableTraining(table, division, {"epochs": 3, "layers": "dense8", **changes}, 0)
    return training, training.recipe.fit_options() | {"progress": "none"}


def standardised(ours: TableTraining, options: dict) -> np.ndarray:
    """mean + std * the answers of a network that was trained in the same way on (y - mean) / std."""
    x, y = ours.x, ours.table.y
    mean, std = y[ours.training].mean(), y[ours.training].std()
    scaled = (y - mean) / std
    network = Network(ours.network.layers, ours.network.seed)
    held_out = (x[ours.held_out], scaled[ours.held_out])
    with suppress(KeyboardInterrupt):
        network.fit(x[ours.training], scaled[ours.training], **(options | {"validation": held_out}))
    return mean + std * network.predict(x).astype(float)


class TestDivision:
    def test_no_row_is_on_both_sides_and_none_is_lost(self):
        learned, held_out = divide_table(prices(), 0.15, 0)
        assert sorted([*learned, *held_out]) == list(range(200))
        assert len(held_out) == 30

    def test_each_class_has_its_share(self):
        table = classes(400)
        _, held_out = divide_table(table, 0.25, 0)
        share = np.bincount(table.y[held_out]) / np.bincount(table.y)
        np.testing.assert_allclose(share, 0.25, atol=0.01)

    @pytest.mark.parametrize(("count", "fraction"), [(60, 0.15), (200, None), (200, 0.0)])
    def test_too_few_to_judge_by_are_not_held_out(self, count, fraction):
        learned, held_out = divide_table(prices(count), fraction, 0)
        assert len(learned) == count
        assert len(held_out) == 0
        assert round(60 * 0.15) < FEWEST_HELD_OUT

    def test_without_held_out_rows_nothing_stops_early(self):
        table = prices(40)
        recipe = TableTraining(table, divide_table(table, 0.15, 0), {}, 0).recipe
        assert (recipe.validation, recipe.patience) == (0.0, 0)


class TestOwnUnits:
    def test_the_answer_is_mean_and_std_times_that_of_a_network_on_standardised_numbers(self):
        ours, options = training(prices())
        expected = standardised(ours, options)
        model = ours.fit(options)
        np.testing.assert_allclose(model.network.predict(ours.x), expected, rtol=2e-6)
        assert expected.std() > ours.table.y.std() / 3  # it has learned something that a constant would not say

    def test_ctrl_c_leaves_a_network_in_own_units(self):
        def press(event: pl.events.Event) -> None:
            if isinstance(event, pl.events.StepFinished) and event.step == 15:
                signal.raise_signal(signal.SIGINT)

        ours, options = training(prices())
        options["callbacks"] = [press]
        expected = standardised(ours, options)
        with pytest.raises(KeyboardInterrupt):
            ours.fit(options)
        assert ours.network.training_state.step == 15
        np.testing.assert_allclose(ours.network.predict(ours.x), expected, rtol=2e-6)

    def test_mean_and_std_are_those_of_the_training_rows(self):
        """Held-out targets a million times as large change nothing of the network."""
        table = prices()
        ours, options = training(table)
        changed = table.y.copy()
        changed[ours.held_out] *= 1e6
        other_table = Table(**(vars(table) | {"y": changed}))
        other, _ = training(other_table)
        without = options | {"early_stopping": None}
        one, two = ours.fit(without), other.fit(without)
        np.testing.assert_array_equal(one.network.parameters.vector, two.network.parameters.vector)

    def test_intervals_are_in_own_units_and_hold_what_they_say(self):
        table = prices(600)
        ours, options = training(table, epochs=30)
        model = ours.fit(options)
        low, high = model.predict_interval(ours.x[ours.held_out], 0.9)
        inside = (low <= table.y[ours.held_out]) & (table.y[ours.held_out] <= high)
        assert inside.mean() >= 0.9  # on the rows that they were measured on
        assert 100 < (high - low).mean() < 4 * table.y.std()

    def test_a_target_of_one_number_in_all_training_rows_is_a_sentence(self):
        table = pl.datasets.table({"y": [1.5] * 20 + [2.5], "x": np.arange(21) ** 2}, "y")
        rows = np.arange(20), np.arange(0)
        with pytest.raises(pl.ArgumentError, match="one value in all training rows"):
            TableTraining(table, rows, {"layers": "dense2"}, 0).fit({"progress": "none"})


class TestEnsemble:
    def test_the_answer_is_the_mean_of_the_members_in_own_units(self):
        ours, options = training(prices(), ensemble=3)
        expected = standardised(ours, options)
        model = ours.fit(options)
        np.testing.assert_allclose(model.network.predict(ours.x), expected, rtol=2e-6)
        x = model.network.input.check(ours.x[:5])
        members = model.network.propagate(x, keep=True).outputs[-1]
        assert members.shape == (5, 3, 1)
        np.testing.assert_allclose(members.mean(axis=1)[:, 0], model.network.predict(ours.x[:5]), rtol=1e-6)

    @pytest.mark.parametrize(("asked", "members"), [(None, 1), (False, 1), (1, 1), (3, 3), (True, 8)])
    def test_as_many_members_as_asked_for(self, asked, members):
        model = pl.train(classes(500), ensemble=asked, epochs=1, layers="dense4", progress="none")  # 50 are held out
        assert model.network.output.members == members
        assert model.network.engine == "native"
        assert model.temperature is not None

    def test_a_saved_one_answers_with_the_same_bits(self, tmp_path):
        table = classes()
        model = pl.train(table, ensemble=3, epochs=2, layers="dense8", progress="none")
        model.save(tmp_path / "model.safetensors")
        again = pl.load(tmp_path / "model.safetensors")
        assert again.network.layers == model.network.layers
        x = np.stack([model.pipeline.prepare({"a": a}).pixels for a in (-2.0, 0.5, 1.0)])
        assert again.network.predict_proba(x).tobytes() == model.network.predict_proba(x).tobytes()

    @pytest.mark.parametrize("wrong", [0, 0.5, -2, "many", 10**5])
    def test_no_number_of_members_is_a_sentence(self, wrong):
        with pytest.raises(pl.ArgumentError, match="ensemble"):
            pl.train(classes(), ensemble=wrong, progress="none")


def test_classes_are_calibrated_on_the_held_out_rows_and_named():
    table = classes(400)  # 60 of them held out; fewer than 50 would give no temperature, as of pictures
    ours, options = training(table)
    model = ours.fit(options)
    assert model.labels == table.labels == ("often", "rare")
    assert model.temperature is not None
    assert model.conformal_scores[0].count == len(ours.held_out)
    assert model.pipeline == table.pipeline(ours.training)


def test_few_held_out_rows_give_sets_but_no_temperature():
    ours, options = training(classes(200))
    model = ours.fit(options)
    assert len(ours.held_out) == 30
    assert model.temperature is None
    assert model.conformal_scores[0].count == 30


@pytest.mark.parametrize("table", [prices(), classes()], ids=["regression", "classes"])
def test_the_same_seed_gives_the_same_bits(table):
    one, other = (pl.train(table, epochs=2, layers="dense8", progress="none") for _ in range(2))
    np.testing.assert_array_equal(one.network.parameters.vector, other.network.parameters.vector)


def test_options_of_pictures_are_refused():
    with pytest.raises(pl.ArgumentError, match="for pictures"):
        pl.train(prices(), augment=True, flip=False)
