"""The formula of each kind of layer, and one of its numbers spelled out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.equation import applied, equation, rest, sum_of_products, total
from pellucid.core.display.numbers import written
from pellucid.core.shapes import Array, Shape
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.neuron import place_in_words
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.layer_normalization import LayerNormalization
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D, Pooling2D
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.residual import Residual
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.periodic_embedding import PeriodicEmbedding
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.nn.layers.tabular.scale_features import ScaleFeatures

FORMULAS = {
    Rescale: "y = scale x + offset, for each channel.",
    Embedding: "y = each other x, then for each category the numbers of its vector.",
    PiecewiseLinearEncoding: "y = each x, then for each bin gain (x - low) / (high - low), held between 0 and gain.",
    PeriodicEmbedding: "y = each x, then for each of its frequencies cos(2 pi (frequency x + phase)).",
    GroupedDense: "y = each other x, then for each group of columns the sum of input * weight + bias.",
    ScaleFeatures: "y = (1 + rate change) x, for each number of a sample.",
    Dense: "z = sum of input * weight + bias, and f(z).",
    EnsembleDense: "z = sum of input * r * weight * s + bias, and f(z); r, s and bias are each member's own.",
    Conv2D: "z = sum of input * weight in a window + bias, and f(z).",
    MaxPooling2D: "y = the largest number of each window.",
    AveragePooling2D: "y = the mean of each window.",
    GlobalAveragePooling2D: "y = the mean of each channel.",
    Flatten: "The image as one row.",
    Dropout: "Silent only while training: y = x.",
    BatchNormalization: "z = gamma (x - mean) / std + beta, with moving averages, and f(z).",
    LayerNormalization: "y = gamma (x - mean) / std + beta, with the mean and std of this sample.",
    Residual: "z = layers(x) + shortcut(x), and f(z); the layers of the block stand above.",
    Classification: "The score of each class: z = sum of input * weight + bias.",
    BinaryClassification: "One score: z = sum of input * weight + bias.",
    OutputLayer: "Each value: z = sum of input * weight + bias.",
}
TERMS = 4  # of a mean, or of the sum of a group


def formula(layer: LayerTrace) -> str:
    """What this kind of layer computes, in a sentence."""
    text = next((text for kind, text in FORMULAS.items() if isinstance(layer.layer, kind)), "A layer of your own.")
    if layer.members > 1 and isinstance(layer.layer, OutputLayer):
        text += f" Each of the {layer.members} members has its own; the answer is their mean."
    return text if getattr(layer.layer, "use_bias", True) else text.replace(" + bias", "")


def in_terms_of(layer: LayerTrace) -> tuple[str, ...]:
    """The largest output of a layer without neurons, as far as it is arithmetic."""
    at = np.unravel_index(int(np.abs(layer.output[0]).argmax()), layer.output.shape[1:])
    index = tuple(int(i) for i in at)
    line = spelled_out(layer, index)
    return () if line is None else (f"{layer.name}{place_in_words(index)}  {line}",)


def spelled_out(layer: LayerTrace, index: tuple[int, ...]) -> str | None:
    """One output of a layer without neurons, such as (row, column, channel), as arithmetic with its activation; None for
    what is no arithmetic."""
    place = (0, *index)
    arithmetic = _arithmetic(layer, place)
    if arithmetic is None or layer.activation in (None, "identity"):
        return arithmetic
    return f"{arithmetic}; {layer.activation} -> {written(float(layer.output[place]))}"


def _arithmetic(layer: LayerTrace, place: tuple[int, ...]) -> str | None:
    """How the output at this place (sample first) comes about; None for what is no arithmetic."""
    c, y = place[-1], float(layer.output[place])
    z = y if layer.sums is None else float(layer.sums[place])
    if isinstance(layer.layer, BatchNormalization | LayerNormalization):
        gamma, beta, x = (
            float(number) for number in (layer.parameters["gamma"][c], layer.parameters["beta"][c], layer.input[place])
        )
        mean, std = _mean_and_std(layer, place)
        name = "z" if isinstance(layer.layer, BatchNormalization) else "y"
        return f"{name} = {equation(lambda n: n(gamma) * (n(x) + n(-mean)) / n(std) + n(beta), z)}"
    if isinstance(layer.layer, PiecewiseLinearEncoding):
        return _bin(layer.layer, layer, place)
    if isinstance(layer.layer, PeriodicEmbedding):
        return _wave(layer.layer, layer, place)
    if isinstance(layer.layer, Embedding):
        return _of_vector(layer.layer, layer, place)
    if isinstance(layer.layer, GroupedDense):
        return _of_group(layer.layer, layer, place)
    if isinstance(layer.layer, ScaleFeatures):
        rate, change, x = layer.layer.rate, float(layer.parameters["change"][place[1:]]), float(layer.input[place])
        return f"y = {equation(lambda n: (n(1) + n(rate) * n(change)) * n(x), y)}"
    if isinstance(layer.layer, Residual):
        main = layer.layers[-1].output[place]
        other = (layer.shortcut[-1].output if layer.shortcut else layer.input)[place]
        return f"z = {equation(lambda n: n(main) + n(other), z)}"
    if isinstance(layer.layer, Pooling2D | GlobalAveragePooling2D):
        numbers = layer.input[0][tuple(pooled(layer, place[1:]).T)]
        if isinstance(layer.layer, MaxPooling2D):
            return f"y = {equation(lambda n: applied(max, *map(n, numbers)), y)}"
        return f"y = {_mean(numbers, y)}"
    return None


def _of_vector(embedding: Embedding, layer: LayerTrace, place: tuple[int, ...]) -> str | None:
    """Which number of which vector; None for the columns that are passed on."""
    for number, (column, own) in enumerate(embedding.places(layer.input.shape[1])):
        if own.start <= place[-1] < own.stop:
            category, values = int(layer.numbers["categories"][place[0], number]), embedding.columns[number][1]
            vector = f"category {category}" if category < values else "what is no category"
            at = f"number {place[-1] - own.start} of the vector of {vector} in column {column}"
            return f"y = {written(float(layer.output[place]))} ({at})"
    return None


def group_sum(dense: GroupedDense, layer: LayerTrace, number: int) -> tuple[tuple[int, ...], Array, float] | None:
    """(columns, weights, bias) of the sum that this number of the output is; None for the columns that are passed on."""
    place = number - len(dense.others(layer.input.shape[1]))
    if place < 0:
        return None
    group, unit = divmod(place, dense.units)
    weights = layer.parameters["weight"][dense.rows[group], unit]
    return dense.groups[group], weights, float(layer.parameters["bias"][group, unit])


def _of_group(dense: GroupedDense, layer: LayerTrace, place: tuple[int, ...]) -> str | None:
    """The weighted sum of a group; None for the columns that are passed on."""
    found = group_sum(dense, layer, place[-1])
    if found is None:
        return None
    columns, weights, bias = found
    x = layer.input[place[0], list(columns)]
    return f"z = {equation(sum_of_products(x, weights, TERMS, bias), float(layer.output[place]))}"


def _wave(embedding: PeriodicEmbedding, layer: LayerTrace, place: tuple[int, ...]) -> str | None:
    """The cosine of where a number is in its turn; None for the numbers themselves, which are passed on."""
    inputs = layer.input.shape[1]
    if place[-1] < inputs:
        return None
    number, f = divmod(place[-1] - inputs, embedding.frequencies)
    x = float(layer.input[place[0], embedding.embedded(inputs)[number]])
    w, b = (float(layer.parameters[name][number, f]) for name in ("frequency", "phase"))
    y = float(layer.output[place])
    return f"y = {equation(lambda n: applied(np.cos, n(2 * np.pi) * (n(w) * n(x) + n(b))), y)}"


def _bin(encoding: PiecewiseLinearEncoding, layer: LayerTrace, place: tuple[int, ...]) -> str | None:
    """How far a number has come through a bin; None for the numbers themselves, which are passed on."""
    number = place[-1] - len(encoding.edges)
    if number < 0:
        return None
    column, low, slope, least, most = (part[number].item() for part in encoding.bins)
    x = float(layer.input[place[0], column])
    e = (x - low) * slope
    held = min(max(e, least), most)
    y = float(layer.output[place])
    if held == e:
        return f"y = {equation(lambda n: n(encoding.gain) * (n(x) + n(-low)) / n(1 / slope), y)}"
    way = equation(lambda n: (n(x) + n(-low)) / n(1 / slope), e)
    return f"y = {equation(lambda n: n(encoding.gain) * n(held), y)}; {way} is held at {written(held)}"


def _mean_and_std(layer: LayerTrace, place: tuple[int, ...]) -> tuple[float, float]:
    """Those of a channel in batch normalization, of this sample or pixel in layer normalization."""
    if isinstance(layer.layer, BatchNormalization):
        return float(layer.numbers["mean"][place[-1]]), 1 / float(layer.numbers["inverse_std"][place[-1]])
    return float(layer.input[place[:-1]].mean()), 1 / float(layer.numbers["inverse_std"][place[:-1]].item())


def pooled(layer: LayerTrace, index: tuple[int, ...]) -> NDArray[np.int64]:
    """(D, axes): where the numbers lie that a pooling takes together here, row by row; there are none in margins."""
    shape = layer.input.shape[1:]
    if isinstance(layer.layer, Pooling2D):
        places = layer.layer.windows.places(shape, (index[0], index[1]))
        places = places[inside(places, shape[:2])]
    else:
        places = np.indices(shape[:2]).reshape(2, -1).T
    return places if len(shape) == 2 else np.insert(places, 2, index[-1], axis=1)


def inside(positions: NDArray[np.int64], shape: Shape) -> NDArray[np.bool_]:
    """(D,): which of the positions (D, axes) lie in an array of this shape, and not in a margin beside it."""
    found: NDArray[np.bool_] = np.all((positions >= 0) & (positions < shape), axis=1)
    return found


def _mean(numbers: Array, y: float) -> str:
    """The largest terms by size, and what the others add up to."""
    ordered = numbers[np.argsort(-np.abs(numbers), kind="stable")]
    shown, others = ordered[:TERMS], ordered[TERMS:]
    return equation(lambda n: total([*map(n, shown), *rest(n, others)]) / n(len(numbers)), y)
