"""The estimators within the tools of scikit-learn: pipelines, searches, calibration, stacking, inspection, pickles."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate, learning_curve
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from pellucid.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NEW = np.random.default_rng(2)
X = NEW.normal(size=(120, 3))
Y = np.array(["high", "low"])[(X[:, 0] < 0.2).astype(int)]
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 0, "learning_rate_init": 0.05}
CLASSIFIER, REGRESSOR = NetworkClassifier(**SMALL), NetworkRegressor(**SMALL)


def test_pipeline_and_grid_search_with_two_processes():
    """The search chooses the network that can learn; the answers are those of the best one, fitted alone."""
    steps = make_pipeline(StandardScaler(), clone(CLASSIFIER))
    search = GridSearchCV(steps, {"networkclassifier__learning_rate_init": [1e-9, 0.05]}, n_jobs=2, cv=3).fit(X, Y)
    assert search.best_params_ == {"networkclassifier__learning_rate_init": 0.05}
    assert search.best_score_ > 0.9
    alone = make_pipeline(StandardScaler(), clone(CLASSIFIER)).fit(X, Y)
    assert np.array_equal(search.predict_proba(X), alone.predict_proba(X))


def test_column_transformer_with_names_of_features():
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "kind": np.where(X[:, 2] > 0, "x", "y")})
    columns = ColumnTransformer([("numbers", StandardScaler(), ["a", "b"]), ("words", OneHotEncoder(), ["kind"])])
    model = make_pipeline(columns.set_output(transform="default"), clone(CLASSIFIER)).fit(frame, Y)
    assert model.score(frame, Y) > 0.9
    scaled = make_pipeline(StandardScaler(), clone(CLASSIFIER)).set_output(transform="pandas").fit(frame[["a", "b"]], Y)
    assert list(scaled[-1].feature_names_in_) == ["a", "b"]


def test_cross_validation_with_weights_that_are_routed():
    """Weights that forbid one class: without routing they would be lost, and half of the answers would be right."""
    weights = (Y == "low").astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        told = clone(CLASSIFIER).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        found = cross_validate(told, X, Y, params={"sample_weight": weights}, cv=3, return_estimator=True)
    assert all((one.predict(X) == "low").mean() > 0.95 for one in found["estimator"])
    assert cross_val_score(CLASSIFIER, X, Y, cv=3, n_jobs=2).mean() > 0.9


def test_calibration_stacking_bagging_and_several_labels():
    calibrated = CalibratedClassifierCV(clone(CLASSIFIER), cv=2).fit(X, Y)
    assert calibrated.score(X, Y) > 0.9
    stack = StackingClassifier([("network", clone(CLASSIFIER))], LogisticRegression(), cv=2).fit(X, Y)
    assert stack.score(X, Y) > 0.9
    bag = BaggingRegressor(clone(REGRESSOR), n_estimators=2, random_state=0).fit(X, X[:, 0])
    assert bag.score(X, X[:, 0]) > 0.9
    several = MultiOutputClassifier(clone(CLASSIFIER)).fit(X, np.stack([Y, Y[::-1]], axis=1))
    assert several.predict(X).shape == (120, 2)


def test_permutation_importance_finds_the_column_that_matters():
    found = permutation_importance(clone(CLASSIFIER).fit(X, Y), X, Y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 0
    assert found.importances_mean[0] > 0.2


def test_learning_curve():
    sizes, _, test = learning_curve(CLASSIFIER, X, Y, train_sizes=[0.2, 1.0], cv=3)
    assert list(sizes) == [16, 80]
    assert test[1].mean() > 0.85


def test_a_target_in_other_units():
    y = 250_000 + 40_000 * X[:, 0]
    model = TransformedTargetRegressor(clone(REGRESSOR), transformer=StandardScaler()).fit(X, y)
    assert model.score(X, y) > 0.98
    logs = TransformedTargetRegressor(clone(REGRESSOR), func=np.log1p, inverse_func=np.expm1).fit(X, np.exp(X[:, 0]))
    assert logs.score(X, np.exp(X[:, 0])) > 0.9


@pytest.mark.parametrize("estimator", [CLASSIFIER, REGRESSOR])
def test_pickle_and_joblib_give_the_same_bits_and_train_on(estimator, tmp_path):
    y = Y if estimator is CLASSIFIER else X[:, 0]
    fitted = clone(estimator).fit(X, y)
    joblib.dump(fitted, tmp_path / "one.joblib")
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "one.joblib")):
        assert np.array_equal(copy.predict(X), fitted.predict(X))
        copy.partial_fit(X, y)
    fitted.partial_fit(X, y)
    assert np.array_equal(copy.coefs_[0], fitted.coefs_[0])


def test_a_clone_has_the_parameters_and_is_not_fitted():
    fitted = (
        clone(CLASSIFIER)
        .set_params(class_weight={"low": 2.0}, callbacks=[print], layers="dense4")
        .set_params(callbacks=None)
    )
    copy = clone(fitted.fit(X, Y))
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "model_")
    assert not hasattr(copy, "coefs_")


def test_the_picture_of_an_estimator_and_its_name():
    page = make_pipeline(FunctionTransformer(), clone(CLASSIFIER))._repr_html_()
    assert "NetworkClassifier" in page
    assert repr(NetworkClassifier((3,), alpha=0.5)) == "NetworkClassifier(alpha=0.5, hidden_layer_sizes=(3,))"


def test_the_same_seed_gives_the_same_bits_and_none_gives_others():
    first, second = (clone(CLASSIFIER).fit(X, Y) for _ in range(2))
    assert np.array_equal(first.coefs_[0], second.coefs_[0])
    loose = [clone(CLASSIFIER).set_params(random_state=None).fit(X, Y) for _ in range(2)]
    assert not np.array_equal(loose[0].coefs_[0], loose[1].coefs_[0])
