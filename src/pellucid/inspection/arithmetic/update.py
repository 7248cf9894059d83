"""The step of one number of a parameter, term by term: its gradient and each rule of the optimizer, with their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import mul

import numpy as np

from pellucid.core.display.equation import Side, applied, equation
from pellucid.core.display.numbers import FINE, written
from pellucid.core.errors import ArgumentError
from pellucid.inspection.arithmetic.elements import Index
from pellucid.inspection.trace.layer_trace import LayerTrace
from pellucid.inspection.trace.step import StepTrace
from pellucid.mathematics.optimizers import Adagrad, Adam, AdamW, GradientDescent, Optimizer, RMSProp
from pellucid.mathematics.regularizers import L1, L2, Regularizer, Sum
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.ensemble_dense import EnsembleDense

LETTERS = {"weight": "w", "bias": "b", "change": "c", "frequency": "w", "phase": "b"}


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
    penalty = layer.regularizers.get(one.name)
    paid = 0.0 if penalty is None else float(penalty.gradient(layer.parameters[one.name])[one.index])
    rule, factors, slope = f"dL/d{one.letter}", [one.gradient - paid], ""
    if isinstance(layer.layer, Conv2D | EnsembleDense):
        rule += " over every window" if isinstance(layer.layer, Conv2D) else " over every member"
    elif layer.dsums is not None and one.name == "weight":
        x = layer.input[0].ravel()[one.index[0]] if layer.members == 1 else layer.input[0][one.index[:-1]]
        slope, factors = "dz x", [float(layer.dsums[(0, *output)]), float(x)]
    elif layer.dsums is not None and one.name == "bias":
        slope = "dz"
    if penalty is None:
        filled = equation(lambda n: reduce(mul, map(n, factors)), one.gradient)
        return Line(f"g = {rule} = {slope}" if slope else f"g = {rule}", f"g = {filled}")
    words, term = penalty_term(penalty, one.before, paid)
    filled = equation(lambda n: reduce(mul, map(n, factors)) + term(n), one.gradient)
    return Line(f"g = {slope or rule} + {words}", f"g = {filled}")


def penalty_term(penalty: Regularizer, w: float, gradient: float) -> tuple[str, Side]:
    """What a penalty on the weight w adds to its gradient: ("2 l2 w", 2 * 0.001 * 0.3); of your own the number."""
    if isinstance(penalty, Sum):
        parts = (penalty.first, penalty.second)
        first, second = (penalty_term(part, w, float(part.gradient(np.array(w)))) for part in parts)
        return f"{first[0]} + {second[0]}", lambda n: first[1](n) + second[1](n)
    if isinstance(penalty, L1):
        return "l1 sign(w)", lambda n: n(penalty.strength) * applied(np.sign, n(w))
    if isinstance(penalty, L2):
        return "2 l2 w", lambda n: n(2) * n(penalty.strength) * n(w)
    return "that of the penalty", lambda n: n(gradient)


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
    momentum, g = optimizer.momentum, one.gradient
    if not momentum:
        yield _moved(one, "r g", lambda n: n(r) * n(g))
        return
    v, new_v = one.slots["velocity"], one.new_slots["velocity"]
    yield _kept("v", "momentum v + g", new_v, lambda n: n(momentum) * n(v) + n(g))
    if optimizer.nesterov:
        yield _moved(one, "r (g + momentum v)", lambda n: n(r) * (n(g) + n(momentum) * n(new_v)))
    else:
        yield _moved(one, "r v", lambda n: n(r) * n(new_v))


def _adam(optimizer: Adam | AdamW, step: StepTrace, one: ParameterStep) -> Iterator[Line]:
    r, t, g, w = step.rate, step.update, one.gradient, one.before
    (m, v), (new_m, new_v) = ((slots["m"], slots["v"]) for slots in (one.slots, one.new_slots))
    if isinstance(optimizer, AdamW) and (one.name == "weight" or one.name.startswith("vectors_")):
        decay = optimizer.weight_decay
        decayed = w * (1 - r * decay)
        yield _moved(replace(one, after=decayed), f"r weight_decay {one.letter}", lambda n: n(r) * n(decay) * n(w))
        one = replace(one, before=decayed)
    beta1, beta2, epsilon = optimizer.beta1, optimizer.beta2, optimizer.epsilon
    yield _kept("m", "m + (1 - beta1) (g - m)", new_m, lambda n: n(m) + (n(1) - n(beta1)) * (n(g) - n(m)))
    yield _kept("v", "v + (1 - beta2) (g^2 - v)", new_v, lambda n: n(v) + (n(1) - n(beta2)) * (n(g) ** n(2) - n(v)))
    m_hat, v_hat = new_m / (1 - beta1**t), new_v / (1 - beta2**t)
    filled = equation(lambda n: n(new_m) / (n(1) - n(beta1) ** n(t)), m_hat)
    yield Line("m_hat = m / (1 - beta1^t)", f"m_hat = {filled}")
    filled = equation(lambda n: n(new_v) / (n(1) - n(beta2) ** n(t)), v_hat)
    yield Line("v_hat = v / (1 - beta2^t)", f"v_hat = {filled}")
    rule = "r m_hat / (sqrt(v_hat) + epsilon)"
    yield _moved(one, rule, lambda n: n(r) * n(m_hat) / (applied(np.sqrt, n(v_hat)) + n(epsilon)))


def _by_root(optimizer: RMSProp | Adagrad, r: float, one: ParameterStep) -> Iterator[Line]:
    """RMSProp remembers a running mean of squares, Adagrad their sum."""
    v, new_v, g, epsilon = one.slots["v"], one.new_slots["v"], one.gradient, optimizer.epsilon
    if isinstance(optimizer, RMSProp):
        decay = optimizer.decay
        yield _kept("v", "v + (1 - decay) (g^2 - v)", new_v, lambda n: n(v) + (n(1) - n(decay)) * (n(g) ** n(2) - n(v)))
    else:
        yield _kept("v", "v + g^2", new_v, lambda n: n(v) + n(g) ** n(2))
    yield _moved(one, "r g / (sqrt(v) + epsilon)", lambda n: n(r) * n(g) / (applied(np.sqrt, n(new_v)) + n(epsilon)))


def _kept(slot: str, rule: str, new: float, left: Side) -> Line:
    """What the optimizer remembers from now on."""
    return Line(f"{slot} <- {rule}", f"{slot} = {equation(left, new)}")


def _moved(one: ParameterStep, rule: str, step: Side) -> Line:
    """The parameter itself moves, to the number of the trace."""
    filled = equation(lambda n: n(one.before, FINE) - step(n), one.after, FINE)
    return Line(f"{one.letter} <- {one.letter} - {rule}", f"{one.letter} = {filled}")


def _name(optimizer: Optimizer) -> str:
    return f"what {type(optimizer).__name__} makes of it"
