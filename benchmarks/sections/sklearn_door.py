"""One import changed: ``NetworkClassifier`` beside ``MLPClassifier``, both with their defaults, on five sets.

The arguments are a folder as in `sections.tables`, and the number of rounds. Each round has another seed, and both in turn,
in one process, on the same arrays: pixels from 0 to 1, other numbers standardised on the training rows, categories one-hot,
gaps filled with the median. Time is that of ``fit`` and of the answers for the test rows.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import pellucid as pl
from pellucid.sklearn import NetworkClassifier, NetworkRegressor
from sections.tables import HOUSES, INCOME, PRICE, UNIT, Split, column, fifth, numbers_and_words, program, read

CLASSIFIERS = {"pellucid": NetworkClassifier, "scikit-learn": MLPClassifier}
REGRESSORS = {"pellucid": NetworkRegressor, "scikit-learn": MLPRegressor}


class Division(NamedTuple):
    """Rows to learn from and rows to test on, as arrays."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any


def measure(folder: str, rounds: int) -> dict[str, Any]:
    """For each set: rows, features, what the score is; and of both the seconds, scores and epochs of each round."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    for programs, y in ((CLASSIFIERS, [0, 1] * 5), (REGRESSORS, np.arange(10.0))):  # what is loaded when first used
        for make in programs.values():
            make(max_iter=2).fit(np.eye(10), y).predict(np.eye(10))
    found = {}
    for name, division in divisions(Path(folder)):
        is_regression = division.y.dtype.kind == "f"
        programs = REGRESSORS if is_regression else CLASSIFIERS
        score = "R2" if is_regression else "accuracy"
        found[name] = entry = {"rows": len(division.x), "features": division.x.shape[1], "score": score}
        for seed in range(rounds):
            for side, make in programs.items():
                own = entry.setdefault(side, {"seconds": [], "scores": [], "epochs": []})
                add(own, make(random_state=seed), division)
    return found


def add(entry: dict[str, list[Any]], estimator: Any, division: Division) -> None:
    start = time.perf_counter()
    estimator.fit(division.x, division.y)
    answers = estimator.predict(division.x_test)
    entry["seconds"].append(time.perf_counter() - start)
    right = answers == division.y_test
    error = np.square(answers - division.y_test) if division.y.dtype.kind == "f" else None
    spread = None if error is None else np.square(division.y_test - division.y_test.mean()).mean()
    entry["scores"].append(float(right.mean() if error is None else 1 - error.mean() / spread))
    entry["epochs"].append(estimator.n_iter_)


def divisions(folder: Path) -> Iterator[tuple[str, Division]]:
    """The five sets, the smallest first."""
    yield "breast cancer", standardised(*load_breast_cancer(return_X_y=True))
    x, y = load_digits(return_X_y=True)
    yield "small digits", divided(x / 16, y)
    yield "California housing", houses(folder)
    yield "Adult", adult(folder)
    (x, y), (x_test, y_test) = pl.datasets.digits()
    yield "MNIST", Division(pixels(x), y, pixels(x_test), y_test)


def pixels(x: Any) -> Any:
    return (x.reshape(len(x), -1) / 255).astype(np.float32)


def divided(x: Any, y: Any) -> Division:
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    return Division(x, y, x_test, y_test)


def standardised(x: Any, y: Any) -> Division:
    division = divided(x, y)
    scaler = StandardScaler().fit(division.x)
    return division._replace(x=scaler.transform(division.x), x_test=scaler.transform(division.x_test))


def houses(folder: Path) -> Division:
    names, *rows = read(folder / HOUSES)
    test, learn = fifth(rows, 0)
    x, x_test = encoded(Split(names, learn, test, PRICE, UNIT))
    y, y_test = (np.array(column(part, names.index(PRICE)), float) for part in (learn, test))
    return Division(x, (y - y.mean()) / y.std(), x_test, (y_test - y.mean()) / y.std())


def adult(folder: Path) -> Division:
    names, *learn = read(folder / "adult_train.csv")
    _, *test = read(folder / "adult_test.csv")
    x, x_test = encoded(Split(names, learn, test, INCOME, None))
    y, y_test = (np.array(column(part, names.index(INCOME))) for part in (learn, test))
    return Division(x, y, x_test, y_test)


def encoded(split: Split) -> tuple[Any, Any]:
    """Numbers standardised, gaps filled, categories one-hot: as `sections.tables` does it for scikit-learn's MLP."""
    learn, test = numbers_and_words(split)
    columns = program(MLPClassifier())[:-1]
    return columns.fit_transform(learn), columns.transform(test)


if __name__ == "__main__":
    json.dump(measure(sys.argv[1], int(sys.argv[2])), sys.stdout)
