"""The formula of each kind of layer, and one of its numbers spelled out."""

from __future__ import annotations

import numpy as np

from pellucid.explanation.findings import Score
from pellucid.layers.classification import BinaryClassification, Classification
from pellucid.layers.convolution import Conv2D
from pellucid.layers.dense import Dense
from pellucid.layers.dropout import Dropout
from pellucid.layers.flatten import Flatten
from pellucid.layers.layer_normalization import LayerNormalization
from pellucid.layers.normalization import BatchNormalization
from pellucid.layers.output import OutputLayer
from pellucid.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from pellucid.layers.rescale import Rescale
from pellucid.layers.residual import Residual
from pellucid.trace.layer_trace import LayerTrace
from pellucid.trace.neuron import written

FORMULAS = {
    Rescale: "y = scale x + offset, for each channel.",
    Dense: "z = sum of input * weight + bias, and f(z).",
    Conv2D: "z = sum of input * weight in a window + bias, and f(z).",
    MaxPooling2D: "y = the largest number of each window.",
    AveragePooling2D: "y = the mean of each window.",
    GlobalAveragePooling2D: "y = the mean of each channel.",
    Flatten: "The image as one row.",
    Dropout: "Silent only while training: y = x.",
    BatchNormalization: "z = gamma (x - mean) / std + beta, with moving averages, and f(z).",
    LayerNormalization: "y = gamma (x - mean) / std + beta, with the mean and std of this sample.",
    Residual: "z = layers(x) + shortcut(x), and f(z); the layers of the block follow.",
    Classification: "The score of each class: z = sum of input * weight + bias.",
    BinaryClassification: "One score: z = sum of input * weight + bias.",
    OutputLayer: "Each value: z = sum of input * weight + bias.",
}


def formula(layer: LayerTrace) -> str:
    """What this kind of layer computes, in a sentence."""
    return next((text for kind, text in FORMULAS.items() if isinstance(layer.layer, kind)), "A layer of your own.")


def in_terms_of(layer: LayerTrace) -> tuple[str, ...]:
    """The largest output of a layer without neurons, as far as it is arithmetic."""
    at = np.unravel_index(int(np.abs(layer.output[0]).argmax()), layer.output.shape[1:])
    index = tuple(int(i) for i in at)
    line = spelled_out(layer, index)
    return () if line is None else (f"{layer.name}[{','.join(map(str, index))}]  {line}",)


def spelled_out(layer: LayerTrace, index: tuple[int, ...]) -> str | None:
    """One output of a normalization or of a residual block as arithmetic; None for other layers."""
    place = (0, *index)
    y = written(float(layer.output[place]))
    end = f"; {layer.activation} -> {y}" if layer.activation not in (None, "identity") else ""
    if isinstance(layer.layer, BatchNormalization):
        c = place[-1]
        gamma, beta = (written(float(layer.parameters[part][c])) for part in ("gamma", "beta"))
        x, mean, std = (
            float(layer.input[place]),
            float(layer.numbers["mean"][c]),
            1 / float(layer.numbers["inverse_std"][c]),
        )
        assert layer.sums is not None
        z = written(float(layer.sums[place]))
        return f"z = {gamma} * ({written(x)} - {factor(mean)}) / {written(std)} + {factor(beta)} = {z}{end}"
    if isinstance(layer.layer, Residual):
        assert layer.sums is not None
        main = layer.layers[-1].output[place]
        other = (layer.shortcut[-1].output if layer.shortcut else layer.input)[place]
        return f"z = {written(float(main))} + {factor(float(other))} = {written(float(layer.sums[place]))}{end}"
    return None


def softmax_line(score: Score, total: float) -> str:
    """The probability of one label: its exponential, divided by the sum of all."""
    assert score.exponential is not None
    assert score.probability is not None
    return f"p({score.label}) = {written(score.exponential)} / {written(total)} = {written(score.probability)}"


def sigmoid_line(score: Score) -> str:
    """The probability of class 1."""
    assert score.probability is not None
    return f"p({score.label}) = 1 / (1 + e^{factor(-score.score)}) = {written(score.probability)}"


def factor(number: float | str) -> str:
    """A number inside of arithmetic: in parentheses if it is negative."""
    text = number if isinstance(number, str) else written(number)
    return f"({text})" if text.startswith("-") else text
