"""The step of one number of a parameter, term by term: its gradient and each rule of the optimizer, with their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pellucid.core.display.numbers import FINE, factor, written
from pellucid.core.errors import ArgumentError
from pellucid.inspection.arithmetic.elements import Index
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.step import StepTrace
from pellucid.mathematics.optimizers import Adagrad, Adam, AdamW, GradientDescent, Optimizer, RMSProp
from pellucid.mathematics.regularizers import L1, L2, Regularizer, Sum
from pellucid.nn.layers.convolution import Conv2D

LETTERS = {"weight": "w", "bias": "b"}


@dataclass(frozen=True)
class Line:
    """``v <- v + g^2``, and ``v = 0 + 0.5^2 = 0.25``."""

    rule: str
    filled: str


@dataclass(frozen=True)
class ParameterStep:
    """One number of a parameter, the one at ``index`` of the array ``name``, and what a step makes of it.

    ``gradient`` is that of loss + penalty; ``slots`` and ``new_slots`` are what the optimizer remembers of this number
    before and after.
    """

    name: str
    index: Index
    before: float
    gradient: float
    after: float
    slots: dict[str, float]
    new_slots: dict[str, float]

    @property
    def letter(self) -> str:
        """What the lines call it: w, b, or its name."""
        return LETTERS.get(self.name, self.name)


def parameter_step(layer: LayerTrace, name: str, index: Index) -> ParameterStep:
    """The step of a number, as the trace has it; raises `ArgumentError` for one that is not finite."""
    made = layer.updates[name]
    before, gradient, after = (float(array[index]) for array in (layer.parameters[name], layer.gradients[name], made.new))
    slots, new_slots = (
        {slot: float(array[index]) for slot, array in arrays.items()} for arrays in (made.slots, made.new_slots)
    )
    if not np.isfinite([before, gradient, after, *slots.values(), *new_slots.values()]).all():
        raise ArgumentError("this step is not finite: its numbers grow larger than float64 can hold.")
    return ParameterStep(name, index, before, gradient, after, slots, new_slots)


def gradient_line(layer: LayerTrace, one: ParameterStep, output: Index) -> Line:
    """Where g comes from, for the first sample alone and the number at the index ``output`` of what the layer gives: in a
    dense layer one product; a penalty on weights adds its own."""
    penalty, g = layer.regularizers.get(one.name), written(one.gradient)
    paid = 0.0 if penalty is None else float(penalty.gradient(layer.parameters[one.name])[one.index])
    rule, filled, slope = f"dL/d{one.letter}", written(one.gradient - paid), ""
    if isinstance(layer.layer, Conv2D):
        rule += " over every window"
    elif layer.dsums is not None and one.name == "weight":
        slope, dz, x = "dz x", float(layer.dsums[(0, *output)]), float(layer.input[0].ravel()[one.index[0]])
        filled = f"{written(dz)} * {factor(x)}"
    elif layer.dsums is not None and one.name == "bias":
        slope = "dz"
    if penalty is None:
        rule += f" = {slope}" if slope else ""
    else:
        words, numbers = penalty_term(penalty, one.before, paid)
        rule, filled = f"{slope or rule} + {words}", f"{filled} + {numbers}"
    return Line(f"g = {rule}", f"g = {g}" if filled == g else f"g = {filled} = {g}")


def penalty_term(penalty: Regularizer, w: float, gradient: float) -> tuple[str, str]:
    """What a penalty on the weight w adds to its gradient: ("2 l2 w", "2 * 0.001 * 0.3"); of your own the number."""
    if isinstance(penalty, Sum):
        parts = (penalty.first, penalty.second)
        first, second = (penalty_term(part, w, float(part.gradient(np.array(w)))) for part in parts)
        return f"{first[0]} + {second[0]}", f"{first[1]} + {second[1]}"
    if isinstance(penalty, L1):
        return "l1 sign(w)", f"{written(penalty.strength)} * sign({written(w)})"
    if isinstance(penalty, L2):
        return "2 l2 w", f"2 * {written(penalty.strength)} * {factor(w)}"
    return "that of the penalty", factor(gradient)


def step_lines(step: StepTrace, one: ParameterStep) -> Iterator[Line]:
    """The rules of the optimizer in the order in which they are computed; g is the gradient, r the learning rate, t the
    number of the update. Of an optimizer of your own only what comes out."""
    optimizer = step.optimizer
    if isinstance(optimizer, GradientDescent):
        yield from _gradient_descent(optimizer, step.rate, one)
    elif isinstance(optimizer, Adam | AdamW):
        yield from _adam(optimizer, step, one)
    elif isinstance(optimizer, RMSProp | Adagrad):
        yield from _by_root(optimizer, step.rate, one)
    else:
        yield Line(f"{one.letter} <- {_name(optimizer)}", f"{one.letter} = {written(one.after, FINE)}")


def _gradient_descent(optimizer: GradientDescent, r: float, one: ParameterStep) -> Iterator[Line]:
    if not optimizer.momentum:
        yield _last(one, one.before, "r g", f"{written(r)} * {factor(one.gradient)}")
        return
    momentum, v, new_v = written(optimizer.momentum), one.slots["velocity"], one.new_slots["velocity"]
    yield Line("v <- momentum v + g", f"v = {momentum} * {factor(v)} + {factor(one.gradient)} = {written(new_v)}")
    if optimizer.nesterov:
        ahead = f"({written(one.gradient)} + {momentum} * {factor(new_v)})"
        yield _last(one, one.before, "r (g + momentum v)", f"{written(r)} * {ahead}")
    else:
        yield _last(one, one.before, "r v", f"{written(r)} * {factor(new_v)}")


def _adam(optimizer: Adam | AdamW, step: StepTrace, one: ParameterStep) -> Iterator[Line]:
    r, t, g, w = step.rate, step.update, one.gradient, one.before
    (m, v), (new_m, new_v) = ((slots["m"], slots["v"]) for slots in (one.slots, one.new_slots))
    if isinstance(optimizer, AdamW) and one.name == "weight":
        w = one.before * (1 - r * optimizer.weight_decay)
        filled = f"{written(r)} * {written(optimizer.weight_decay)} * {factor(one.before)}"
        yield _line(one.letter, "r weight_decay " + one.letter, one.before, filled, w)
    beta1, beta2 = written(optimizer.beta1), written(optimizer.beta2, FINE)
    yield Line(
        "m <- m + (1 - beta1) (g - m)",
        f"m = {written(m)} + (1 - {beta1}) * ({written(g)} - {factor(m)}) = {written(new_m)}",
    )
    yield Line(
        "v <- v + (1 - beta2) (g^2 - v)",
        f"v = {written(v)} + (1 - {beta2}) * ({factor(g)}^2 - {written(v)}) = {written(new_v)}",
    )
    m_hat, v_hat = new_m / (1 - optimizer.beta1**t), new_v / (1 - optimizer.beta2**t)
    yield Line("m_hat = m / (1 - beta1^t)", f"m_hat = {written(new_m)} / (1 - {beta1}^{t}) = {written(m_hat)}")
    yield Line("v_hat = v / (1 - beta2^t)", f"v_hat = {written(new_v)} / (1 - {beta2}^{t}) = {written(v_hat)}")
    filled = f"{written(r)} * {factor(m_hat)} / (sqrt({written(v_hat)}) + {written(optimizer.epsilon)})"
    yield _last(one, w, "r m_hat / (sqrt(v_hat) + epsilon)", filled)


def _by_root(optimizer: RMSProp | Adagrad, r: float, one: ParameterStep) -> Iterator[Line]:
    """RMSProp remembers a running mean of squares, Adagrad their sum."""
    v, new_v, g = one.slots["v"], one.new_slots["v"], one.gradient
    if isinstance(optimizer, RMSProp):
        rule, decay = "v <- v + (1 - decay) (g^2 - v)", written(optimizer.decay)
        filled = f"{written(v)} + (1 - {decay}) * ({factor(g)}^2 - {written(v)})"
    else:
        rule, filled = "v <- v + g^2", f"{written(v)} + {factor(g)}^2"
    yield Line(rule, f"v = {filled} = {written(new_v)}")
    root = f"(sqrt({written(new_v)}) + {written(optimizer.epsilon)})"
    yield _last(one, one.before, "r g / (sqrt(v) + epsilon)", f"{written(r)} * {factor(g)} / {root}")


def _last(one: ParameterStep, before: float, rule: str, filled: str) -> Line:
    """The parameter itself moves, to the number of the trace."""
    return _line(one.letter, rule, before, filled, one.after)


def _line(letter: str, rule: str, before: float, filled: str, after: float) -> Line:
    moved = f"{letter} = {written(before, FINE)} - {filled} = {written(after, FINE)}"
    return Line(f"{letter} <- {letter} - {rule}", moved)


def _name(optimizer: Optimizer) -> str:
    return f"what {type(optimizer).__name__} makes of it"
