"""The form of a trace: what must be there, and the shape of each array. It is checked before any number is computed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tracecheck.comparing import Record, Shape, numbers
from tracecheck.images import Geometry, pair

DENSE = ("Dense", "Classification", "BinaryClassification", "Regression")
POOLING = ("MaxPooling2D", "AveragePooling2D")
NORMALIZATION = ("BatchNormalization", "LayerNormalization")


def form_faults(trace: Record) -> Iterator[str]:
    """What is missing, unexpected, or of another shape, as sentences."""
    if not isinstance(trace.get("training"), bool):
        yield "training is neither true nor false"
    yield from (f"{name} is no whole number" for name in ("seed", "step") if type(trace.get(name)) is not int)
    layers = trace["layers"]
    if len(layers) < 2 or layers[0]["description"]["type"] != "Input" or "sums" not in layers[-1]:
        yield "layers begin with an Input and end with the logits of an output layer"
        return
    for index, layer in enumerate(layers):
        if layer["number"] != index:
            yield f"layers[{index}].number is {layer['number']}"
    for path, layer in named_layers("layers", layers):
        yield from _missing(path, layer, trace)
        yield from (f"{path}.description.{name} is not that of the arrays" for name in _otherwise(layer))
        for name, shape in _layer_shapes(layer):
            yield from _other_shape(f"{path}.{name}", _at(layer, name), shape)
    ends = [layers[-1], trace["loss"]] if "loss" in trace else [layers[-1]]
    smoothing = [end["description"].get("label_smoothing") for end in ends]
    if len(set(smoothing)) > 1:
        yield f"label_smoothing is {smoothing[0]} in the output layer and {smoothing[1]} in the loss"
    for name, shape in _end_shapes(trace):
        yield from _other_shape(name, _at(trace, name), shape)


def named_layers(path: str, layers: list[Record]) -> Iterator[tuple[str, Record]]:
    """Each layer with its path, also the inner layers of blocks."""
    for index, layer in enumerate(layers):
        at = f"{path}[{index}]"
        yield at, layer
        for branch in ("layers", "shortcut"):
            yield from named_layers(f"{at}.{branch}", layer.get(branch, []))


def _missing(path: str, layer: Record, trace: Record) -> Iterator[str]:
    """What is missing or unexpected: a loss needs the backward pass of every layer, an update that of every parameter."""
    back, step = "loss" in trace, "update" in trace
    parts = {
        **dict.fromkeys(("name", "kind", "number", "description", "input", "output"), True),
        **dict.fromkeys(("doutput", "dinput"), back),
        "dsums": back and "sums" in layer,
        "slopes": back and "activation" in layer["description"],
        "gradients": back and "parameters" in layer,
        "updates": step and "parameters" in layer,
        "new_state": step and "state" in layer,
    }
    for name, is_wanted in parts.items():
        if is_wanted != (name in layer):
            yield f"{path}.{name} is {'missing' if is_wanted else 'unexpected in this trace'}"
    for name, source in (("gradients", "parameters"), ("updates", "parameters"), ("new_state", "state")):
        if name in layer and set(layer[name]) != set(layer[source]):
            yield f"{path}.{name} holds others than {path}.{source}"


def _otherwise(layer: Record) -> Iterator[str]:
    """The fields of a description (sizes, bias, inner layers) that do not agree with the arrays of the layer."""
    about, own = layer["description"], layer.get("parameters", {})
    found: dict[str, object] = {"shape": list(numbers(layer["input"]).shape[1:])} if about["type"] == "Input" else {}
    if "weight" in own:
        shape = numbers(own["weight"]).shape
        units = shape[-1]
        tables = numbers(own["input_scales"]).shape if "input_scales" in own else shape if len(shape) == 3 else (1,)
        found |= {"members": tables[0]}
        found |= dict.fromkeys(("units", "filters", "num_classes"), units) | {"use_bias": "bias" in own}
        levels = about["loss"]["levels"] if isinstance(about.get("loss"), dict) and "levels" in about["loss"] else [0.5]
        found["num_values"] = units / len(levels)  # quantiles have a logit for each level
    if about["type"] == "Residual":
        found |= {name: [inner["description"] for inner in layer.get(name, [])] for name in ("layers", "shortcut")}
    return (name for name, value in found.items() if name in about and about[name] != value)


def _layer_shapes(layer: Record) -> Iterator[tuple[str, Shape]]:
    """The path of each array in a layer, and the shape that follows from the input and the description."""
    kind, x = layer["description"]["type"], numbers(layer["input"]).shape
    y = _output_shape(layer, x)
    for name in ("sums", "output", "doutput", "slopes", "dsums"):
        yield name, y
    yield "dinput", x
    yield "numbers.scale", ()
    yield "numbers.scaled", (*y[:2], x[-1])
    yield "numbers.product", y
    yield "numbers.normalized", x
    yield "numbers.winners", y
    yield "numbers.slopes", (x[0], y[-1] - x[-1])
    about = layer["description"]
    yield "numbers.turns", (x[0], len(about.get("columns") or range(x[1])), about.get("frequencies", 0))
    yield "numbers.categories", (x[0], len(layer["description"].get("columns", ())))
    yield "numbers.factors", (x[0], 1, 1, *x[3:]) if kind == "Dropout2D" else x
    yield "numbers.inverse_std", (*x[:-1], 1) if kind == "LayerNormalization" else x[-1:]
    for name in ("mean", "variance"):
        yield f"numbers.{name}", x[-1:]
        yield f"state.moving_{name}", x[-1:]
        yield f"new_state.moving_{name}", x[-1:]
    for name, written in layer.get("parameters", {}).items():
        shape = _parameter_shape(layer, name, x) or numbers(written).shape
        yield f"parameters.{name}", shape
        yield f"gradients.{name}", shape
        yield f"updates.{name}.new", shape
        for slots in ("slots", "new_slots"):
            yield from ((f"updates.{name}.{slots}.{slot}", shape) for slot in ("velocity", "m", "v"))


def _output_shape(layer: Record, x: Shape) -> Shape:
    kind, channels = layer["description"]["type"], x[3:] or (1,)
    if layer["description"].get("members", 1) > 1:
        return x[0], layer["description"]["members"], numbers(layer["parameters"]["weight"]).last
    if kind in DENSE:
        return x[0], numbers(layer["parameters"]["weight"]).last
    if kind in POOLING:
        return x[0], *Geometry.of(layer, x).count, *channels
    if kind == "Conv2D":
        return x[0], *Geometry.of(layer, x).count, numbers(layer["parameters"]["weight"]).last
    if kind == "GlobalAveragePooling2D":
        return x[0], *channels
    if kind == "Flatten":
        return x[0], math.prod(x[1:])
    if kind == "Embedding":
        return x[0], x[1] + sum(width - 1 for _, _, width in layer["description"]["columns"])
    if kind == "PeriodicEmbedding":
        about = layer["description"]
        return x[0], x[1] + len(about["columns"] or range(x[1])) * about["frequencies"]
    if kind == "GroupedDense":
        about = layer["description"]
        return x[0], x[1] - sum(map(len, about["groups"])) + len(about["groups"]) * about["units"]
    if kind == "PiecewiseLinearEncoding":
        return x[0], x[1] + sum(max(len(edges) - 1, 0) for edges in layer["description"]["edges"])
    if kind == "Residual":
        return numbers(layer["layers"][-1]["output"]).shape
    return x


def _parameter_shape(layer: Record, name: str, x: Shape) -> Shape | None:
    """The shape of a parameter; None for a layer that this program does not know, which is reported elsewhere."""
    about = layer["description"]
    if about.get("members", 1) > 1:
        return _parameter_shape_of_members(layer, name, x)
    if about["type"] in NORMALIZATION:
        return x[-1:]
    if about["type"] == "Embedding":
        return next((values + 1, width) for column, values, width in about["columns"] if name == f"vectors_{column}")
    if about["type"] == "PeriodicEmbedding":
        return len(about["columns"] or range(x[1])), about["frequencies"]
    if about["type"] == "GroupedDense":
        return (sum(map(len, about["groups"])) if name == "weight" else len(about["groups"])), about["units"]
    if about["type"] == "ScaleFeatures":
        return x[1:]
    if about["type"] not in (*DENSE, "Conv2D"):
        return None
    units = numbers(layer["parameters"]["weight"]).last
    if name == "bias":
        return (units,)
    if about["type"] == "Conv2D":
        return *pair(about["kernel_size"]), (x[3:] or (1,))[0] // about["groups"], units
    return math.prod(x[1:]), units


def _parameter_shape_of_members(layer: Record, name: str, x: Shape) -> Shape | None:
    members, units = layer["description"]["members"], numbers(layer["parameters"]["weight"]).last
    if name == "weight":
        return (x[-1], units) if layer["description"]["type"] == "EnsembleDense" else (members, x[-1], units)
    return {"input_scales": (members, x[-1]), "output_scales": (members, units), "bias": (members, units)}.get(name)


def _end_shapes(trace: Record) -> Iterator[tuple[str, Shape]]:
    """The same for the answer and the loss, from the shape of the logits."""
    batch, *members, width = numbers(trace["layers"][-1]["sums"]).shape
    yield "answer.logits", (batch, width)
    yield "loss.terms", (batch, *(members if trace["training"] else ()), width)
    is_values = trace["answer"]["kind"] in ("identity", "exponential", "ascending") and width > 1
    yield "answer.predictions", (batch, width) if is_values else (batch,)
    yield "answer.probabilities", (batch, 2 if trace["answer"]["kind"] == "sigmoid" else width)
    for name in ("answer.shifted", "answer.exponentials", "loss.targets", "loss.smoothed"):
        yield name, (batch, width)
    for name in ("answer.maximum", "answer.total", "loss.samples"):
        yield name, (batch,)
    for name in ("loss.value", "loss.penalty", "loss.objective", "update.rate", "update.update"):
        yield name, ()


def _at(record: Record, path: str) -> object:
    """What is at this path, or None."""
    place: object = record
    for name in path.split("."):
        place = place.get(name) if isinstance(place, dict) else None
    return place


def _other_shape(path: str, written: object, shape: Shape) -> Iterator[str]:
    found = None if written is None else numbers(written).shape
    if found not in (None, shape):
        yield f"{path} has the shape {found}; {shape} is expected"
