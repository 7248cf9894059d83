"""Compiles a stack of layers into a native plan, for training or for prediction.

Only the exact types of this package are known: a subclass may compute something else.
"""

from __future__ import annotations

import math
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import size_of
from pellucid.executors.base import Rules
from pellucid.executors.native.compile_images import (
    ACTIVATIONS,
    IMAGE_LAYERS,
    PenaltyOf,
    compile_images,
    count_image_nodes,
    every_node,
    reads_differ,
)
from pellucid.mathematics.clipping import ClipByGlobalNorm, ClipByValue
from pellucid.mathematics.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    PinballLoss,
    PoissonLoss,
)
from pellucid.mathematics.optimizers import Adagrad, Adam, AdamW, GradientDescent, Optimizer, RMSProp
from pellucid.mathematics.regularizers import L1, L2, Regularizer, Sum
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.nodes import Node
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.periodic_embedding import PeriodicEmbedding
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.nn.layers.tabular.scale_features import ScaleFeatures
from pellucid.nn.objective import penalties
from pellucid.nn.stack import Stack

if TYPE_CHECKING:
    from pellucid._native import Inference, Plan

# In the order of the enumerations in native/kernels/kernels.hpp, as `ACTIVATIONS`.
LOSSES: tuple[type[Loss], ...] = (
    *(CrossEntropy, BinaryCrossEntropy, MeanSquaredError, MeanAbsoluteError, Huber),
    *(PoissonLoss, PinballLoss),
)
RULES = ("descent", "momentum", "nesterov", "adam", "rmsprop", "adagrad")
CONSTANTS = ("momentum", "beta1", "beta2", "decay", "epsilon", "weight_decay")  # of optimizers

FRONT_LAYERS: tuple[type[Layer], ...] = (Embedding, PiecewiseLinearEncoding, PeriodicEmbedding, GroupedDense)
LAYERS: tuple[type[Layer], ...] = (
    *FRONT_LAYERS,
    *(Input, ScaleFeatures, Dense, EnsembleDense, Dropout, BatchNormalization, Flatten),
    *(Classification, BinaryClassification, Regression),
    *IMAGE_LAYERS,
)
OPTIMIZERS: tuple[type[Optimizer], ...] = (GradientDescent, Adam, AdamW, RMSProp, Adagrad)
REGULARIZERS: tuple[type[Regularizer], ...] = (L1, L2, Sum)


def obstacle(stack: Stack) -> str | None:
    """Why this network cannot run natively; None if it can."""
    try:
        from pellucid._native import instruction_set

        instruction_set()
    except ImportError as error:
        return f"the native module cannot be loaded ({error})"
    except ValueError as error:  # PELLUCID_ISA names what this machine cannot run
        raise ArgumentError(str(error)) from None
    if stack.dtype != np.float32:
        return f"{stack.dtype} is computed by NumPy"
    for node in every_node(stack.nodes):
        if type(node.layer) not in LAYERS:
            return f"{node.name} is a layer of your own"
        chosen = getattr(node.layer, "activation", "identity")
        if chosen not in ACTIVATIONS:
            return f"{node.name} has an activation of your own, {chosen!r}"
    misplaced = _misplaced(stack)
    if misplaced is not None:
        return misplaced
    if reads_differ(stack):
        return "some layers read its images as pixels of one channel, others as rows of channels"
    if type(stack.output.loss_function) not in LOSSES:
        return "the output layer has a loss of your own"
    return _ensemble_obstacle(stack)


def _ensemble_obstacle(stack: Stack) -> str | None:
    """Why an ensemble cannot run natively, where a sample has a row for each member from the inputs on; None if it can."""
    first = next((i for i, node in enumerate(stack.nodes) if isinstance(node.layer, EnsembleDense)), None)
    if first is None:
        return None if stack.output.members == 1 else f"the members of {stack.nodes[-1].name} share no layer"
    if stack.output.members == 1:
        return f"{stack.nodes[-1].name} has no members, and {stack.nodes[first].name} has"
    if count_image_nodes(stack):
        return f"{stack.nodes[first].name} has members, and other layers work on images"
    if len(stack.nodes[first].input_shape) > 1:
        return f"the members of {stack.nodes[first].name} see different inputs"
    for node in stack.nodes[1:first]:
        if isinstance(node.layer, Dropout | BatchNormalization):
            return f"{node.name} stands before the members of {stack.nodes[first].name}"
    for node in stack.nodes[first:-1]:
        if not isinstance(node.layer, EnsembleDense | Dropout):
            return f"{node.name} stands between the members of {stack.nodes[first].name} and the output"
    return None


def _misplaced(stack: Stack) -> str | None:
    """The layer of a table that stands where the kernels have none, as a sentence; None if there is no such."""
    images = stack.nodes[: count_image_nodes(stack)]
    front = front_nodes(stack)
    for node in every_node(stack.nodes):
        if isinstance(node.layer, FRONT_LAYERS):
            if node not in front:
                return f"{node.name} does not stand right behind the input, or another layer of tables there"
            if images:
                return f"{node.name} and {images[-1].name} stand in one network"
    for node in every_node(images):
        if isinstance(node.layer, ScaleFeatures):
            return f"{node.name} stands before {images[-1].name}, or in it"
    return None


def front_nodes(stack: Stack) -> list[Node]:
    """The layers behind the input that work row by row, for tables: `FRONT_LAYERS`, and `ScaleFeatures` before one of them.
    They end with one of the first kind."""
    nodes = list(takewhile(lambda node: isinstance(node.layer, (*FRONT_LAYERS, ScaleFeatures)), stack.nodes[1:]))
    while nodes and not isinstance(nodes[-1].layer, FRONT_LAYERS):
        nodes.pop()
    return nodes


def rules_obstacle(stack: Stack, rules: Rules) -> str | None:
    """Why these rules cannot run natively; None if they can."""
    if type(rules.optimizer) not in OPTIMIZERS:
        return "the optimizer is one of your own"
    if rules.clipping is not None and type(rules.clipping) not in (ClipByGlobalNorm, ClipByValue):
        return "the clipping is one of your own"
    if not all(map(_is_known, penalties(stack, rules.regularizer).values())):
        return "a regularizer is one of your own"
    return None


def compile_plan(stack: Stack, rules: Rules) -> Plan:
    """The plan for training; `obstacle` and `rules_obstacle` must be None."""
    from pellucid._native import Plan

    plan = Plan(size_of(stack.input.shape), stack.seed & 0xFFFFFFFFFFFFFFFF)

    def penalty_of(layer: Layer) -> tuple[float, float]:
        return _l1_and_l2(layer.penalty_of("weight") or rules.regularizer)

    before = _compile_front(plan, stack, penalty_of) or compile_images(plan, stack, penalty_of, trains=True)
    for index, node in list(enumerate(stack.nodes))[before:]:
        layer = node.layer
        if isinstance(layer, Dropout) and layer.rate > 0:
            plan.add_dropout(layer.rate, index)
        elif isinstance(layer, BatchNormalization):
            plan.add_normalization(layer.momentum, layer.epsilon)
        elif isinstance(layer, EnsembleDense):
            plan.add_scales(layer.members, ACTIVATIONS.index("identity"), False)
            plan.add_affine(layer.units, ACTIVATIONS.index("identity"), False, *penalty_of(layer))
            plan.add_scales(layer.members, ACTIVATIONS.index(layer.activation), layer.use_bias)
        elif isinstance(layer, OutputLayer) and layer.members > 1:
            plan.add_heads(layer.num_outputs, layer.use_bias, *penalty_of(layer))
        elif isinstance(layer, ScaleFeatures):
            plan.add_scaling(layer.rate)
        elif isinstance(layer, Dense | OutputLayer):
            plan.add_affine(size_of(node.output_shape), _activation(layer), layer.use_bias, *penalty_of(layer))
    loss = stack.output.loss_function
    parameter = getattr(loss, "label_smoothing", getattr(loss, "delta", getattr(loss, "middle", 0.0)))
    plan.set_loss(LOSSES.index(type(loss)), parameter, loss.levels if isinstance(loss, PinballLoss) else ())
    _set_optimizer(plan, rules)
    return plan


def compile_inference(stack: Stack) -> Inference:
    """The forward pass alone, for prediction; `obstacle` must be None."""
    from pellucid._native import Inference

    inference = Inference(size_of(stack.input.shape))
    before = _compile_front(inference, stack, _no_penalty) or compile_images(inference, stack, _no_penalty, trains=False)
    for node in stack.nodes[before:]:
        layer = node.layer
        if isinstance(layer, BatchNormalization):
            inference.add_normalization(layer.epsilon)
        elif isinstance(layer, EnsembleDense):
            inference.add_scales(layer.members, ACTIVATIONS.index("identity"), False)
            inference.add_affine(layer.units, ACTIVATIONS.index("identity"), False)
            inference.add_scales(layer.members, ACTIVATIONS.index(layer.activation), layer.use_bias)
        elif isinstance(layer, OutputLayer) and layer.members > 1:
            inference.add_heads(layer.num_outputs, layer.use_bias)
        elif isinstance(layer, ScaleFeatures):
            inference.add_scaling(layer.rate)
        elif isinstance(layer, Dense | OutputLayer):
            inference.add_affine(size_of(node.output_shape), _activation(layer), layer.use_bias)
    return inference


def _compile_front(native: Plan | Inference, stack: Stack, penalty_of: PenaltyOf) -> int:
    """Add the layers of `front_nodes`; gives the number of nodes up to there, with `Input`, or 0 if there are none."""
    nodes = front_nodes(stack)
    for node in nodes:
        layer = node.layer
        if isinstance(layer, Embedding):
            columns, values, widths = (list(numbers) for numbers in zip(*layer.columns, strict=True))
            native.add_embedding(columns, values, widths, *penalty_of(layer))
        elif isinstance(layer, PiecewiseLinearEncoding):
            bins_of = [max(len(edges) - 1, 0) for edges in layer.edges]
            low, slope, least, most = (part.tolist() for part in layer.bins[1:])
            native.add_encoding(bins_of, low, slope, least, most, layer.gain)
        elif isinstance(layer, PeriodicEmbedding):
            native.add_waves(layer.embedded(node.input_shape[0]), layer.frequencies)
        elif isinstance(layer, GroupedDense):
            native.add_groups(layer.groups, layer.units, *penalty_of(layer))
        elif isinstance(layer, ScaleFeatures):
            native.add_front_scaling(layer.rate)
    return len(nodes) + 1 if nodes else 0


def _no_penalty(layer: Layer) -> tuple[float, float]:
    return 0.0, 0.0


def _activation(layer: Dense | OutputLayer) -> int:
    return ACTIVATIONS.index(layer.activation) if isinstance(layer, Dense) else 0


def _is_known(penalty: Regularizer) -> bool:
    if type(penalty) not in REGULARIZERS:
        return False
    return not isinstance(penalty, Sum) or (_is_known(penalty.first) and _is_known(penalty.second))


def _l1_and_l2(penalty: Regularizer | None) -> tuple[float, float]:
    """The strengths of L1 and L2 in a penalty."""
    if isinstance(penalty, Sum):
        first, second = _l1_and_l2(penalty.first), _l1_and_l2(penalty.second)
        return first[0] + second[0], first[1] + second[1]
    return (penalty.strength if isinstance(penalty, L1) else 0.0), (penalty.strength if isinstance(penalty, L2) else 0.0)


def _set_optimizer(plan: Plan, rules: Rules) -> None:
    optimizer, clipping = rules.optimizer, rules.clipping
    if isinstance(optimizer, GradientDescent):
        rule = "nesterov" if optimizer.nesterov else "momentum" if optimizer.momentum else "descent"
    else:
        rule = {Adam: "adam", AdamW: "adam", RMSProp: "rmsprop", Adagrad: "adagrad"}[type(optimizer)]
    plan.set_optimizer(
        RULES.index(rule),
        **{name: getattr(optimizer, name, 0.0) for name in CONSTANTS},
        bound=clipping.maximum if isinstance(clipping, ClipByValue) else math.inf,
        norm_bound=clipping.maximum if isinstance(clipping, ClipByGlobalNorm) else math.inf,
    )
