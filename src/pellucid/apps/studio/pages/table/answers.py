"""What a model answers for one row, and what each column contributes to that."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.apps.studio.pages.table.cells import notes, pipeline_of, row_of_cells, texts_of
from pellucid.core.checks import one_of
from pellucid.core.shapes import Array
from pellucid.inspection.attribution.attribute import attribute
from pellucid.models.model import Model
from pellucid.models.prediction import Prediction
from pellucid.models.table_answers import NumberPrediction, NumbersPrediction
from pellucid.models.value_names import answer_names, first_explained

LONGEST_WORD = 2_000  # characters in an address
MOST_STEPS = 256  # gradients of one attribution: it follows a slider


def answer(model: Model, cells: object, confidence: float | None) -> dict[str, Any]:
    """A RowAnswer (web/src/pages/table/types.ts): a label with its probability, or numbers; and notes on the cells.

    A network that learns, or has no held-out rows, has no ``confidence``: then nothing is said with it.
    """
    row = row_of_cells(model, cells)
    found = model.predict(row, confidence=confidence if model.conformal_scores else None)
    said = {"notes": notes(model, texts_of(model, row))}
    if isinstance(found, Prediction):
        return said | {
            "answers": "labels",
            "label": found.label,
            "probability": found.probability,
            "probabilities": found.probabilities.tolist(),
            "set": None if found.set is None else list(found.set),
            "set_in_words": found.set_in_words() or None,
        }
    return said | {"answers": "values", "values": _values(model, found)}


def _values(model: Model, found: NumberPrediction | NumbersPrediction) -> list[dict[str, Any]]:
    """Each number with its name and its interval, if it has one: of quantiles that nearest to 0.5."""
    names = answer_names(model.pipeline, model.network.output)
    if isinstance(found, NumberPrediction):
        return [{"name": names[0], "value": found.value, "interval": found.interval}]
    ends = found.intervals or {}
    if len(ends) == 1:  # around one of several quantiles
        ends = dict(zip([names[first_explained(model.network.output)]], ends.values(), strict=True))
    return [{"name": name, "value": value, "interval": ends.get(name)} for name, value in found.values.items()]


def contributions(model: Model, cells: object, of: str | None) -> dict[str, Any]:
    """The Contributions (web/src/pages/table/types.ts): score = the sum over the columns + bias + gap.

    The score is the number that a regression answers (of counts its logarithm), of several that called ``of``; else that of
    the label ``of``, by default the most probable one, minus that of the most probable other one.
    """
    pipeline = pipeline_of(model)
    texts = texts_of(model, row_of_cells(model, cells))
    x = pipeline.encode([column.read(cell).values for column, cell in zip(pipeline.columns, texts, strict=True)])
    output, name, against = model.network.output, None, None
    if model.labels:
        target, against = _compared(model, model.network.predict_proba(x)[0], of)
    else:
        names = answer_names(pipeline, output)
        target = first_explained(output) if of is None else names.index(one_of(of, names, "answer of this model"))
        name = names[target]
    found = attribute(model.network, x, target, against=against, max_steps=MOST_STEPS)
    return {
        "columns": np.bincount(pipeline.sources, found.contributions[0], len(pipeline.columns)).tolist(),
        "bias": float(found.bias[0]),
        "gap": float(found.gap[0]),
        "score": float(found.score[0]),
        "label": model.labels[target] if model.labels else None,
        "answer": name,
        "against": None if against is None else model.labels[against],
        "is_asked": of is not None,
        "in_units": not model.labels
        and bool(np.isclose(found.score[0], np.ravel(model.network.predict(x))[target], rtol=1e-3)),
        "method": found.method,
        "steps": int(found.steps[0]),
        "sample": _word(x[0]),
    }


def _word(x: Array) -> str | None:
    """The network's input as a word of an address, for the page Look inside."""
    word = f"xy.{','.join(f'{number:.9g}' for number in x)}"
    return word if len(word) <= LONGEST_WORD else None


def _compared(model: Model, probabilities: Array, label: str | None) -> tuple[int, int]:
    """The class whose score is explained, and the most probable of the others."""
    names = [str(one) for one in model.labels]
    target = int(probabilities.argmax()) if label is None else names.index(one_of(label, names, "label of this model"))
    others = probabilities.copy()
    others[target] = -1.0
    return target, int(others.argmax())
