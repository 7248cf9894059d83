"""A trace as a table of text: a line for each layer."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pellucid.core.display.markup import element, table
from pellucid.core.display.notebook import framed
from pellucid.core.display.numbers import written
from pellucid.core.display.text import aligned
from pellucid.core.shapes import AnyArray
from pellucid.inspection.trace.answer import LossTrace
from pellucid.inspection.trace.layer_trace import LayerTrace

HEADER = ("layer", "output", "smallest", "mean", "largest", "norm of gradient")


def as_table(layers: Iterable[LayerTrace], loss: LossTrace | None) -> str:
    """Name and shape of each layer's output, its range, and with y the norm of the gradient that comes down to it."""
    return "\n".join([*aligned(_rows(layers, loss)), *_loss_line(loss)])


def as_html(layers: Iterable[LayerTrace], loss: LossTrace | None) -> str:
    """The same table, as a notebook shows it."""
    header, *rows = _rows(layers, loss)
    return framed(table("Every layer of the trace", header, rows), *(element("p", line) for line in _loss_line(loss)))


def _rows(layers: Iterable[LayerTrace], loss: LossTrace | None) -> list[tuple[str, ...]]:
    """The header, and the cells of each layer."""
    rows: list[tuple[str, ...]] = [HEADER[: 6 if loss else 5]]
    for layer in layers:
        shape = "x".join(map(str, layer.output.shape))
        measured = [written(float(measure(layer.output))) for measure in (np.min, np.mean, np.max)]
        size = ["" if layer.doutput is None else written(norm(layer.doutput))] if loss else []
        rows.append((layer.name, shape, *measured, *size))
    return rows


def _loss_line(loss: LossTrace | None) -> list[str]:
    if loss is None:
        return []
    paid = f" + penalty {written(loss.penalty)}" if loss.penalty else ""
    return [f"loss {written(loss.value)}{paid}"]


def norm(array: AnyArray) -> float:
    """The Euclidean norm, also where the squares would overflow."""
    largest = float(np.abs(array).max())
    return largest * float(np.linalg.norm(array.ravel() / largest)) if 0 < largest < np.inf else largest
