"""The gradient check: is the derivative that backward computes that of the number that forward computes?

For an array t (the input, or one parameter) and a random direction v, two numbers must agree:

    analytic = <dL/dt, v>, from backward          numeric = (L(t + h v) - L(t - h v)) / 2h, from forward alone

in float64, for several directions, each array by itself: dx can be right while a parameter's gradient is wrong, and the
other way round. h is tried at several sizes and the best agreement counts, since rounding spoils small steps and a corner
(of ReLU, say) large ones; a wrong derivative is wrong at all of them. The smallest are tried last, for networks on images:
a step of all weights of a convolution moves a million sums, some of them past a corner. Where both numbers are zero nothing
was compared, and the check refuses to call that a success.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.core import random
from pellucid.core.checks import as_numbers, number_between, positive_integer
from pellucid.core.errors import ArgumentError, GradientError
from pellucid.core.shapes import Array
from pellucid.mathematics.activations import Activation, activation
from pellucid.mathematics.losses import Loss
from pellucid.mathematics.regularizers import Regularizer
from pellucid.nn.layers.base import Context, Layer
from pellucid.nn.objective import Objective
from pellucid.nn.stack import Stack

STEPS = (1e-5, 1e-6, 1e-7)
LAST_STEPS = (1e-8, 1e-9)  # where none of the others agrees
JITTER = 1e-2
RIGHT, WRONG = "right", "WRONG"
ALLOWED_ZERO, NOTHING_COMPARED = "zero, as allowed", "nothing compared: 0 against 0"
FLOAT64 = np.dtype(np.float64)

Point = Mapping[str, Array]


@dataclass(frozen=True)
class Problem:
    """A scalar function of named arrays, the point at which to check it, and the gradients that it claims there."""

    point: Point
    value: Callable[[Point], float]
    gradients: Point


@dataclass(frozen=True)
class Row:
    """The verdict on one array: ``error`` is the largest |analytic - numeric| relative to the size of the gradient."""

    name: str
    analytic: float
    numeric: float
    error: float
    verdict: str


@dataclass(frozen=True)
class GradientReport:
    """A row for each array; ``passed`` if all are right. Prints as a table."""

    rows: tuple[Row, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        return all(row.verdict in (RIGHT, ALLOWED_ZERO) for row in self.rows)

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.rows)
        lines = [f"{'gradient of':<{max(width, 11)}}  {'analytic':>14}  {'numeric':>14}  {'error':>8}  verdict"]
        lines += [
            f"{row.name:<{max(width, 11)}}  {row.analytic:>14.6e}  {row.numeric:>14.6e}  {row.error:>8.1e}  {row.verdict}"
            for row in self.rows
        ]
        return "\n".join(lines)


def gradcheck(
    subject: Stack | Layer | Loss | Regularizer | Activation | str,
    *data: Any,
    regularizer: Regularizer | None = None,
    directions: int = 4,
    tolerance: float = 1e-6,
    seed: int = 0,
    allow_zero: Collection[str] = (),
    raise_error: bool = True,
) -> GradientReport:
    """Check a network ``(network, x, y)``, a layer ``(layer, x)``, a loss ``(loss, outputs, targets[, weights])``, a
    regularizer ``(regularizer, w)`` or an activation ``(name, z)``.

    Networks and layers are checked as in training (dropout with a fixed mask, batch statistics), at a point near their
    parameters: each is moved by about 0.01, so that none sits on a corner or hides behind a zero. So is the x of a network,
    by a hundredth of the way to a random number: in a picture with an even background all numbers of a pooling window are
    equal, and the largest of equal numbers has no derivative. ``allow_zero`` names the arrays whose gradient is zero for a
    good reason, such as a bias before batch normalization. Pixels are checked as the numbers 0..1 that they become. Raises
    `GradientError` with the table if any array fails, unless ``raise_error`` is False.
    """
    positive_integer(directions, "directions")
    number_between(tolerance, "tolerance", 0.0, 1.0, open_low=True)
    problem = _problem(subject, data, regularizer, seed)
    rows = tuple(
        _check(problem, name, directions, tolerance, random.key(seed, random.Purpose.GRADCHECK, index), name in allow_zero)
        for index, name in enumerate(problem.point)
    )
    report = GradientReport(rows, tolerance)
    if raise_error and not report.passed:
        raise GradientError(f"the gradient check failed (tolerance {tolerance:g}):\n{report}")
    return report


def _check(problem: Problem, name: str, directions: int, tolerance: float, key: random.Key, allowed: bool) -> Row:
    claimed = problem.gradients[name]
    here = problem.value(problem.point)
    if claimed.shape != problem.point[name].shape:
        raise GradientError(
            f"the gradient of {name} has the shape {claimed.shape}, {name} has {problem.point[name].shape}."
        )
    worst: tuple[float, float, float] = (-1.0, 0.0, 0.0)
    largest = 0.0
    for direction in random.normal(key, (directions, *claimed.shape)):
        analytic = float((claimed * direction).sum())
        size = max(abs(analytic), 0.1 * float(np.linalg.norm(claimed)))
        trials: list[tuple[float, float, float]] = []
        for h in (*STEPS, *LAST_STEPS):
            if h in LAST_STEPS and min(trials)[0] <= tolerance:
                break
            numeric = _numeric(problem, name, h * direction) / (2 * h)
            error = abs(analytic - numeric) / max(size, abs(numeric), 1e-300)
            trials.append((error if np.isfinite(error) else np.inf, analytic, numeric))
        best = min(trials)
        worst = max(worst, best)
        largest = max(largest, abs(best[1]), abs(best[2]))
    noise = 1e-8 * max(1.0, abs(here))
    if largest < noise:
        return Row(name, worst[1], worst[2], 0.0, ALLOWED_ZERO if allowed else NOTHING_COMPARED)
    return Row(name, worst[1], worst[2], worst[0], RIGHT if worst[0] <= tolerance else WRONG)


def _numeric(problem: Problem, name: str, offset: Array) -> float:
    above = problem.value({**problem.point, name: problem.point[name] + offset})
    return above - problem.value({**problem.point, name: problem.point[name] - offset})


def _problem(subject: object, data: tuple[Any, ...], regularizer: Regularizer | None, seed: int) -> Problem:
    kinds: tuple[tuple[type, tuple[int, ...], str], ...] = (
        (Stack, (2, 3), "gradcheck(network, x, y)"),
        (Layer, (1,), "gradcheck(layer, x)"),
        (Loss, (2, 3), "gradcheck(loss, outputs, targets)"),
        (Regularizer, (1,), "gradcheck(regularizer, w)"),
        (Activation, (1,), "gradcheck(activation, z)"),
    )
    subject = activation(subject) if isinstance(subject, str) else subject
    for kind, counts, usage in kinds:
        if isinstance(subject, kind) and len(data) not in counts:
            raise ArgumentError(f"{usage} is expected; {len(data)} arrays were given.")
    if isinstance(subject, Stack):
        return _network_problem(subject, *data, regularizer=regularizer, seed=seed)
    if isinstance(subject, Layer):
        return _layer_problem(subject, _float64(data[0]), seed)
    if isinstance(subject, Loss):
        outputs, *rest = (_float64(array) for array in data)
        if rest[0].shape != outputs.shape:
            raise ArgumentError(f"outputs {outputs.shape} and targets {rest[0].shape} must have one shape.")
        return Problem(
            {"outputs": outputs}, lambda p: subject(p["outputs"], *rest)[0], {"outputs": subject(outputs, *rest)[1]}
        )
    if isinstance(subject, Regularizer):
        w = _float64(data[0])
        return Problem({"w": w}, lambda p: subject.penalty(p["w"]), {"w": subject.gradient(w)})
    if isinstance(subject, Activation):
        z = _float64(data[0])
        r = random.normal(random.key(seed, random.Purpose.GRADCHECK, 1 << 20), z.shape)
        gradient = r * subject.derivative(z, subject.value(z))
        return Problem({"z": z}, lambda p: float((r * subject.value(p["z"])).sum()), {"z": gradient})
    raise ArgumentError(f"gradcheck takes a network, a layer, a loss, a regularizer or an activation, not {subject!r}.")


def _network_problem(
    stack: Stack, x: Any, y: Any, weights: Any = None, *, regularizer: Regularizer | None, seed: int
) -> Problem:
    """The objective as a function of x and of every parameter."""
    x = stack.input.check(x)
    y = stack.output.check_targets(y, len(x))
    twin = stack.twin(FLOAT64)
    pixels = _mixed(twin.input.forward({}, x, Context(dtype=FLOAT64))[0], seed)
    objective, targets = Objective(twin, regularizer), twin.output.targets(y, FLOAT64)
    w = None if weights is None else _float64(weights)

    def value(point: Point) -> float:
        twin.parameters.vector[...] = _flat(point, twin)
        return objective.value(point["x"], targets, w)

    point = _moved(dict(twin.parameters), seed) | {"x": pixels}
    twin.parameters.vector[...] = _flat(point, twin)
    dx = objective.descend(pixels, targets, w, needs_dx=True).dx
    claimed = {name: twin.parameters.layout.view(objective.gradient, name) for name in twin.parameters}
    return Problem(point, value, claimed if dx is None else claimed | {"x": dx})


def _layer_problem(layer: Layer, x: Array, seed: int) -> Problem:
    """<forward(x), r> for a random r, as a function of x and of every parameter."""
    shape, key = x.shape[1:], random.key(seed, random.Purpose.GRADCHECK, 1 << 21)
    specs, kept = layer.parameter_specs(shape), layer.state_specs(shape)
    keys = [random.key(key, index) for index in range(len(specs) + len(kept))]
    arrays = {spec.name: spec.initializer.draw(spec.shape, k) for spec, k in zip(specs + kept, keys, strict=True)}
    drawn = {spec.name: arrays[spec.name] for spec in specs}
    state = {spec.name: arrays[spec.name] for spec in kept}
    context = Context(training=True, seed=seed, dtype=FLOAT64)
    r = random.normal(key, (len(x), *layer.output_shape(shape)))

    def projected(point: Point) -> float:
        return float((layer.forward({**point, **state}, point["x"], context)[0] * r).sum())

    point = _moved(drawn, seed) | {"x": x}
    _, cache = layer.forward({**point, **state}, x, context)
    dx, gradients = layer.backward({**point, **state}, cache, r)
    if dx is None or set(gradients) != set(drawn):
        raise GradientError(
            f"{layer.kind} must give dx and a gradient for each of {sorted(drawn)}, not {sorted(gradients)}."
        )
    return Problem(point, projected, gradients | {"x": dx})


def _flat(point: Point, stack: Stack) -> Array:
    return np.concatenate([np.zeros(0), *(point[name].ravel() for name in stack.parameters)])


def _moved(arrays: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """Each array moved a little, so that none sits on a corner or hides behind a zero."""
    moved: dict[str, Array] = {}
    for index, (name, array) in enumerate(arrays.items()):
        key = random.key(seed, random.Purpose.GRADCHECK, 1 << 22, index)
        moved[name] = array + JITTER * random.normal(key, array.shape)
    return moved


def _mixed(x: Array, seed: int) -> Array:
    """x, with a hundredth of random numbers from its own range: no two are equal any more, and none leaves the range."""
    low, high = float(x.min()), float(x.max())
    noise = low + (high - low) * random.uniform(random.key(seed, random.Purpose.GRADCHECK, 1 << 23), x.shape)
    return (1 - JITTER) * x + JITTER * noise


def _float64(values: Any) -> Array:
    return as_numbers(values, repr(values)[:60], "an array of numbers is expected").astype(FLOAT64)
