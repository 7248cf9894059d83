"""What comes in: checked as scikit-learn checks it, and brought into the form of the network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, is_regressor
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from pellucid.core.shapes import AnyArray, Array
from pellucid.interop.estimators.frames import check_frame
from pellucid.models.network import Network

FLOATS = (np.float64, np.float32)
SPARSE = ("csr", "csc")
Division = tuple[NDArray[np.int64], NDArray[np.int64] | None]


def check_pair(estimator: BaseEstimator, X: Any, y: Any, *, reset: bool, is_table: bool) -> tuple[Any, AnyArray]:
    """X and y of one length: X as an array, a sparse matrix, or for a table as the frame that it is; y (n,) or (n, V).

    Sets or, without ``reset``, compares the names and the number of the features.
    """
    if is_table:
        check_frame(X)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if y is None:
            raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
        numeric = "numeric" if is_regressor(estimator) else None
        y = check_array(y, dtype=numeric, ensure_2d=False, ensure_all_finite=True, input_name="y")
        check_consistent_length(X, y)
    else:
        X, y = validate_data(
            estimator,
            X,
            y,
            reset=reset,
            accept_sparse=SPARSE,
            dtype=FLOATS,
            multi_output=True,
            y_numeric=is_regressor(estimator),
        )
    return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def check_alone(estimator: BaseEstimator, X: Any, *, is_table: bool) -> Any:
    """The same for X alone, to answer for."""
    if is_table:
        check_frame(X)
        validate_data(estimator, X, reset=False, skip_check_array=True)
        return X
    return validate_data(estimator, X, reset=False, accept_sparse=SPARSE, dtype=FLOATS)


def check_weights(sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
    """The weights (n,) of the rows of X, each at least 0; None if there are none."""
    if sample_weight is None:
        return None
    weights: NDArray[np.float64] = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return weights


def divided(targets: AnyArray, fraction: float | None, chance: np.random.RandomState) -> Division:
    """(rows to train on, rows that are held out): of each class its share; None are without a ``fraction``."""
    rows = np.arange(len(targets))
    if fraction is None:
        return rows, None
    classes = targets if targets.ndim == 1 else None
    training, held_out = train_test_split(rows, test_size=fraction, random_state=chance, stratify=classes)
    if len(held_out) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return training, held_out


def as_input(network: Network, X: Any) -> Array:
    """Checked numbers (n, D) as the network takes them; a sparse matrix becomes a dense one."""
    if issparse(X):
        X = X.astype(network.dtype).toarray()
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.ascontiguousarray(X, network.dtype)
        is_finite = x is X or np.isfinite(x.sum(dtype=np.float64))
    if not is_finite:
        raise ValueError(f"Input X contains a value too large for {network.dtype}; scale it.")
    return x.reshape(len(x), *network.input.shape)
