"""From what a network begins: the rule, its reason, and what somebody asks for in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

import pellucid as pl
from pellucid.data.photos.look import Look
from pellucid.training.recipes.start_rules import Start, choose_start

PHOTOS, GREY, TINY = Look(24, 22, 480), Look(24, 3, 480), Look(24, 24, 28)
LARGE = (224, 224, 3)


@pytest.mark.parametrize(
    ("by_steps", "shape", "look", "network", "words"),
    [
        ([], LARGE, PHOTOS, "efficientnet-lite0", "photos: 22 of 24 have colours, and their shorter sides are 480 pixels"),
        ([], LARGE, None, "efficientnet-lite0", "photos in colour"),
        ([], LARGE, GREY, None, "no photos: 21 of 24 have no colours"),
        ([], LARGE, TINY, None, "no photos: their shorter sides are 28 pixels, fewer than 32"),
        ([], (64, 64, 3), PHOTOS, None, "pictures of 64x64x3; a pretrained network takes 224x224 in colour"),
        ([], (28, 28), None, None, "pictures of 28x28"),
        (["epochs", "layers"], LARGE, PHOTOS, None, "as epochs, layers asks for"),
    ],
)
def test_the_rule_and_its_reason(by_steps, shape, look, network, words):
    start = choose_start(True, by_steps, shape, look)
    assert start.network == network
    assert words in start.reason
    assert start.in_words().startswith(f"  from: {network or 'nothing'}\n    ")


@pytest.mark.parametrize("asked", ["nothing", None, False])
def test_nothing_can_be_asked_for(asked):
    assert choose_start(asked, ["epochs"], LARGE, PHOTOS) == Start(None)
    assert choose_start(asked, [], LARGE, PHOTOS).in_words() == ""


@pytest.mark.parametrize("asked", ["efficientnet-lite0", "mine.safetensors", Path("mine.safetensors")])
def test_a_network_can_be_asked_for_whatever_the_pictures_are(asked):
    assert choose_start(asked, [], (28, 28), GREY) == Start(str(asked))
    with pytest.raises(pl.ArgumentError, match="--epochs: on a network that is pretrained only the last layer is new"):
        choose_start(asked, ["--epochs"], LARGE, PHOTOS)
