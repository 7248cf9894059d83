"""What is wrong is said as scikit-learn's users expect it; and nothing is printed unless it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from pellucid.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(3).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
QUICK = {"hidden_layer_sizes": (4,), "max_iter": 2}


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "predict_sets"])
def test_a_classifier_that_is_not_fitted(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(NetworkClassifier(), method)(X)


@pytest.mark.parametrize("method", ["predict", "predict_interval"])
def test_a_regressor_that_is_not_fitted(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(NetworkRegressor(), method)(X)


def test_shapes():
    fitted = NetworkClassifier(**QUICK).fit(X, Y)
    with pytest.raises(ValueError, match="X has 2 features, but NetworkClassifier is expecting 3"):
        fitted.predict(X[:, :2])
    with pytest.raises(ValueError, match="Reshape your data"):
        fitted.predict(X[0])
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[40, 39\]"):
        NetworkClassifier().fit(X, Y[1:])
    with pytest.raises(ValueError, match=r"sample_weight.shape == \(3,\), expected \(40,\)"):
        NetworkClassifier().fit(X, Y, [1, 2, 3])
    with pytest.raises(ValueError, match="contains NaN"):
        NetworkRegressor().fit(np.where(X > 1, np.nan, X), Y)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"alpha": -1}, "The 'alpha' parameter of NetworkRegressor must be a float in the range"),
        ({"solver": "newton"}, "'solver' parameter"),
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes must be > 0, and whole numbers; got \[3, 0\]"),
        ({"hidden_layer_sizes": (2.5,)}, r"got \[2\.5\]"),
        ({"callbacks": [3]}, "a callback is a function of one event, not 3"),
        ({"activation": "rleu"}, "'relu'"),
        ({"layers": "dense4", "dropout": 0.5}, "belong to hidden_layer_sizes"),
        ({"solver": "lbfgs", "dropout": 0.5}, 'dropout has no meaning for solver="lbfgs"'),
        ({"solver": "lbfgs", "layers": "dense4 norm"}, "statistics of batches"),
        ({"solver": "sgd", "learning_rate": "adaptive", "schedule": "cosine"}, "exclude each other"),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"layers": "dens4"}, "dense4"),
        ({"early_stopping": True, "validation_fraction": 0.01}, "validation set is too small"),
    ],
)
def test_parameters_that_cannot_work(parameters, said):
    with pytest.raises(ValueError, match=said):
        NetworkRegressor(**parameters).fit(X, Y)


def test_counts_below_0():
    with pytest.raises(ValueError, match="holds -2; the Poisson loss takes counts, of 0 or more"):
        NetworkRegressor(loss="poisson").fit(X, -2 * Y)


def test_an_argument_that_is_not_there():
    with pytest.raises(TypeError, match="hidden_layers"):
        NetworkClassifier(hidden_layers=(3,))


def test_targets_that_are_no_classes():
    with pytest.raises(ValueError, match="Unknown label type"):
        NetworkClassifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="one class"):
        NetworkClassifier().fit(X, np.zeros(40))
    with pytest.raises(ValueError, match="MultiOutputClassifier"):
        NetworkClassifier().fit(X, np.stack([Y, 1 - Y], axis=1))
    with pytest.raises(ValueError, match=r"has classes not in `self.classes_`: \[2\]"):
        NetworkClassifier(**QUICK, warm_start=True).fit(X, Y).fit(X, Y + 1)


def test_partial_fit():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        NetworkClassifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match="is not the same as on last call"):
        NetworkClassifier(**QUICK).fit(X, Y).partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="early_stopping=True"):
        NetworkRegressor(early_stopping=True).partial_fit(X, Y)
    with pytest.raises(ValueError, match="balanced"):
        NetworkClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1])
    assert not hasattr(NetworkClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(ValueError, match="3 values a row; this regressor was fitted on 1"):
        NetworkRegressor(**QUICK).fit(X, Y).partial_fit(X, X)


def test_what_needs_samples_that_are_held_out():
    with pytest.raises(ValueError, match="X_val and y_val are given together"):
        NetworkRegressor().fit(X, Y, X_val=X)
    with pytest.raises(ValueError, match="early_stopping=True, or fit"):
        NetworkRegressor(**QUICK).fit(X, Y).predict_interval(X)
    with pytest.raises(ValueError, match="calibrate needs samples that are held out"):
        NetworkClassifier(calibrate=True).fit(X, Y)


def test_numbers_too_large():
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        NetworkRegressor(**QUICK, solver="sgd", learning_rate_init=1e6).fit(X * 1e6, X[:, 0] * 1e9)
    with pytest.raises(ValueError, match="too large for float32"):
        NetworkRegressor().fit(X * 1e300, Y)


def test_a_batch_larger_than_the_samples_is_clipped_with_a_warning():
    with pytest.warns(UserWarning, match="batch_size=50 is larger than the number of samples, 40"):
        NetworkRegressor(**QUICK, batch_size=50).fit(X, Y)


@pytest.mark.filterwarnings("error", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_nothing_is_printed_unless_it_is_asked_for(capfd):
    """Neither of unscaled numbers, of which ``pl.Network`` would warn."""
    for estimator in (NetworkClassifier(**QUICK), NetworkRegressor(**QUICK, early_stopping=True)):
        estimator.fit(X * 1000, Y).predict(X)
    assert capfd.readouterr() == ("", "")
    NetworkClassifier(**QUICK, verbose=True).fit(X, Y)
    out, _ = capfd.readouterr()
    assert [line.split(", loss = ")[0] for line in out.splitlines()] == ["Iteration 1", "Iteration 2"]
    NetworkClassifier(**QUICK, progress="lines").fit(X, Y)
    assert "epoch 2/2" in capfd.readouterr().err
