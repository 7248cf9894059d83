"""The step of one weight or bias for the page: its gradient, and what the optimizer makes of it (Step in
studio/src/pages/inside/types.ts)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from pellucid.errors import ArgumentError
from pellucid.explanation.update import Line, ParameterStep, step_lines
from pellucid.layers.convolution import Conv2D
from pellucid.recipes import OPTIMIZERS
from pellucid.studio.checks import whole_in_words
from pellucid.studio.inside_elements import Index, unit_and_place
from pellucid.studio.inside_traces import Look
from pellucid.trace.arithmetic import as_sum, factor, signed, written
from pellucid.trace.layer_trace import LayerTrace

LETTERS = {"weight": "w", "bias": "b"}


def step_of(look: Look, layer_name: str, index: Index, word: str) -> dict[str, Any]:
    """``word`` is the number of a weight among those of this unit ("17"), or the name of another parameter ("bias")."""
    layer, update = look.trace.layer(layer_name), look.trace.update
    if update is None:
        raise ArgumentError("a step follows from a target: add target=, the number of a class.")
    name, at = _where(layer, unit_and_place(index)[0], word)
    made, gradient = layer.updates[name], float(layer.gradients[name][at])
    letter = LETTERS.get(name, name)
    one = ParameterStep(
        letter,
        float(layer.parameters[name][at]),
        gradient,
        float(made.new[at]),
        {slot: float(array[at]) for slot, array in made.slots.items()},
        {slot: float(array[at]) for slot, array in made.new_slots.items()},
        decays=name == "weight",
    )
    if not np.isfinite([one.before, one.gradient, one.after, *one.slots.values(), *one.new_slots.values()]).all():
        raise ArgumentError("this step is not finite: its numbers grow larger than float64 can hold.")
    lines = [_gradient_line(layer, name, at, (0, *index), one), *step_lines(update, one)]
    return {
        "parameter": f"{layer_name}.{name}[{', '.join(map(str, at))}]",
        "weight": word,
        **{key: getattr(one, key) for key in ("letter", "before", "gradient", "after")},
        "slots": [{"name": slot, "before": one.slots[slot], "after": one.new_slots[slot]} for slot in one.slots],
        "lines": [asdict(line) for line in lines],
        "memory": _memory(look),
    }


def _where(layer: LayerTrace, unit: int, word: str) -> tuple[str, tuple[int, ...]]:
    """The parameter that is meant, and the index in it."""
    others = [name for name, array in layer.parameters.items() if name != "weight" and array.ndim == 1]
    if word in others:
        return word, (unit,)
    weight = layer.parameters.get("weight")
    known = ", ".join([*([] if weight is None else [f"0 to {weight[..., 0].size - 1}"]), *others])
    if not known:
        raise ArgumentError(f"{layer.name} learns nothing: it has no weights.")
    if weight is None or not word.isascii() or not word.isdigit():
        raise ArgumentError(f"weight is one of those of {layer.name}: {known}; not {word[:40]!r}.")
    number = whole_in_words(word, "weight", 0, weight[..., 0].size - 1)
    return "weight", (*(int(i) for i in np.unravel_index(number, weight.shape[:-1])), unit)


def _gradient_line(layer: LayerTrace, name: str, at: tuple[int, ...], place: tuple[int, ...], one: ParameterStep) -> Line:
    """Where g comes from, for the sample alone: in a dense layer one product; what L1 or L2 add is added to it."""
    rule, g = f"g = dL/d{one.letter}", written(one.gradient)
    if isinstance(layer.layer, Conv2D):
        return Line(f"{rule}, over every window", f"g = {g}")
    if layer.dsums is None or name not in LETTERS:
        return Line(rule, f"g = {g}")
    dz = float(layer.dsums[place])
    x = float(layer.input[0].ravel()[at[0]]) if name == "weight" else 1.0
    product = f"{written(dz)} * {factor(x)}" if name == "weight" else written(dz)
    left = one.gradient - dz * x
    price = [] if name not in layer.regularizers else [signed(left)]
    rule += " = dz x" if name == "weight" else " = dz"
    if not price and name == "bias":
        return Line(rule, f"g = {g}")
    return Line(rule + (" + that of the price" if price else ""), f"g = {as_sum([('+', product), *price])} = {g}")


def _memory(look: Look) -> str:
    """What the slots are before the step, in a sentence."""
    update, state = look.trace.update, look.model.network.training_state
    assert update is not None
    name = look.question.model
    if not update.optimizer.needed_slots():
        return "This optimizer remembers nothing from step to step."
    if update.update > 1:
        made = f"{update.update - 1:,} {'update' if update.update == 2 else 'updates'}"
        return f"The slots are what the optimizer of {name} remembers of {made}; the step is that of this sample alone."
    own = next((word for word, known in OPTIMIZERS.items() if _is_like(known, state.optimizer)), None)
    other = own if state.optimizer_state.slots and own != look.question.optimizer else None
    learns = f" {name} itself learns by {other.replace('_', ' ')}." if other else ""
    return f"The first step of a training: before it, the slots are 0.{learns}"


def _is_like(known: object, optimizer: object) -> bool:
    """Whether both are of one kind, whatever their rates."""
    same = ("momentum", "nesterov")
    return type(known) is type(optimizer) and all(getattr(known, n, None) == getattr(optimizer, n, None) for n in same)
