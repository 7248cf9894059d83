"""NetworkClassifier: in the place of scikit-learn's ``MLPClassifier``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from pellucid.core.shapes import AnyArray, Label
from pellucid.data.samples import Samples
from pellucid.interop.estimators.architecture import initializer_of
from pellucid.interop.estimators.base import NetworkEstimator, _is_stochastic
from pellucid.interop.estimators.from_mlp import taken_over
from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.layers.outputs.output import OutputLayer


@dataclass(eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """One of several classes, with probabilities: ``NetworkClassifier().fit(X, y).predict(X)``.

    The parameters are those of ``MLPClassifier`` and more (`NetworkParameters`); here

    class_weight  {class: weight} or "balanced": how much each sample of a class counts; times ``sample_weight``
    calibrate     divide the logits by a temperature that is fitted on the samples held out, so that probabilities come
                  true; needs ``early_stopping`` or ``X_val``

    Two classes are one output with a sigmoid, as there; ``classes_`` are the labels in their order.
    """

    _: KW_ONLY
    class_weight: Any = None
    calibrate: bool = False

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkParameters._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "calibrate": ["boolean"],
    }

    @available_if(_is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one epoch on these samples, from where the last call has ended. The first call needs all ``classes``.
        Gives the classifier."""
        if self.class_weight == "balanced":
            raise ValueError('class_weight="balanced" needs all samples; give partial_fit the weights as a dict.')
        if not hasattr(self, "model_"):
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
        elif classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X: Any) -> AnyArray:
        """The most probable class (n,) of each row."""
        x = self._input(X)
        return self.classes_[self.model_.network.predict(x)]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each of ``classes_`` (n, K), by the temperature if one was fitted."""
        x = self._input(X)
        p = self.model_.predict_proba(x).astype(np.float64)
        p /= p.sum(axis=1, keepdims=True)
        return p

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """The logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def predict_sets(self, X: Any, confidence: float = 0.9) -> NDArray[np.bool_]:
        """(n, K): which of ``classes_`` are possible, so that the true one is among them with this confidence; by the
        samples that ``early_stopping`` holds out, or by ``X_val``."""
        x = self._input(X)
        self._check_measured()
        return self.model_.predict_sets(x, confidence)

    @classmethod
    def from_mlp(cls, mlp: Any) -> NetworkClassifier:
        """A fitted ``MLPClassifier`` of scikit-learn with all of its numbers: its answers, parameters, ``coefs_`` and
        ``intercepts_``. Training goes on from there with ``partial_fit`` or ``warm_start``."""
        return taken_over(cls, mlp, MLPClassifier)

    @property
    def out_activation_(self) -> str:
        """ "logistic" for two classes, else "softmax"."""
        return "logistic" if self.n_outputs_ == 1 else "softmax"

    def _output(self) -> OutputLayer:
        options: dict[str, Any] = {"initializer": initializer_of(self), "members": self.ensemble}
        if len(self.classes_) == 2:
            return BinaryClassification(**options)
        return Classification(len(self.classes_), **options)

    def _targets(self, y: AnyArray, *, reset: bool, classes: Any = None) -> AnyArray:
        """Class numbers (n,)."""
        check_classification_targets(y)
        if y.ndim > 1:
            kind = type_of_target(y)
            raise ValueError(
                f"y is {kind}: {y.shape[1]} answers a row. NetworkClassifier gives one; wrap it in "
                "sklearn.multioutput.MultiOutputClassifier."
            )
        if reset:
            self.classes_ = np.unique(y if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}; a classifier learns from at least two classes.")
        numbers = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        unknown = np.unique(y[self.classes_[numbers] != y])
        if len(unknown):
            raise ValueError(f"`y` has classes not in `self.classes_`: {unknown}; these are {self.classes_}.")
        return numbers.astype(np.int64)

    def _take_targets(self, mlp: Any) -> None:
        self.classes_ = mlp.classes_

    def _weights(self, sample_weight: NDArray[np.float64] | None, y: AnyArray) -> NDArray[np.float64] | None:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if sample_weight is None else by_class * sample_weight

    def _labels(self) -> Sequence[Label]:
        labels = self.classes_.tolist()
        are_plain = all(isinstance(label, str | int) and not isinstance(label, bool) for label in labels)
        return labels if are_plain else list(map(str, labels))

    @property
    def _needs_held_out(self) -> bool:
        return self.calibrate

    def _measure(self, held_out: Samples) -> None:
        super()._measure(held_out)
        if self.calibrate:
            self.model_.calibrate(held_out.x, held_out.y, rows=held_out.rows)
