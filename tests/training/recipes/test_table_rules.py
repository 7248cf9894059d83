"""The rules for tables: a recipe that can be trained, whatever the size of the table, with reasons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid.training.recipes.table_rules import HELD_OUT, choose_for_table


@given(st.integers(1, 10**7), st.integers(1, 10_000), st.sampled_from([0, 2, 3, 1000]))
def test_every_table_gets_a_recipe_whose_batches_are_not_larger_than_they_help(rows, width, classes):
    recipe = choose_for_table(rows, width, classes)
    assert 16 <= recipe.batch_size <= 256
    assert recipe.batch_size <= max(16, rows // 40)  # forty steps an epoch, where there are rows for it
    assert recipe.validation == HELD_OUT
    assert not recipe.augment
    assert recipe.fit_options()["epochs"] == recipe.epochs
    assert recipe.hidden_layers((width,))
    assert f"{width:,}" in recipe.reasons["hidden"]


def test_epochs_can_be_stated():
    assert choose_for_table(100, 5, 2, 7).epochs == 7
    with pytest.raises(pl.ArgumentError, match="epochs"):
        choose_for_table(100, 5, 2, 0)


def test_the_last_best_epoch_is_kept_and_training_never_ends_before_all_of_them():
    recipe = choose_for_table(100, 5, 2, 7)
    assert recipe.patience >= recipe.epochs
