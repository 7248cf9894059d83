"""The layers: each function computes one kind again, forward and, if the trace has a loss, backward."""

from __future__ import annotations

import math
from collections.abc import Callable

from tracecheck.chance import bits
from tracecheck.common import check_activation, check_gradient
from tracecheck.comparing import Checker, Record, Sized, exact, numbers, total
from tracecheck.ensembles import check_ensemble_dense, check_heads
from tracecheck.images import IMAGE_LAYERS
from tracecheck.tabular import TABULAR_LAYERS

Check = Callable[[Checker, str, Record, Record], None]


def check_input(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = input scale, where pixels have the scale 1/255, and numbers 1."""
    (scale,) = numbers(layer["numbers"]["scale"]).flat
    check.compare(f"{path}.numbers.scale", scale, exact([1.0 if scale == 1.0 else 1 / 255]))
    check.compare(f"{path}.output", layer["output"], exact(x * scale for x in numbers(layer["input"]).flat))
    if "dinput" in layer:
        check.compare(f"{path}.dinput", layer["dinput"], exact(dy * scale for dy in numbers(layer["doutput"]).flat))


def check_rescale(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = scale input + offset, for each channel."""
    x = numbers(layer["input"])
    each = [layer["description"][name] for name in ("scale", "offset")]
    scale, offset = ([values] if isinstance(values, float | int) else values for values in each)
    expected = [total([v * scale[i % len(scale)], offset[i % len(offset)]]) for i, v in enumerate(x.flat)]
    check.compare(f"{path}.output", layer["output"], expected)
    if "dinput" in layer:
        dy = numbers(layer["doutput"]).flat
        check.compare(f"{path}.dinput", layer["dinput"], exact(v * scale[i % len(scale)] for i, v in enumerate(dy)))


def check_dense(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """sums_u = sum_d input_d weight_du + bias_u, output = f(sums); and the three gradients of that sum."""
    samples, weight = numbers(layer["input"]).rows(), numbers(layer["parameters"]["weight"])
    units, columns = weight.last, weight.features()
    bias = numbers(layer["parameters"]["bias"]).flat if "bias" in layer["parameters"] else [0.0] * units
    sums = [total([*(a * b for a, b in zip(x, columns[u], strict=True)), bias[u]]) for x in samples for u in range(units)]
    check.compare(f"{path}.sums", layer["sums"], sums)
    check_activation(check, path, layer)
    if "dsums" not in layer:
        return
    dz = numbers(layer["dsums"]).rows()
    by_input = list(zip(*samples, strict=True))
    by_unit = list(zip(*dz, strict=True))
    gradient = [total(a * b for a, b in zip(x, column, strict=True)) for x in by_input for column in by_unit]
    check_gradient(check, path, layer, "weight", gradient)
    if "bias" in layer["parameters"]:
        check_gradient(check, path, layer, "bias", [total(column) for column in by_unit])
    rows = weight.rows()
    dinput = [total(a * b for a, b in zip(row, weights, strict=True)) for row in dz for weights in rows]
    check.compare(f"{path}.dinput", layer["dinput"], dinput)


def check_output(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """The weighted sums of an output layer; of an ensemble, those of each member."""
    (check_dense if layer["description"].get("members", 1) == 1 else check_heads)(check, path, layer, trace)


def check_flatten(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """Only the shape changes."""
    check.same(f"{path}.output", layer["output"], layer["input"], "its input as a row")
    if "dinput" in layer:
        check.same(f"{path}.dinput", layer["dinput"], layer["doutput"], "its doutput in the shape of the input")


def check_dropout(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """output = input factors, where a factor is 0 or 1 / (1 - rate), by the random bits of (seed, step, layer, element)."""
    x, rate = numbers(layer["input"]), layer["description"]["rate"]
    factors = [1.0] * len(x.flat)
    if trace["training"] and rate:
        whole_channels = layer["description"]["type"] == "Dropout2D"
        channels = x.shape[3] if len(x.shape) == 4 else 1
        count = x.shape[0] * channels if whole_channels else len(x.flat)
        drawn = bits(trace["seed"], trace["step"], layer["number"], count)
        limit = min(round(rate * 2**32), 2**32 - 1)
        expected = [(drawn[i] >= limit) * (1 / (1 - rate)) for i in range(count)]
        check.compare(f"{path}.numbers.factors", layer["numbers"]["factors"], exact(expected))
        kept = numbers(layer["numbers"]["factors"]).flat
        pixels = len(x.flat) // count  # of one factor; a sample of whole channels is (H, W, C)
        factors = kept
        if whole_channels:
            size = pixels * channels
            factors = [kept[i // size * channels + i % channels] for i in range(len(x.flat))]
    check.compare(f"{path}.output", layer["output"], exact(a * b for a, b in zip(x.flat, factors, strict=True)))
    if "dinput" in layer:
        dy = numbers(layer["doutput"]).flat
        check.compare(f"{path}.dinput", layer["dinput"], exact(a * b for a, b in zip(dy, factors, strict=True)))


def check_batch_normalization(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """normalized = (input - mean) inverse_std, sums = gamma normalized + beta, for each feature over the batch."""
    x, found, training = numbers(layer["input"]), layer["numbers"], trace["training"]
    features = x.features()
    count, c_of = len(features[0]), x.last
    mean, variance = numbers(found["mean"]).flat, numbers(found["variance"]).flat
    if training:
        check.compare(f"{path}.numbers.mean", found["mean"], [total(column, count) for column in features])
        centered = [[v - m for v in column] for column, m in zip(features, mean, strict=True)]
        expected = [total((v * v for v in column), count) for column in centered]
        check.compare(f"{path}.numbers.variance", found["variance"], expected)
    else:
        for name in ("mean", "variance"):
            check.same(f"{path}.numbers.{name}", found[name], layer["state"][f"moving_{name}"], f"the moving {name}")
    epsilon = layer["description"]["epsilon"]
    check.compare(f"{path}.numbers.inverse_std", found["inverse_std"], exact(1 / math.sqrt(v + epsilon) for v in variance))
    inverse = numbers(found["inverse_std"]).flat
    normalized = [total([v * inverse[i % c_of], -mean[i % c_of] * inverse[i % c_of]]) for i, v in enumerate(x.flat)]
    check.compare(f"{path}.numbers.normalized", found["normalized"], normalized)
    h = numbers(found["normalized"])
    check.compare(f"{path}.sums", layer["sums"], scaled_and_shifted(h.flat, layer))
    check_activation(check, path, layer)
    if "dsums" in layer:
        dz = numbers(layer["dsums"])
        check_scale_and_shift(check, path, layer, h.features(), dz.features())
        dgamma, dbeta = (numbers(layer["gradients"][name]).flat for name in ("gamma", "beta"))
        gamma = numbers(layer["parameters"]["gamma"]).flat
        expected = []
        for i, (one, n) in enumerate(zip(dz.flat, h.flat, strict=True)):
            c = i % c_of
            terms = [one, -dbeta[c] / count, -n * dgamma[c] / count] if training else [one]
            expected.append(total(gamma[c] * inverse[c] * term for term in terms))
        check.compare(f"{path}.dinput", layer["dinput"], expected)
    if "new_state" in layer:
        keep = layer["description"]["momentum"]
        for name in layer["new_state"]:
            pairs = zip(
                *(numbers(a).flat for a in (layer["state"][name], found[name.removeprefix("moving_")])), strict=True
            )
            expected = [total([keep * old, (1 - keep) * new]) for old, new in pairs]
            check.compare(f"{path}.new_state.{name}", layer["new_state"][name], expected)


def check_layer_normalization(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """normalized = (input - mean) inverse_std, output = gamma normalized + beta, within each row of the last axis."""
    x, found = numbers(layer["input"]), layer["numbers"]
    size = x.last
    groups = [x.flat[start : start + size] for start in range(0, len(x.flat), size)]
    inverse_std: list[Sized] = []
    normalized: list[Sized] = []
    for row in groups:
        mean = math.fsum(row) / size
        spread = math.fsum((v - mean) ** 2 for v in row) / size
        inverse = 1 / math.sqrt(spread + layer["description"]["epsilon"])
        inverse_std += exact([inverse])
        normalized += [((v - mean) * inverse, (abs(v) + abs(mean)) * inverse) for v in row]
    check.compare(f"{path}.numbers.inverse_std", found["inverse_std"], inverse_std)
    check.compare(f"{path}.numbers.normalized", found["normalized"], normalized)
    h = numbers(found["normalized"])
    check.compare(f"{path}.output", layer["output"], scaled_and_shifted(h.flat, layer))
    if "dinput" not in layer:
        return
    dy = numbers(layer["doutput"])
    check_scale_and_shift(check, path, layer, h.features(), dy.features())
    gamma, inverses = numbers(layer["parameters"]["gamma"]).flat, numbers(found["inverse_std"]).flat
    expected = []
    for n, inverse in enumerate(inverses):
        part = slice(n * size, (n + 1) * size)
        dh = [a * g for a, g in zip(dy.flat[part], gamma, strict=True)]
        mean, mean_size = total(dh, size)
        dh_h, dh_h_size = total((a * b for a, b in zip(dh, h.flat[part], strict=True)), size)
        for a, one in zip(dh, h.flat[part], strict=True):
            expected.append(((a - mean - one * dh_h) * inverse, (abs(a) + mean_size + abs(one) * dh_h_size) * inverse))
    check.compare(f"{path}.dinput", layer["dinput"], expected)


def scaled_and_shifted(h: list[float], layer: Record) -> list[Sized]:
    """gamma h + beta, for each feature of the last axis."""
    gamma, beta = (numbers(layer["parameters"][name]).flat for name in ("gamma", "beta"))
    return [total([gamma[i % len(gamma)] * one, beta[i % len(beta)]]) for i, one in enumerate(h)]


def check_scale_and_shift(check: Checker, path: str, layer: Record, h: list[list[float]], dz: list[list[float]]) -> None:
    """dgamma = sum dz h, and dbeta = sum dz, for each feature."""
    dgamma = [total(a * b for a, b in zip(*pair, strict=True)) for pair in zip(h, dz, strict=True)]
    check_gradient(check, path, layer, "gamma", dgamma)
    check_gradient(check, path, layer, "beta", [total(column) for column in dz])


def check_residual(check: Checker, path: str, layer: Record, trace: Record) -> None:
    """sums = layers(input) + shortcut(input), output = f(sums); a sum passes its gradient to both terms."""
    branches = [layer["layers"], layer.get("shortcut", [])]
    for branch, name in zip(branches, ("layers", "shortcut"), strict=True):
        ends = [(f"{path}.input", layer["input"]), (f"{path}.dsums", layer.get("dsums"))]
        check_chain(check, f"{path}.{name}", branch, ends, trace)
    outputs = [numbers(branch[-1]["output"] if branch else layer["input"]).flat for branch in branches]
    check.compare(f"{path}.sums", layer["sums"], [total(pair) for pair in zip(*outputs, strict=True)])
    check_activation(check, path, layer)
    if "dsums" in layer:
        down = [numbers(branch[0]["dinput"] if branch else layer["dsums"]).flat for branch in branches]
        check.compare(f"{path}.dinput", layer["dinput"], [total(pair) for pair in zip(*down, strict=True)])


def check_chain(check: Checker, path: str, layers: list[Record], ends: list[tuple[str, object]], trace: Record) -> None:
    """Layers one after another, between a first input and a last doutput, each given with its path."""
    for index, layer in enumerate(layers):
        at = f"{path}[{index}]"
        below = ends[0] if index == 0 else (f"{path}[{index - 1}].output", layers[index - 1]["output"])
        check.same(f"{at}.input", layer["input"], below[1], below[0])
        if "doutput" in layer:
            is_last = index == len(layers) - 1
            above = ends[1] if is_last else (f"{path}[{index + 1}].dinput", layers[index + 1]["dinput"])
            check.same(f"{at}.doutput", layer["doutput"], above[1], above[0])
        kind = layer["description"]["type"]
        if kind in LAYERS:
            LAYERS[kind](check, at, layer, trace)
        else:
            check.faults.append(f"{at}: {kind} is not a layer that this program knows")


LAYERS: dict[str, Check] = {
    "Input": check_input,
    "Rescale": check_rescale,
    "Dense": check_dense,
    "EnsembleDense": check_ensemble_dense,
    "Flatten": check_flatten,
    "Dropout": check_dropout,
    "Dropout2D": check_dropout,
    "BatchNormalization": check_batch_normalization,
    "LayerNormalization": check_layer_normalization,
    "Residual": check_residual,
    "Classification": check_output,
    "BinaryClassification": check_output,
    "Regression": check_output,
    **IMAGE_LAYERS,
    **TABULAR_LAYERS,
}
