"""The rules give a network that can be built and trained for every set of pictures, and a reason for each choice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid.training.recipes.photo_rules import GENTLE, STRONG, choose
from pellucid.training.recipes.recipe import Recipe
from pellucid.training.recipes.words import layers_from_text

COUNTS = st.lists(st.integers(1, 100_000), min_size=2, max_size=50)
SIDES = st.integers(1, 4096)


@given(COUNTS, SIDES, SIDES, st.sampled_from([(), (3,)]))
def test_every_set_of_pictures_gets_a_network_that_fits(counts, height, width, channels):
    choices = choose(counts, (height, width, *channels))
    shape = (height, width, *channels)
    for layer in layers_from_text(choices.layers, shape):
        if isinstance(layer, pl.GlobalAveragePooling2D):
            assert min(shape[:2]) in range(1, 15), "the last convolutions see most of a picture"
        shape = layer.output_shape(shape)
    assert shape[0] <= 128
    assert len(shape) == 1
    assert 1 <= choices.batch_size * height * width <= max(1 << 22, height * width)
    assert choices.epochs >= 10
    assert choices.patience >= 10
    with_reasons = {"layers", "augment", "epochs", "batch_size", "learning_rate", "validation", "patience", "class_weight"}
    assert set(choices.reasons) == with_reasons, "each choice has its reason"
    because_of_others = {"schedule": "learning_rate", "change": "augment", "start_from_epoch": "patience"}
    chosen = {name for name, value in vars(Recipe()).items() if value != getattr(choices, name)} - {"reasons"}
    assert {because_of_others.get(name, name) for name in chosen} <= with_reasons


# what the documentation says, by hand: (counts, shape, words)
LAYERS = [
    ([90, 77], (64, 64, 3), "conv16 pool conv32 pool conv64 pool conv128 average dropout0.5"),
    ([90, 77], (16, 16), "conv16 conv16 pool conv32 conv32 average dropout0.5"),
    ([90, 77], (8, 8, 3), "conv16 conv16 average dropout0.5"),
    ([700] * 3, (32, 48, 3), "conv16 conv16 pool conv32 conv32 pool conv64 conv64 average dropout0.3"),
    ([6000] * 10, (28, 28), "conv32 conv32 pool conv64 conv64 pool conv128 conv128 average dropout0.1"),
    ([2] * 30, (28, 28), "conv32 pool conv64 pool conv128 average dropout0.5"),
    (
        [90, 77],
        (224, 224, 3),
        "conv16s2 conv32 pool conv64 pool conv128 pool conv128 pool conv128 average dropout0.5",
    ),
]


@pytest.mark.parametrize(("counts", "shape", "words"), LAYERS)
def test_the_layers_are_those_that_the_documentation_promises(counts, shape, words):
    assert choose(counts, shape).layers == words


def test_few_pictures_are_seen_often_and_changed_strongly():
    few, many = choose([50, 50], (32, 32, 3)), choose([5000, 5000], (32, 32, 3))
    assert (few.change, many.change) == (STRONG, GENTLE)
    assert (few.epochs, many.epochs) == (10 + 30_000 // 150, 10 + 3)
    assert (few.batch_size, many.batch_size) == (32, 64)
    assert choose([50, 50], (1024, 1024, 3)).batch_size == 4


def test_uneven_classes_are_balanced():
    assert choose([100, 150], (32, 32)).class_weight is None
    assert choose([100, 151], (32, 32)).class_weight == "balanced"
    assert choose([0, 5], (32, 32)).class_weight == "balanced"


def test_the_choices_in_words():
    choices = choose([90, 77], (64, 48, 3))
    text = choices.in_words()
    assert re.search(r"layers: conv16.*\n.*64x48 pictures: two halvings, to 16x12; 167 pictures of two classes", text)
    assert "84 pictures a class: few" in text
    assert "learning_rate" in text
    assert "learning_rate" not in choices.changed(learning_rate=3e-3).in_words()
