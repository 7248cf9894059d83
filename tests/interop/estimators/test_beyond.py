"""What users of scikit-learn's MLP have asked for, each beside something that knows the answer by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, mean_absolute_error, r2_score

import pellucid as pl
from pellucid.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NEW = np.random.default_rng(5)
X = NEW.normal(size=(400, 4))
TWO = np.where(X[:, 0] + NEW.normal(size=400) > 0, "yes", "no")
THREE = (X[:, 0] > 0.5).astype(int) + (X[:, 1] > 0)
NUMBER = X[:, 0] - 2 * X[:, 1] + NEW.normal(size=400)
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 10, "random_state": 0, "learning_rate_init": 0.02}


class TestNoHiddenLayer:
    """Then the network is a linear model, which scikit-learn solves exactly."""

    def test_logistic_regression(self):
        exact = LogisticRegression(C=1 / 0.5, tol=1e-10, max_iter=1000).fit(X, TWO)
        ours = NetworkClassifier((), solver="lbfgs", alpha=0.5, tol=1e-9, max_iter=1000, random_state=0).fit(X, TWO)
        np.testing.assert_allclose(ours.coefs_[0][:, 0], exact.coef_[0], atol=2e-4)
        np.testing.assert_allclose(ours.intercepts_[0], exact.intercept_, atol=2e-4)

    def test_linear_regression_of_several_targets(self):
        y = np.stack([NUMBER, 3 + X[:, 2]], axis=1)
        exact = LinearRegression().fit(X, y)
        ours = NetworkRegressor((), solver="lbfgs", alpha=0, tol=1e-9, random_state=0).fit(X, y)
        np.testing.assert_allclose(ours.coefs_[0], exact.coef_.T, atol=2e-4)
        np.testing.assert_allclose(ours.predict(X), exact.predict(X), atol=1e-3)

    @pytest.mark.parametrize(("loss", "answer"), [("absolute_error", np.median), ("squared_error", np.mean)])
    def test_the_loss_of_a_regression_says_what_is_predicted(self, loss, answer):
        """Where nothing is known but the target, absolute error gives the median, squared error the mean."""
        y = np.exp(np.random.default_rng(6).normal(size=401))
        nothing = np.zeros((401, 1))
        whole = {"batch_size": 401, "n_iter_no_change": np.inf, "max_iter": 600, "schedule": "cosine", "random_state": 0}
        ours = NetworkRegressor((), loss=loss, alpha=0, learning_rate_init=0.05, **whole)
        assert ours.fit(nothing, y).predict([[0.0]])[0] == pytest.approx(answer(y), abs=0.01)

    def test_a_loss_of_pellucid(self):
        wide, narrow = (
            NetworkRegressor(
                (), loss=pl.Huber(delta), alpha=0, max_iter=400, tol=0, learning_rate_init=0.05, random_state=0
            )
            .fit(np.zeros((4, 1)), [0.0, 0.0, 0.0, 100.0])
            .predict([[0.0]])[0]
            for delta in (1000.0, 0.1)
        )
        assert abs(narrow) < 1 < wide


class TestWeights:
    def test_class_weights_are_sample_weights(self):
        weighted = NetworkClassifier(**SMALL, class_weight={"yes": 3.0, "no": 0.5}).fit(X, TWO)
        by_sample = NetworkClassifier(**SMALL).fit(X, TWO, np.where(TWO == "yes", 3.0, 0.5))
        assert np.array_equal(weighted.coefs_[0], by_sample.coefs_[0])

    def test_balanced_classes_times_sample_weights(self):
        weights = np.linspace(1, 2, 400)
        counts = {one: np.sum(one == THREE) for one in range(3)}
        by_hand = np.array([400 / (3 * counts[one]) for one in THREE]) * weights
        ours = NetworkClassifier(**SMALL, class_weight="balanced").fit(X, THREE, weights)
        by_sample = NetworkClassifier(**SMALL).fit(X, THREE, by_hand)
        assert np.array_equal(ours.coefs_[0], by_sample.coefs_[0])

    def test_weights_of_validation_samples_count(self):
        weights = np.linspace(0, 1, 400)
        ours = NetworkClassifier(**SMALL).fit(X, TWO, X_val=X, y_val=TWO, sample_weight_val=weights)
        assert ours.validation_scores_[-1] == pytest.approx(ours.score(X, TWO, weights), abs=1e-6)


class TestValidation:
    def test_the_loss_and_the_score_of_a_given_set_each_epoch(self):
        ours = NetworkClassifier(**SMALL).fit(X[:300], THREE[:300], X_val=X[300:], y_val=THREE[300:])
        assert len(ours.validation_loss_curve_) == len(ours.validation_scores_) == ours.n_iter_ == 10
        true = log_loss(THREE[300:], ours.predict_proba(X[300:]))
        assert ours.validation_loss_curve_[-1] == pytest.approx(true, rel=1e-5)
        assert ours.validation_scores_[-1] == pytest.approx(ours.score(X[300:], THREE[300:]))

    def test_early_stopping_keeps_the_best_epoch_of_a_given_set(self):
        """With a rate that is far too high the best epoch is not the last one."""
        hot = SMALL | {"learning_rate_init": 0.5, "max_iter": 30, "early_stopping": True, "n_iter_no_change": 5}
        ours = NetworkRegressor(**hot).fit(X[:300], NUMBER[:300], X_val=X[300:], y_val=NUMBER[300:])
        scores = ours.validation_scores_
        assert max(scores) > scores[-1] + 0.01
        assert r2_score(NUMBER[300:], ours.predict(X[300:])) == pytest.approx(max(scores), abs=1e-5)
        assert ours.best_loss_ is None

    def test_intervals_hold_the_truth_as_often_as_they_say(self):
        ours = NetworkRegressor(**SMALL).fit(X[:200], NUMBER[:200], X_val=X[200:], y_val=NUMBER[200:])
        new = np.random.default_rng(7)
        fresh = new.normal(size=(4000, 4))
        true = fresh[:, 0] - 2 * fresh[:, 1] + new.normal(size=4000)
        low, high = ours.predict_interval(fresh, 0.8)
        assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.8, abs=0.08)

    def test_sets_of_classes_hold_the_truth_as_often_as_they_say(self):
        ours = NetworkClassifier(**SMALL).fit(X[:200], TWO[:200], X_val=X[200:], y_val=TWO[200:])
        new = np.random.default_rng(8)
        fresh = new.normal(size=(4000, 4))
        true = (fresh[:, 0] + new.normal(size=4000) > 0).astype(int)  # "yes" is the second of the classes
        sets = ours.predict_sets(fresh, 0.9)
        assert sets[np.arange(4000), true].mean() == pytest.approx(0.9, abs=0.06)

    def test_calibrated_probabilities(self):
        """A network that has learned its samples by heart is far too sure; a temperature mends it, and no answer."""
        settings = {
            "hidden_layer_sizes": (100,),
            "max_iter": 200,
            "random_state": 0,
            "learning_rate_init": 0.01,
            "alpha": 0,
        }
        plain, calibrated = (
            NetworkClassifier(**settings, calibrate=calibrate).fit(X[:100], TWO[:100], X_val=X[100:250], y_val=TWO[100:250])
            for calibrate in (False, True)
        )
        assert np.array_equal(plain.predict(X), calibrated.predict(X))
        before, after = (log_loss(TWO[250:], one.predict_proba(X[250:])) for one in (plain, calibrated))
        assert after < 0.8 * before
        np.testing.assert_allclose(calibrated.predict_log_proba(X), np.log(calibrated.predict_proba(X)))


class TestArchitecture:
    def test_layers_in_words_and_as_objects(self):
        words = NetworkClassifier(layers="dense6 norm dropout0.2", max_iter=2).fit(X, THREE)
        objects = NetworkClassifier(layers=[pl.Dense(6, "relu"), pl.BatchNormalization(), pl.Dropout(0.2)], max_iter=2)
        assert words.model_.network.layers == objects.fit(X, THREE).model_.network.layers

    def test_dropout_and_batch_normalization(self):
        ours = NetworkClassifier((5, 4), "silu", dropout=0.3, batch_normalization=True, max_iter=1).fit(X, THREE)
        kinds = [type(layer).__name__ for layer in ours.model_.network.layers]
        assert kinds == ["Input", *["Dense", "BatchNormalization", "Dropout"] * 2, "Classification"]
        assert [one.shape for one in ours.coefs_] == [(4, 5), (5, 4), (4, 3)]
        assert ours.model_.network.layers[2].activation == "silu"

    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    def test_an_ensemble_answers_with_the_mean_of_its_members(self, solver):
        ours = NetworkClassifier(**SMALL | {"solver": solver}, ensemble=4).fit(X, THREE)
        numbers = ours.model_.network.parameters
        scaled = X[:5, None] * numbers["ensemble_dense_1.input_scales"]
        sums = scaled @ numbers["ensemble_dense_1.weight"] * numbers["ensemble_dense_1.output_scales"]
        hidden = np.maximum(sums + numbers["ensemble_dense_1.bias"], 0)
        logits = np.einsum("bmd,mdv->bmv", hidden, numbers["output.weight"]) + numbers["output.bias"]
        by_hand = np.exp(logits.mean(axis=1))
        np.testing.assert_allclose(
            ours.predict_proba(X[:5]), by_hand / by_hand.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6
        )
        with pytest.raises(ValueError, match="cannot be in it"):
            NetworkClassifier(ensemble=4, batch_normalization=True).fit(X, THREE)

    def test_pictures_in_rows(self):
        x, y = load_digits(return_X_y=True)
        layers = [pl.Input(8, 8), pl.Conv2D(8, 3, activation="relu"), pl.MaxPooling2D(2), pl.Flatten()]
        ours = NetworkClassifier(layers=layers, max_iter=10, learning_rate_init=0.01, random_state=0).fit(
            x[:1000], y[:1000]
        )
        assert ours.score(x[1000:], y[1000:]) > 0.85
        assert NetworkClassifier(layers=layers, max_iter=1).fit(x[:150], y[:150]).predict(x[:9]).shape == (9,)  # one batch
        with pytest.raises(ValueError, match=r"Input\(8, 8\), 64 numbers; X has 63 features"):
            NetworkClassifier(layers=layers).fit(x[:, 1:], y)

    def test_an_optimizer_of_pellucid(self):
        ours = NetworkRegressor(**SMALL | {"solver": pl.AdamW(0.02, weight_decay=0.1)}).fit(X, NUMBER)
        assert type(ours.model_.network.training_state.optimizer).__name__ == "AdamW"
        assert ours.score(X, NUMBER) > 0.3


class TestTraining:
    def test_callbacks_hear_every_step_and_can_end_it(self):
        heard = []

        def listen(event):
            heard.append(type(event).__name__)
            if heard.count("EpochFinished") == 3:
                raise pl.StopTraining

        ours = NetworkRegressor(**SMALL, batch_size=100, callbacks=[listen]).fit(X, NUMBER)
        assert ours.n_iter_ == 3
        assert heard == ["TrainingStarted", *(["StepFinished"] * 4 + ["EpochFinished"]) * 3, "TrainingFinished"]

    def test_a_schedule_over_all_epochs(self):
        ours = NetworkRegressor(**SMALL, schedule="cosine").fit(X, NUMBER)
        rates = ours.model_.network.history["learning_rate"]
        steps = np.arange(1, 11) * 2 - 1  # the last of each epoch, of 20
        np.testing.assert_allclose(rates, 0.02 * (1 + np.cos(np.pi * steps / 20)) / 2)

    def test_a_warm_start_goes_on_from_the_same_weights(self):
        ours = NetworkRegressor(**SMALL, warm_start=True).fit(X, NUMBER)
        network, loss = ours.model_.network, ours.loss_
        ours.fit(X, NUMBER)
        assert ours.model_.network is network
        assert ours.loss_ < loss
        assert len(ours.loss_curve_) == 20

    def test_a_training_that_is_ended_in_its_first_step(self):
        def end(event):
            raise pl.StopTraining

        ours = NetworkRegressor(**SMALL, callbacks=[end]).fit(X, NUMBER)
        assert ours.n_iter_ == 0
        assert np.isnan(ours.loss_)

    def test_ctrl_c_leaves_an_estimator_that_answers(self):
        def press(event):
            if isinstance(event, pl.events.EpochFinished):
                raise KeyboardInterrupt

        with pytest.warns(UserWarning, match="interrupted by user"):
            ours = NetworkRegressor(**SMALL, callbacks=[press]).fit(X, NUMBER)
        assert ours.n_iter_ == 1
        assert np.isfinite(ours.predict(X)).all()

    def test_a_weight_of_two_is_a_sample_that_comes_twice_bit_for_bit(self):
        few, y = X[:60], THREE[:60]
        weights = np.arange(60) % 3
        weighted = NetworkClassifier(**SMALL, dropout=0.3).fit(few, y, weights)
        repeated = NetworkClassifier(**SMALL, dropout=0.3).fit(few.repeat(weights, axis=0)[::-1], y.repeat(weights)[::-1])
        assert np.array_equal(weighted.coefs_[0], repeated.coefs_[0])
        assert weighted.loss_curve_ == repeated.loss_curve_


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse_input_gives_the_bits_of_dense_input(form):
    zeros = np.where(X > 0.5, X, 0)
    dense = NetworkRegressor(**SMALL).fit(zeros, NUMBER)
    thin = NetworkRegressor(**SMALL).fit(form(zeros), NUMBER)
    assert np.array_equal(dense.coefs_[0], thin.coefs_[0])
    assert np.array_equal(dense.predict(zeros), thin.predict(form(zeros)))


class TestTheModel:
    def test_it_is_saved_and_answers_the_same(self, tmp_path):
        ours = NetworkClassifier(**SMALL).fit(X, TWO)
        ours.model_.save(tmp_path / "model.safetensors")
        loaded = pl.load(tmp_path / "model.safetensors")
        assert loaded.labels == ("no", "yes")
        assert np.array_equal(loaded.network.predict(X), (ours.predict(X) == "yes").astype(int))

    def test_it_is_traced_and_attributed(self):
        ours = NetworkRegressor(**SMALL).fit(X, NUMBER)
        trace = ours.model_.network.trace(X[:2], NUMBER[:2])
        by_hand = np.maximum(X[:2] @ ours.coefs_[0] + ours.intercepts_[0], 0) @ ours.coefs_[1] + ours.intercepts_[1]
        np.testing.assert_allclose(trace.layer("output").output, by_hand, rtol=1e-5)
        shares = pl.attribute(ours.model_.network, X[:2])
        together = shares.contributions.sum(axis=1) + sum(shares.bias_parts.values())
        np.testing.assert_allclose(together, by_hand[:, 0], rtol=1e-5)

    def test_labels_that_are_no_names(self):
        ours = NetworkClassifier(**SMALL).fit(X, (THREE > 0) * 2.0)
        assert list(ours.classes_) == [0.0, 2.0]
        assert ours.model_.labels == ("0.0", "2.0")
        assert set(ours.predict(X)) <= {0.0, 2.0}


def test_absolute_errors_are_the_metric_of_the_history():
    ours = NetworkRegressor(**SMALL, loss="absolute_error").fit(X, NUMBER, X_val=X, y_val=NUMBER)
    assert ours.validation_loss_curve_[-1] == pytest.approx(mean_absolute_error(NUMBER, ours.predict(X)), rel=1e-5)


def test_quantiles_are_those_of_the_noise_and_scored_by_the_middle_one():
    """The number has normal noise of the deviation 1: a tenth of the rows lies below the first quantile, and so on."""
    levels = (0.1, 0.5, 0.9)
    settings = {**SMALL, "hidden_layer_sizes": (), "max_iter": 300, "tol": 0}
    ours = NetworkRegressor(**settings, loss=pl.PinballLoss(levels)).fit(X, NUMBER)
    found = ours.predict(X)
    assert (NUMBER[:, None] < found).mean(axis=0) == pytest.approx(levels, abs=0.02)
    assert ours.score(X, NUMBER) == r2_score(NUMBER, found[:, 1])
    assert (found[:, 2] - found[:, 0]).mean() == pytest.approx(2 * 1.2816, rel=0.15)
