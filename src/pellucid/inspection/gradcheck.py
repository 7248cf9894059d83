"""The gradient check: is the derivative that backward computes that of the number that forward computes?

For an array t (the input, or one parameter) and a random direction v, two numbers must agree:

    analytic = <dL/dt, v>, from backward          numeric = the slope of L(t + s v) at s = 0, from forward alone

in float64, for several directions, each array by itself: dx can be right while a parameter's gradient is wrong, and the
other way round. Where both numbers are zero nothing was compared, and the check refuses to call that a success.

At a corner, such as that of ReLU at 0 or of the largest of equal numbers, L has a slope on each side. Backward chooses one
for each corner, and a direction meets many at once: so their sum need not be the slope of either side, nor lie between.
Such a comparison is counted, and made a little beside the corner, where all of L has slopes. Only an activation is asked
at its corners too, number by number: there it may give the slope of either side, or one between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.core import random
from pellucid.core.checks import as_numbers, check_seed, number_between, positive_integer
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError, GradientError
from pellucid.core.shapes import Array
from pellucid.core.suggestions import suggests_arguments
from pellucid.inspection.slopes import Comparison, compare, compare_at_corners, smallest
from pellucid.mathematics.activations import Activation, activation
from pellucid.mathematics.losses import Loss
from pellucid.mathematics.regularizers import Regularizer
from pellucid.mathematics.regularizers import regularizer as regularizer_of
from pellucid.nn.layers.base import Context, Layer
from pellucid.nn.objective import Objective
from pellucid.nn.stack import Stack

JITTER = 1e-2
RIGHT, WRONG = "right", "WRONG"
ALLOWED_ZERO, NOTHING_COMPARED = "zero, as allowed", "nothing compared: 0 against 0"
FLOAT64 = np.dtype(np.float64)

Point = Mapping[str, Array]


@dataclass(frozen=True)
class Problem:
    """A scalar function of named arrays, the point at which to check it, and the gradients that it claims at a point.

    ``each`` is there for a function of every number by itself: its values, whose sum ``value`` is.
    """

    point: Point
    value: Callable[[Point], float]
    gradients: Callable[[Point], Point]
    each: Callable[[Array], Array] | None = None


@dataclass(frozen=True)
class Row:
    """The verdict on one array, with the numbers of its worst comparison; ``corners`` of its ``comparisons`` were at a
    corner."""

    name: str
    analytic: float
    numeric: float
    error: float
    verdict: str
    comparisons: int
    corners: int


@dataclass(frozen=True)
class GradientReport:
    """A row for each array; ``passed`` if all are right. Prints as a table."""

    rows: tuple[Row, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        return all(row.verdict in (RIGHT, ALLOWED_ZERO) for row in self.rows)

    @property
    def corners(self) -> int:
        """How many comparisons were at a corner."""
        return sum(row.corners for row in self.rows)

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.rows)
        lines = [f"{'gradient of':<{max(width, 11)}}  {'analytic':>14}  {'numeric':>14}  {'error':>8}  verdict"]
        for row in self.rows:
            numbers = f"{row.analytic:>14.6e}  {row.numeric:>14.6e}  {row.error:>8.1e}"
            corner = f", {row.corners} of {row.comparisons} at a corner" if row.corners else ""
            lines.append(f"{row.name:<{max(width, 11)}}  {numbers}  {row.verdict}{corner}")
        if self.corners:
            total = counted(sum(row.comparisons for row in self.rows), "comparison")
            lines.append(f"at a corner: {self.corners} of {total}; the slope of either side is right there")
        return "\n".join(lines)


@suggests_arguments
def gradcheck(
    subject: Stack | Layer | Loss | Regularizer | Activation | str,
    *data: Any,
    regularizer: str | Regularizer | None = None,
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
    seed = check_seed(seed)
    problem = _problem(subject, data, regularizer_of(regularizer), seed)
    claimed = problem.gradients(problem.point)
    keys = [random.key(seed, random.Purpose.GRADCHECK, index) for index in range(len(problem.point))]
    rows = tuple(
        _check(problem, claimed[name], name, directions, tolerance, key, name in allow_zero)
        for name, key in zip(problem.point, keys, strict=True)
    )
    report = GradientReport(rows, tolerance)
    if raise_error and not report.passed:
        raise GradientError(f"{_failure(report)}:\n{report}")
    return report


def _failure(report: GradientReport) -> str:
    """Why a check did not pass: a gradient that is wrong, or one that nothing could be compared with."""
    if any(row.verdict == WRONG for row in report.rows):
        return f"the gradient check failed (tolerance {report.tolerance:g})"
    silent = ", ".join(row.name for row in report.rows if row.verdict == NOTHING_COMPARED)
    return f"no gradient is wrong, but that of {silent} is 0 everywhere: check with other data, or allow it by allow_zero"


def _check(
    problem: Problem, claimed: Array, name: str, directions: int, tolerance: float, key: random.Key, allowed: bool
) -> Row:
    t = problem.point[name]
    if claimed.shape != t.shape:
        raise GradientError(f"the gradient of {name} has the shape {claimed.shape}, {name} has {t.shape}.")
    found: list[Comparison] = []
    drawn = random.normal(key, (directions, *t.shape))
    if problem.each is not None:
        at_corner, found = compare_at_corners(problem.each, t, claimed)
        drawn[:, at_corner] = 0.0
    for index, direction in enumerate(drawn):
        one = _along(problem, problem.point, name, claimed, direction, tolerance)
        if one.at_corner:
            beside = {**problem.point, name: t + JITTER * random.normal(random.key(key, index), t.shape)}
            there = _along(problem, beside, name, problem.gradients(beside)[name], direction, tolerance)
            one = replace(there, at_corner=True)
        found.append(one)
    worst = max(found, key=lambda one: one.error)
    verdict, error = (RIGHT if worst.error <= tolerance else WRONG), worst.error
    if max(one.largest for one in found) < smallest(problem.value(problem.point)):
        verdict, error = (ALLOWED_ZERO if allowed else NOTHING_COMPARED), 0.0
    return Row(name, worst.analytic, worst.numeric, error, verdict, len(found), sum(one.at_corner for one in found))


def _along(problem: Problem, point: Point, name: str, claimed: Array, direction: Array, tolerance: float) -> Comparison:
    """The claimed slope at a point along a direction of one array, and that of the function."""
    analytic = float((claimed * direction).sum())
    size = max(abs(analytic), 0.1 * float(np.linalg.norm(claimed)))
    return compare(lambda s: problem.value({**point, name: point[name] + s * direction}), analytic, size, tolerance)


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
            {"outputs": outputs},
            lambda p: subject(p["outputs"], *rest)[0],
            lambda p: {"outputs": subject(p["outputs"], *rest)[1]},
        )
    if isinstance(subject, Regularizer):
        w = _float64(data[0])
        return Problem({"w": w}, lambda p: subject.penalty(p["w"]), lambda p: {"w": subject.gradient(p["w"])})
    if isinstance(subject, Activation):
        return _activation_problem(subject, _float64(data[0]), seed)
    raise ArgumentError(f"gradcheck takes a network, a layer, a loss, a regularizer or an activation, not {subject!r}.")


def _activation_problem(activation: Activation, z: Array, seed: int) -> Problem:
    """The sum of r f(z) for random r, as a function of z."""
    r = random.normal(random.key(seed, random.Purpose.GRADCHECK, 1 << 20), z.shape)

    def each(z: Array) -> Array:
        return r * activation.value(z)

    def gradients(point: Point) -> Point:
        return {"z": r * activation.derivative(point["z"], activation.value(point["z"]))}

    return Problem({"z": z}, lambda point: float(each(point["z"]).sum()), gradients, each)


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

    def gradients(point: Point) -> Point:
        twin.parameters.vector[...] = _flat(point, twin)
        dx = objective.descend(point["x"], targets, w, needs_dx=True).dx
        claimed = {name: twin.parameters.layout.view(objective.gradient, name).copy() for name in twin.parameters}
        return claimed if dx is None else claimed | {"x": dx}

    return Problem(_moved(dict(twin.parameters), seed) | {"x": pixels}, value, gradients)


def _layer_problem(layer: Layer, x: Array, seed: int) -> Problem:
    """<forward(x), r> for a random r, as a function of x and of every parameter."""
    shape, key = x.shape[1:], random.key(seed, random.Purpose.GRADCHECK, 1 << 21)
    specs, kept = layer.parameter_specs(shape), layer.state_specs(shape)
    keys = [random.key(key, index) for index in range(len(specs) + len(kept))]
    arrays = {spec.name: spec.initializer.draw(spec.shape, k) for spec, k in zip(specs + kept, keys, strict=True)}
    drawn = {spec.name: arrays[spec.name] for spec in specs}
    context = Context(training=True, seed=seed, dtype=FLOAT64)
    r = random.normal(key, (len(x), *layer.output_shape(shape)))

    def projected(point: Point) -> float:
        return float((layer.forward({**arrays, **point}, point["x"], context)[0] * r).sum())

    def gradients(point: Point) -> Point:
        _, cache = layer.forward({**arrays, **point}, point["x"], context)
        dx, found = layer.backward({**arrays, **point}, cache, r)
        if dx is None or set(found) != set(drawn):
            raise GradientError(
                f"{layer.kind} must give dx and a gradient for each of {sorted(drawn)}, not {sorted(found)}."
            )
        return found | {"x": dx}

    return Problem(_moved(drawn, seed) | {"x": x}, projected, gradients)


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
