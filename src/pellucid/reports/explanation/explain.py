"""From a model and a picture to an explanation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pellucid.core.checks import as_numbers, one_of, positive_integer
from pellucid.core.errors import ArgumentError, DataError, DivergenceError
from pellucid.core.shapes import AnyArray, Label, batch_letters
from pellucid.core.suggestions import suggests_arguments
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.pipeline import Prepared
from pellucid.inspection.attribution.attribute import MOST_STEPS, attribute
from pellucid.inspection.attribution.maps import occlusion
from pellucid.inspection.attribution.result import Attribution
from pellucid.inspection.trace.answer import OF_VALUES
from pellucid.inspection.trace.layer_trace import LayerTrace, in_order
from pellucid.inspection.trace.member_sums import mean_weights
from pellucid.inspection.trace.trace import Trace
from pellucid.models.model import Model, check_model, table_pipeline_of
from pellucid.models.network import Network
from pellucid.models.prediction import in_doubt
from pellucid.models.value_names import answer_names, first_explained
from pellucid.reports.explanation.explanation import Explanation
from pellucid.reports.explanation.findings import Change, Cover, LayerExplanation, Score
from pellucid.reports.explanation.photo import Resembled, activation, resembled
from pellucid.reports.explanation.scores import scores_of
from pellucid.reports.explanation.strongest import strongest

if TYPE_CHECKING:
    from pellucid.data.tables.table_pipeline import TablePipeline
    from pellucid.inspection.arithmetic.cells import CellNumbers
    from pellucid.reports.explanation.table_row import ExplainedRow

# Integrated gradients take FEW_STEPS, or more if all layers of all steps have at most MOST_NUMBERS outputs: a page should
# not take minutes.
FEW_STEPS, MOST_NUMBERS = 256, 1 << 22


@suggests_arguments
def explain(
    model: Model,
    source: Any,
    *,
    label: Label | None = None,
    top: int = 3,
    columns: Sequence[str] | None = None,
    row: int | None = None,
    photos: PhotoFolder | None = None,
) -> Explanation:
    """Explain a model's answer for one picture or row: every step from the input to the answer, with its numbers.

    source  a picture as `Model.predict` takes it; or, also for a model without a pipeline, one sample as the network takes
            it: an array, or the path of a ``.npy`` file. For a model of tables a row, a mapping of names to values; or a
            table, such as the path of a CSV file, and the number of the ``row``, from 1
    label   the true label, for the loss and its gradients (default: the answer itself). Of several targets or quantiles the
            one whose score is divided among the inputs (default: the first target, or the quantile nearest to 0.5)
    top     how many neurons of a layer are spelled out
    columns the names of the columns, if the sample is a row of an array (D)
    photos  those that the model has learned from (`pl.datasets.folder`): the nearest are shown, with their labels

    Raises `DataError` for what cannot be read, `ArgumentError` for what does not fit, `DivergenceError` for numbers that
    are not finite.
    """
    check_model(model)
    positive_integer(top, "top")
    sample = _sample(model, source, row)
    prepared, is_picture = sample.prepared, sample.is_picture
    columns = columns if sample.parts is None else sample.parts
    network, x = model.network, prepared.pixels[None]
    trace = network.trace(x)
    if not np.isfinite(trace.logits).all():
        raise DivergenceError(
            "the scores are not finite, so nothing can be explained; print(network.trace(x)) shows where."
        )
    first, second, change, followed, against = 0, 0, None, None, None
    if trace.answer.kind not in OF_VALUES:
        first = int(trace.answer.predictions[0])
        answer: Any = model.labels[first]
        followed = answer if label is None else _known(model, label)
        trace = network.trace(x, [model.labels.index(followed)], training=False)
        second = _runner_up(trace, first)
        change = _change(trace, first, second, model.labels[second], top)
        against = None if trace.answer.kind == "sigmoid" else second  # a binary classifier has one score
    else:
        answer, first = np.asarray(trace.answer.predictions[0]).tolist(), _value(model, label)
    scores, total = scores_of(model, trace)
    attribution = attribute(network, x, first, against=against, max_steps=_steps(network), columns=columns)
    return Explanation(
        source=sample.name,
        label=answer,
        probability=_probability(scores, prepared.doubt),
        doubt=prepared.doubt,
        seen=prepared.pixels if is_picture else None,
        layers=tuple(_layer(trace, layer, top) for layer in in_order(trace.layers)),
        scores=scores,
        total=total,
        temperature=None if model.temperature is None else model.temperature.value,
        change=change,
        cover=_cover(model, x, against) if is_picture and change is not None else None,
        attribution=attribution,
        row=_explained_row(model, sample, attribution, first) if sample.cells else None,
        trace=trace,
        backward_from=followed,
        activation=activation(network, trace, first, second) if is_picture and change is not None else None,
        resembled=() if photos is None else _resembled(model, sample, photos),
    )


def _resembled(model: Model, sample: _Sample, photos: PhotoFolder) -> tuple[Resembled, ...]:
    if not sample.is_picture:
        raise ArgumentError("photos are compared with a picture; leave them out for other samples.")
    return resembled(model, sample.prepared.pixels, photos)


def _row_sample(pipeline: TablePipeline, source: Any, row: int | None) -> _Sample:
    """A row of a table. What reads tables is imported where there is one."""
    from pellucid.inspection.arithmetic.cells import cell_numbers
    from pellucid.reports.explanation.table_row import all_different, cells_to_explain

    read, name = cells_to_explain(pipeline, source, row)
    cells = tuple(cell_numbers(column, cell) for column, cell in zip(pipeline.columns, read, strict=True))
    numbers: AnyArray = np.array([number for cell in cells for number in cell.numbers], np.float32)
    values = tuple(float(column.read(cell).values[0]) for column, cell in zip(pipeline.columns, read, strict=True))
    return _Sample(Prepared(numbers), name, cells=cells, values=values, parts=all_different(pipeline.parts))


def _explained_row(model: Model, sample: _Sample, attribution: Attribution, first: int) -> ExplainedRow:
    from pellucid.reports.explanation.table_row import explained_row

    return explained_row(model, sample.cells, sample.values, attribution, first)


def _probability(scores: Sequence[Score], doubt: str | None) -> float | None:
    """As `Model.predict` gives it; None for a regression."""
    p = np.array([np.nan if score.probability is None else score.probability for score in scores])
    if np.isnan(p).any():
        return None
    return float((p if doubt is None else in_doubt(p)).max())


def _steps(network: Network) -> int:
    """How many gradients an attribution may take."""
    each = sum(int(np.prod(node.output_shape)) for node in network.nodes)
    return min(max(FEW_STEPS, MOST_NUMBERS // each), MOST_STEPS)


class _Sample(NamedTuple):
    """The network's input and what it is called; whether it is a picture of the pipeline; or the cells of a row of a table,
    their values (NaN for none), and the name of each number that they give."""

    prepared: Prepared
    name: str
    is_picture: bool = False
    cells: tuple[CellNumbers, ...] = ()
    values: tuple[float, ...] = ()
    parts: tuple[str, ...] | None = None


def _sample(model: Model, source: Any, row: int | None) -> _Sample:
    shape = model.network.input.shape
    named = isinstance(source, str | os.PathLike) and os.fspath(source).endswith(".npy")
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else type(source).__name__
    if (pipeline := table_pipeline_of(model)) is not None and not named:
        return _row_sample(pipeline, source, row)
    if row is not None:
        raise ArgumentError("row= names a row of a table, but this sample is none; leave it out.")
    if model.pipeline is not None and not named:
        return _Sample(model.pipeline.prepare(source), name, is_picture=True)
    if isinstance(source, str | os.PathLike) and not named:
        raise ArgumentError(
            f"this model has no pipeline for pictures: it takes one sample of the shape {shape}, in a .npy file as "
            f"numpy.save writes it, not {os.fspath(source)!r}."
        )
    expected = f"one sample is explained, of the shape {shape} or {batch_letters(shape).replace('B', '1')}"
    array = _read_array(os.fspath(source)) if named else as_numbers(source, "the array", expected)
    if array.shape != shape and array.shape != (1, *shape):
        raise ArgumentError(f"{expected}; the array has the shape {array.shape}.")
    return _Sample(Prepared(model.network.input.check(array.reshape(1, *shape), "the array")[0]), name)


def _read_array(path: str) -> AnyArray:
    try:
        with open(path, "rb") as file:
            array = np.load(file, allow_pickle=False)
    except Exception as error:  # a damaged header fails in whichever parser it reaches
        why = getattr(error, "strerror", None) or "it holds no array of numbers"
        raise DataError(f"{path!r} cannot be read: {why}.") from None
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path!r} holds several arrays; save one with numpy.save.")
    return array


def _known(model: Model, label: Label) -> Label:
    """The model's own label; the command line gives numbers as text."""
    named = [known for known in model.labels if str(known) == str(label)]
    if not named:
        shown = ", ".join(map(str, model.labels[:20]))
        raise ArgumentError(f"{label!r} is not a label of this model; its labels are {shown}.")
    return named[named.index(label)] if label in named else named[0]


def _value(model: Model, label: Label | None) -> int:
    """Which output of a regression is explained, compared with nothing."""
    output = model.network.output
    names = answer_names(model.pipeline, output)
    if label is not None and len(names) < 2:
        raise ArgumentError("a regression has no labels: leave label out.")
    if label is not None:
        return names.index(one_of(label, names, "answer of this model"))
    return first_explained(output)


def _runner_up(trace: Trace, first: int) -> int:
    if trace.answer.kind == "sigmoid":
        return 1 - first
    z = trace.logits[0].copy()
    z[first] = -np.inf
    return int(z.argmax())


def _change(trace: Trace, first: int, second: int, label: Label, count: int) -> Change:
    """The margin as a sum over the inputs of the output layer."""
    output = trace.layers[-1]
    (weight, bias), x, z = mean_weights(output), output.input[0].ravel(), trace.logits[0]
    if trace.answer.kind == "sigmoid":  # one score, for class 1: that of class 0 is always 0
        weight, bias, z = (np.insert(array, 0, 0.0, axis=-1) for array in (weight, bias, z))
    difference, offset = weight[:, first] - weight[:, second], float(bias[first] - bias[second])
    products, margin = x * difference, float(z[first] - z[second])
    order = np.argsort(-np.abs(products), kind="stable")[:count]
    reasons = tuple((int(d), float(x[d]), float(difference[d]), float(products[d])) for d in order if products[d])
    return Change(label, margin, reasons, float(np.delete(products, order).sum()), offset)


def _cover(model: Model, x: AnyArray, against: int | None) -> Cover:
    """Windows of a seventh of the picture, moved by a part of themselves."""
    height, width = model.network.input.shape[:2]
    window = max(1, height // 7), max(1, width // 7)
    stride = max(1, height // 28), max(1, width // 28)
    falls = occlusion(model.network, x, against=against, window=window, stride=stride)[0]
    row, column = np.unravel_index(int(falls.argmax()), falls.shape)
    return Cover((int(row), int(column)), window, float(falls[row, column]))


def _layer(trace: Trace, layer: LayerTrace, count: int) -> LayerExplanation:
    y = layer.output[0]
    range_of = float(y.min()), float(y.max())
    neurons = strongest(trace, layer, count)
    return LayerExplanation(layer.name, layer.kind, y.shape, int(np.count_nonzero(y)), *range_of, neurons)
