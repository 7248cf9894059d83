"""A fitted network of scikit-learn is taken over exactly, and gives its numbers back."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

from pellucid.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NEW = np.random.default_rng(1)
X = NEW.normal(size=(120, 4)) * [1, 10, 0.1, 3]
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
CLASSES = np.array(["a", "b", "c"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 10)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(9,), (8, 5), 6])
@pytest.mark.parametrize("y", [CLASSES, CLASSES == "a"], ids=["three", "two"])
def test_a_classifier(y, sizes, activation):
    mlp = MLPClassifier(sizes, activation, max_iter=30, random_state=0).fit(X, y)
    ours = NetworkClassifier.from_mlp(mlp)
    np.testing.assert_allclose(ours.predict_proba(X), mlp.predict_proba(X), atol=1e-12)
    assert (ours.predict(X) == mlp.predict(X)).all()
    for theirs, own in zip(mlp.coefs_ + mlp.intercepts_, ours.coefs_ + ours.intercepts_, strict=True):
        assert np.array_equal(theirs, own)
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "n_iter_", "t_", "loss_", "best_loss_"):
        assert getattr(ours, name) == getattr(mlp, name), name
    assert ours.get_params().items() >= mlp.get_params().items()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("values", [1, 3])
def test_a_regressor(values, dtype):
    y = X[:, :values].squeeze() * 3
    mlp = MLPRegressor(hidden_layer_sizes=(9,), max_iter=30, random_state=0).fit(X.astype(dtype), y.astype(dtype))
    ours = NetworkRegressor.from_mlp(mlp)
    np.testing.assert_allclose(ours.predict(X), mlp.predict(X), rtol=1e-6 if dtype is np.float64 else 1e-4, atol=1e-6)
    assert ours.coefs_[0].dtype == mlp.coefs_[0].dtype == dtype


def test_a_regressor_of_counts():
    y = np.random.default_rng(1).poisson(np.exp(X[:, 0]))
    mlp = MLPRegressor(loss="poisson", hidden_layer_sizes=(9,), max_iter=30, random_state=0).fit(X, y)
    ours = NetworkRegressor.from_mlp(mlp)
    np.testing.assert_allclose(ours.predict(X), mlp.predict(X), rtol=1e-12)
    assert ours.out_activation_ == mlp.out_activation_


def test_names_of_features_come_along():
    import pandas as pd

    frame = pd.DataFrame(X, columns=list("abcd"))
    ours = NetworkClassifier.from_mlp(MLPClassifier((5,), max_iter=3).fit(frame, CLASSES))
    assert list(ours.feature_names_in_) == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(frame[["b", "a", "c", "d"]])


def test_what_has_no_network_here_is_refused_in_a_sentence():
    several = MLPClassifier((5,), max_iter=3).fit(X, np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1))
    with pytest.raises(ValueError, match="several labels a row"):
        NetworkClassifier.from_mlp(several)
    with pytest.raises(TypeError, match="takes a fitted MLPClassifier, not MLPRegressor"):
        NetworkClassifier.from_mlp(MLPRegressor())
    with pytest.raises(NotFittedError):
        NetworkClassifier.from_mlp(MLPClassifier())
