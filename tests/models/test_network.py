"""Whole networks against scikit-learn and closed forms; weights as repetition; splits; figures that are the right means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy.optimize import minimize
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, PoissonRegressor, QuantileRegressor

import pellucid as pl
from pellucid.data.samples import Samples, split
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.training.events import StepFinished, TrainingStarted

STILL = pl.GradientDescent(1e-300)  # a rate at which nothing moves
QUIET = {"progress": "none"}


def make(*hidden, output=None, inputs=4, **options):
    return pl.Network([pl.Input(inputs), *hidden, output or pl.Classification(3)], dtype="float64", **options)


def data(count=60, inputs=4, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, inputs)), rng.integers(0, classes, count)


def settle(network, x, y, rate, epochs, **options):
    """Full batches, momentum, and a rate that falls to nothing: the minimum itself."""
    network.fit(
        x,
        y,
        epochs=epochs,
        batch_size=len(x),
        shuffle=False,
        optimizer=pl.GradientDescent(rate, 0.9, nesterov=True),
        schedule=pl.Cosine(0.01),
        **QUIET,
        **options,
    )


class TestClosedForms:
    def test_linear_regression_finds_the_least_squares(self):
        x, _ = data()
        y = x @ [[1.0, -1], [2, 0.5], [0, 3], [-2, 1]] + [0.5, -1] + np.random.default_rng(5).normal(size=(60, 2))
        network = make(output=pl.Regression(2))
        settle(network, x, y, 0.1, 400)
        expected = np.linalg.lstsq(np.column_stack([x, np.ones(60)]), y, rcond=None)[0]
        np.testing.assert_allclose(network.parameters["output.weight"], expected[:4], atol=1e-9)
        np.testing.assert_allclose(network.parameters["output.bias"], expected[4], atol=1e-9)
        for name, oracle in (
            ("r2", metrics.r2_score),
            ("loss", metrics.mean_squared_error),
            ("mae", metrics.mean_absolute_error),
        ):
            assert network.evaluate(x, y)[name] == pytest.approx(oracle(y, network.predict(x)), rel=1e-12)

    def test_weighted_ridge_regression(self):
        """Minimum of sum w (xb - y)^2 / sum w + s b^2: (X' W X / sum w + s I) b = X' W y / sum w."""
        x, _ = data()
        y, w = x[:, 0] - 2 * x[:, 3] + np.sin(x[:, 1] * 5), np.random.default_rng(1).uniform(0, 3, 60)
        network = make(output=pl.Regression(use_bias=False))
        settle(network, x, y, 0.05, 600, sample_weight=w, regularizer=pl.L2(0.3))
        share = w / w.sum()
        expected = np.linalg.solve(x.T @ (share[:, None] * x) + 0.3 * np.eye(4), x.T @ (share * y))
        np.testing.assert_allclose(network.parameters["output.weight"][:, 0], expected, atol=1e-9)

    @pytest.mark.filterwarnings("ignore:y has the mean")
    def test_huber_regression_reaches_the_minimum_that_scipy_finds(self):
        """At its minimum the mean gradient of the clipped errors vanishes; an outlier of 1,000 moves nothing further."""
        x, _ = data()
        y = x @ [1.0, 2, 3, 4]
        y[7] += 50
        fits = []
        for outlier in (0, 1000):
            network = make(output=pl.Regression(loss=pl.Huber(1.0)))
            shifted = y.copy()
            shifted[7] += outlier
            settle(network, x, shifted, 0.1, 1500)
            error = np.clip(network.predict(x) - shifted, -1, 1)
            np.testing.assert_allclose(np.column_stack([x, np.ones(60)]).T @ error / 60, 0, atol=1e-8)
            fits.append(network.parameters.vector.copy())
        np.testing.assert_allclose(fits[0], fits[1], atol=1e-6)
        padded = np.column_stack([x, np.ones(60)])
        oracle = minimize(lambda p: special.huber(1.0, padded @ p - y).mean(), np.zeros(5), method="BFGS", tol=1e-12)
        np.testing.assert_allclose(fits[0], oracle.x, atol=1e-6)

    def test_poisson_regression_reaches_that_of_scikit_learn(self):
        """scikit-learn: deviance / 2 + alpha |w|^2 / 2, so the strength of our penalty is alpha / 2."""
        x, _ = data()
        y = np.random.default_rng(6).poisson(np.exp(x @ [0.4, -0.3, 0.2, 0] + 0.5))
        oracle = PoissonRegressor(alpha=0.05, tol=1e-10, max_iter=10_000).fit(x, y)
        network = make(output=pl.Regression(loss="poisson"))
        settle(network, x, y, 0.1, 1500, regularizer=pl.L2(0.025))
        np.testing.assert_allclose(network.parameters["output.weight"][:, 0], oracle.coef_, atol=1e-5)
        np.testing.assert_allclose(network.predict(x), oracle.predict(x), rtol=1e-5)
        figures = network.evaluate(x, y)
        assert figures["loss"] == pytest.approx(metrics.mean_poisson_deviance(y, oracle.predict(x)) / 2, rel=1e-6)
        assert figures["mae"] == pytest.approx(metrics.mean_absolute_error(y, oracle.predict(x)), rel=1e-5)
        assert figures["r2"] == pytest.approx(metrics.r2_score(y, oracle.predict(x)), abs=1e-5)

    def test_quantile_regression_is_as_good_as_that_of_scikit_learn_and_never_crosses(self):
        x, _ = data()
        y = x @ [1.0, 2, 0, -1] + np.random.default_rng(7).gumbel(size=60)
        levels = (0.2, 0.5, 0.8)
        network = make(output=pl.Regression(loss=pl.PinballLoss(levels)))
        network.fit(x, y, optimizer=pl.Adam(0.02), schedule="cosine", epochs=3000, batch_size=60, **QUIET)
        found = network.predict(x)
        assert found.shape == (60, 3)
        assert (np.diff(found, axis=1) >= 0).all()
        for k, level in enumerate(levels):
            oracle = QuantileRegressor(quantile=level, alpha=0).fit(x, y).predict(x)
            least = metrics.mean_pinball_loss(y, oracle, alpha=level)
            assert least <= metrics.mean_pinball_loss(y, found[:, k], alpha=level) <= 1.01 * least
        assert network.evaluate(x, y)["mae"] == pytest.approx(np.abs(y - found[:, 1]).mean())

    @pytest.mark.parametrize("c", [0.5, 5.0])
    def test_logistic_regression_reaches_that_of_scikit_learn(self, c):
        """scikit-learn: C sum(loss) + |w|^2 / 2; divided by C N that is the mean loss + L2(1 / (2 C N))."""
        x, y = data()
        y = (x @ [1.0, -2, 0.5, 0] + special.logit(np.random.default_rng(2).uniform(0.01, 0.99, 60)) > 0).astype(int)
        oracle = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(x, y)
        network = make(output=pl.BinaryClassification())
        settle(network, x, y, 0.5, 800, regularizer=pl.L2(1 / (2 * c * 60)))
        np.testing.assert_allclose(network.parameters["output.weight"][:, 0], oracle.coef_[0], atol=1e-5)
        expected = metrics.log_loss(y, oracle.predict_proba(x))
        figures = network.evaluate(x, y)
        assert figures["loss"] == pytest.approx(expected, abs=1e-6)
        assert figures["accuracy"] == oracle.score(x, y)
        np.testing.assert_allclose(network.predict_proba(x), oracle.predict_proba(x), atol=1e-5)

    def test_softmax_regression_reaches_that_of_scikit_learn(self):
        x, _ = data()
        y = (x @ np.random.default_rng(3).normal(size=(4, 3)) + np.random.default_rng(4).gumbel(size=(60, 3))).argmax(
            axis=1
        )
        oracle = LogisticRegression(C=2.0, tol=1e-10, max_iter=10_000).fit(x, y)
        network = make()
        settle(network, x, y, 0.5, 800, regularizer=pl.L2(1 / (2 * 2 * 60)))
        np.testing.assert_allclose(network.predict_proba(x), oracle.predict_proba(x), atol=1e-5)
        assert network.evaluate(x, y)["loss"] == pytest.approx(metrics.log_loss(y, oracle.predict_proba(x)), abs=1e-6)


class TestWeights:
    def trained(self, x, y, **options):
        network = make(pl.Dense(5, "tanh"))
        history = network.fit(
            x, y, epochs=5, batch_size=1000, shuffle=False, optimizer=pl.GradientDescent(0.3, 0.5), **QUIET, **options
        )
        return network.parameters.vector, history["loss"], history["accuracy"]

    def test_whole_weights_are_repetitions(self):
        x, y = data()
        counts = np.arange(60) % 4
        weighted = self.trained(x, y, sample_weight=counts)
        repeated = self.trained(np.repeat(x, counts, axis=0), np.repeat(y, counts))
        plain = self.trained(x, y)
        for one, other in zip(weighted, repeated, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
        assert np.abs(weighted[0] - plain[0]).max() > 1e-2

    def test_class_weights_are_sample_weights_and_the_two_multiply(self):
        x, y = data()
        w = np.random.default_rng(9).uniform(0, 2, 60)
        both = self.trained(x, y, sample_weight=w, class_weight={0: 2.0, 2: 0.5})
        by_hand = self.trained(x, y, sample_weight=w * np.array([2.0, 1, 0.5])[y])
        for one, other in zip(both, by_hand, strict=True):
            np.testing.assert_array_equal(one, other)

    @pytest.mark.parametrize("class_weight", ["balanced", {0: 2.0, 2: 0.5}])
    def test_class_weights_are_those_of_one_hot_rows_too(self, class_weight):
        x, y = data()
        numbers, rows = (self.trained(x, targets, class_weight=class_weight) for targets in (y, np.eye(3)[y]))
        np.testing.assert_array_equal(numbers[0], rows[0])
        with pytest.raises(pl.ArgumentError, match="one-hot"):
            self.trained(x, 0.9 * np.eye(3)[y] + 0.1 / 3, class_weight=class_weight)  # probabilities have no class

    def test_balanced_lets_every_class_weigh_the_same(self):
        x, y = data()
        y[:40] = 0
        counts = np.bincount(y)
        balanced = self.trained(x, y, class_weight="balanced")
        by_hand = self.trained(x, y, sample_weight=(60 / (3 * counts))[y])  # the formula of scikit-learn
        np.testing.assert_allclose(balanced[0], by_hand[0], rtol=1e-13)

    def test_a_sample_of_weight_zero_counts_for_nothing_in_any_figure(self):
        x, _ = data()
        y = x[:, 0] * 2
        network = make(output=pl.Regression())
        w = np.ones(60)
        w[:5] = 0
        wild = y.copy()
        wild[:5] = 100
        assert network.evaluate(x, wild, sample_weight=w) == pytest.approx(network.evaluate(x[5:], y[5:]), rel=1e-12)

    @pytest.mark.parametrize(
        "options",
        [
            {"sample_weight": np.zeros(60)},
            {"sample_weight": -np.ones(60)},
            {"sample_weight": np.full(60, np.nan)},
            {"sample_weight": np.ones(59)},
            {"class_weight": {3: 1.0}},
            {"class_weight": {0: -1.0}},
            {"class_weight": "even"},
            {"class_weight": {0: 0.0, 1: 0.0, 2: 0.0}},
        ],
        ids=str,
    )
    def test_weights_that_cannot_work_are_refused(self, options):
        with pytest.raises(pl.ArgumentError):
            make().fit(*data(), epochs=1, **QUIET, **options)


class TestFigures:
    @pytest.mark.parametrize("batch_size", [1, 7, 8, 59, 60, 1000])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_the_figures_of_an_epoch_are_means_over_the_samples_also_with_an_uneven_last_batch(self, batch_size, weighted):
        x, y = data()
        w = np.random.default_rng(4).uniform(0, 2, 60) if weighted else None
        network = make(pl.Dense(5, "tanh"))
        p = network.predict_proba(x)
        history = network.fit(x, y, epochs=1, batch_size=batch_size, sample_weight=w, optimizer=STILL, **QUIET)
        assert history["loss"][0] == pytest.approx(metrics.log_loss(y, p, sample_weight=w), rel=1e-12)
        assert history["accuracy"][0] == pytest.approx(
            metrics.accuracy_score(y, p.argmax(axis=1), sample_weight=w), rel=1e-12
        )
        assert network.evaluate(x, y, sample_weight=w)["loss"] == pytest.approx(history["loss"][0], rel=1e-12)

    def test_evaluation_in_blocks_is_that_of_the_whole(self):
        x, y = data(count=2500)
        network = make(pl.Dense(5, "tanh"))
        p = network.predict_proba(x)
        figures = network.evaluate(x, y)
        assert figures["loss"] == pytest.approx(metrics.log_loss(y, p), rel=1e-12)
        assert figures["accuracy"] == pytest.approx((network.predict(x) == y).mean(), rel=1e-12)
        np.testing.assert_allclose(p[2000:2010], network.predict_proba(x[2000:2010]), rtol=1e-12)

    def test_validation_figures_are_those_of_evaluate_after_the_epoch(self):
        x, y = data()
        network = make(pl.Dense(5, "relu"), pl.Dropout(0.5), pl.BatchNormalization())
        history = network.fit(x[:40], y[:40], validation=(x[40:], y[40:]), epochs=3, **QUIET)
        figures = network.evaluate(x[40:], y[40:])
        assert history["validation_loss"][-1] == figures["loss"]
        assert history["validation_accuracy"][-1] == figures["accuracy"]


class TestSplit:
    @given(
        counts=st.lists(st.integers(1, 60), min_size=1, max_size=5),
        fraction=st.floats(0.05, 0.95),
        seed=st.integers(0, 100),
    )
    def test_every_class_gives_its_share_and_no_sample_is_in_both_parts(self, counts, fraction, seed):
        labels = np.repeat(np.arange(len(counts)), counts)
        labels = np.random.default_rng(seed).permutation(labels)
        samples = Samples(np.zeros((len(labels), 1)), labels, np.arange(len(labels)))
        try:
            training, validation = split(samples, fraction, seed, labels)
        except pl.ArgumentError:
            assert round(sum(counts) * fraction) == 0 or max(counts) == 1 or max(counts) * fraction < 1
            return
        assert sorted([*training.rows, *validation.rows]) == list(range(len(labels)))
        for k, count in enumerate(counts):
            kept = int((labels[validation.rows] == k).sum())
            assert min(math.floor(count * fraction), count - 1) <= kept <= min(math.ceil(count * fraction), count - 1)
            assert (labels[training.rows] == k).any()

    def test_the_shares_of_the_classes_add_up_to_the_fraction_of_all(self):
        """By largest remainders, worked by hand: 7, 5, 3 times 0.3 are 2.1, 1.5, 0.9; together 4.5 -> 4 = 2 + 1 + 1."""
        labels = np.repeat([0, 1, 2], [7, 5, 3])
        samples = Samples(np.zeros((15, 1)), labels, np.arange(15))
        _, validation = split(samples, 0.3, 0, labels)
        assert np.bincount(labels[validation.rows]).tolist() == [2, 1, 1]

    def test_the_seed_decides_and_another_seed_decides_otherwise(self):
        samples = Samples(np.zeros((100, 1)), np.zeros(100), np.arange(100))
        first, again, other = (split(samples, 0.3, seed, None)[1].rows for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        # two draws of 30 of 100 share 9 on average (hypergeometric, standard deviation 2.1)
        assert len(set(first) & set(other)) < 9 + 6 * 2.1
        assert len(set(first)) == 30

    def test_fit_trains_on_the_one_part_and_validates_on_the_other(self):
        x, y = data()
        x[:, 0] = np.arange(60)  # a number for each sample
        seen = []

        def watch(batch, key):
            seen.extend(batch[:, 0].astype(int).tolist())
            return batch

        network = make()
        events = []
        history = network.fit(x, y, validation=0.25, epochs=2, augment=watch, callbacks=[events.append], **QUIET)
        started = next(e for e in events if isinstance(e, TrainingStarted))
        first, second = seen[: started.samples_per_epoch], seen[started.samples_per_epoch :]
        assert sorted(first) == sorted(second) == sorted(set(first))
        assert first != second  # another order in each epoch
        aside = np.setdiff1d(np.arange(60), first)
        shares = [round(n * 0.25) for n in np.bincount(y)]
        assert np.bincount(y[aside]).tolist() == shares
        expected = network.evaluate(x[aside], y[aside])
        assert history["validation_loss"][-1] == pytest.approx(expected["loss"], rel=1e-13)

    def test_one_hot_targets_are_divided_as_their_class_numbers_are(self):
        x, y = data(40)[0], np.arange(40) % 3

        def parts(targets):
            seen = set()
            network = pl.Network([pl.Input(4), pl.Classification(3)], seed=4)
            network.fit(x, targets, validation=0.25, epochs=1, augment=lambda b, key: (seen.update(b[:, 0]), b)[1], **QUIET)
            return {i for i in range(40) if x[i, 0] in seen}

        one_hot = np.eye(3)[y]
        assert parts(y) == parts(one_hot) == parts(one_hot.astype(bool).tolist())
        assert parts(0.9 * one_hot + 0.1 / 3) != parts(y)  # probabilities have no classes to divide by

    @pytest.mark.parametrize("validation", [0.0, 1.0, -0.1, 2, "some", 0.001, (1, 2, 3)])
    def test_parts_that_cannot_work_are_refused(self, validation):
        with pytest.raises(pl.ArgumentError):
            make().fit(*data(), validation=validation, epochs=1, **QUIET)


activations = st.sampled_from(sorted(ACTIVATIONS))
hidden_layers = st.one_of(
    st.builds(pl.Dense, st.integers(1, 9), activations, use_bias=st.booleans()),
    st.builds(pl.Dropout, st.floats(0, 0.8)),
    st.just(pl.BatchNormalization()),
    st.just(pl.Flatten()),
)
outputs = st.one_of(
    st.builds(pl.Classification, st.integers(2, 5), st.sampled_from([0.0, 0.1])),
    st.builds(pl.BinaryClassification),
    st.builds(pl.Regression, st.integers(1, 3), st.sampled_from(["mse", "mae", "huber"])),
)


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    hidden=st.lists(hidden_layers, max_size=4),
    output=outputs,
    count=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    dtype=st.sampled_from(["float32", "float64"]),
    pixels=st.booleans(),
    seed=st.integers(0, 1 << 31),
)
def test_any_architecture_trains_predicts_and_keeps_its_promises(
    shape, hidden, output, count, batch_size, dtype, pixels, seed
):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, *shape))
    if pixels:
        x = rng.integers(0, 256, x.shape).astype(np.uint8)
    regression = isinstance(output, pl.Regression)
    y = rng.normal(size=(count, output.num_outputs)) if regression else rng.integers(0, output.num_labels, count)
    network = pl.Network([pl.Input(*shape), *hidden, output], seed=seed, dtype=dtype)
    before = network.parameters.vector.copy()
    steps = []
    network.fit(
        x,
        y,
        epochs=1,
        batch_size=batch_size,
        clipping=pl.ClipByGlobalNorm(1.0),
        callbacks=[lambda e: steps.append(e) if isinstance(e, StepFinished) else None],
        **QUIET,
    )
    assert len(steps) == -(-count // batch_size)
    assert steps[-1].samples == count
    assert np.isfinite(network.parameters.vector).all()
    assert (network.parameters.vector != before).any()
    answers = network.predict(x)
    figures = network.evaluate(x, y)
    if regression:
        values = answers.reshape(count, -1)
        assert values.shape == y.shape
        assert figures["mae"] == pytest.approx(np.abs(values - y).mean(), rel=1e-5)
        return
    p = network.predict_proba(x)
    assert p.shape == (count, output.num_labels)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=8 * np.finfo(dtype).eps)
    assert (p >= 0).all()
    np.testing.assert_array_equal(answers, p.argmax(axis=1))
    assert answers.dtype == np.int64
    chosen = p[np.arange(count), y].astype(np.float64)
    if output.label_smoothing == 0:
        assert figures["loss"] == pytest.approx(-np.log(chosen).mean(), rel=1e-4, abs=1e-5)
