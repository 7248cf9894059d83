"""Ensembles inside one network: layers whose members share weights, outputs with heads of their own, and their mean."""

from __future__ import annotations

import math

from tracecheck.common import check_activation, check_gradient
from tracecheck.comparing import Checker, Numbers, Record, Sized, exact, numbers, total


def check_ensemble_dense(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """scaled = input r, product = scaled weight, sums = product s + b, output = f(sums): r, s and b are each member's own.
    Then the gradients of these, as docs/mathematics/layers.md derives them."""
    parameters, found = layer["parameters"], layer["numbers"]
    scales, weight, out = (numbers(parameters[name]) for name in ("input_scales", "weight", "output_scales"))
    members, units = scales.shape[0], weight.last
    r, s = scales.rows(), out.rows()
    bias = numbers(parameters["bias"]).rows() if "bias" in parameters else [[0.0] * units] * members
    x = rows_of_members(numbers(layer["input"]), members)
    scaled = [a * b for i, row in enumerate(x) for a, b in zip(row, r[i % members], strict=True)]
    check.compare(f"{path}.numbers.scaled", found["scaled"], exact(scaled))
    u, columns = by_last(numbers(found["scaled"])), weight.features()
    product = [total(a * b for a, b in zip(row, column, strict=True)) for row in u for column in columns]
    check.compare(f"{path}.numbers.product", found["product"], product)
    p = by_last(numbers(found["product"]))
    own = [(row, s[i % members], bias[i % members]) for i, row in enumerate(p)]
    sums = [total([a * b, c]) for three in own for a, b, c in zip(*three, strict=True)]
    check.compare(f"{path}.sums", layer["sums"], sums)
    check_activation(check, path, layer)
    if "dsums" not in layer:
        return
    dz = by_last(numbers(layer["dsums"]))
    dproduct = [[a * b for a, b in zip(row, s[i % members], strict=True)] for i, row in enumerate(dz)]
    gradient = [total(a * b for a, b in zip(*two, strict=True)) for two in pairs_of_columns(u, dproduct)]
    check_gradient(check, path, layer, "weight", gradient)
    of_scales = [total(a * b for a, b in pair) for pair in over_samples(dz, p, members)]
    check_gradient(check, path, layer, "output_scales", of_scales)
    if "bias" in parameters:
        check_gradient(check, path, layer, "bias", [total(a for a, _ in pair) for pair in over_samples(dz, p, members)])
    down = [[total(a * b for a, b in zip(row, w, strict=True)) for w in weight.rows()] for row in dproduct]
    of_inputs = [sized_sum((a[0] * b, a[1] * abs(b)) for a, b in pair) for pair in over_samples(down, x, members)]
    check_gradient(check, path, layer, "input_scales", of_inputs)
    dx = [[(a * c, z * abs(c)) for (a, z), c in zip(row, r[i % members], strict=True)] for i, row in enumerate(down)]
    if len(numbers(layer["input"]).shape) == 2:  # all members see one sample: its gradient is the sum of theirs
        samples = [dx[start : start + members] for start in range(0, len(dx), members)]
        dx = [[sized_sum(column) for column in zip(*rows, strict=True)] for rows in samples]
    check.compare(f"{path}.dinput", layer["dinput"], [one for row in dx for one in row])


def check_heads(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """sums_mv = sum_d input_md weight_mdv + bias_mv for each member m; and the three gradients of that sum."""
    weight = numbers(layer["parameters"]["weight"])
    members, inputs, values = weight.shape
    heads = [Numbers((inputs, values), flat) for flat in weight.rows()]
    bias = numbers(layer["parameters"]["bias"]).rows() if "bias" in layer["parameters"] else [[0.0] * values] * members
    x = by_last(numbers(layer["input"]))
    sums = [
        total([*(a * b for a, b in zip(row, column, strict=True)), bias[i % members][v]])
        for i, row in enumerate(x)
        for v, column in enumerate(heads[i % members].features())
    ]
    check.compare(f"{path}.sums", layer["sums"], sums)
    check_activation(check, path, layer)
    if "dsums" not in layer:
        return
    dz = by_last(numbers(layer["dsums"]))
    gradient = [
        total(a * b for a, b in zip(*two, strict=True))
        for m in range(members)
        for two in pairs_of_columns(x[m::members], dz[m::members])
    ]
    check_gradient(check, path, layer, "weight", gradient)
    if "bias" in layer["parameters"]:
        check_gradient(check, path, layer, "bias", [total(a for a, _ in pair) for pair in over_samples(dz, dz, members)])
    dinput = [
        total(a * b for a, b in zip(row, w, strict=True)) for i, row in enumerate(dz) for w in heads[i % members].rows()
    ]
    check.compare(f"{path}.dinput", layer["dinput"], dinput)


def answer_logits(check: Checker, trace: Record) -> Numbers:
    """What the answer is computed from: the sums of the output layer, of an ensemble the mean of those of its members."""
    scores = numbers(trace["layers"][-1]["sums"])
    if len(scores.shape) < 3:
        return scores
    batch, members, values = scores.shape
    means = [total(row[v::values], members) for row in scores.rows() for v in range(values)]
    check.compare("answer.logits", trace["answer"]["logits"], means)
    return Numbers((batch, values), numbers(trace["answer"]["logits"]).flat)


def softmax_steps(z: Numbers) -> Record:
    """``shifted`` and ``total`` of the softmax of rows that are no answers of the network, but those of its members."""
    shifted = [[a - max(row) for a in row] for row in by_last(z)]
    return {"shifted": shifted, "total": [math.fsum(map(math.exp, row)) for row in shifted]}


def rows_of_members(x: Numbers, members: int) -> list[list[float]]:
    """A row for each member of each sample; of samples that all members see, the same one."""
    rows = by_last(x)
    return rows if len(x.shape) == 3 else [row for row in rows for _ in range(members)]


def by_last(x: Numbers) -> list[list[float]]:
    """The numbers along the last axis, for all places of the others."""
    return [x.flat[start : start + x.last] for start in range(0, len(x.flat), x.last)]


def pairs_of_columns(first: list[list[float]], second: list[list[float]]) -> list[tuple[list[float], list[float]]]:
    """Each column of the first with each of the second."""
    columns, others = ([list(column) for column in zip(*rows, strict=True)] for rows in (first, second))
    return [(column, other) for column in columns for other in others]


def over_samples(first: list[list], second: list[list[float]], members: int) -> list[list[tuple]]:
    """For each member and place in its row: the pairs of both, sample by sample."""
    return [
        [(a[place], b[place]) for a, b in zip(first[m::members], second[m::members], strict=True)]
        for m in range(members)
        for place in range(len(first[0]))
    ]


def sized_sum(terms: object) -> Sized:
    """The sum of numbers that have sizes, and the sum of these."""
    values, sizes = zip(*terms, strict=True)
    return math.fsum(values), math.fsum(sizes)
