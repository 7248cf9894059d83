"""The step of one weight or bias for the page: its gradient, and what the optimizer makes of it (Step in
web/src/pages/inside/types.ts)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from pellucid.apps.studio.pages.inside.traces import Look
from pellucid.core.checks import whole_in_words
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError
from pellucid.inspection.arithmetic.elements import Index, unit_and_place
from pellucid.inspection.arithmetic.update import gradient_line, parameter_step, step_lines
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.mathematics.optimizers import OPTIMIZERS
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense


def step_of(look: Look, layer_name: str, index: Index, word: str) -> dict[str, Any]:
    """``word`` is the number of a weight among those of this unit ("17"), or the name of another parameter ("bias")."""
    layer, update = look.trace.layer(layer_name), look.trace.update
    if update is None:
        raise ArgumentError("a step follows from a target: add target=, the number of a class.")
    name, at = _where(layer, index if layer.members > 1 else unit_and_place(index)[:1], word)
    one = parameter_step(layer, name, at)
    lines = [gradient_line(layer, one, index), *step_lines(update, one)]
    return {
        "parameter": f"{layer_name}.{name}[{', '.join(map(str, at))}]",
        "weight": word,
        **{key: getattr(one, key) for key in ("letter", "before", "gradient", "after")},
        "slots": [{"name": slot, "before": one.slots[slot], "after": one.new_slots[slot]} for slot in one.slots],
        "lines": [asdict(line) for line in lines],
        "memory": _memory(look) + _price_left_out(look),
    }


def _where(layer: LayerTrace, own: tuple[int, ...], word: str) -> tuple[str, tuple[int, ...]]:
    """The parameter that is meant, and the index in it. ``own`` is (unit,), or (member, unit)."""
    *member, unit = own
    if isinstance(layer.layer, GroupedDense):
        return _where_in_group(layer, layer.layer, unit, word)
    others = [name for name, array in layer.parameters.items() if name != "weight" and array.ndim == 1]
    if word in others:
        return word, (unit,)
    weight = layer.parameters.get("weight")
    known = ", ".join([*([] if weight is None else [f"0 to {weight[..., 0].size - 1}"]), *others])
    if not known:
        raise ArgumentError(f"{layer.name} learns nothing: it has no weights.")
    if weight is None or not word.isascii() or not word.isdigit():
        raise ArgumentError(f"weight is one of those of {layer.name}: {known}; not {word[:40]!r}.")
    if member and weight.ndim == 3:  # each member has weights of its own
        return "weight", (*member, whole_in_words(word, "weight", 0, weight.shape[1] - 1), unit)
    number = whole_in_words(word, "weight", 0, weight[..., 0].size - 1)
    return "weight", (*(int(i) for i in np.unravel_index(number, weight.shape[:-1])), unit)


def _where_in_group(layer: LayerTrace, dense: GroupedDense, number: int, word: str) -> tuple[str, tuple[int, int]]:
    """The bias of the group that this number of the output belongs to, or the weight of one of the group's columns."""
    place = number - len(dense.others(layer.input.shape[1]))
    if place < 0:
        raise ArgumentError(f"number {number} of {layer.name} is a column as it came: it has no weights.")
    group, unit = divmod(place, dense.units)
    if word == "bias":
        return word, (group, unit)
    rows = dense.rows[group]
    return "weight", (rows.start + whole_in_words(word, "weight", 0, rows.stop - rows.start - 1), unit)


def _memory(look: Look) -> str:
    """What the slots are before the step, in a sentence."""
    update, state = look.trace.update, look.model.network.training_state
    assert update is not None
    name = look.question.model
    if not update.optimizer.needed_slots():
        return "This optimizer remembers nothing from step to step."
    if update.update > 1:
        made = counted(update.update - 1, "update")
        return f"The slots are what the optimizer of {name} remembers of {made}; the step is that of this sample alone."
    own = next((word for word, known in OPTIMIZERS.items() if _is_like(known, state.optimizer)), None)
    other = own if state.optimizer_state.slots and own != look.question.optimizer else None
    learns = f" {name} itself learns by {other.replace('_', ' ')}." if other else ""
    return f"The first step of a training: before it, the slots are 0.{learns}"


def _price_left_out(look: Look) -> str:
    """The penalty of a training that only the words of a model file tell of, in a sentence; of a run it is in the trace."""
    penalty = look.model.network.training_state.settings.get("regularizer")
    if penalty is None or any(layer.regularizers for layer in look.trace.every_layer()):
        return ""
    return f" In its training the weights had the penalty {penalty}, which is not in g here."


def _is_like(known: object, optimizer: object) -> bool:
    """Whether both are of one kind, whatever their rates."""
    same = ("momentum", "nesterov")
    return type(known) is type(optimizer) and all(getattr(known, n, None) == getattr(optimizer, n, None) for n in same)
