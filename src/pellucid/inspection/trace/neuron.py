"""One weighted sum, with each of its products: the arithmetic of a neuron, spelled out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import positive_integer
from pellucid.core.display.equation import equation, sum_of_products
from pellucid.core.display.markup import element, table
from pellucid.core.display.notebook import framed
from pellucid.core.display.numbers import largest, written
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array, Shape
from pellucid.inspection.trace.address import Place, address
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.member_sums import mean_sum, sum_of_member
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.windows import as_image


@dataclass(frozen=True)
class NeuronTrace:
    """z = sum_d inputs_d weights_d + bias, and f(z), of one unit for one sample; of a filter, in one window.

    Of an ensemble, it is the sum of the member ``place`` = (member,), with the member's scales in the weights; without a
    place, the mean of an output layer's members, which is the logit of the answer.

    ``positions`` (D, axes) says where in the layer's input each of the D inputs lies: (d,), (row, column) or (row, column,
    channel); what lies in the margins of a convolution is outside of the image. ``slope`` f'(z), ``doutput`` and ``dsum``,
    the gradients of the loss by f(z) and by z, are there if the trace went backward.
    """

    layer: str
    unit: int
    sample: int
    place: Place | None
    positions: NDArray[np.int64]
    inputs: Array
    weights: Array
    bias: float | None
    sum: float
    activation: str | None
    output: float
    slope: float | None = None
    doutput: float | None = None
    dsum: float | None = None

    @property
    def name(self) -> str:
        """As ``pellucid explain --neuron`` takes it: ``dense_1[17]``, ``conv2d_1[3]@5,7``."""
        return address(self.layer, self.unit, self.place)

    @property
    def products(self) -> Array:
        """inputs_d weights_d, (D,)."""
        return self.inputs * self.weights

    @property
    def dweights(self) -> Array | None:
        """What this sum adds to the gradient of its weights, dsum inputs_d (D,)."""
        return None if self.dsum is None else self.dsum * self.inputs

    @property
    def dinputs(self) -> Array | None:
        """What this sum sends down to its inputs, dsum weights_d (D,)."""
        return None if self.dsum is None else self.dsum * self.weights

    def strongest(self, count: int) -> NDArray[np.int64]:
        """The numbers d of the largest products, by size, at most ``count``; those that are 0 do not count."""
        return largest(self.products, positive_integer(count, "count"))

    def arithmetic(self, count: int | None = None) -> str:
        """``z = 0.99*0.31 - 0.45*0.12 + ... (40 more: 0.53) + 0.08 = 1.94; relu -> 1.94``.

        Each product is input times weight; the ``count`` largest are written (None: all that are not 0), then what the
        others add up to, then the bias.
        """
        shown = len(self.inputs) if count is None else positive_integer(count, "count")
        terms = sum_of_products(self.inputs, self.weights, shown, self.bias)
        end = f"; {self.activation} -> {written(self.output)}" if self.activation not in (None, "identity") else ""
        return f"z = {equation(terms, self.sum)}{end}"

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """(header, rows) of a table of each input that is not 0, with its place, weight and product, and after a way back
        what it adds to the gradient of its weight."""
        columns = {"input": self.inputs, "weight": self.weights, "product": self.products}
        if self.dweights is not None:
            whose = "" if self.place is None else " of this member" if len(self.place) == 1 else " of this window"
            columns[f"dweight{whose}"] = self.dweights
        places = [place_in_words(position) for position in self.positions.tolist()]
        rows = (
            [places[d], *(written(float(column[d])) for column in columns.values())] for d in np.flatnonzero(self.inputs)
        )
        return ["input at", *columns], list(rows)

    def left_out(self) -> str:
        """How many inputs are 0, of which `rows` does not speak."""
        count = len(self.inputs) - int(np.count_nonzero(self.inputs))
        return f"{counted(count, 'input')} {'is' if count == 1 else 'are'} 0." if count else ""

    def to_data(self) -> dict[str, Any]:
        """All of it as plain data."""
        backward = {"slope": self.slope, "doutput": self.doutput, "dsum": self.dsum}
        arrays = {"dweights": self.dweights, "dinputs": self.dinputs}
        return {
            "name": self.name,
            "layer": self.layer,
            "unit": self.unit,
            "sample": self.sample,
            "place": None if self.place is None else list(self.place),
            "positions": self.positions.tolist(),
            "inputs": self.inputs.tolist(),
            "weights": self.weights.tolist(),
            "products": self.products.tolist(),
            "bias": self.bias,
            "sum": self.sum,
            "activation": self.activation,
            "output": self.output,
            **{name: number for name, number in backward.items() if number is not None},
            **{name: array.tolist() for name, array in arrays.items() if array is not None},
        }

    def __str__(self) -> str:
        return f"{self.name}: {self.arithmetic(5)}"

    def __repr__(self) -> str:
        return f"<NeuronTrace {self}>"

    def _repr_html_(self) -> str:
        """The sum, and the table of `rows`, as a notebook shows it."""
        words = [element("p", text) for text in (str(self), self.left_out()) if text]
        return framed(words[0], table("Each input that is not 0", *self.rows()), *words[1:])


def neuron_trace(layer: LayerTrace, unit: int, sample: int, place: Place | None) -> NeuronTrace:
    """The weighted sum of one unit; see `Trace.neuron`."""
    if not layer.has_neurons or layer.sums is None:
        raise ArgumentError(f"{layer.name} has no neurons: weighted sums are in dense, convolution and output layers.")
    sums = layer.sums
    _check_index(sample, len(sums), f"the batch has {counted(len(sums), 'sample')}; sample")
    _check_index(unit, sums.shape[-1], f"{layer.name} has {counted(sums.shape[-1], 'unit')}; unit")
    if layer.members > 1:
        return _of_ensemble(layer, unit, sample, place)
    if isinstance(layer.layer, Conv2D):
        place = _check_place(layer, place)
        positions, inputs, weights = _window(layer, layer.layer, unit, sample, place)
        at: tuple[int, ...] = (sample, *place, unit)
    else:
        if place is not None:
            raise ArgumentError(f"{layer.name} is no convolution and no ensemble: its units have no place.")
        shape = layer.input.shape[1:]
        positions = np.stack(np.unravel_index(np.arange(int(np.prod(shape))), shape), axis=1)
        inputs, weights = layer.input[sample].ravel(), layer.parameters["weight"][:, unit]
        at = (sample, unit)
    bias = layer.parameters.get("bias")
    return NeuronTrace(
        *(layer.name, int(unit), int(sample), place, positions, inputs, weights),
        bias=None if bias is None else float(bias[unit]),
        sum=float(sums[at]),
        activation=layer.activation,
        output=float(layer.output[at]),
        slope=number_at(layer.slopes, at),
        doutput=number_at(layer.doutput, at),
        dsum=number_at(layer.dsums, at),
    )


def _of_ensemble(layer: LayerTrace, unit: int, sample: int, place: Place | None) -> NeuronTrace:
    assert layer.sums is not None
    name, many = layer.name, counted(layer.members, "member")
    if place is None:
        if not isinstance(layer.layer, OutputLayer):
            raise ArgumentError(f"each of the {many} of {name} has a unit {unit}; say whose: {address(name, unit, (0,))}.")
        # the answer falls or rises with all members alike, where the loss is that of the answer
        down = None if layer.doutput is None else layer.doutput[sample, :, unit]
        dsum = float(down.sum()) if down is not None and not np.ptp(down) else None
        z = float(layer.sums[sample, :, unit].mean())
        found = mean_sum(layer, unit, sample)
        return NeuronTrace(name, unit, sample, None, *found, sum=z, activation=None, output=z, doutput=dsum, dsum=dsum)
    if len(place) != 1:
        raise ArgumentError(f"{name} has members; say which: {address(name, unit, (0,))}.")
    _check_index(place[0], layer.members, f"{name} has {many}; member")
    at = (sample, place[0], unit)
    return NeuronTrace(
        *(name, unit, sample, (int(place[0]),), *sum_of_member(layer, unit, sample, place[0])),
        sum=float(layer.sums[at]),
        activation=layer.activation,
        output=float(layer.output[at]),
        slope=number_at(layer.slopes, at),
        doutput=number_at(layer.doutput, at),
        dsum=number_at(layer.dsums, at),
    )


def counting(axes: int) -> str:
    """From where places are counted, of samples with so many axes."""
    return f"{'Inputs' if axes == 1 else 'Rows and columns'} count from 0."


def place_in_words(position: Iterable[int]) -> str:
    """``[5,7]``: row and column of a pixel, counted from 0; the channel is the third; of a table the column alone."""
    return f"[{','.join(map(str, position))}]"


def _window(
    layer: LayerTrace, conv: Conv2D, unit: int, sample: int, place: tuple[int, int]
) -> tuple[NDArray[np.int64], Array, Array]:
    """(positions, inputs, weights) of a filter in one window, each flat: row by row, channel by channel."""
    windows, image = conv.windows, as_image(layer.input[sample : sample + 1])
    weights = layer.parameters["weight"][..., unit]
    first = unit // (conv.filters // conv.groups) * weights.shape[2]  # channel of the group that this filter belongs to
    channels = np.arange(first, first + weights.shape[2])
    window = windows.view(windows.pad(image, 0.0))[0, place[0], place[1]][..., channels]
    places = windows.places(image.shape[1:], place)
    positions = np.repeat(places, len(channels), axis=0)
    if layer.input.ndim == 4:
        positions = np.column_stack([positions, np.tile(channels, len(places))])
    return positions, window.ravel(), weights.ravel()


def _check_place(layer: LayerTrace, place: Place | None) -> tuple[int, int]:
    height, width = layer.output.shape[1:3]
    example = address(layer.name, 0, (height // 2, width // 2))
    if not isinstance(place, tuple | list) or len(place) != 2:
        raise ArgumentError(f"{layer.name} has {height}x{width} windows; say which: {example}.")
    _check_index(place[0], height, f"{layer.name} has {height} rows of windows; row")
    _check_index(place[1], width, f"{layer.name} has {width} columns of windows; column")
    return int(place[0]), int(place[1])


def _check_index(index: object, count: int, what: str) -> None:
    if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < count:
        raise ArgumentError(f"{what} {index!r} is not among them; they are counted from 0 to {count - 1}.")


def number_at(array: Array | None, at: Shape) -> float | None:
    """The number of an array that may not be there."""
    return None if array is None else float(array[at])
