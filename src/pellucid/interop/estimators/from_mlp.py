"""A fitted network of scikit-learn, taken over with all of its numbers."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

from pellucid.core.shapes import AnyArray
from pellucid.interop.estimators.architecture import network_layers
from pellucid.interop.estimators.base import NetworkEstimator
from pellucid.interop.estimators.convergence import Progress
from pellucid.models.model import Model
from pellucid.models.network import Network

Estimator = TypeVar("Estimator", bound=NetworkEstimator)
FITTED = ("n_features_in_", "feature_names_in_", "loss_", "loss_curve_", "best_loss_", "n_iter_", "t_")
OF_VALIDATION = ("validation_scores_", "best_validation_score_")


def taken_over(cls: type[Estimator], mlp: Any, kind: Any) -> Estimator:
    """An estimator of this class with the parameters, the weights and the attributes of a fitted one of scikit-learn.

    The network has its type of numbers, so that the answers are the same but for the last digits. Raises `ValueError` for
    what has no network here: several labels a row, or a single class.
    """
    if not isinstance(mlp, kind):
        raise TypeError(f"{cls.__name__}.from_mlp takes a fitted {kind.__name__}, not {type(mlp).__name__}.")
    check_is_fitted(mlp)
    if isinstance(mlp, MLPClassifier) and mlp._label_binarizer.y_type_.startswith("multilabel"):
        raise ValueError("this MLPClassifier gives several labels a row; NetworkClassifier gives one.")
    if isinstance(mlp, MLPClassifier) and len(mlp.classes_) < 2:
        raise ValueError(f"this MLPClassifier has seen one class, {mlp.classes_[0]!r}; NetworkClassifier has at least two.")
    estimator = cls(**mlp.get_params())
    estimator.check_parameters()
    estimator._take_targets(mlp)
    for name in (*FITTED, *OF_VALIDATION):
        if hasattr(mlp, name):
            setattr(estimator, name, getattr(mlp, name))
    layers = network_layers(estimator, mlp.n_features_in_, estimator._output())
    network = Network(layers, 0, mlp.coefs_[0].dtype, arrays=_arrays(mlp, layers))
    estimator.model_ = Model(network, labels=estimator._labels())
    estimator._progress = Progress(
        loss_curve=list(getattr(mlp, "loss_curve_", [])),
        validation_scores=list(getattr(mlp, "validation_scores_", None) or []),
        best_loss=_or(getattr(mlp, "best_loss_", None), np.inf),
        best_score=_or(getattr(mlp, "best_validation_score_", None), -np.inf),
        seen=int(mlp.t_),
    )
    return estimator


def _arrays(mlp: MLPClassifier | MLPRegressor, layers: list[Any]) -> dict[str, AnyArray]:
    """Full name -> array, of all layers."""
    names = Network(layers).parameters
    in_order = [array for pair in zip(mlp.coefs_, mlp.intercepts_, strict=True) for array in pair]
    return dict(zip(names, in_order, strict=True))


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
