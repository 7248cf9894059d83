"""Constant targets, one class, no rows, weights next to 0 and logits next to the end of float32: every figure is defined,
or one error of ours says why not; and the same holds for both engines. Warnings of NumPy are errors in these tests."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

import pellucid as pl
from pellucid.evaluation.metrics import r2
from pellucid.mathematics.losses import Loss
from pellucid.reports.judgement import judge_classes, judge_regression
from pellucid.training.events import EpochFinished
from pellucid.training.progress import ProgressLines

N = 40
RNG = np.random.default_rng(5)
X = RNG.normal(size=(N, 3)).astype(np.float32)
FIT = {"epochs": 2, "batch_size": 8, "progress": "none"}


@pytest.fixture(params=["native", "numpy"])
def engine(request):
    return request.param


def made(output, engine):
    network = pl.Network([pl.Input(3), pl.Dense(4, "tanh"), output], seed=1)
    network.engine_choice = engine
    return network


def constant(output, engine, logits):
    """A network with the same logits for every sample."""
    network = made(output, engine)
    network.parameters["output.weight"] = np.zeros((4, output.num_outputs))
    network.parameters["output.bias"] = logits
    return network


class TestR2:
    @pytest.mark.parametrize("value", [0.1, -0.7, 1e30])
    def test_it_is_not_defined_for_constant_targets_however_their_mean_is_rounded(self, value):
        for count in range(1, 40):
            assert math.isnan(r2(np.full(count, value), np.zeros(count)))
            assert math.isnan(r2(np.full((count, 2), value) * [1, 3], np.zeros((count, 2)), np.full(count, 0.3)))

    def test_constant_targets_are_not_called_badly_scaled(self):
        """12 times 0.1 has a standard deviation of 1e-17, by rounding."""
        pl.Network([pl.Input(3), pl.Regression()]).fit(X[:12], np.full(12, 0.1), **FIT)

    def test_only_samples_that_count_make_a_target_vary(self):
        assert math.isnan(r2(np.array([1.0, 1.0, 5.0]), np.zeros(3), np.array([1.0, 2.0, 0.0])))
        assert r2(np.array([1.0, 2.0, 5.0]), np.array([1.0, 2.0, 0.0]), np.array([1.0, 2.0, 0.0])) == 1

    def test_one_constant_value_of_several_leaves_it_undefined(self):
        y = np.stack([np.arange(4.0), np.ones(4)], axis=1)
        assert math.isnan(r2(y, y))

    def test_all_who_say_it_say_so(self, engine, tmp_path):
        network, y = made(pl.Regression(), engine), np.full(N, 0.1)
        assert math.isnan(network.evaluate(X, y)["r2"])
        pl.write_report(tmp_path / "report.html", pl.Model(network), X, y, data="constant targets")
        assert "not defined where the true values do not vary" in (tmp_path / "report.html").read_text("utf-8")
        shown = io.StringIO()
        history = network.fit(X, y, validation=0.2, engine=engine, **FIT)
        ProgressLines(shown)(EpochFinished(1, history.epochs[-1]))
        assert "validation r2 not defined" in shown.getvalue()


class TestEarlyStopping:
    def test_it_does_not_follow_an_r2_that_is_not_defined(self, engine):
        network = made(pl.Regression(), engine)
        before = network.parameters.vector.copy()
        rule = pl.EarlyStopping(2, "validation_r2")
        with pytest.raises(pl.ArgumentError, match=r'"validation_r2", which is not defined here.* do not vary'):
            network.fit(X, np.full(N, 0.1), validation=0.2, early_stopping=rule, engine=engine, **FIT)
        assert (network.parameters.vector == before).all()
        network.fit(X, X[:, 0], validation=0.2, early_stopping=rule, engine=engine, **FIT)
        assert rule.best_epoch > 0

    def test_it_refuses_a_figure_that_is_not_a_number(self):
        class Sometimes(Loss):
            """Not a number for the 8 samples of the validation."""

            def terms(self, outputs, targets):
                terms = ((outputs - targets) ** 2).mean(axis=-1)
                return (terms * np.nan if len(targets) == 8 else terms), 2 * (outputs - targets)

        network = pl.Network([pl.Input(3), pl.Regression(loss=Sometimes())])
        options = {"validation": 0.2, "epochs": 2, "batch_size": 16, "progress": "none"}
        words = r"'validation_loss', which is not a number \(NaN\) after epoch 1.* loss, mae, validation_loss"
        with pytest.raises(pl.ArgumentError, match=words):
            network.fit(X, X[:, 0], early_stopping=2, **options)
        assert network.history.reason == "failed"
        assert len(network.history.epochs) == 1
        network.fit(X, X[:, 0], early_stopping=pl.EarlyStopping(2, "validation_mae"), **options)
        assert np.isfinite(network.parameters.vector).all()


class TestWeights:
    TINY = 2.0**-1070  # 8e-323: a denormal, of which the native engine would see nothing

    @pytest.mark.parametrize("scale", [TINY, 2.0**-300, 2.0**1000])
    def test_their_scale_means_nothing(self, engine, scale):
        y, weights = X[:, 0], RNG.integers(0, 4, N).astype(float)
        plain, scaled = made(pl.Regression(), engine), made(pl.Regression(), engine)
        assert plain.evaluate(X, y, sample_weight=weights) == scaled.evaluate(X, y, sample_weight=weights * scale)
        for network, given in ((plain, weights), (scaled, weights * scale)):
            network.fit(X, y, validation=0.2, sample_weight=given, engine=engine, **FIT)
        assert (plain.parameters.vector == scaled.parameters.vector).all()
        assert [epoch["loss"] for epoch in plain.history.epochs] == [epoch["loss"] for epoch in scaled.history.epochs]

    def test_neither_does_the_scale_of_class_weights(self, engine):
        y = RNG.integers(0, 3, N)
        networks = [made(pl.Classification(3), engine) for _ in range(2)]
        for network, scale in zip(networks, (1, self.TINY), strict=True):
            weights = {0: 1 * scale, 1: 2 * scale, 2: 3 * scale}
            network.fit(X, y, class_weight=weights, sample_weight=np.full(N, scale), engine=engine, **FIT)
        assert (networks[0].parameters.vector == networks[1].parameters.vector).all()

    def test_one_that_is_lost_beside_the_others_counts_as_0(self, engine):
        y, weights = RNG.integers(0, 3, N), np.where(np.arange(N) < 20, 1.0, 0.0)
        networks = [made(pl.Classification(3), engine) for _ in range(2)]
        for network, given in zip(networks, (weights, np.maximum(weights, 1e-320)), strict=True):
            network.fit(X, y, sample_weight=given, shuffle=False, engine=engine, **FIT)
        assert (networks[0].parameters.vector == networks[1].parameters.vector).all()

    def test_samples_that_all_weigh_nothing_validate_nothing(self, engine):
        with pytest.raises(pl.ArgumentError, match="all sample weights of the validation samples are 0"):
            made(pl.Regression(), engine).fit(X, X[:, 0], sample_weight=np.eye(N)[0], validation=0.2, engine=engine, **FIT)
        with pytest.raises(pl.ArgumentError, match="all sample weights of the training samples are 0"):
            made(pl.Regression(), engine).fit(X, X[:, 0], sample_weight=np.eye(N)[0], validation=0.95, engine=engine, **FIT)


class TestLogitsAtTheEndOfFloat32:
    END = 3e38

    def test_the_loss_of_classes_by_hand(self, engine):
        """-log p of the second class is 6e38: more than float32 holds."""
        network, y = constant(pl.Classification(2), engine, [self.END, -self.END]), np.array([0, 1] * 20)
        assert network.evaluate(X, y) == {"loss": pytest.approx(3e38, rel=1e-6), "accuracy": 0.5}
        assert network.predict_proba(X[:1]).tolist() == [[1, 0]]
        assert judge_classes(pl.Model(network), X, y).loss == pytest.approx(3e38, rel=1e-6)

    def test_the_loss_of_yes_or_no_by_hand(self, engine):
        network, y = constant(pl.BinaryClassification(), engine, [self.END]), np.array([0, 1] * 20)
        assert network.evaluate(X, y) == {"loss": pytest.approx(1.5e38, rel=1e-6), "accuracy": 0.5}
        assert network.predict_proba(X[:1]).tolist() == [[0, 1]]

    def test_the_figures_of_a_regression_by_hand(self, engine, tmp_path):
        network, y = constant(pl.Regression(), engine, [self.END]), np.array([-3e38, 3e38] * 20)
        metrics = network.evaluate(X, y)
        assert metrics == pytest.approx({"loss": 1.8e77, "mae": 3e38, "r2": -1.0}, rel=1e-6)
        found = judge_regression(pl.Model(network), X, y)
        assert (found.metrics, found.rmse) == (metrics, pytest.approx(math.sqrt(1.8e77), rel=1e-6))
        pl.write_report(tmp_path / "report.html", pl.Model(network), X, y, data="far away")
        assert "3e+38 off on average" in (tmp_path / "report.html").read_text("utf-8")

    def test_the_mean_of_many_large_errors_is_finite(self, engine):
        """Their sum in float32 is not."""
        network = constant(pl.Regression(loss="mae"), engine, [0.0])
        assert network.evaluate(X, np.full(N, 1e38))["mae"] == pytest.approx(1e38, rel=1e-6)

    def test_a_training_that_cannot_go_on_from_there_says_so(self, engine):
        network, y = constant(pl.Classification(2), engine, [self.END, -self.END]), np.array([0, 1] * 20)
        with pytest.raises(pl.DivergenceError, match="the loss is"):
            network.fit(X, y, engine=engine, **FIT)
        with pytest.raises(pl.DivergenceError, match="the gradient is not finite"):
            constant(pl.Regression(), engine, [self.END]).gradients(X, X[:, 0])


class TestOneClassAndNoRows:
    @pytest.mark.parametrize("output", [pl.Classification(3), pl.Classification(2), pl.BinaryClassification()])
    def test_figures_of_one_class_by_hand(self, engine, output):
        """All samples are of class 1, and 3 are called class 0."""
        network, y = made(output, engine), np.ones(N, int)
        found = judge_classes(pl.Model(network), X, y)
        right = int((network.predict(X) == 1).sum())
        assert found.confusion[1].sum() == found.confusion.sum() == N
        assert (found.accuracy, found.mean_recall, found.guessing) == (right / N, right / N, 1)
        assert [row.recall for row in found.classes] == [None, right / N, None][: output.num_labels]
        assert {row.specificity for row in found.trust.thresholds} <= {None}
        assert 0 <= found.trust.calibration_error <= 1
        assert network.evaluate(X, y)["accuracy"] == right / N
        network.fit(X, y, validation=0.2, class_weight="balanced", engine=engine, **FIT)

    def test_no_rows_are_refused_by_one_error(self, engine):
        network, y = made(pl.Classification(3), engine), np.zeros(0, int)
        for call in (
            lambda: network.evaluate(X[:0], y),
            lambda: network.fit(X[:0], y, engine=engine, **FIT),
            lambda: network.fit(X, np.zeros(N, int), validation=(X[:0], y), engine=engine, **FIT),
            lambda: network.predict(X[:0]),
            lambda: network.predict_proba(X[:0]),
            lambda: network.gradients(X[:0], y),
            lambda: network.trace(X[:0], y),
            lambda: pl.Model(network).calibrate(X[:0], y),
            lambda: pl.Model(network).conformal(X[:0], y),
            lambda: judge_classes(pl.Model(network), X[:0], y),
        ):
            with pytest.raises(pl.ShapeError, match=r"x has no samples: its shape is \(0, 3\)"):
                call()
