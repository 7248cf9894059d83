"""The layers of an ensemble, from those of a single network."""

from __future__ import annotations

import pytest

import pellucid as pl
from pellucid.training.recipes.ensemble import FIRST_SCALES
from pellucid.training.recipes.recipe import Recipe
from pellucid.training.recipes.table_rules import ENSEMBLE, choose_for_table


def test_each_dense_layer_has_members_and_the_output_too():
    layers = Recipe(hidden=(6, 5), dropout=0.2, ensemble=4).network_layers((3,), 2)
    assert layers == [
        pl.Input(3),
        *(pl.EnsembleDense(6, 4, "relu", FIRST_SCALES), pl.Dropout(0.2), pl.EnsembleDense(5, 4, "relu"), pl.Dropout(0.2)),
        pl.Classification(2, members=4),
    ]
    assert pl.Network(layers).forward([[1.0, 2.0, 3.0]]).shape == (1, 2)


def test_words_name_them_too():
    layers = Recipe(layers="dense7 dropout0.3 dense4", ensemble=2).hidden_layers((3,))
    assert layers == [pl.EnsembleDense(7, 2, "relu", FIRST_SCALES), pl.Dropout(0.3), pl.EnsembleDense(4, 2, "relu")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden": ()}, "this network has none"),
        ({"batch_norm": True}, "BatchNormalization cannot be in it"),
        ({"layers": "dense8 norm"}, "BatchNormalization cannot be in it"),
        ({"layers": "flatten"}, "Flatten cannot be in it"),
    ],
)
def test_what_cannot_be_an_ensemble_is_a_sentence(changes, said):
    with pytest.raises(pl.ArgumentError, match=said):
        Recipe(ensemble=3).changed(**changes).hidden_layers((3,))


@pytest.mark.parametrize("ensemble", [0, -1, 2.5, 10**6])
def test_a_wrong_number_is_refused_when_the_recipe_is_made(ensemble):
    with pytest.raises(pl.ArgumentError, match="ensemble"):
        Recipe(ensemble=ensemble)


def test_the_rules_train_one_network_unless_asked():
    assert choose_for_table(1000, 5, 2).ensemble == 1
    assert ENSEMBLE == 8
