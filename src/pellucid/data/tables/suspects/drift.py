"""Columns whose values are distributed otherwise in a second table: by two tests, each with the size of the difference."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import percent
from pellucid.data.tables.columns import CategoryColumn, Column, DateColumn, OrderedColumn, date_in_words
from pellucid.data.tables.suspects.suspect import Suspect

DIFFERS = 0.1  # of the rows; smaller differences are not worth a word, however sure
SURE = 1.95  # of Kolmogorov's distribution: by chance, one column in a thousand lies beyond
SURE_OF_NORMAL = 3.09  # the same of a normal distribution
OTHERWISE = "its values are distributed otherwise in the test"


def drift(name: str, column: Column, training: NDArray[np.float64], test: NDArray[np.float64]) -> Suspect | None:
    """A column (n,) of the training rows and (m,) of the test rows, if they differ by more than a tenth of the rows, and by
    more than chance."""
    if isinstance(column, CategoryColumn):
        return _of_categories(name, column, training, test)
    distance = largest_difference(training, test)
    if distance < max(DIFFERS, SURE * math.sqrt(1 / len(training) + 1 / len(test))):
        return None
    if isinstance(column, DateColumn) and not (np.isnan(training).all() or np.isnan(test).all()):
        return _of_dates(name, distance, training, test)
    center, gaps = (
        [_center(column, one) for one in (training, test)],
        [float(np.isnan(one).mean()) for one in (training, test)],
    )
    missing = f"; missing are {percent(gaps[0])} and {percent(gaps[1])}" if any(gaps) else ""
    evidence = (
        f"median {center[0]} in training, {center[1]} in the test{missing}; the shares of rows up to a value differ by up "
        f"to {percent(distance)}"
    )
    numbers = {"distance": distance, "missing_in_training": gaps[0], "missing_in_test": gaps[1]}
    return Suspect("drift", name, OTHERWISE, evidence, numbers)


def largest_difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The largest difference of the shares of rows up to a value, over all values: the statistic of Kolmogorov and Smirnov.
    Rows without a value count as lower than all others."""
    one, other = (np.sort(np.where(np.isnan(values), -np.inf, values)) for values in (one, other))
    places = np.concatenate([one, other])
    shares = [np.searchsorted(values, places, side="right") / len(values) for values in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def _of_dates(name: str, distance: float, training: NDArray[np.float64], test: NDArray[np.float64]) -> Suspect:
    """Time that runs from training to test, or back."""
    before, after = training[~np.isnan(training)], test[~np.isnan(test)]
    is_later = bool(np.median(after) > np.median(before))
    beyond = float((after > before.max()).mean() if is_later else (after < before.min()).mean())
    word = "later" if is_later else "earlier"
    ranges = (f"{date_in_words(float(one.min()))} to {date_in_words(float(one.max()))}" for one in (before, after))
    evidence = (
        "training from {}, test from {}; ".format(*ranges)
        + f"{percent(beyond)} of the test lies {'after' if is_later else 'before'} all of training"
    )
    return Suspect(word, name, f"its dates lie {word} in the test", evidence, {"distance": distance, "beyond": beyond})


def _of_categories(
    name: str, column: CategoryColumn, training: NDArray[np.float64], test: NDArray[np.float64]
) -> Suspect | None:
    """The share of the rows that would have to change for equal shares of all values (total variation), and the chi-squared
    test of equal shares."""
    size = len(column.values) + 1  # a last one for values that only the test has
    one, other = (np.bincount(_codes(values, size), minlength=size) for values in (training, test))
    shares = one / one.sum(), other / other.sum()
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    if distance < DIFFERS or _as_normal(one, other) < SURE_OF_NORMAL:
        return None
    new = float(shares[1][-1] - shares[0][-1])
    most = int(np.abs(shares[0] - shares[1]).argmax())
    value = "a value that training has not" if most == size - 1 else repr(column.values[most])
    evidence = (
        f"{value}: {percent(float(shares[0][most]))} in training, {percent(float(shares[1][most]))} in the test; in all, "
        f"the shares of values differ by {percent(distance)}"
    )
    return Suspect("drift", name, OTHERWISE, evidence, {"distance": distance, "unknown_in_test": max(new, 0.0)})


def _as_normal(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """The chi-squared statistic of equal shares, as a number that is standard normal by chance (Wilson, Hilferty 1931)."""
    came = one + other > 0
    a, b = one[came].astype(float), other[came].astype(float)
    freedom = len(a) - 1
    if not freedom:
        return 0.0
    ratio = math.sqrt(b.sum() / a.sum())
    chi2 = float(((ratio * a - b / ratio) ** 2 / (a + b)).sum())
    spread = 2 / (9 * freedom)
    return float(((chi2 / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))


def _codes(values: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    return np.where(np.isnan(values), size - 1, values).astype(np.int64)


def _center(column: Column, values: NDArray[np.float64]) -> str:
    """The median of what is not missing, in words."""
    present = values[~np.isnan(values)]
    if not len(present):
        return "nothing"
    if isinstance(column, OrderedColumn):
        return repr(column.levels[int(np.quantile(present, 0.5, method="lower"))])
    median = float(np.median(present))
    return date_in_words(median) if isinstance(column, DateColumn) else f"{median:.6g}"
