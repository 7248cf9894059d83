"""NetworkRegressor: in the place of scikit-learn's ``MLPRegressor``."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.utils._param_validation import StrOptions

from pellucid.core.shapes import AnyArray, Array
from pellucid.interop.estimators.architecture import initializer_of
from pellucid.interop.estimators.base import NetworkEstimator
from pellucid.interop.estimators.from_mlp import taken_over
from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.mathematics.losses import Loss, PinballLoss
from pellucid.nn.layers.outputs.regression import Regression

LOSSES = {  # scikit-learn's names, and ours
    "squared_error": "mse",
    "absolute_error": "mae",
    "huber": "huber",
    "poisson": "poisson",
}


@dataclass(eq=False, repr=False)
class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """Numbers, one or several a row: ``NetworkRegressor().fit(X, y).predict(X)``.

    The parameters are those of ``MLPRegressor`` and more (`NetworkParameters`); here

    loss  "squared_error", "absolute_error", "huber", "poisson" for counts, or a ``Loss`` of Pellucid
    """

    _: KW_ONLY
    loss: str | Loss = "squared_error"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **NetworkParameters._parameter_constraints,
        "loss": [StrOptions(set(LOSSES)), Loss],
    }

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The numbers (n,) or (n, V) of each row; of the loss ``PinballLoss`` a column for each of its levels."""
        x = self._input(X)
        return self.model_.network.predict(x).astype(np.float64)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R²; of quantiles that of the level nearest to 0.5."""
        predicted, loss = self.predict(X), self._output().loss_function
        if isinstance(loss, PinballLoss) and predicted.ndim == 2:
            predicted = predicted[:, loss.middle]
        return float(r2_score(y, predicted, sample_weight=sample_weight))

    def predict_interval(self, X: Any, confidence: float = 0.9) -> tuple[Array, Array]:
        """(low, high), each (n,) or (n, V): with this confidence the true number lies between them; by the samples that
        ``early_stopping`` holds out, or by ``X_val``."""
        x = self._input(X)
        self._check_measured()
        return self.model_.predict_interval(x, confidence)

    @classmethod
    def from_mlp(cls, mlp: Any) -> NetworkRegressor:
        """A fitted ``MLPRegressor`` of scikit-learn with all of its numbers: its answers, parameters, ``coefs_`` and
        ``intercepts_``. Training goes on from there with ``partial_fit`` or ``warm_start``."""
        return taken_over(cls, mlp, MLPRegressor)

    @property
    def out_activation_(self) -> str:
        """ "identity", and "exp" where counts are expected."""
        return "exp" if self._output().is_of_counts else "identity"

    def _output(self) -> Regression:
        loss = LOSSES[self.loss] if isinstance(self.loss, str) else self.loss
        return Regression(self._values, loss, initializer=initializer_of(self), members=self.ensemble)

    def _targets(self, y: AnyArray, *, reset: bool, classes: Any = None) -> AnyArray:
        """(n, V)."""
        rows = y.reshape(len(y), -1).astype(np.float64)
        if reset:
            self._values = rows.shape[1]
        if rows.shape[1] != self._values:
            raise ValueError(f"y has {rows.shape[1]} values a row; this regressor was fitted on {self._values}.")
        return self._output().check_targets(rows, len(rows))

    def _take_targets(self, mlp: Any) -> None:
        self._values = mlp.n_outputs_

    def _weights(self, sample_weight: NDArray[np.float64] | None, y: AnyArray) -> NDArray[np.float64] | None:
        return sample_weight

    def _labels(self) -> None:
        return None
