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


class Split(NamedTuple):
    """Rows as lists of texts, to learn from and to test on."""

    names: list[str]
    learn: list[list[str]]
    test: list[list[str]]


def measure(folder: str) -> dict[str, Any]:
    """For each set and program: the figure (RMSE in 100,000 dollars, or accuracy) and the seconds of each seed."""
    names, *houses = read(Path(folder) / HOUSES)
    found: dict[str, Any] = {"california": {}, "adult": {}}
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(houses))
        test, learn = ([houses[k] for k in part] for part in (order[: len(houses) // 5], order[len(houses) // 5 :]))
        compare(found["california"], Split(names, learn, test), PRICE, seed)
    names, *learn = read(Path(folder) / "adult_train.csv")
    _, *test = read(Path(folder) / "adult_test.csv")
    for seed in range(SEEDS):
        compare(found["adult"], Split(names, learn, test), INCOME, seed)
    return found


def compare(found: dict[str, Any], split: Split, target: str, seed: int) -> None:
    """Train each program on the split, in turn."""
    is_regression = target == PRICE
    truth = column(split.test, split.names.index(target))
    score: Callable[[Any], float]
    if is_regression:
        y = np.array(truth, float)

        def score(answers: Any) -> float:
            return float(np.sqrt(((np.asarray(answers, float) - y) ** 2).mean()) / UNIT)
    else:

        def score(answers: Any) -> float:
            return float(np.mean([answer == true for answer, true in zip(answers, truth, strict=True)]))

    programs = {"pellucid": ours} | {name: beside(make) for name, make in peers(is_regression, seed).items()}
    for name, program in programs.items():
        start = time.perf_counter()
        answers = program(split, target, seed)
        seconds = time.perf_counter() - start
        entry = found.setdefault(name, {"figures": [], "seconds": []})
        entry["figures"].append(score(answers))
        entry["seconds"].append(seconds)


def ours(split: Split, target: str, seed: int) -> Any:
    """``pl.train`` with all of its defaults, and its answers."""
    model = pl.train(pl.datasets.table(as_columns(split.names, split.learn), target), seed=seed, progress="none")
    answers = model.predict(as_columns(split.names, split.test))
    return answers.values if answers.values is not None else [model.labels[k] for k in answers.probabilities.argmax(axis=1)]


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


def beside(estimator: Any) -> Callable[[Split, str, int], Any]:
    """A program of scikit-learn, with the columns as it needs them."""

    def run(split: Split, target: str, seed: int) -> Any:
        place = split.names.index(target)
        learn, test = numbers_and_words(split, place)
        y: Any = column(split.learn, place)
        y = np.array(y, float) if target == PRICE else y
        return program(estimator).fit(learn, y).predict(test)

    return run


def program(estimator: Any) -> Pipeline:
    numbers = (
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        if "HistGradientBoosting" not in type(estimator).__name__
        else "passthrough"
    )
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include=float)), (words, make_column_selector(dtype_include=object))
    )
    return make_pipeline(columns, estimator)


def numbers_and_words(split: Split, place: int) -> tuple[Any, Any]:
    """Frames of the inputs: columns that are numbers in all rows are float, the others words."""
    import pandas as pd

    frames = []
    for rows in (split.learn, split.test):
        frame = pd.DataFrame(rows, columns=split.names).drop(columns=split.names[place])
        frames.append(frame)
    for name in frames[0].columns:
        try:
            numbers = [pd.to_numeric(frame[name].replace("", None)).astype(float) for frame in frames]
        except ValueError:
            numbers = [frame[name].astype(object) for frame in frames]
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
