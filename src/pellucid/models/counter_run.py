"""The counter-run of a suspect: a small network learns a sample of the rows, with a column and without it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.display.text import counted, percent
from pellucid.core.shapes import AnyArray
from pellucid.data.tables.suspects.suspect import Suspect
from pellucid.data.tables.table import Table
from pellucid.mathematics.optimizers import AdamW
from pellucid.models.network import Network
from pellucid.models.table_front import table_front
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.nn.layers.outputs.regression import Regression

ROWS = 4000  # of the sample; a quarter of them is held out
NUMBERS = 4_000_000  # of the network's input in all rows; of a wide table there are fewer rows
STEPS, MOST_EPOCHS, BATCH = 1000, 30, 64
UNITS, BINS = 64, 16
MOST_COLUMNS = 3  # that a run of their own is made for


def with_counter_runs(suspects: Sequence[Suspect], table: Table) -> list[Suspect]:
    """The suspects; those that give the target away with the score of a quick network on held-out rows, with the column and
    without it, and, if they are several, without any of them. It takes about a second each, for three at most."""
    names = [one.column for one in suspects if one.kind == "gives_away" and one.column is not None]
    if not names:
        return list(suspects)
    rows = _sample(table)
    whole = _score(table, rows, ())
    without_any = _score(table, rows, names) if len(names) > 1 else None
    found = []
    for one in suspects:
        if one.column in names[:MOST_COLUMNS] and one.kind == "gives_away":
            one = _beside(one, table, whole, _score(table, rows, [one.column]), without_any, len(rows) // 4)
        found.append(one)
    return found


def _beside(one: Suspect, table: Table, whole: float, without: float, without_any: float | None, held_out: int) -> Suspect:
    """The suspect with the scores in its evidence."""
    metric = "rmse" if table.labels is None else "accuracy"
    numbers = {f"{metric}_with": whole, f"{metric}_without": without, "held_out_rows": held_out}
    rows = counted(held_out, "held-out row")
    if table.labels is None:
        words = f"a quick network has an rmse of {whole:.4g} on {rows} with it, {without:.4g} without it"
    else:
        words = f"a quick network is right for {percent(whole)} of {rows} with it, {percent(without)} without it"
    if without_any is not None:
        numbers[f"{metric}_without_any"] = without_any
        last = f"{without_any:.4g}" if table.labels is None else percent(without_any)
        words += f", {last} without any of the columns that give it away"
    return one._replace(evidence=f"{one.evidence}; {words}", numbers={**one.numbers, **numbers})


def _sample(table: Table) -> NDArray[np.int64]:
    rows = random.permutation(random.key(0, random.Purpose.SPLIT), len(table))[:ROWS]
    (width,) = table.pipeline(rows).output_shape
    return rows[: max(8, NUMBERS // max(width, 1))]


def _score(table: Table, rows: NDArray[np.int64], without: Collection[str]) -> float:
    """The share of right answers, or the rmse, on the last quarter of the rows, of a network that learned the others."""
    part = table.take(rows).without(without)
    held_out = len(rows) // 4
    learn, test = np.arange(len(rows) - held_out), np.arange(len(rows) - held_out, len(rows))
    y = part.y[learn]
    mean, std = (float(y.mean()), float(y.std()) or 1.0) if part.labels is None else (0.0, 1.0)
    answers = _answers(part, learn, test, (y - mean) / std if part.labels is None else y)
    if part.labels is None:
        return float(np.sqrt(((part.y[test] - (mean + std * answers)) ** 2).mean()))
    return float((answers == part.y[test]).mean())


def _answers(part: Table, learn: NDArray[np.int64], test: NDArray[np.int64], y: AnyArray) -> AnyArray:
    """What a quick network says of the test rows; without any column, the mean or the most frequent class."""
    if not part.columns:
        answer = 0.0 if part.labels is None else np.bincount(y).argmax()
        return np.full(len(test), answer)
    pipeline = part.pipeline(learn)
    x = part.encode(pipeline)
    output = Regression() if part.labels is None else Classification(len(part.labels))
    front = table_front(pipeline, x[learn], BINS)
    network = Network([*front.layers, Dense(UNITS, "relu"), Dense(UNITS, "relu"), output])
    epochs = min(MOST_EPOCHS, max(1, round(STEPS * BATCH / len(learn))))
    network.fit(x[learn], y, optimizer=AdamW(3e-3), schedule="cosine", epochs=epochs, batch_size=BATCH, progress="none")
    return network.predict(x[test])
