"""Optimizers: how the gradient changes the parameters.

Each is a pure step on flat vectors: everything that it remembers is in ``slots``, named vectors of the shape of the
parameters. ``p`` and the slots are changed in place. The letters: p parameters, g gradient of the objective, t the number
of this update (1, 2, ...), r the learning rate of this update.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pellucid.core.checks import instance_of, number_between, one_of
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Array

Slots = Mapping[str, Array]


class Optimizer(ABC):
    """The interface. ``slot_names`` are the vectors to keep, all zero before the first update; ``decays_weights`` says
    that `step` has weight decay, so that it treats weights and biases differently."""

    slot_names: ClassVar[tuple[str, ...]] = ()
    decays_weights: ClassVar[bool] = False
    learning_rate: float

    @abstractmethod
    def step(self, p: Array, g: Array, slots: Slots, t: int, r: float, *, decays: bool = True) -> None:
        """Change ``p`` and ``slots`` in place. All are flat and of one length; ``decays`` is True for weights and False
        for biases, to which weight decay does not apply."""

    def needed_slots(self) -> tuple[str, ...]:
        """The slots that this configuration uses."""
        return self.slot_names


def _check_fractions(optimizer: Optimizer, *names: str) -> None:
    for name in names:
        number_between(getattr(optimizer, name), f"{type(optimizer).__name__}({name})", 0.0, 1.0, open_high=True)


def _check_positive(optimizer: Optimizer, *names: str) -> None:
    for name in names:
        number_between(getattr(optimizer, name), f"{type(optimizer).__name__}({name})", 0.0, open_low=True)


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Steepest descent, with momentum (Polyak 1964) and Nesterov's variant (Sutskever et al. 2013), as in PyTorch.

    plain     p <- p - r g
    momentum  v <- momentum v + g;   p <- p - r v
    nesterov  v <- momentum v + g;   p <- p - r (g + momentum v)
    """

    slot_names = ("velocity",)
    learning_rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        _check_positive(self, "learning_rate")
        _check_fractions(self, "momentum")
        instance_of(self.nesterov, bool, "GradientDescent(nesterov)")
        if self.nesterov and not self.momentum:
            raise ArgumentError("GradientDescent(nesterov=True) needs a momentum above 0, for example momentum=0.9.")

    def needed_slots(self) -> tuple[str, ...]:
        return self.slot_names if self.momentum else ()

    def step(self, p: Array, g: Array, slots: Slots, t: int, r: float, *, decays: bool = True) -> None:
        if not self.momentum:
            p -= r * g
            return
        v = slots["velocity"]
        v *= self.momentum
        v += g
        p -= r * (g + self.momentum * v) if self.nesterov else r * v


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba 2015, algorithm 1).

    m <- m + (1 - beta1) (g - m);   v <- v + (1 - beta2) (g^2 - v)
    p <- p - r (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
    """

    slot_names = ("m", "v")
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_positive(self, "learning_rate", "epsilon")
        _check_fractions(self, "beta1", "beta2")

    def step(self, p: Array, g: Array, slots: Slots, t: int, r: float, *, decays: bool = True) -> None:
        _adam_step(self, p, g, slots, t, r)


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): first p <- p - r weight_decay p for the weights
    (not biases or batch normalization), then the step of `Adam`.

    As in PyTorch, the decay is multiplied by the learning rate r of the step; in the paper by the schedule's factor alone.
    """

    slot_names = ("m", "v")
    decays_weights = True
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        number_between(self.weight_decay, "AdamW(weight_decay)", 0.0)
        _check_positive(self, "learning_rate", "epsilon")
        _check_fractions(self, "beta1", "beta2")

    def step(self, p: Array, g: Array, slots: Slots, t: int, r: float, *, decays: bool = True) -> None:
        if decays:
            p *= 1 - r * self.weight_decay
        _adam_step(self, p, g, slots, t, r)


def _adam_step(moments: Adam | AdamW, p: Array, g: Array, slots: Slots, t: int, r: float) -> None:
    """The equations of `Adam`, in place, with one scratch vector.

    With root = sqrt(1 - beta2^t), the quotient is multiplied by root above and below: m root / (sqrt(v) + epsilon root).
    """
    m, v = slots["m"], slots["v"]
    scratch = g - m
    scratch *= 1 - moments.beta1
    m += scratch
    np.multiply(g, g, out=scratch)
    scratch -= v
    scratch *= 1 - moments.beta2
    v += scratch
    root = math.sqrt(1 - moments.beta2**t)
    np.sqrt(v, out=scratch)
    scratch += moments.epsilon * root
    np.divide(m, scratch, out=scratch)
    scratch *= r * root / (1 - moments.beta1**t)
    p -= scratch


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """Divide by a running root mean square (Tieleman and Hinton 2012), with epsilon outside of the root, as in PyTorch.

    v <- v + (1 - decay) (g^2 - v);   p <- p - r g / (sqrt(v) + epsilon)
    """

    slot_names = ("v",)
    learning_rate: float = 1e-3
    decay: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_positive(self, "learning_rate", "epsilon")
        _check_fractions(self, "decay")

    def step(self, p: Array, g: Array, slots: Slots, t: int, r: float, *, decays: bool = True) -> None:
        v = slots["v"]
        v += (1 - self.decay) * (g * g - v)
        p -= r * g / (np.sqrt(v) + self.epsilon)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Divide by the root of the sum of all squares so far (Duchi et al. 2011).

    v <- v + g^2;   p <- p - r g / (sqrt(v) + epsilon)
    """

    slot_names = ("v",)
    learning_rate: float = 1e-2
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        _check_positive(self, "learning_rate", "epsilon")

    def step(self, p: Array, g: Array, slots: Slots, t: int, r: float, *, decays: bool = True) -> None:
        v = slots["v"]
        v += g * g
        p -= r * g / (np.sqrt(v) + self.epsilon)


OPTIMIZERS: dict[str, Adam | AdamW | GradientDescent | RMSProp | Adagrad] = {
    "adam": Adam(),
    "adamw": AdamW(),
    "gradient_descent": GradientDescent(),
    "momentum": GradientDescent(momentum=0.9),
    "nesterov": GradientDescent(momentum=0.9, nesterov=True),
    "rmsprop": RMSProp(),
    "adagrad": Adagrad(),
}


def optimizer(choice: str | Optimizer) -> Optimizer:
    """The optimizer of that name with its defaults, or the given one itself."""
    if isinstance(choice, str):
        return OPTIMIZERS[one_of(choice, OPTIMIZERS, "optimizer")]
    instance_of(choice, Optimizer, "optimizer")
    return choice
