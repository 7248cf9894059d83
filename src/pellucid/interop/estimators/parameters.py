"""The parameters of the estimators: their names, defaults and bounds."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, Options, StrOptions

from pellucid.mathematics.activations import activation
from pellucid.mathematics.optimizers import Optimizer
from pellucid.mathematics.schedules import SCHEDULES, Schedule
from pellucid.nn.layers.members import MOST_MEMBERS
from pellucid.training.progress import ProgressMode

OF_SKLEARN = {"logistic": "sigmoid"}  # its names of activations, where ours has another
PROGRESS = {"auto", "bar", "lines", "none"}


@dataclass(eq=False, repr=False)
class NetworkParameters(BaseEstimator):
    """Those that classification and regression share. Here they are stored, and nothing else; ``fit`` checks them.

    Those of ``MLPClassifier`` mean what they mean there:

    hidden_layer_sizes   units of each hidden layer; () for none
    activation           "identity", "logistic", "tanh", "relu", or another of Pellucid ("silu", "gelu", ...)
    solver               "adam", "sgd", "lbfgs", or an ``Optimizer`` of Pellucid, which has its own learning rate
    alpha                0.5 alpha ||W||^2 / (samples of a batch) is added to the loss
    batch_size           "auto" for the smaller of 200 and the number of samples
    learning_rate        of "sgd": "constant"; "invscaling" by t^power_t; "adaptive": a fifth when learning stands still
    max_iter, tol, n_iter_no_change   epochs, and when to end before them; max_fun for "lbfgs"
    shuffle, random_state, verbose, warm_start, momentum, nesterovs_momentum, beta_1, beta_2, epsilon
    early_stopping, validation_fraction   hold out samples, stop by their score, and keep the best epoch

    Beyond these:

    layers               hidden layers of Pellucid, or words for them ("dense64 norm dropout0.3"), in place of
                         ``hidden_layer_sizes``; a list may begin with ``Input(28, 28)``, the shape of a row
    dropout              rate after each hidden layer
    batch_normalization  before each activation
    ensemble             members inside one network, which share its weights and answer together
    schedule             a name ("cosine", "one_cycle", ...) or a ``Schedule`` over all ``max_iter`` epochs
    callbacks            functions of one event of ``pellucid.events``
    progress             "bar", "lines", "auto" or "none", on standard error
    threads              at most so many; None: as joblib and OpenMP allow
    """

    hidden_layer_sizes: Any = (100,)
    activation: str = "relu"
    _: KW_ONLY
    solver: str | Optimizer = "adam"
    alpha: float = 0.0001
    batch_size: Any = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-4
    verbose: Any = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    max_fun: int = 15000
    layers: Any = None
    dropout: float = 0.0
    batch_normalization: bool = False
    ensemble: int = 1
    schedule: str | Schedule | None = None
    callbacks: Any = None
    progress: ProgressMode = "none"
    threads: int | None = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [str],
        "solver": [StrOptions({"adam", "sgd", "lbfgs"}), Optimizer],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "layers": [str, list, tuple, None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "batch_normalization": ["boolean"],
        "ensemble": [Interval(Integral, 1, MOST_MEMBERS, closed="both")],
        "schedule": [StrOptions(set(SCHEDULES)), Schedule, None],
        "callbacks": [list, tuple, None],
        "progress": [StrOptions(PROGRESS)],
        "threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    @property
    def own_activation(self) -> str:
        """``activation`` by the name that Pellucid has for it."""
        return activation(OF_SKLEARN.get(self.activation, self.activation)).name

    @property
    def hidden_sizes(self) -> list[int]:
        """``hidden_layer_sizes`` as a list."""
        given = self.hidden_layer_sizes
        sizes = list(given) if hasattr(given, "__iter__") else [given]
        if any(not isinstance(size, Integral) or size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, and whole numbers; got {sizes}.")
        return [int(size) for size in sizes]

    def check_parameters(self) -> None:
        """Raise `ValueError` for a value out of its bounds, in scikit-learn's words, or for two that exclude each other."""
        self._validate_params()
        _ = self.own_activation, self.hidden_sizes
        for callback in self.callbacks or ():
            if not callable(callback) or isinstance(callback, type):
                raise ValueError(f"a callback is a function of one event, not {callback!r}.")
        if self.layers is not None and (self.dropout or self.batch_normalization):
            raise ValueError("dropout and batch_normalization belong to hidden_layer_sizes: among layers, name them there.")
        if self.schedule is not None and self.solver == "sgd" and self.learning_rate != "constant":
            raise ValueError(f"schedule and learning_rate={self.learning_rate!r} exclude each other; give one of them.")
        if self.solver == "lbfgs":
            for name in ("dropout", "batch_normalization", "schedule", "callbacks"):
                if getattr(self, name):
                    raise ValueError(f'{name} has no meaning for solver="lbfgs", which has no epochs; use "adam" or "sgd".')
