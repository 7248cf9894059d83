"""The parameters mean what they mean in scikit-learn: from the same weights, both make the same steps.

The oracle is ``MLPClassifier`` or ``MLPRegressor`` itself: it draws its weights in an epoch of a vanishing rate, `from_mlp`
takes them over, and then both train on the same batches.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from pellucid.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NEW = np.random.default_rng(0)
X = NEW.normal(size=(300, 6))
THREE = (X[:, 0] + X[:, 1] ** 2 > 0.7).astype(int) + (X[:, 2] > 1)
ONE_NUMBER = 2 * X[:, 0] + np.sin(X[:, 1])
COUNTS = NEW.poisson(np.exp(0.5 * X[:, :2]))
POISSON = partial(MLPRegressor, loss="poisson")
TASKS = {
    "three classes": (MLPClassifier, NetworkClassifier, THREE),
    "two classes": (MLPClassifier, NetworkClassifier, np.array(["no", "yes"])[(THREE > 0).astype(int)]),
    "a number": (MLPRegressor, NetworkRegressor, ONE_NUMBER),
    "two numbers": (MLPRegressor, NetworkRegressor, np.stack([ONE_NUMBER, X[:, 2]], axis=1)),
    "a count": (POISSON, NetworkRegressor, COUNTS[:, 0]),
    "two counts": (POISSON, NetworkRegressor, COUNTS),
}
GRADIENT_DESCENT = {
    "momentum": {},
    "no momentum": {"momentum": 0.0},
    "without Nesterov": {"nesterovs_momentum": False},
    "a large penalty": {"alpha": 2.0},
    "a falling rate": {"momentum": 0.0, "learning_rate": "invscaling", "power_t": 0.2},
    "an adaptive rate": {"momentum": 0.0, "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.02, "max_iter": 60},
    "early": {"n_iter_no_change": 2, "tol": 0.05},
}


def pair(task, **settings):
    """scikit-learn's estimator and ours with the same weights, which go on from there."""
    theirs, ours, y = TASKS[task]
    of_network = {name: settings.pop(name) for name in ("activation",) if name in settings}
    mlp = theirs(hidden_layer_sizes=(12, 7), shuffle=False, random_state=0, learning_rate_init=1e-300, max_iter=1)
    mlp = mlp.set_params(**of_network).fit(X, y)
    network = ours.from_mlp(mlp)
    for one in (mlp, network):
        one.set_params(**{"learning_rate_init": 0.01, "max_iter": 20, "warm_start": True, "batch_size": 100} | settings)
    return mlp, network, y


def apart(mlp, network):
    """The largest difference of a weight, as a share of the largest weight."""
    arrays = list(zip(mlp.coefs_ + mlp.intercepts_, network.coefs_ + network.intercepts_, strict=True))
    return max(np.abs(theirs - ours).max() for theirs, ours in arrays) / max(np.abs(ours).max() for _, ours in arrays)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("settings", GRADIENT_DESCENT.values(), ids=GRADIENT_DESCENT)
@pytest.mark.parametrize("task", TASKS)
def test_gradient_descent(task, settings, weighted):
    mlp, network, y = pair(task, solver="sgd", **settings)
    weights = np.tile([0.5, 2.0, 0.0, 1.5], 75) if weighted else None  # of the same sum in each batch
    before = [one.copy() for one in mlp.coefs_]
    for one in (mlp, network):
        one.fit(X, y, sample_weight=weights)
    assert apart(mlp, network) < 1e-12
    assert np.abs(before[0] - mlp.coefs_[0]).max() > 1e-3  # it has learned
    assert network.n_iter_ == mlp.n_iter_
    assert network.t_ == mlp.t_
    if settings.get("alpha", 0) < 1:  # ours is measured at the end of an epoch, theirs while it lasts
        np.testing.assert_allclose(network.loss_curve_, mlp.loss_curve_, rtol=1e-5)
        assert network.best_loss_ == pytest.approx(mlp.best_loss_, rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_adam(task):
    """With "tanh", since at 0 "relu" has gradients that are 0 for one and rounding for the other; epsilon stands within the
    bias correction there, and outside of it here, as in the paper."""
    mlp, network, y = pair(task, activation="tanh", beta_1=0.8, beta_2=0.99, epsilon=1e-12)
    for one in (mlp, network):
        one.fit(X, y)
    assert apart(mlp, network) < 1e-6
    np.testing.assert_allclose(network.loss_curve_, mlp.loss_curve_, rtol=1e-5)


@pytest.mark.parametrize("task", ["three classes", "two classes", "a number", "a count", "two counts"])
def test_lbfgs(task):
    """For several numbers scikit-learn's loss and its gradient are not those of one function (#8349)."""
    mlp, network, y = pair(task, solver="lbfgs", alpha=0.5)
    weights = np.linspace(0, 2, 300)
    for one in (mlp, network):
        one.fit(X, y, sample_weight=weights)
    assert apart(mlp, network) < 1e-9
    assert network.loss_ == pytest.approx(mlp.loss_, rel=1e-12)
    assert network.n_iter_ == mlp.n_iter_


@pytest.mark.parametrize("task", TASKS)
def test_partial_fit_goes_on(task):
    mlp, network, y = pair(task, solver="sgd", learning_rate="invscaling", momentum=0.0)
    del mlp._optimizer  # the one of the vanishing rate
    for start in (0, 100, 200, 0):
        for one in (mlp, network):
            one.partial_fit(X[start : start + 100], y[start : start + 100])
    assert apart(mlp, network) < 1e-12
    assert network.t_ == mlp.t_
    assert len(network.loss_curve_) == len(mlp.loss_curve_)


@pytest.mark.parametrize("task", ["two classes", "a number", "a count"])
def test_early_stopping_holds_out_judges_and_keeps_the_best(task):
    """For more classes scikit-learn holds out any samples, and we of each class its share."""
    mlp, network, y = pair(task, solver="sgd", early_stopping=True, validation_fraction=0.2, n_iter_no_change=3)
    mlp.validation_scores_, mlp.best_validation_score_ = [], -np.inf
    for one in (mlp, network):
        one.set_params(random_state=3, max_iter=40, batch_size=80)
        one.fit(X, y)
    np.testing.assert_allclose(network.validation_scores_, mlp.validation_scores_, atol=1e-6)
    assert network.best_validation_score_ == pytest.approx(mlp.best_validation_score_, abs=1e-6)
    assert network.n_iter_ == mlp.n_iter_
    assert apart(mlp, network) < 1e-6
