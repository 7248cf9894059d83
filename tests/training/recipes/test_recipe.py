"""A recipe: its changes, its layers, and the options that it gives to ``fit``."""

from __future__ import annotations

import inspect

import pytest

import pellucid as pl
from pellucid.training.recipes.named import RECIPES
from pellucid.training.recipes.recipe import OPTIMIZERS, Recipe


def test_the_options_are_those_of_fit():
    assert set(Recipe().fit_options()) < set(inspect.signature(pl.Network.fit).parameters)
    recipe = Recipe(l1=0.1, l2=0.2, optimizer="momentum", learning_rate=0.5, validation=0.25, class_weight="balanced")
    options = recipe.fit_options()
    assert options["optimizer"] == pl.GradientDescent(0.5, momentum=0.9)
    assert options["regularizer"] == pl.L1(0.1) + pl.L2(0.2)
    assert (options["validation"], options["class_weight"]) == (0.25, "balanced")
    nothing = Recipe(augment=False).fit_options()
    assert [nothing[name] for name in ("regularizer", "augment", "validation", "early_stopping")] == [None] * 4


def test_early_stopping_is_a_patience_and_where_it_begins():
    stopping = Recipe(patience=7, start_from_epoch=20).fit_options()["early_stopping"]
    assert (stopping.patience, stopping.start_from_epoch) == (7, 20)
    assert Recipe(patience=7, start_from_epoch=20).changed(patience=3).start_from_epoch == 0


def test_sizes_take_the_place_of_words():
    words = Recipe(layers="conv4 pool")
    assert words.changed(epochs=3).layers == "conv4 pool"
    assert words.changed(hidden=(5,)).network_layers((8, 8), 3) == [
        *(pl.Input(8, 8), pl.Dense(5, "relu"), pl.Dropout(0.1), pl.Classification(3))
    ]
    assert words.changed(hidden=(5,), layers="flatten").network_layers((8, 8), 3)[1:-1] == [pl.Flatten()]


def test_what_standardises_comes_first():
    layers = Recipe(layers="flatten").network_layers((8, 8), 2, pl.Rescale(0.5))
    assert layers == [pl.Input(8, 8), pl.Rescale(0.5), pl.Flatten(), pl.Classification(2)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_another_optimizer_has_its_own_rate(name):
    assert Recipe(learning_rate=0.7).changed(optimizer=name).fit_options()["optimizer"] == OPTIMIZERS[name]
    assert Recipe().changed(optimizer=name, learning_rate=0.7).fit_options()["optimizer"].learning_rate == 0.7


def test_what_is_changed_has_no_reason_any_more():
    recipe = Recipe(reasons={"epochs": "as many as fit into a night", "patience": "the night is long"}, patience=4)
    assert recipe.in_words() == (
        "  epochs: 10\n    as many as fit into a night\n  early_stopping: 4\n    the night is long"
    )
    assert recipe.changed(epochs=10).in_words() == "  early_stopping: 4\n    the night is long"
    assert Recipe().in_words() == ""


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 1.5}, {"learning_rate": -1}, {"l2": -1}, {"patience": -1}])
def test_a_wrong_recipe_is_refused_when_it_is_made(wrong):
    with pytest.raises(pl.ArgumentError, match=next(iter(wrong)).replace("l2", "L2")):
        Recipe(**wrong)


@pytest.mark.parametrize(("data", "name"), [(data, name) for data, named in RECIPES.items() for name in named])
def test_every_named_recipe_makes_a_network(data, name):
    assert pl.Network(RECIPES[data][name].network_layers((28, 28), 10)).output.num_classes == 10
