"""What both estimators share: fit, partial_fit, and what is known after them."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from pellucid.core.shapes import AnyArray, Array, Label
from pellucid.data.samples import Samples
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.interop.estimators.architecture import draw_biases, network_layers
from pellucid.interop.estimators.convergence import Progress
from pellucid.interop.estimators.fitting import fit_stochastic, samples_of
from pellucid.interop.estimators.frames import encode, fit_pipeline, needs_pipeline, target_columns
from pellucid.interop.estimators.inputs import as_input, check_alone, check_pair, check_weights, divided
from pellucid.interop.estimators.lbfgs import fit_lbfgs
from pellucid.interop.estimators.parameters import NetworkParameters
from pellucid.interop.estimators.threads import limit_answers
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.models.table_front import embedding_of
from pellucid.nn.layers.outputs.output import OutputLayer

LARGEST_SEED = np.iinfo(np.int32).max
Validation = tuple[Any, Any, Any] | None  # X, y and sample weights


def _is_stochastic(estimator: NetworkParameters) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


@dataclass(eq=False, repr=False)
class NetworkEstimator(NetworkParameters):
    """An estimator that holds a Pellucid model, ``model_``, once it is fitted.

    Of the attributes of ``MLPClassifier`` it has coefs_, intercepts_, loss_, best_loss_, loss_curve_, validation_scores_,
    best_validation_score_, n_iter_, t_, n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_; beside
    them validation_loss_curve_.
    """

    @abstractmethod
    def _output(self) -> OutputLayer:
        """The output layer for the targets that `_targets` has seen."""

    @abstractmethod
    def _targets(self, y: AnyArray, *, reset: bool, classes: Any = None) -> AnyArray:
        """Checked targets as the output layer has them; with ``reset`` they, or the ``classes``, say what it is to be."""

    @abstractmethod
    def _take_targets(self, mlp: Any) -> None:
        """What `_targets` has seen, from a fitted estimator of scikit-learn."""

    @abstractmethod
    def _weights(self, sample_weight: NDArray[np.float64] | None, y: AnyArray) -> NDArray[np.float64] | None:
        """The weights of the samples, by all that the estimator knows of."""

    @abstractmethod
    def _labels(self) -> Sequence[Label] | None:
        """The labels of the model's classes; None for a regression."""

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Any:
        """Train on X (n, D), an array, a sparse matrix or a frame, and y. With ``X_val`` and ``y_val`` each epoch is judged
        on these; ``early_stopping`` then follows them and holds nothing out itself. Gives the estimator."""
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val are given together, or neither of them.")
        validation = None if X_val is None else (X_val, y_val, sample_weight_val)
        continues = self.warm_start and hasattr(self, "model_")
        return self._fit(X, y, sample_weight, validation, continues=continues, epochs=self.max_iter)

    @available_if(_is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one epoch on these samples, from where the last call has ended. Gives the estimator."""
        return self._partial_fit(X, y, sample_weight)

    @property
    def coefs_(self) -> list[Array]:
        """The weights (D, U) of each layer; a change in place changes the network."""
        return [array for name, array in self._parameters() if name.endswith("weight")]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases (U,) of each layer; a change in place changes the network."""
        return [array for name, array in self._parameters() if name.endswith("bias")]

    @property
    def n_layers_(self) -> int:
        """The layers with weights, and the input."""
        return len(self.coefs_) + 1

    @property
    def n_outputs_(self) -> int:
        """How many numbers the last layer gives; 1 for two classes."""
        return self.model_.network.output.num_outputs

    def _parameters(self) -> list[tuple[str, Array]]:
        return list(self.model_.network.parameters.items())

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> NetworkEstimator:
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        continues = hasattr(self, "model_")
        return self._fit(X, y, sample_weight, None, continues=continues, epochs=None, classes=classes)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: Validation,
        *,
        continues: bool,
        epochs: int | None,
        classes: Any = None,
    ) -> NetworkEstimator:
        """All of `fit` and `partial_fit`: the latter has no ``epochs``, and makes one."""
        self.check_parameters()
        chance = check_random_state(self.random_state)
        is_table = self._reads_tables if continues else needs_pipeline(X)
        X, checked_y = check_pair(self, X, y, reset=not continues, is_table=is_table)
        targets = self._targets(checked_y, reset=not continues, classes=classes)
        weights = self._weights(check_weights(sample_weight, X), checked_y)
        holds_out = self.early_stopping and validation is None and self.solver != "lbfgs"
        rows, held_out_rows = divided(targets, self.validation_fraction if holds_out else None, chance)
        if held_out_rows is None and validation is None and self._needs_held_out:
            raise ValueError("calibrate needs samples that are held out: early_stopping=True, or fit(..., X_val=, y_val=).")
        if continues:
            x = self._numbers(X)
        else:
            x = self._begin(X, y, rows, is_table, chance.randint(LARGEST_SEED))
        samples = samples_of(x, targets, weights)
        training = replace(samples, rows=rows)
        if validation is not None:
            held_out: Samples | None = self._validation(*validation)
        else:
            held_out = None if held_out_rows is None else replace(samples, rows=held_out_rows)
        total = float(len(rows) if weights is None else weights[rows].sum())
        if self.solver == "lbfgs":
            self.loss_, self.n_iter_ = fit_lbfgs(self.model_.network, self, training, total)
            self.t_ = self._progress.seen
        else:
            self._fit_stochastic(training, held_out, total, epochs)
        if not np.isfinite(self.model_.network.parameters.vector).all():
            raise ValueError("Solver produced non-finite parameter weights. The input data may contain large values.")
        if held_out is not None:
            self._measure(held_out)
        return self

    def _begin(self, X: Any, y: Any, rows: NDArray[np.int64], is_table: bool, seed: int) -> Array:
        """Make the network for these rows to learn from, and give the numbers of X."""
        pipeline: TablePipeline | None = None
        if is_table:
            targets = target_columns(y, list(map(str, X.columns)), self._labels())
            pipeline, X = fit_pipeline(X, rows, targets)
        dtype = np.float64 if self.solver == "lbfgs" else np.float32
        embedding = None if pipeline is None else embedding_of(pipeline)
        network = Network(network_layers(self, X.shape[1], self._output(), embedding), seed, dtype)
        if self.layers is None:
            draw_biases(network)
        network.pipeline = pipeline
        self.model_ = Model(network, labels=self._labels())
        self._progress = Progress()
        return as_input(network, X)

    def _validation(self, X: Any, y: Any, sample_weight: Any) -> Samples:
        X, y = check_pair(self, X, y, reset=False, is_table=self._reads_tables)
        return samples_of(self._numbers(X), self._targets(y, reset=False), check_weights(sample_weight, X))

    def _fit_stochastic(self, training: Samples, held_out: Samples | None, total: float, epochs: int | None) -> None:
        progress = self._progress
        begins = epochs is not None or self.model_.network.training_state.optimizer is None
        ended = fit_stochastic(
            self.model_.network, self, progress, training, held_out, total_weight=total, epochs=epochs or 1, begins=begins
        )
        self.n_iter_, self.t_, self.loss_curve_ = ended.epochs, progress.seen, progress.loss_curve
        self.loss_ = progress.loss_curve[-1] if progress.loss_curve else math.nan  # it was ended in its first epoch
        self.validation_scores_ = progress.validation_scores or None
        self.validation_loss_curve_ = progress.validation_losses or None
        self.best_loss_ = None if self.early_stopping else progress.best_loss
        self.best_validation_score_ = max(progress.validation_scores) if progress.validation_scores else None
        if epochs is not None and ended.epochs == epochs and not ended.converged:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _measure(self, held_out: Samples) -> None:
        """Measure on held-out samples what the answers are worth, for intervals and sets of labels."""
        self.model_.conformal(held_out.x, held_out.y, rows=held_out.rows)

    def _check_measured(self) -> None:
        """Raise `ValueError` if `_measure` had no samples."""
        if not self.model_.conformal_scores:
            raise ValueError(
                "a confidence is measured on samples that are held out, and there were none in the last fit: use "
                "early_stopping=True, or fit(..., X_val=, y_val=)."
            )

    @property
    def _needs_held_out(self) -> bool:
        return False

    @property
    def _reads_tables(self) -> bool:
        return isinstance(self.model_.pipeline, TablePipeline)

    def _numbers(self, X: Any) -> Array:
        """Checked X as the input of the network."""
        pipeline = self.model_.pipeline
        return as_input(self.model_.network, encode(pipeline, X) if isinstance(pipeline, TablePipeline) else X)

    def _input(self, X: Any) -> Array:
        """X to answer for, checked, as the input of the network."""
        check_is_fitted(self, "model_")
        limit_answers(self.model_.network, self.threads)
        return self._numbers(check_alone(self, X, is_table=self._reads_tables))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
