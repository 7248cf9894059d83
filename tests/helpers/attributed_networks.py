"""Small networks for attributions: parameters away from 0, and for each layer of the catalogue some that hold it."""

from __future__ import annotations

import numpy as np

import pellucid as pl


def shaken(*layers, seed=0, scale=0.5):
    """A network in float64 whose parameters and moving averages have all been moved, so that none hides behind a 0."""
    network = pl.Network(list(layers), dtype="float64")
    chance = np.random.default_rng(seed)
    for holder in (network.parameters, network.state):
        for name in holder:
            moved = holder[name] + scale * chance.normal(size=holder[name].shape)
            holder[name] = np.abs(moved) + 0.1 if name.endswith("variance") else moved
    return network


IMAGE, ROW = pl.Input(6, 6, 2), pl.Input(5)

# Between them these hold every hidden layer that is linear between corners, each activation of that kind, every output.
PIECEWISE_LINEAR = {
    "dense": (ROW, pl.Dense(7, "relu"), pl.Dense(6, "leaky_relu"), pl.Dense(5, "hard_sigmoid"), pl.Classification(3)),
    "no bias": (ROW, pl.Dense(7, "relu", use_bias=False), pl.Classification(3, use_bias=False)),
    "no hidden layer": (ROW, pl.Regression(2)),
    "yes or no": (ROW, pl.Rescale((2.0, 0.5, 1.0, -1.0, 3.0), 0.75), pl.Dense(4, "relu"), pl.BinaryClassification()),
    "bins": (
        *(ROW, pl.PiecewiseLinearEncoding(((-1.0, 0.0, 0.5, 1.0), (), (-0.1, 0.1), (-2.0, 2.0), (0.5, 0.75)), 0.7)),
        *(pl.Dense(6, "relu"), pl.Classification(3)),
    ),
    "grouped": (
        *(ROW, pl.PiecewiseLinearEncoding(((-1.0, 0.0, 0.5), (), (-0.1, 0.1), (), ()))),
        *(pl.GroupedDense(((0, 5, 6), (2, 7)), 4), pl.Dense(6, "relu"), pl.Classification(3)),
    ),
    "ensemble": (
        *(ROW, pl.EnsembleDense(7, 3, "relu"), pl.Dropout(0.5), pl.EnsembleDense(6, 3, "hard_sigmoid", use_bias=False)),
        pl.Classification(3, members=3),
    ),
    "ensemble of numbers": (
        *(ROW, pl.Dense(6, "leaky_relu"), pl.EnsembleDense(5, 2, "relu")),
        pl.Regression(2, use_bias=False, members=2),
    ),
    "scaled": (ROW, pl.ScaleFeatures(6.0), pl.Dense(7, "relu"), pl.ScaleFeatures(), pl.Regression(2)),
    "normalized": (
        *(ROW, pl.BatchNormalization(), pl.Dense(6), pl.BatchNormalization(activation="hard_sigmoid"), pl.Dropout(0.5)),
        pl.Regression(),
    ),
    "images": (
        *(IMAGE, pl.Rescale(2.0, (0.25, -0.5)), pl.Conv2D(4, 3, "relu", groups=2), pl.MaxPooling2D(3, 2, "same")),
        *(pl.Dropout2D(0.3), pl.Conv2D(3, 2, "leaky_relu", dilation=2), pl.AveragePooling2D(2, 1, "same")),
        *(pl.Flatten(), pl.Dense(5, "relu"), pl.Classification(4)),
    ),
    "grey images": (pl.Input(6, 5), pl.Conv2D(3, 3, "hard_sigmoid", 2, "valid"), pl.Classification(2)),
    "photos": (
        *(IMAGE, pl.Conv2D(4, 3, "relu6", 2, 1), pl.Conv2D(4, 3, padding=1, groups=4)),
        *(pl.BatchNormalization(activation="relu6"), pl.GlobalAveragePooling2D(), pl.Classification(3)),
    ),
    "blocks": (
        IMAGE,
        pl.Residual(
            (pl.Conv2D(4, 3, "relu"), pl.BatchNormalization(activation="relu"), pl.Residual((pl.Conv2D(4),))),
            (pl.Conv2D(4, 1),),
            "hard_sigmoid",
        ),
        *(pl.Residual((pl.Conv2D(4, 3, "relu"),), activation="relu"), pl.GlobalAveragePooling2D(), pl.Classification(3)),
    ),
}
BENT = {
    "tanh": (ROW, pl.Dense(6, "tanh"), pl.Classification(3)),
    "mixed": (ROW, pl.Dense(6, "relu"), pl.Dense(5, "gelu"), pl.Regression()),
    "layer normalization": (ROW, pl.Dense(6), pl.LayerNormalization(), pl.Dense(4, "relu"), pl.BinaryClassification()),
    "waves": (ROW, pl.PeriodicEmbedding(3, (1, 4)), pl.Dense(6, "relu"), pl.Classification(3)),
    "block": (IMAGE, pl.Residual((pl.Conv2D(2, 3, "silu"),), activation="elu"), pl.MaxPooling2D(), pl.Classification(3)),
}


def samples_of(network, count=7, seed=5):
    return np.random.default_rng(seed).normal(size=(count, *network.input.shape))


def scores(network, x, target):
    """(B,): the logit of each sample's target; yes or no has one logit z, and the score of no is -z."""
    logits = network.forward(x)
    if isinstance(network.output, pl.BinaryClassification):
        return np.where(target == 1, logits[:, 0], -logits[:, 0])
    return logits[np.arange(len(x)), target]


def target_of(network, x):
    """A target for every sample that is not always the same."""
    choices = network.output.num_labels if hasattr(network.output, "num_labels") else network.output.num_outputs
    return np.arange(len(x)) % choices
