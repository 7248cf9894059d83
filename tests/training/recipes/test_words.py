"""Words become layers: each as documented, and what is none is named with its place."""

from __future__ import annotations

import re

import pytest

import pellucid as pl
from pellucid.training.recipes import words
from pellucid.training.recipes.named import DIGITS
from pellucid.training.recipes.words import EXAMPLES, WORDS, layers_from_text

RELU = pl.BatchNormalization(activation="relu")


def conv(filters, kernel_size=3, stride=1):
    return pl.Conv2D(filters, kernel_size, stride=stride, use_bias=False)


def block(filters, stride, shortcut):
    layers = (conv(filters, 3, stride), RELU, conv(filters), pl.BatchNormalization())
    return pl.Residual(layers, (conv(filters, 1, stride), pl.BatchNormalization()) if shortcut else (), "relu")


# word -> the layers that it stands for, on pictures of 12x12 with 3 channels
MEANING = {
    "conv32": [conv(32), RELU],
    "conv8x5": [conv(8, 5), RELU],
    "conv8s2": [conv(8, 3, 2), RELU],
    "conv8x5s3": [conv(8, 5, 3), RELU],
    "res3": [block(3, 1, shortcut=False)],
    "res8": [block(8, 1, shortcut=True)],
    "res3s2": [block(3, 2, shortcut=True)],
    "pool": [pl.MaxPooling2D(2)],
    "pool3": [pl.MaxPooling2D(3)],
    "avgpool": [pl.AveragePooling2D(2)],
    "avgpool4": [pl.AveragePooling2D(4)],
    "average": [pl.GlobalAveragePooling2D()],
    "flatten": [pl.Flatten()],
    "dense128": [pl.Dense(128, "relu")],
    "norm": [pl.BatchNormalization()],
    "dropout0.3": [pl.Dropout(0.3)],
    "dropout.5": [pl.Dropout(0.5)],
    "dropout2d0.1": [pl.Dropout2D(0.1)],
}


@pytest.mark.parametrize("word", MEANING)
def test_a_word_means_what_is_documented(word):
    assert layers_from_text(word, (12, 12, 3)) == MEANING[word]


def test_words_follow_one_another_whatever_white_space_is_between_them():
    expected = [conv(8), RELU, pl.MaxPooling2D(2), block(8, 1, False), pl.Dense(4, "relu")]
    assert layers_from_text("  conv8 pool\tres8\ndense4 ", (12, 12)) == expected
    assert layers_from_text("conv8 pool res8 dense4", (12, 12)) == expected


def test_a_shortcut_is_needed_for_the_only_channel_of_a_grey_picture():
    assert layers_from_text("res1", (12, 12, 1)) == [block(1, 1, shortcut=False)]
    pl.Network([pl.Input(12, 12), *layers_from_text("res1", (12, 12)), pl.Classification(2)])


def test_every_kind_of_word_is_documented_and_named_in_errors():
    documented = set(words.__doc__.replace(":", " ").replace(";", " ").replace(",", " ").split())
    assert set(EXAMPLES) <= documented
    for examples, pattern, _ in WORDS:
        assert examples.split()
        assert all(re.fullmatch(pattern, example) for example in examples.split())
    for example in EXAMPLES:
        with pytest.raises(pl.ArgumentError, match=rf"the words are .*{re.escape(example)}"):
            layers_from_text("nonsense", (12, 12))


WRONG = {
    "": "for no hidden layer",
    "  \n": "flatten",
    "conv16 cnov32": r"word 2, 'cnov32'.*Did you mean 'conv32'\?",
    "denze4": r"Did you mean 'dense4'\?",
    "conv": "word 1, 'conv'",
    "CONV8": "'CONV8'",
    "conv8,pool": "'conv8,pool'",
    "conv-3": "'conv-3'",
    "conv0": r"Conv2D\(filters\)",
    "conv8s0": "stride",
    "conv8x0": "window of Conv2D",
    "conv٣": "it is unknown",
    "conv" + "9" * 5000: "word 1",
    "dropout1": r"Dropout\(rate\)",
    "dropout": "it is unknown",
    "pool0": "MaxPooling2D",
    "dense" + "9" * 12: "dense",
    "pool " * 9: r"word 4, 'pool': .*does not fit into an image of 1x1",
    "conv8 flatten pool": "word 3, 'pool'.*before Flatten",
    "average average": "word 2, 'average'",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text[:20]))
def test_what_is_no_architecture_is_said_with_its_place(text):
    with pytest.raises(pl.ArgumentError, match=WRONG[text]) as error:
        layers_from_text(text, (12, 12, 3))
    assert len(str(error.value)) < 400


def test_what_is_no_text():
    with pytest.raises(pl.ArgumentError, match="layers are words such as"):
        layers_from_text(None, (12, 12))


def test_the_recipe_for_convolutions_is_the_network_of_six():
    layers = DIGITS["conv"].network_layers((28, 28), 10)
    filters = [layer.filters for layer in layers if isinstance(layer, pl.Conv2D)]
    assert filters == [16, 16, 32, 32, 48, 48]
    assert [layer.kernel_size for layer in layers if isinstance(layer, pl.Conv2D)] == [3] * 6
    assert sum(layer == RELU for layer in layers) == 6
    assert layers[-2:] == [pl.GlobalAveragePooling2D(), pl.Classification(10)]
    assert pl.Network(layers).output.num_classes == 10
