"""One neuron in full: every input, weight and product."""

from __future__ import annotations

from pellucid.core.display.document import Block, Section, Sums, Table, Words
from pellucid.core.display.numbers import written
from pellucid.core.display.text import counted
from pellucid.inspection.arithmetic.backward import chain_rule
from pellucid.inspection.trace.neuron import NeuronTrace, counting
from pellucid.reports.explanation.findings import Findings

TERMS = 3


def neuron_section(found: Findings, neuron: NeuronTrace) -> Section:
    """The sum in a line, a row for each input that is not 0, and the sum again; with dz if the trace has it."""
    sums = Sums((neuron.arithmetic(TERMS), *([] if neuron.dsum is None else [chain_rule(neuron)])))
    header, rows = neuron.rows()
    bias = "there is no bias" if neuron.bias is None else f"bias {written(neuron.bias)}"
    left = f"; {neuron.left_out()}" if neuron.left_out() else "."
    blocks: list[Block] = [
        sums,
        Table("Each input, its weight and their product", tuple(header), tuple(map(tuple, rows))),
        Words(f"{counted(len(neuron.inputs), 'product')}, {bias}{left} {counting(neuron.positions.shape[1])}"),
        sums,
    ]
    if neuron.dsum is not None:
        blocks.append(Words(f"dz and dweight: the gradient of the loss if {found.backward_from} is the right answer."))
    return Section("Every product", blocks)
