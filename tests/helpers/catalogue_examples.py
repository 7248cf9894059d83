"""Examples of every member of the catalogue, and batches for them."""

from __future__ import annotations

import numpy as np

import pellucid as pl
from pellucid.mathematics.regularizers import Sum

BATCH = 6

# Objects that between them leave the default of every field.
EXAMPLES: dict[type, list[object]] = {
    pl.Input: [pl.Input(4), pl.Input(5, 3), pl.Input(2, 3, 2)],
    pl.Dense: [
        pl.Dense(3),
        pl.Dense(4, "tanh", pl.Orthogonal(0.5), False, pl.L1(0.1) + pl.L2(0.2)),
        pl.Dense(2, "gelu", "he_uniform"),
    ],
    pl.EnsembleDense: [
        pl.EnsembleDense(3, 2),
        pl.EnsembleDense(*(4, 3, "tanh", pl.Normal(1.0, 0.5), pl.Orthogonal(0.5), False, pl.L1(0.1) + pl.L2(0.2))),
    ],
    pl.Rescale: [pl.Rescale(0.5), pl.Rescale((2.0, -0.5), (0.25, 3.0))],
    pl.PiecewiseLinearEncoding: [
        pl.PiecewiseLinearEncoding(((-1.0, 0.0, 0.5), ())),
        pl.PiecewiseLinearEncoding(((-0.5, 0.25), (-1.0, 0.0, 0.5, 2.0), ()), 2.0),
    ],
    pl.Embedding: [pl.Embedding(((0, 3, 2),)), pl.Embedding(((3, 2, 4), (1, 5, 1)))],
    pl.PeriodicEmbedding: [pl.PeriodicEmbedding(), pl.PeriodicEmbedding(3, (3, 1), 0.5)],
    pl.GroupedDense: [pl.GroupedDense(((0,),), 1), pl.GroupedDense(((3, 1), (0,)), 3)],
    pl.ScaleFeatures: [pl.ScaleFeatures(), pl.ScaleFeatures(2.5)],
    pl.Conv2D: [
        pl.Conv2D(3),
        pl.Conv2D(4, (2, 3), "tanh", 2, "valid", (1, 2), 2, pl.Orthogonal(0.5), False, pl.L1(0.1) + pl.L2(0.2)),
        pl.Conv2D(2, 2, "gelu", (1, 2), "same", 1, 2, "he_uniform"),
    ],
    pl.MaxPooling2D: [pl.MaxPooling2D(), pl.MaxPooling2D((3, 2), (1, 2), "same")],
    pl.AveragePooling2D: [pl.AveragePooling2D(), pl.AveragePooling2D((3, 2), (1, 2), "same")],
    pl.GlobalAveragePooling2D: [pl.GlobalAveragePooling2D()],
    pl.Dropout: [pl.Dropout(0.0), pl.Dropout(0.4)],
    pl.Dropout2D: [pl.Dropout2D(0.0), pl.Dropout2D(0.4)],
    pl.BatchNormalization: [pl.BatchNormalization(), pl.BatchNormalization(0.5, 0.1, "tanh")],
    pl.LayerNormalization: [pl.LayerNormalization(), pl.LayerNormalization(0.1)],
    pl.Residual: [
        pl.Residual((pl.LayerNormalization(),)),
        pl.Residual(
            (pl.Conv2D(4, 3, "tanh", regularizer=pl.L2(0.1)), pl.BatchNormalization(activation="gelu"), pl.Dropout(0.3)),
            (pl.Conv2D(4, 1), pl.Residual((pl.Dropout2D(0.2), pl.Conv2D(4)))),
            "tanh",
        ),
    ],
    pl.Flatten: [pl.Flatten()],
    pl.Classification: [
        pl.Classification(3),
        pl.Classification(2, 0.1, "he_normal", False, pl.L2(0.3)),
        pl.Classification(3, members=2),
    ],
    pl.BinaryClassification: [
        pl.BinaryClassification(),
        pl.BinaryClassification(0.2, pl.Constant(0.5), False, pl.L1(0.3)),
        pl.BinaryClassification(members=3),
    ],
    pl.Regression: [
        pl.Regression(),
        pl.Regression(3, "huber", "lecun_normal", False, pl.L2(0.3)),
        pl.Regression(2, pl.Huber(2.5)),
        pl.Regression(2, use_bias=False, members=2),
        pl.Regression(1, pl.PinballLoss((0.05, 0.95))),
    ],
    pl.CrossEntropy: [pl.CrossEntropy(), pl.CrossEntropy(0.1)],
    pl.BinaryCrossEntropy: [pl.BinaryCrossEntropy(), pl.BinaryCrossEntropy(0.1)],
    pl.MeanSquaredError: [pl.MeanSquaredError()],
    pl.MeanAbsoluteError: [pl.MeanAbsoluteError()],
    pl.Huber: [pl.Huber(), pl.Huber(0.3)],
    pl.PoissonLoss: [pl.PoissonLoss()],
    pl.PinballLoss: [pl.PinballLoss(), pl.PinballLoss((0.05, 0.95))],
    pl.GradientDescent: [pl.GradientDescent(), pl.GradientDescent(0.3, 0.8, True)],
    pl.Adam: [pl.Adam(), pl.Adam(0.1, 0.8, 0.99, 1e-6)],
    pl.AdamW: [pl.AdamW(), pl.AdamW(0.1, 0.2, 0.8, 0.99, 1e-6)],
    pl.RMSProp: [pl.RMSProp(), pl.RMSProp(0.1, 0.8, 1e-6)],
    pl.Adagrad: [pl.Adagrad(), pl.Adagrad(0.1, 1e-6)],
    pl.VarianceScaling: [pl.VarianceScaling(3.0, "fan_in", "uniform"), pl.VarianceScaling(1.0, "fan_average", "normal")],
    pl.Constant: [pl.Constant(), pl.Constant(-0.5)],
    pl.Orthogonal: [pl.Orthogonal(), pl.Orthogonal(1.4)],
    pl.Normal: [pl.Normal(), pl.Normal(1.0, 0.5)],
    pl.RandomSigns: [pl.RandomSigns()],
    pl.L1: [pl.L1(0.1)],
    pl.L2: [pl.L2(0.1)],
    Sum: [pl.L1(0.1) + pl.L2(0.2) + pl.L1(0.3)],
    pl.ClipByGlobalNorm: [pl.ClipByGlobalNorm(), pl.ClipByGlobalNorm(0.2)],
    pl.ClipByValue: [pl.ClipByValue(), pl.ClipByValue(0.2)],
    pl.ConstantRate: [pl.ConstantRate()],
    pl.StepDecay: [pl.StepDecay(), pl.StepDecay(3, 0.5)],
    pl.ExponentialDecay: [pl.ExponentialDecay(), pl.ExponentialDecay(0.5)],
    pl.Cosine: [pl.Cosine(), pl.Cosine(0.5)],
    pl.Warmup: [pl.Warmup(3), pl.Warmup(4, pl.Warmup(2, pl.Cosine(0.1))), pl.Warmup(9, at_most=0.5)],
    pl.OneCycle: [pl.OneCycle(), pl.OneCycle(0.2, 0.1, 0.01)],
    pl.CosineLog: [pl.CosineLog(), pl.CosineLog(2)],
    pl.ReduceOnPlateau: [pl.ReduceOnPlateau(), pl.ReduceOnPlateau(0.2, 2, 0.1, 0.01)],
}


def batch_for(shape, seed=1):
    return np.random.default_rng(seed).normal(size=(BATCH, *shape))
