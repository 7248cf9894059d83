"""A stack of layers: the function that a network computes, and its derivative.

`Stack` joins the layers, owns their flat parameters, and goes through them forward (`propagate`) and backward
(`backpropagate`). Fitting, predicting and saving are in `pellucid.models.network`, whose ``Network`` is a ``Stack``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from pellucid.core import random
from pellucid.core.checks import check_seed
from pellucid.core.errors import ArgumentError, ShapeError
from pellucid.core.shapes import AnyArray, Array
from pellucid.nn.layers.base import Context, Layer, Named
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.nodes import join, numbered
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.parameters import Layout, Parameters

MAX_PARAMETERS = 1 << 31
NOT_MADE = False  # of an object that is made when it is first needed


@dataclass(frozen=True)
class Pass:
    """The result of a forward pass: the logits, and the output and the cache of each layer if they were kept.

    The logits are those of the answer, (B, V); of an ensemble in training, whose members have each their loss, (B, M, V).
    """

    logits: Array
    outputs: list[Array]
    caches: list[Any]


class Stack:
    """Layers in order: ``input`` first, the ``output`` layer last, hidden ones (or none) between.

    ``seed`` determines the initial parameters and all later random numbers; ``dtype`` is float32 or float64; ``arrays``
    gives all parameters and state by name, in place of drawing them. ``engine_choice`` is "auto", or "numpy" for
    predictions by the layers themselves. Raises `ArgumentError` for layers that cannot be joined.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        seed: int = 0,
        dtype: DTypeLike = "float32",
        arrays: Mapping[str, AnyArray] | None = None,
    ) -> None:
        self.engine_choice: Literal["auto", "native", "numpy"] = "auto"
        self.native_forward: Any = NOT_MADE  # see pellucid.executors.native.inference; it stays out of copies and pickles
        self.input, hidden, self.output = _check_layers(layers)
        self.layers = (self.input, *hidden, self.output)
        self.seed = check_seed(seed)
        self.dtype = _check_dtype(dtype)
        self.nodes = join({"input": self.input, **numbered(hidden), "output": self.output}, ())
        # Where backpropagation stops when dL/dx is not needed.
        with_parameters = (i for i, node in enumerate(self.nodes) if node.layer.parameter_specs(node.input_shape))
        self._lowest = next(with_parameters, len(self.nodes) - 1)
        layouts = self._layout("parameter_specs"), self._layout("state_specs")
        if arrays is not None:
            _check_fit(arrays, layouts)  # before anything is allocated
        self.parameters, self.state = (Parameters(layout, self.dtype) for layout in layouts)
        if arrays is None:
            self.initialize()
        else:
            for name, array in arrays.items():
                (self.parameters if name in self.parameters else self.state)[name] = array

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "native_forward": NOT_MADE}

    def initialize(self) -> None:
        """Draw all parameters anew from the seed; array i of the layout has the key (seed, INITIALIZE, i)."""
        for holder in (self.parameters, self.state):
            for index, (name, slot) in enumerate(holder.layout.slots.items()):
                key = random.key(self.seed, random.Purpose.INITIALIZE, index)
                holder[name] = slot.spec.initializer.draw(slot.spec.shape, key)

    def arrays(self) -> list[dict[str, Array]]:
        """For each layer, its own names -> views of its parameters and its state."""
        parameters = self._views(self.parameters.layout, self.parameters.vector)
        state = self._views(self.state.layout, self.state.vector)
        return [own | kept for own, kept in zip(parameters, state, strict=True)]

    def gradient_arrays(self, gradient: Array) -> list[dict[str, Array]]:
        """For each layer, its own names -> views of its gradients in the flat vector (P,)."""
        return self._views(self.parameters.layout, gradient)

    def propagate(
        self,
        x: AnyArray,
        arrays: Sequence[Named] | None = None,
        *,
        training: bool = False,
        step: int = 0,
        needs_dx: bool = False,
        keep: bool | None = None,
    ) -> Pass:
        """Forward: each layer's output is the next one's input.

        x (B, ...) as `Input` takes it; ``needs_dx`` asks that `backpropagate` also gives dL/dx; ``keep`` says whether the
        output and the cache of every layer stay (default: while ``training``).
        """
        arrays = self.arrays() if arrays is None else arrays
        lowest = 0 if needs_dx else self._lowest
        keep = training if keep is None else keep
        y: Array = x
        outputs: list[Array] = []
        caches: list[Any] = []
        for index, (node, own) in enumerate(zip(self.nodes, arrays, strict=True)):
            context = Context(training, self.seed, step, index, needs_dx or index > lowest, self.dtype)
            y, cache = node.layer.forward(own, y, context)
            if keep:
                outputs.append(y)
                caches.append(cache)
        return Pass(y if training else self.output.answer(y), outputs, caches)

    def backpropagate(
        self,
        done: Pass,
        dlogits: Array,
        arrays: Sequence[Named],
        gradients: Sequence[dict[str, Array]],
        needs_dx: bool = False,
    ) -> Array | None:
        """Backward: from dL/dlogits down through each layer, by the chain rule.

        Writes each parameter's gradient into ``gradients`` (views laid out like the parameters) and returns dL/dx, or
        None when it was not asked for; then it stops at the lowest layer that has parameters.
        """
        lowest = 0 if needs_dx else self._lowest
        dy: Array | None = dlogits if done.logits.ndim > 2 else self.output.answer_backward(dlogits)
        for index in range(len(self.nodes) - 1, lowest - 1, -1):
            if dy is None:
                raise ArgumentError(f"{self.nodes[index + 1].name} gave no dx, but the layers below it need one.")
            dy, named = self.nodes[index].layer.backward(arrays[index], done.caches[index], dy)
            if named.keys() != gradients[index].keys():
                name, expected = self.nodes[index].name, sorted(gradients[index])
                raise ArgumentError(f"{name} gave gradients for {sorted(named)}; its parameters are {expected}.")
            for name, gradient in named.items():
                gradients[index][name][...] = gradient
        return dy if needs_dx else None

    def twin(self, dtype: DTypeLike) -> Stack:
        """A stack with the same layers, seed, parameters and state in another type; nothing is shared."""
        return Stack(self.layers, self.seed, dtype, arrays={**self.parameters, **self.state})

    def forward(self, x: Any) -> Array:
        """The logits (B, num_outputs) of a batch, as in prediction: no dropout, moving averages."""
        return self.propagate(self.input.check(x)).logits

    def _views(self, layout: Layout, vector: Array) -> list[dict[str, Array]]:
        views: dict[str, dict[str, Array]] = {node.name: {} for node in self.nodes}
        for name, slot in layout.slots.items():
            views[name.split(".")[0]][slot.spec.name] = layout.view(vector, name)
        return list(views.values())

    def _layout(self, which: str) -> Layout:
        needed = ((node.name, spec) for node in self.nodes for spec in getattr(node.layer, which)(node.input_shape))
        layout = Layout([(f"{name}.{spec.name}", spec) for name, spec in needed])
        if layout.size > MAX_PARAMETERS:
            raise ArgumentError(f"the network would have {layout.size:,} numbers; at most {MAX_PARAMETERS:,} are possible.")
        return layout


def _check_layers(layers: Sequence[Layer]) -> tuple[Input, Sequence[Layer], OutputLayer]:
    """The first layer, the hidden ones and the last."""
    if not isinstance(layers, list | tuple):
        raise ArgumentError(f"Network takes a list of layers, not {type(layers).__name__}.")
    for layer in layers:
        if not isinstance(layer, Layer):
            hint = " Add parentheses: make an object of the class." if isinstance(layer, type) else ""
            raise ArgumentError(f"{layer!r} is not a layer.{hint}")
    if not layers or not isinstance(first := layers[0], Input):
        raise ArgumentError("the first layer must be Input(...), which says what a sample looks like.")
    if not isinstance(last := layers[-1], OutputLayer):
        raise ArgumentError(
            "the last layer must be Classification(...), BinaryClassification() or Regression(...): it owns the loss."
        )
    hidden = layers[1:-1]
    for layer in hidden:
        if isinstance(layer, Input | OutputLayer):
            raise ArgumentError(
                f"{type(layer).__name__} stands between other layers; Input is first, the output layer last."
            )
    return first, hidden, last


def _check_fit(arrays: Mapping[str, AnyArray], layouts: tuple[Layout, ...]) -> None:
    expected = {name: slot.spec.shape for layout in layouts for name, slot in layout.slots.items()}
    for name in sorted(set(expected) ^ set(arrays)):
        raise ShapeError(f"{name} is {'missing' if name in expected else 'not a parameter of this network'}.")
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ShapeError(f"{name} has the shape {arrays[name].shape}; these layers need {shape}.")


def _check_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        chosen = np.dtype(object)
    if chosen not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ArgumentError(f'dtype must be "float32" or "float64", not {dtype!r}.')
    return chosen
