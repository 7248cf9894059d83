"""The numbers of one layer in a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pellucid.core.shapes import AnyArray, Array
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.outputs.output import OutputLayer


@dataclass(frozen=True)
class UpdateTrace:
    """What one step of the optimizer makes of a parameter: its slots before and after, and its new value."""

    slots: dict[str, Array]
    new_slots: dict[str, Array]
    new: Array


@dataclass(frozen=True)
class LayerTrace:
    """Every number of one layer; arrays begin with the batch, (B, ...), as the layers compute them in float64.

    Forward:
        name, layer, kind   "dense_1", its description ``Dense(...)``, and "dense"
        number              what decides its chance, beside the seed and the step
        input               x; for the first layer as it was given
        sums                z, of layers that have one: the weighted sum, the normalized x, the sum of both branches
        output              f(z) or what else the layer gives
        numbers             what else it computed on the way, by name
        parameters, state   its arrays, by their own names

    Backward, with y (dx is the gradient of the loss by x):
        doutput             what the layer above sends down
        slopes, dsums       f'(z), and dz = doutput f'(z)
        dinput              what this layer sends down
        gradients           of loss + penalty, by its parameters; ``regularizers`` holds whose penalties are in them

    Update, with an optimizer: ``updates`` by parameter, and ``new_state``, the moving averages afterwards.

    ``layers`` and ``shortcut`` are the branches of a residual block, whose arrays are theirs.
    """

    name: str
    layer: Layer
    number: int
    input: AnyArray
    output: Array
    sums: Array | None = None
    numbers: dict[str, AnyArray] = field(default_factory=dict)
    parameters: dict[str, Array] = field(default_factory=dict)
    state: dict[str, Array] = field(default_factory=dict)
    doutput: Array | None = None
    slopes: Array | None = None
    dsums: Array | None = None
    dinput: Array | None = None
    gradients: dict[str, Array] = field(default_factory=dict)
    regularizers: dict[str, Regularizer] = field(default_factory=dict)
    updates: dict[str, UpdateTrace] = field(default_factory=dict)
    new_state: dict[str, Array] = field(default_factory=dict)
    layers: tuple[LayerTrace, ...] = ()
    shortcut: tuple[LayerTrace, ...] = ()

    def __repr__(self) -> str:
        return f"<LayerTrace {self.name}, output {self.output.shape}>"

    @property
    def kind(self) -> str:
        """The class of the layer in snake case."""
        return self.layer.kind

    @property
    def has_neurons(self) -> bool:
        """Whether each of its numbers is a weighted sum of its own."""
        return isinstance(self.layer, Dense | EnsembleDense | Conv2D | OutputLayer)

    @property
    def members(self) -> int:
        """How many networks of an ensemble have each their own numbers here, (B, M, ...); 1 for a single network."""
        found: int = getattr(self.layer, "members", 1)
        return found

    @property
    def activation(self) -> str | None:
        """The name of f, of a layer that has one."""
        name = getattr(self.layer, "activation", None)
        return name if isinstance(name, str) else None


def in_order(layers: Iterable[LayerTrace]) -> Iterator[LayerTrace]:
    """All layers as they are computed: those of a block before the block, which adds its branches up."""
    for layer in layers:
        yield from in_order((*layer.layers, *layer.shortcut))
        yield layer
