"""Small tables of houses, models that learned from them, and the answers by NumPy from the text of the cells."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime

import numpy as np

import pellucid as pl
from pellucid.data.tables.columns import CategoryColumn, DateColumn, NumberColumn

HEADER = ("age", "rooms", "sea", "built")
SEA = ("far", "island", "near")


def write_houses(path, target, rows=240, seed=0):
    """age (with gaps), rooms, sea, built; and the price, whether it was sold (no, yes), or its class (low, mid, top)."""
    rng = np.random.default_rng(seed)
    age, rooms = rng.integers(1, 60, rows), rng.normal(5, 1.5, rows).round(2)
    sea = rng.choice(SEA, rows, p=[0.6, 0.1, 0.3])
    built = np.datetime64("1990-01-01") + rng.integers(0, 9000, rows)
    price = 100 + 20 * rooms - 0.5 * age + np.where(sea == "near", 40, 0) + rng.normal(0, 8, rows)
    answers = {
        "price": [f"{each:.1f}" for each in price],
        "sold": ["yes" if each > 190 else "no" for each in price],
        "class": ["low" if each < 180 else "mid" if each < 220 else "top" for each in price],
    }[target]
    ages = ["" if k % 37 == 5 else str(each) for k, each in enumerate(age)]
    lines = zip(ages, map(str, rooms), sea, map(str, built), answers, strict=True)
    path.write_text("\n".join(",".join(line) for line in [(*HEADER, target), *lines]) + "\n", encoding="utf-8")
    return path


def learned(path, target, to, **options):
    """A model that learned a little from this table; it is saved there."""
    table = pl.datasets.table(path, target=target)
    settings = {"layers": "dense12", "epochs": 12, "seed": 1, "progress": "none"} | options
    model = pl.train(table, **settings)
    model.save(to)
    return model


def read_csv(path):
    """The rows of a file as dicts, by the csv module."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers_of(column, cell):
    """What the network sees of a cell, by the formulas of the documentation; not by the code of the column."""
    if isinstance(column, NumberColumn):
        try:
            z = (float(cell) - column.center) / column.scale
        except ValueError:
            return [0.0, 1.0] if column.has_gaps else [0.0]
        x = z / math.sqrt(1 + (z / 3) ** 2)
        return [x, 0.0] if column.has_gaps else [x]
    if isinstance(column, CategoryColumn):
        return [float(cell == value) for value in column.values]
    assert isinstance(column, DateColumn)
    try:
        date = datetime.strptime(cell, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return [0.0] * (11 + column.has_gaps)
    z = (date.timestamp() / 86400 - column.center) / column.scale
    month = 2 * math.pi * (date.month - 1) / 12
    numbers = [z / math.sqrt(1 + (z / 3) ** 2), math.sin(month), math.cos(month), (date.day - 1) / 15 - 1]
    numbers += [float(date.weekday() == day) for day in range(7)]
    return numbers + [0.0] * column.has_gaps


def row_of_numbers(model, cells):
    """The network's input for a row, a dict of texts."""
    return np.array([x for column in model.pipeline.columns for x in numbers_of(column, cells[column.name])])


def outputs(model, rows):
    """The outputs (N, K) of the network for rows of texts, in float64."""
    return outputs_of(model, np.array([row_of_numbers(model, cells) for cells in rows]))


def outputs_of(model, x):
    """The outputs (N, K) of a network of dense layers with relu, maybe behind bins, for its input (N, D)."""
    parameters = {name: np.asarray(array, np.float64) for name, array in model.network.parameters.items()}
    _, *hidden, last = model.network.nodes
    for node in hidden:
        if isinstance(node.layer, pl.PiecewiseLinearEncoding):
            x = with_bins(x, node.layer)
        elif isinstance(node.layer, pl.GroupedDense):
            x = with_sums(x, node.layer.groups, parameters[f"{node.name}.weight"], parameters[f"{node.name}.bias"])
        elif isinstance(node.layer, pl.Dense):
            x = np.maximum(x @ parameters[f"{node.name}.weight"] + parameters[f"{node.name}.bias"], 0)
        else:
            assert isinstance(node.layer, pl.Dropout)  # silent in prediction
    return x @ parameters[f"{last.name}.weight"] + parameters[f"{last.name}.bias"]


def with_bins(x, encoding):
    """The columns, and how far each is through its bins; the first begins at -1, the last ends at 2."""
    parts = [x]
    for column, edges in zip(x.T, encoding.edges, strict=True):
        last = len(edges) - 2
        for t in range(last + 1):
            through = (column - edges[t]) / (edges[t + 1] - edges[t])
            parts.append(encoding.gain * np.clip(through, -1.0 if t == 0 else 0.0, 2.0 if t == last else 1.0)[:, None])
    return np.concatenate(parts, axis=1)


def with_sums(x, groups, weight, bias):
    """The columns that are in no group, then the sums of each group."""
    taken = [column for group in groups for column in group]
    parts, row = [np.delete(x, taken, axis=1)], 0
    for group, b in zip(groups, bias, strict=True):
        parts.append(x[:, list(group)] @ weight[row : row + len(group)] + b)
        row += len(group)
    return np.concatenate(parts, axis=1)


def probabilities(model, rows):
    """softmax(z / T) of the rows, (N, K)."""
    z = outputs(model, rows) / (model.temperature.value if model.temperature else 1.0)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
