"""Networks that between them hold every layer, every output, every loss, every activation and every optimizer."""

from __future__ import annotations

import numpy as np

import pellucid as pl
from pellucid.mathematics.activations import ACTIVATIONS

IMAGE, GREY, TABLE = (5, 6, 2), (5, 6), (4,)

LAYERS = [
    (TABLE, [pl.Rescale(0.5, 0.25)]),
    (IMAGE, [pl.Rescale((2.0, -0.5), (0.25, 3.0))]),
    (TABLE, [pl.PiecewiseLinearEncoding(((-1.0, 0.0, 0.5, 1.0), (), (-0.1, 0.1), (-2.0, 2.0)), 0.7)]),
    (TABLE, [pl.Embedding(((3, 2, 3), (1, 3, 2)))]),
    (TABLE, [pl.PeriodicEmbedding(3, (2, 0), 0.5)]),
    (TABLE, [pl.GroupedDense(((3, 1), (0,)), 3)]),
    (TABLE, [pl.ScaleFeatures(2.5)]),
    (IMAGE, [pl.ScaleFeatures(0.5)]),
    *((TABLE, [pl.Dense(3, name)]) for name in ACTIVATIONS),
    (TABLE, [pl.EnsembleDense(3, 2, "tanh"), pl.EnsembleDense(2, 2, "relu"), pl.Flatten()]),
    (
        (3, 4),
        [
            pl.EnsembleDense(5, 3, "silu", use_bias=False, regularizer=pl.L1(0.1) + pl.L2(0.2)),
            pl.Dropout(0.4),
            pl.Flatten(),
        ],
    ),
    (IMAGE, [pl.Dense(3, "tanh", use_bias=False, regularizer=pl.L1(0.1) + pl.L2(0.2))]),
    (GREY, [pl.Conv2D(3)]),
    (IMAGE, [pl.Conv2D(4, (2, 3), "gelu", 2, "valid", (1, 2), 2, regularizer=pl.L2(0.3))]),
    (IMAGE, [pl.Conv2D(2, 2, "selu", (1, 2), "same", 1, 2, use_bias=False)]),
    (IMAGE, [pl.Conv2D(4, (3, 2), "relu6", 2, (1, 0), groups=2)]),
    (GREY, [pl.Conv2D(2, 3, padding=2, dilation=2)]),
    (IMAGE, [pl.MaxPooling2D()]),
    (IMAGE, [pl.MaxPooling2D(3, 2, 1)]),
    (GREY, [pl.MaxPooling2D((3, 2), (1, 2), "same")]),
    (IMAGE, [pl.AveragePooling2D((3, 2), (1, 2), "same")]),
    (GREY, [pl.AveragePooling2D()]),
    (IMAGE, [pl.GlobalAveragePooling2D()]),
    (GREY, [pl.Flatten()]),
    (IMAGE, [pl.Dropout(0.4)]),
    (TABLE, [pl.Dropout(0.0)]),
    (IMAGE, [pl.Dropout2D(0.4)]),
    (GREY, [pl.Dropout2D(0.4)]),
    (TABLE, [pl.BatchNormalization(0.5, 0.1, "tanh")]),
    (IMAGE, [pl.BatchNormalization()]),
    (IMAGE, [pl.LayerNormalization(0.1)]),
    (TABLE, [pl.Residual([pl.Dense(4, "relu"), pl.LayerNormalization()])]),
    (
        IMAGE,
        [
            pl.Residual(
                [
                    pl.Conv2D(3, 3, "tanh", regularizer=pl.L1(0.1)),
                    pl.BatchNormalization(activation="silu"),
                    pl.Dropout(0.3),
                ],
                [pl.Conv2D(3, 1), pl.Residual([pl.Dropout2D(0.2), pl.Conv2D(3)])],
                "tanh",
            )
        ],
    ),
]
OUTPUTS = [
    pl.Classification(3),
    pl.Classification(4, 0.1, use_bias=False, regularizer=pl.L2(0.3)),
    pl.BinaryClassification(),
    pl.BinaryClassification(0.2, use_bias=False),
    pl.Regression(),
    pl.Regression(3, "mae"),
    pl.Regression(2, pl.Huber(0.7)),
    pl.Regression(2, "poisson"),
    pl.Regression(loss="pinball:0.1,0.5,0.8"),
]
MEMBERS_OUTPUTS = [
    pl.Classification(3, 0.1, members=3),
    pl.Classification(2, use_bias=False, members=3),
    pl.BinaryClassification(0.2, regularizer=pl.L2(0.3), members=3),
    pl.Regression(2, "huber", members=3),
]
OPTIMIZERS = [
    pl.GradientDescent(),
    pl.GradientDescent(0.3, 0.8),
    pl.GradientDescent(0.3, 0.8, True),
    pl.Adam(0.1, 0.8, 0.99, 1e-6),
    pl.AdamW(0.1, 0.2),
    pl.RMSProp(0.1, 0.8),
    pl.Adagrad(0.1),
]
WHOLE = {
    "digits": ((28, 28), [pl.Dense(16, "relu"), pl.Dense(8, "relu")], pl.Classification(10)),
    "table": (
        TABLE,
        [pl.Dense(6, "gelu"), pl.BatchNormalization(), pl.Dropout(0.3), pl.Dense(5, "tanh")],
        pl.BinaryClassification(),
    ),
    "photos": (
        (8, 8, 3),
        [
            pl.Rescale((2.0, 1.5, 1.0), (-0.5, -0.25, 0.0)),
            *(pl.Conv2D(4, 3), pl.BatchNormalization(activation="relu"), pl.MaxPooling2D()),
            pl.Residual([pl.Conv2D(6, 3, "relu"), pl.Conv2D(6, 3)], [pl.Conv2D(6, 1)], "relu"),
            *(pl.GlobalAveragePooling2D(), pl.Dropout(0.2)),
        ],
        pl.Classification(4, label_smoothing=0.1),
    ),
    "linear": (TABLE, [], pl.Regression(2)),
}


def network(shape, hidden, output, dtype="float64", seed=3):
    """A network whose parameters and state are all moved away from their round initial numbers."""
    made = pl.Network([pl.Input(*shape), *hidden, output], seed=seed, dtype=dtype)
    rng = np.random.default_rng(5)
    for holder in (made.parameters, made.state):
        holder.vector[...] += rng.uniform(0.05, 0.2, holder.vector.shape)
    return made


def samples(made, count=3):
    """Inputs without zeros, and targets that fit."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(count, *made.input.shape))
    output = made.output
    if isinstance(output, pl.Regression):
        y = rng.normal(size=(count, output.num_values))
        return x, np.round(2 * np.abs(y)) if output.is_of_counts else y
    return x, np.arange(count) % output.num_labels


def every_case():
    """(name, network) for each layer, each output and each whole network."""
    for shape, hidden in LAYERS:
        yield f"{hidden[0]!r}-{shape}"[:60], network(shape, hidden, pl.Classification(3))
    for output in OUTPUTS:
        yield repr(output)[:60], network(TABLE, [], output)
    for output in MEMBERS_OUTPUTS:
        yield repr(output)[:90], network(TABLE, [pl.EnsembleDense(4, 3, "gelu")], output)
    for name, parts in WHOLE.items():
        yield name, network(*parts)
