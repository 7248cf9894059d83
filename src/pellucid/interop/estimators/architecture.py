"""From parameters to the layers of a network."""

from __future__ import annotations

import math

from pellucid.core import random
from pellucid.core.shapes import Shape, size_of
from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.mathematics.initializers import Initializer, VarianceScaling
from pellucid.models.network import Network
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.training.recipes.ensemble import as_ensemble
from pellucid.training.recipes.words import layers_from_text

GLOROT = VarianceScaling(1.0, "fan_average", "uniform")
SMALLER = VarianceScaling(1 / 3, "fan_average", "uniform")  # of "logistic": on +- sqrt(2 / (fan_in + fan_out))


def network_layers(
    parameters: NetworkParameters, features: int, output: OutputLayer, embedding: Embedding | None = None
) -> list[Layer]:
    """Input, hidden layers and output of the network for rows of so many numbers; of a table with columns of many values
    the ``embedding`` stands behind the input."""
    first, given = Input(features), parameters.layers
    if given is None:
        hidden = _dense_layers(parameters)
    elif isinstance(given, str):
        hidden = layers_from_text(given, (features,) if embedding is None else embedding.output_shape((features,)))
    else:
        first, hidden = _input_of(list(given), (features,))
    hidden = hidden if parameters.ensemble == 1 else as_ensemble(hidden, parameters.ensemble)
    return [first, *([] if embedding is None else [embedding]), *hidden, output]


def initializer_of(parameters: NetworkParameters) -> Initializer:
    """How scikit-learn draws the weights of every layer: Glorot and Bengio 2010, smaller for "logistic"."""
    return SMALLER if parameters.own_activation == "sigmoid" else GLOROT


def draw_biases(network: Network) -> None:
    """Draw the biases too, between the same bounds as the weights of their layer, as scikit-learn does: the bends of "relu"
    then lie at different places from the start."""
    layout = network.parameters.layout
    weights = {name.rpartition(".")[0]: slot.spec for name, slot in layout.slots.items() if slot.spec.is_weight}
    for index, (name, slot) in enumerate(layout.slots.items()):
        spec = weights.get(name.rpartition(".")[0])
        if slot.spec.name == "bias" and spec is not None and isinstance(spec.initializer, VarianceScaling):
            bound = math.sqrt(6 * spec.initializer.scale / sum(spec.shape))
            key = random.key(network.seed, random.Purpose.INITIALIZE, index)
            network.parameters[name] = bound * (2 * random.uniform(key, slot.spec.shape) - 1)


def _dense_layers(parameters: NetworkParameters) -> list[Layer]:
    """For each hidden size `Dense`, batch normalization before its activation, and `Dropout`."""
    layers: list[Layer] = []
    activation, initializer = parameters.own_activation, initializer_of(parameters)
    for units in parameters.hidden_sizes:
        if parameters.batch_normalization:
            layers += [Dense(units, initializer=initializer), BatchNormalization(activation=activation)]
        else:
            layers.append(Dense(units, activation, initializer=initializer))
        if parameters.dropout:
            layers.append(Dropout(parameters.dropout))
    return layers


def _input_of(layers: list[Layer], shape: Shape) -> tuple[Input, list[Layer]]:
    """The `Input` that a list of layers begins with, or one for rows."""
    if not layers or not isinstance(layers[0], Input):
        return Input(*shape), layers
    first = layers[0]
    if size_of(first.shape) != shape[0]:
        raise ValueError(
            f"layers begin with Input{first.shape}, {size_of(first.shape)} numbers; X has {shape[0]} features."
        )
    return first, layers[1:]
