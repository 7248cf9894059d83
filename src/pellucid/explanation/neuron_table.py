"""One neuron in full: every input, weight and product."""

from __future__ import annotations

from pellucid.explanation.blocks import Block, Section, Sums, Table, Words
from pellucid.trace.neuron import NeuronTrace, written

TERMS = 3


def neuron_section(neuron: NeuronTrace) -> Section:
    """The sum in a line, then a row for each input; with a way back, its factors."""
    blocks: list[Block] = [Sums((neuron.arithmetic(TERMS),))]
    if neuron.dsum is not None and neuron.doutput is not None:
        slope = "" if neuron.slope is None else f" * f'(z) {written(neuron.slope)}"
        blocks.append(Sums((f"dz = dy {written(neuron.doutput)}{slope} = {written(neuron.dsum)}",)))
    columns = [neuron.inputs, neuron.weights, neuron.products]
    header = ["input at", "input", "weight", "product"]
    if neuron.dweights is not None:
        columns.append(neuron.dweights)
        header.append("dweight")
    rows = (
        (",".join(map(str, position)), *(written(float(number)) for number in numbers))
        for position, *numbers in zip(neuron.positions.tolist(), *columns, strict=True)
    )
    bias = "there is no bias" if neuron.bias is None else f"bias {written(neuron.bias)}"
    blocks += [
        Table("Each input, its weight and their product", tuple(header), tuple(rows)),
        Words(f"{len(neuron.inputs):,} products; {bias}."),
    ]
    return Section("Every product", blocks)
