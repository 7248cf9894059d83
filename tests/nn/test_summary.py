"""The summary: what a network looks like as text."""

from __future__ import annotations

import pytest

import pellucid as pl
from pellucid.nn.summary import describe_layer, summary


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (pl.Input(28, 28), "Input(28, 28)"),
        (pl.Input(4), "Input(4)"),
        (pl.Dense(128, "relu"), "Dense(128, 'relu')"),
        (pl.Dense(5, use_bias=False), "Dense(5, 'identity', use_bias=False)"),
        (pl.Conv2D(32, 3, "relu"), "Conv2D(32, 3, 'relu')"),
        (pl.Conv2D(32, (3, 1), stride=2, groups=4), "Conv2D(32, (3, 1), 'identity', stride=2, groups=4)"),
        (pl.MaxPooling2D(), "MaxPooling2D(2)"),
        (pl.AveragePooling2D(3, 2, "same"), "AveragePooling2D(3, stride=2, padding='same')"),
        (pl.GlobalAveragePooling2D(), "GlobalAveragePooling2D()"),
        (pl.BatchNormalization(), "BatchNormalization()"),
        (pl.BatchNormalization(activation="relu"), "BatchNormalization(activation='relu')"),
        (pl.LayerNormalization(1e-3), "LayerNormalization(epsilon=0.001)"),
        (pl.Dropout2D(0.25), "Dropout2D(0.25)"),
        (pl.Rescale((1 / 3, 2.0), (-1.0, 0.5)), "Rescale((0.333, 2), offset=(-1, 0.5))"),
        (pl.Rescale(2.0), "Rescale(2)"),
        (pl.PiecewiseLinearEncoding(((0.0, 1.0),)), "PiecewiseLinearEncoding(1 bin of 1 column)"),
        (pl.PiecewiseLinearEncoding(((0.0, 1.0, 3.0), ()), 2.0), "PiecewiseLinearEncoding(2 bins of 2 columns, gain=2)"),
        (pl.Embedding(((0, 9, 4),)), "Embedding(1 column as 4 numbers)"),
        (pl.Embedding(((0, 9, 4), (2, 3, 1))), "Embedding(2 columns as 5 numbers)"),
        (pl.PeriodicEmbedding(), "PeriodicEmbedding()"),
        (pl.PeriodicEmbedding(8, (0, 2)), "PeriodicEmbedding(frequencies=8, columns=(0, 2))"),
        (pl.ScaleFeatures(6.0), "ScaleFeatures(rate=6)"),
        (
            pl.Residual([pl.Conv2D(8), pl.BatchNormalization()], [pl.Conv2D(8, 1)], "relu"),
            "Residual([Conv2D(8, 3, 'identity'), BatchNormalization()], shortcut=[Conv2D(8, 1, 'identity')],"
            " activation='relu')",
        ),
        (pl.Residual([pl.Flatten()]), "Residual([Flatten()])"),
        (pl.Classification(10), "Classification(10)"),
        (pl.EnsembleDense(7, 3, "relu"), "EnsembleDense(7, 3, 'relu')"),
        (
            pl.EnsembleDense(7, 3, "relu", pl.Normal(1.0, 0.5)),
            "EnsembleDense(7, 3, 'relu', scales=Normal(mean=1.0, std=0.5))",
        ),
        (pl.Classification(10, members=3), "Classification(10, members=3)"),
    ],
)
def test_a_layer_is_described_as_one_would_write_it(layer, text):
    assert describe_layer(layer) == text


def test_the_layers_of_a_block_have_rows_of_their_own():
    """Parameters by hand: 3*3*1*2 + 2 = 20; 3*3*2*4 + 4 = 76, 2 * 4 = 8, 2*4 + 4 = 12, in all 96; 64 * 3 + 3 = 195."""
    block = pl.Residual(
        [pl.Conv2D(4, stride=2), pl.Residual([pl.BatchNormalization()])], [pl.Conv2D(4, 1, stride=2)], "relu"
    )
    network = pl.Network([pl.Input(8, 8), pl.Conv2D(2, 3, "relu"), block, pl.Classification(3)])
    expected = """
layer                        description                                     output shape  parameters
------------------------------------------------------------------------------------------------------
input                        Input(8, 8)                                     (B, 8, 8)              0
conv2d_1                     Conv2D(2, 3, 'relu')                            (B, 8, 8, 2)          20
residual_1                   Residual(activation='relu')                     (B, 4, 4, 4)          96
  conv2d_1                   Conv2D(4, 3, 'identity', stride=2)              (B, 4, 4, 4)          76
  residual_1                 Residual()                                      (B, 4, 4, 4)           8
    batch_normalization_1    BatchNormalization()                            (B, 4, 4, 4)           8
  shortcut_conv2d_1          Conv2D(4, 1, 'identity', stride=2)              (B, 4, 4, 4)          12
output                       Classification(3)                               (B, 3)               195
311 parameters, float32"""
    assert [line.split() for line in summary(network).splitlines() if "---" not in line] == [
        line.split() for line in expected.strip().splitlines() if "---" not in line
    ]
    starts = [len(line) - len(line.lstrip()) for line in summary(network).splitlines()[4:9]]
    assert starts == [0, 2, 2, 4, 2]
