"""How well the default recipe does on tables, beside scikit-learn, all with their defaults. The argument is a folder.

It holds ``california_housing.csv`` (20,640 rows, a fifth of them to test, another one for each seed), ``adult_train.csv``
and ``adult_test.csv`` (UCI Adult). scikit-learn's programs get the same columns: numbers as they are, categories one-hot;
its MLP gets numbers and the target standardised, with the median where one is missing.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import pellucid as pl

SEEDS = 3
HOUSES, PRICE, UNIT = "california_housing.csv", "median_house_value", 100_000
INCOME = "income"
MEMBERS = 8  # of the ensemble
MOST_VALUES = 200  # of a column of words that get a number of their own in scikit-learn's programs


class Split(NamedTuple):
    """Rows as lists of texts, to learn from and to test on; the column to predict, and its unit if it holds numbers."""

    names: list[str]
    learn: list[list[str]]
    test: list[list[str]]
    target: str
    unit: float | None


def measure(folder: str) -> dict[str, Any]:
    """For each set and program: the figure (RMSE in 100,000 dollars, or accuracy) and the seconds of each seed."""
    names, *houses = read(Path(folder) / HOUSES)
    found: dict[str, Any] = {"california": {}, "adult": {}}
    for seed in range(SEEDS):
        test, learn = fifth(houses, seed)
        compare(found["california"], Split(names, learn, test, PRICE, UNIT), seed)
    names, *learn = read(Path(folder) / "adult_train.csv")
    _, *test = read(Path(folder) / "adult_test.csv")
    for seed in range(SEEDS):
        compare(found["adult"], Split(names, learn, test, INCOME, None), seed)
    return found


def fifth(rows: list[list[str]], seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """(a fifth of the rows, the others), at random."""
    order = np.random.default_rng(seed).permutation(len(rows))
    few = len(rows) // 5
    return [rows[k] for k in order[:few]], [rows[k] for k in order[few:]]


def compare(found: dict[str, Any], split: Split, seed: int) -> None:
    """Train each program on the split, in turn."""
    truth = column(split.test, split.names.index(split.target))
    programs = {"pellucid": ours, "pellucid, ensemble": ensemble}
    programs |= {name: beside(make) for name, make in peers(split.unit is not None, seed).items()}
    for name, program in programs.items():
        start = time.perf_counter()
        answers = program(split, seed)
        seconds = time.perf_counter() - start
        entry = found.setdefault(name, {"figures": [], "seconds": []})
        entry["figures"].append(score(answers, truth, split.unit))
        entry["seconds"].append(seconds)


def score(answers: Any, truth: list[str], unit: float | None) -> float:
    """RMSE in this unit, or without one the share of right answers."""
    if unit is None:
        return float(np.mean([answer == true for answer, true in zip(answers, truth, strict=True)]))
    return float(np.sqrt(((np.asarray(answers, float) - np.array(truth, float)) ** 2).mean()) / unit)


def ours(split: Split, seed: int, **options: Any) -> Any:
    """``pl.train`` with all of its defaults, and its answers."""
    kinds = {} if split.unit is None else {split.target: "number"}
    table = pl.datasets.table(as_columns(split.names, split.learn), split.target, kinds=kinds)
    model = pl.train(table, seed=seed, progress="none", **options)
    answers = model.predict(as_columns(split.names, split.test))
    if answers.values is not None:
        return answers.values
    return [str(model.labels[k]) for k in answers.probabilities.argmax(axis=1)]


def ensemble(split: Split, seed: int) -> Any:
    return ours(split, seed, ensemble=MEMBERS)


def peers(is_regression: bool, seed: int) -> dict[str, Any]:
    if is_regression:
        return {
            "HistGradientBoosting": HistGradientBoostingRegressor(random_state=seed),
            "MLP": TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler()),
        }
    return {
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
        "MLP": MLPClassifier(random_state=seed),
    }


def beside(estimator: Any) -> Callable[[Split, int], Any]:
    """A program of scikit-learn, with the columns as it needs them."""

    def run(split: Split, seed: int) -> Any:
        learn, test = numbers_and_words(split)
        y: Any = column(split.learn, split.names.index(split.target))
        y = y if split.unit is None else np.array(y, float)
        return program(estimator).fit(learn, y).predict(test)

    return run


def program(estimator: Any) -> Pipeline:
    numbers = (
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        if "HistGradientBoosting" not in type(estimator).__name__
        else "passthrough"
    )
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_VALUES, sparse_output=False)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include=float)), (words, make_column_selector(dtype_include=object))
    )
    return make_pipeline(columns, estimator)


def numbers_and_words(split: Split) -> tuple[Any, Any]:
    """Frames of the inputs: columns of numbers are float; dates days, with month, weekday and hour; others words."""
    import pandas as pd

    frames = [pd.DataFrame(rows, columns=split.names).drop(columns=split.target) for rows in (split.learn, split.test)]
    for name in frames[0].columns:
        texts = [frame[name].replace("", None) for frame in frames]
        try:
            numbers = [pd.to_numeric(one).astype(float) for one in texts]
        except ValueError:
            if all(one.dropna().str.match(r"\d{4}-\d\d-\d\d").all() for one in texts):
                for frame, values in zip(frames, texts, strict=True):
                    when = pd.to_datetime(values, utc=True)
                    frame[name] = (when - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
                    for part in ("month", "weekday", "hour"):
                        frame[f"{name} {part}"] = getattr(when.dt, part).astype(float)
            continue
        for frame, values in zip(frames, numbers, strict=True):
            frame[name] = values
    return frames[0], frames[1]


def as_columns(names: list[str], rows: list[list[str]]) -> dict[str, list[Any]]:
    """A dict of columns; numbers where all cells are some."""
    columns: dict[str, list[Any]] = {}
    for k, name in enumerate(names):
        texts = column(rows, k)
        try:
            columns[name] = [float(text) if text else None for text in texts]
        except ValueError:
            columns[name] = texts
    return columns


def column(rows: list[list[str]], place: int) -> list[str]:
    return [row[place] for row in rows]


def read(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
