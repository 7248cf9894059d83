"""The layers for the columns of a table: each function computes one kind again, forward and, with a loss, backward."""

from __future__ import annotations

import math

from tracecheck.common import check_gradient
from tracecheck.comparing import Checker, Record, Sized, exact, numbers, total


def check_scale_features(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = (1 + rate change) input, with a change for each number of a sample."""
    rate, x = layer["description"]["rate"], numbers(layer["input"])
    factors = [total([1.0, rate * c]) for c in numbers(layer["parameters"]["change"]).flat]

    def times_factors(values: list[float]) -> list[Sized]:
        pairs = [(v, *factors[i % len(factors)]) for i, v in enumerate(values)]
        return [(v * factor, abs(v) * size) for v, factor, size in pairs]

    check.compare(f"{path}.output", layer["output"], times_factors(x.flat))
    if "dinput" in layer:
        dy = numbers(layer["doutput"])
        check.compare(f"{path}.dinput", layer["dinput"], times_factors(dy.flat))
        by_number = zip(zip(*x.rows(), strict=True), zip(*dy.rows(), strict=True), strict=True)
        gradient = [total(rate * a * b for a, b in zip(*columns, strict=True)) for columns in by_number]
        check_gradient(check, path, layer, "change", gradient)


def check_embedding(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """categories = the nearest whole number from 0 to values - 1, else values; output = the other columns, then the vector
    of each category."""
    samples, embedded = numbers(layer["input"]).rows(), layer["description"]["columns"]
    others = [column for column in range(len(samples[0])) if column not in [one[0] for one in embedded]]
    taken = [[round(x[c]) if -0.5 < x[c] < values - 0.5 else values for c, values, _ in embedded] for x in samples]
    check.compare(f"{path}.numbers.categories", layer["numbers"]["categories"], exact(k for row in taken for k in row))
    output: list[Sized] = []
    for x, categories in zip(samples, taken, strict=True):
        output += exact(x[column] for column in others)
        for (column, _, _), category in zip(embedded, categories, strict=True):
            output += exact(numbers(layer["parameters"][f"vectors_{column}"]).rows()[category])
    check.compare(f"{path}.output", layer["output"], output)
    if "dinput" not in layer:
        return
    dy = numbers(layer["doutput"]).rows()
    back = [[row[others.index(c)] if c in others else 0.0 for c in range(len(samples[0]))] for row in dy]
    check.compare(f"{path}.dinput", layer["dinput"], exact(v for row in back for v in row))
    start = len(others)
    for i, (column, values, width) in enumerate(embedded):
        terms: list[list[float]] = [[] for _ in range((values + 1) * width)]
        for row, categories in zip(dy, taken, strict=True):
            for j in range(width):
                terms[categories[i] * width + j].append(row[start + j])
        start += width
        check_gradient(check, path, layer, f"vectors_{column}", [total(one) for one in terms])


def check_periodic_embedding(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """turns = w input + b less the nearest whole number, output = the input, then cos(2 pi turns) for each frequency w of a
    column."""
    x, own = numbers(layer["input"]), layer["parameters"]
    columns = layer["description"]["columns"] or list(range(x.last))
    w, b = (numbers(own[name]).rows() for name in ("frequency", "phase"))
    turns: list[Sized] = []
    for row in x.rows():
        for i, column in enumerate(columns):
            products = [(one * row[column], phase) for one, phase in zip(w[i], b[i], strict=True)]
            turns += [total([a, phase, -round(a + phase)]) for a, phase in products]
    check.compare(f"{path}.numbers.turns", layer["numbers"]["turns"], turns)
    size = len(columns) * len(w[0])
    found = numbers(layer["numbers"]["turns"]).flat
    output: list[Sized] = []
    for sample, row in enumerate(x.rows()):
        waves = [math.cos(2 * math.pi * turn) for turn in found[sample * size : (sample + 1) * size]]
        output += [*exact(row), *((wave, 1.0) for wave in waves)]
    check.compare(f"{path}.output", layer["output"], output)
    if "dinput" in layer:
        check_waves_back(check, path, layer, columns)


def check_waves_back(check: Checker, path: str, layer: Record, columns: list[int]) -> None:
    """dt = -2 pi sin(2 pi turns) doutput; dw = sum dt input, db = sum dt, dinput = doutput + sum over frequencies dt w."""
    x, dy, w = numbers(layer["input"]), numbers(layer["doutput"]).rows(), numbers(layer["parameters"]["frequency"]).rows()
    count, found = len(w[0]), numbers(layer["numbers"]["turns"]).flat
    of_frequency: list[list[float]] = [[] for _ in range(len(columns) * count)]
    of_phase: list[list[float]] = [[] for _ in range(len(columns) * count)]
    dinput: list[Sized] = []
    for sample, row in enumerate(x.rows()):
        terms = [[one] for one in dy[sample][: x.last]]
        for k in range(len(columns) * count):
            column, turn = columns[k // count], found[sample * len(columns) * count + k]
            dt = -2 * math.pi * math.sin(2 * math.pi * turn) * dy[sample][x.last + k]
            of_frequency[k].append(dt * row[column])
            of_phase[k].append(dt)
            terms[column].append(dt * w[k // count][k % count])
        dinput += [total(column) for column in terms]
    check_gradient(check, path, layer, "frequency", [total(one) for one in of_frequency])
    check_gradient(check, path, layer, "phase", [total(one) for one in of_phase])
    check.compare(f"{path}.dinput", layer["dinput"], dinput)


def check_encoding(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = input, then for each bin of a column gain (x - low) / (high - low), held between its bounds; these are 0 and
    gain, but -gain below the first bin and 2 gain above the last."""
    gain, bins = layer["description"]["gain"], []
    for column, edges in enumerate(layer["description"]["edges"]):
        last = len(edges) - 2
        for t in range(last + 1):
            low, high = edges[t], edges[t + 1]
            bins.append((column, low, 1 / (high - low), -1.0 if t == 0 else 0.0, 2.0 if t == last else 1.0))
    output: list[Sized] = []
    slopes: list[Sized] = []
    for x in numbers(layer["input"]).rows():
        output += exact(x)
        for column, low, slope, least, most in bins:
            e, size = total([x[column] * slope, -low * slope])
            output.append((gain * min(max(e, least), most), gain * max(1.0, size)))
            slopes += exact([gain * slope if least <= e < most else 0.0])
    check.compare(f"{path}.output", layer["output"], output)
    check.compare(f"{path}.numbers.slopes", layer["numbers"]["slopes"], slopes)
    if "dinput" in layer:
        width = numbers(layer["input"]).last
        dinput: list[Sized] = []
        for dy, s in zip(numbers(layer["doutput"]).rows(), numbers(layer["numbers"]["slopes"]).rows(), strict=True):
            through = [a * b for a, b in zip(dy[width:], s, strict=True)]
            terms = [[one] for one in dy[:width]]
            for value, (column, *_) in zip(through, bins, strict=True):
                terms[column].append(value)
            dinput += [total(column) for column in terms]
        check.compare(f"{path}.dinput", layer["dinput"], dinput)


def check_grouped_dense(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = the columns that are in no group, then for each group and unit the sum of its columns times the weight, plus
    the bias; dinput, dweight and dbias are those of a dense layer for each group."""
    groups, units = layer["description"]["groups"], layer["description"]["units"]
    samples, (w, b) = numbers(layer["input"]).rows(), (numbers(layer["parameters"][n]).rows() for n in ("weight", "bias"))
    taken = [column for group in groups for column in group]
    others = [column for column in range(len(samples[0])) if column not in taken]
    row_of = {column: row for row, column in enumerate(taken)}
    output: list[Sized] = []
    for x in samples:
        output += exact(x[column] for column in others)
        for g, group in enumerate(groups):
            output += [total([*(x[d] * w[row_of[d]][u] for d in group), b[g][u]]) for u in range(units)]
    check.compare(f"{path}.output", layer["output"], output)
    if "dinput" not in layer:
        return
    dy = numbers(layer["doutput"]).rows()
    group_of = {column: g for g, group in enumerate(groups) for column in group}
    dz = [[row[len(others) + g * units :][:units] for g in range(len(groups))] for row in dy]
    dinput: list[Sized] = []
    for row, own in zip(dy, dz, strict=True):
        for d in range(len(samples[0])):
            if d in row_of:
                dinput.append(total(a * c for a, c in zip(own[group_of[d]], w[row_of[d]], strict=True)))
            else:
                dinput += exact([row[others.index(d)]])
    check.compare(f"{path}.dinput", layer["dinput"], dinput)
    dweight = [
        total(x[d] * own[group_of[d]][u] for x, own in zip(samples, dz, strict=True)) for d in taken for u in range(units)
    ]
    check_gradient(check, path, layer, "weight", dweight)
    dbias = [total(own[g][u] for own in dz) for g in range(len(groups)) for u in range(units)]
    check_gradient(check, path, layer, "bias", dbias)


TABULAR_LAYERS = {
    "GroupedDense": check_grouped_dense,
    "ScaleFeatures": check_scale_features,
    "Embedding": check_embedding,
    "PeriodicEmbedding": check_periodic_embedding,
    "PiecewiseLinearEncoding": check_encoding,
}
