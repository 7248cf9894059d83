"""Every loss against scipy, scikit-learn and numbers worked by hand; its gradient by gradcheck and by HIPS autograd."""

from __future__ import annotations

import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.scipy.special import logsumexp
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from sklearn import metrics

import pellucid as pl
from pellucid.mathematics.losses import LOSSES, Loss, regression_loss

RNG = np.random.default_rng(20240607)
B, V = 23, 4
OUTPUTS = RNG.normal(size=(B, V)) * 3
LABELS = RNG.integers(0, V, B)
ONE_HOT = np.eye(V)[LABELS]
SOFT = special.softmax(RNG.normal(size=(B, V)), axis=1)
YES_NO = RNG.integers(0, 2, (B, V)).astype(float)
REAL = RNG.normal(size=(B, V)) * 2
COUNTS = RNG.poisson(1.5, (B, V)).astype(float)
LEVELS = (0.1, 0.4, 0.5, 0.9)
WEIGHTS = np.concatenate([RNG.uniform(0.1, 3, B - 2), [0.0, 0.0]])


def smooth(targets, amount, count):
    return (1 - amount) * targets + amount / count


# name -> (loss, targets, the same loss as a formula for autograd: (B, V) -> (B,))
CASES = {
    "cross entropy": (pl.CrossEntropy(), ONE_HOT, lambda z, t: logsumexp(z, axis=1) - anp.sum(t * z, axis=1)),
    "cross entropy, soft targets": (pl.CrossEntropy(), SOFT, lambda z, t: logsumexp(z, axis=1) - anp.sum(t * z, axis=1)),
    "cross entropy, smoothed": (
        pl.CrossEntropy(0.1),
        ONE_HOT,
        lambda z, t: logsumexp(z, axis=1) - anp.sum(smooth(t, 0.1, V) * z, axis=1),
    ),
    "binary": (pl.BinaryCrossEntropy(), YES_NO, lambda z, t: anp.mean(anp.logaddexp(0, z) - t * z, axis=1)),
    "binary, smoothed": (
        pl.BinaryCrossEntropy(0.2),
        YES_NO,
        lambda z, t: anp.mean(anp.logaddexp(0, z) - smooth(t, 0.2, 2) * z, axis=1),
    ),
    "mse": (pl.MeanSquaredError(), REAL, lambda z, t: anp.mean((z - t) ** 2, axis=1)),
    "mae": (pl.MeanAbsoluteError(), REAL, lambda z, t: anp.mean(anp.abs(z - t), axis=1)),
    "huber": (
        pl.Huber(1.5),
        REAL,
        lambda z, t: anp.mean(anp.where(anp.abs(z - t) <= 1.5, (z - t) ** 2 / 2, 1.5 * (anp.abs(z - t) - 0.75)), axis=1),
    ),
    "poisson": (
        pl.PoissonLoss(),
        COUNTS,
        # -log of the probability, less its least value; scipy has t log t with 0 for 0
        lambda z, t: anp.mean(anp.exp(z) - t * z - (t - special.xlogy(t, t)), axis=1),
    ),
    "pinball": (
        pl.PinballLoss(LEVELS),
        REAL,
        lambda z, t: anp.mean(anp.maximum(np.array(LEVELS) * (t - z), (np.array(LEVELS) - 1) * (t - z)), axis=1),
    ),
}
cases = pytest.mark.parametrize(("loss", "targets", "formula"), CASES.values(), ids=CASES.keys())


def test_every_loss_is_among_the_cases():
    assert {type(case[0]) for case in CASES.values()} == set(LOSSES.values())


@cases
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_value_and_gradient_equal_autograd(loss, targets, formula, weights):
    w = np.ones(B) if weights is None else weights

    def mean(z):
        return anp.sum(w * formula(z, targets)) / w.sum()

    value, gradient = loss(OUTPUTS.copy(), targets.copy(), weights)
    assert isinstance(value, float)
    np.testing.assert_allclose(value, mean(OUTPUTS), rtol=1e-14)
    np.testing.assert_allclose(gradient, grad(mean)(OUTPUTS), rtol=1e-12, atol=1e-15)


@cases
def test_gradcheck(loss, targets, formula):
    assert pl.gradcheck(loss, OUTPUTS, targets, tolerance=1e-7).passed
    assert pl.gradcheck(loss, OUTPUTS, targets, WEIGHTS, tolerance=1e-7).passed


class TestOracles:
    """scipy and scikit-learn have their own text for the same quantities."""

    @pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
    def test_cross_entropy_is_log_loss(self, weights):
        expected = metrics.log_loss(LABELS, special.softmax(OUTPUTS, axis=1), sample_weight=weights, labels=range(V))
        assert pl.CrossEntropy()(OUTPUTS, ONE_HOT, weights)[0] == pytest.approx(expected, rel=1e-13)

    @pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
    def test_binary_cross_entropy_is_log_loss(self, weights):
        z, t = OUTPUTS[:, :1], YES_NO[:, :1]
        expected = metrics.log_loss(t[:, 0], special.expit(z[:, 0]), sample_weight=weights)
        assert pl.BinaryCrossEntropy()(z, t, weights)[0] == pytest.approx(expected, rel=1e-13)

    @pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
    @pytest.mark.parametrize(
        ("loss", "oracle"),
        [("mse", metrics.mean_squared_error), ("mae", metrics.mean_absolute_error)],
    )
    def test_regression_losses(self, loss, oracle, weights):
        value, _ = regression_loss(loss)(OUTPUTS, REAL, weights)
        assert value == pytest.approx(oracle(REAL, OUTPUTS, sample_weight=weights), rel=1e-13)

    @pytest.mark.parametrize("delta", [0.3, 1.0, 4.0])
    def test_huber(self, delta):
        expected = np.average(special.huber(delta, OUTPUTS - REAL).mean(axis=1), weights=WEIGHTS)
        assert pl.Huber(delta)(OUTPUTS, REAL, WEIGHTS)[0] == pytest.approx(expected, rel=1e-13)

    @pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
    def test_poisson_is_half_of_the_deviance(self, weights):
        z, t = OUTPUTS[:, :1], COUNTS[:, :1]
        assert (t == 0).any()
        deviance = metrics.mean_poisson_deviance(t[:, 0], np.exp(z[:, 0]), sample_weight=weights)
        assert pl.PoissonLoss()(z, t, weights)[0] == pytest.approx(deviance / 2, rel=1e-12)

    def test_poisson_differs_from_the_log_likelihood_by_what_no_output_changes(self):
        z, t = OUTPUTS[:, :1], COUNTS[:, :1]
        likelihood = -stats.poisson.logpmf(t, np.exp(z))
        least = -stats.poisson.logpmf(t, t)  # at m = t
        np.testing.assert_allclose(pl.PoissonLoss().terms(z, t)[0], (likelihood - least)[:, 0], rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
    def test_pinball(self, weights):
        expected = np.mean(
            [
                metrics.mean_pinball_loss(REAL[:, 0], OUTPUTS[:, k], alpha=level, sample_weight=weights)
                for k, level in enumerate(LEVELS)
            ]
        )
        targets = np.repeat(REAL[:, :1], V, axis=1)
        assert pl.PinballLoss(LEVELS)(OUTPUTS, targets, weights)[0] == pytest.approx(expected, rel=1e-13)

    def test_the_least_pinball_loss_is_at_the_quantiles(self):
        """Of 99 numbers the 0.1 quantile is the 10th, the middle one the 50th, the 0.9 quantile the 90th."""
        numbers = RNG.permutation(np.arange(1.0, 100.0))[:, None]
        loss, grid = pl.PinballLoss((0.1, 0.5, 0.9)), np.arange(1.0, 100.0)
        values = [loss.of_levels(np.full((99, 3), guess), np.repeat(numbers, 3, axis=1)).mean(axis=0) for guess in grid]
        assert grid[np.argmin(values, axis=0)].tolist() == [10, 50, 90]

    def test_smoothing_is_cross_entropy_with_the_smoothed_targets_and_a_known_minimum(self):
        """The least possible loss is the entropy of the targets (0.925, 0.025, 0.025, 0.025), reached at z = log t."""
        t = np.array([[0.925, 0.025, 0.025, 0.025]])
        value, gradient = pl.CrossEntropy(0.1)(np.log(t), np.eye(4)[:1])
        assert value == pytest.approx(special.entr(t).sum(), rel=1e-13)
        np.testing.assert_allclose(gradient, 0, atol=1e-15)


class TestByHand:
    def test_cross_entropy(self):
        """z = (log 1, log 2, log 5): p = (1/8, 2/8, 5/8)."""
        z, t = np.log([[1.0, 2.0, 5.0]]), np.array([[0.0, 1.0, 0.0]])
        value, gradient = pl.CrossEntropy()(z, t)
        assert value == pytest.approx(math.log(4), rel=1e-15)
        np.testing.assert_allclose(gradient, [[1 / 8, -6 / 8, 5 / 8]], rtol=1e-14)

    def test_binary_cross_entropy_on_two_values(self):
        """z = (log 3, 0): p = (3/4, 1/2); t = (1, 0): l = (log 4/3 + log 2) / 2."""
        value, gradient = pl.BinaryCrossEntropy()(np.array([[math.log(3), 0.0]]), np.array([[1.0, 0.0]]))
        assert value == pytest.approx(math.log(8 / 3) / 2, rel=1e-15)
        np.testing.assert_allclose(gradient, [[-1 / 8, 1 / 4]], rtol=1e-14)

    def test_regression_losses_on_two_values_and_two_weighted_samples(self):
        """Errors (1, -3) with weight 1 and (0.5, 0) with weight 3."""
        y, t, w = np.array([[1.0, -3.0], [0.5, 0.0]]), np.zeros((2, 2)), np.array([1.0, 3.0])
        value, gradient = pl.MeanSquaredError()(y, t, w)
        assert value == (1 * 5 + 3 * 0.125) / 4
        np.testing.assert_array_equal(gradient, [[0.25 * 1, 0.25 * -3], [0.75 * 0.5, 0]])
        value, gradient = pl.MeanAbsoluteError()(y, t, w)
        assert value == (1 * 2 + 3 * 0.25) / 4
        np.testing.assert_array_equal(gradient, [[0.125, -0.125], [0.375, 0]])
        value, gradient = pl.Huber(1.0)(y, t, w)
        assert value == (1 * (0.5 + 2.5) / 2 + 3 * 0.0625) / 4
        np.testing.assert_array_equal(gradient, [[0.125, -0.125], [0.1875, 0]])

    def test_poisson_on_two_values(self):
        """z = (log 2, log 3) with counts (2, 0): (0 + 3) / 2; the expected counts less the counts are (0, 3)."""
        value, gradient = pl.PoissonLoss()(np.log([[2.0, 3.0]]), np.array([[2.0, 0.0]]))
        assert value == pytest.approx(1.5, rel=1e-15)
        np.testing.assert_allclose(gradient, [[0, 1.5]], atol=1e-15)

    def test_pinball_on_three_levels(self):
        """t = 1 and z = (0, 1, 3): 0.1 * 1, 0, 0.1 * 2, of which the mean is 0.1."""
        value, gradient = pl.PinballLoss()(np.array([[0.0, 1.0, 3.0]]), np.ones((1, 3)))
        assert value == pytest.approx(0.1, rel=1e-15)
        np.testing.assert_allclose(gradient, [[-0.1 / 3, 0, 0.1 / 3]], rtol=1e-14)


@cases
def test_all_zero_weights_give_no_loss_and_no_gradient(loss, targets, formula):
    value, gradient = loss(OUTPUTS, targets, np.zeros(B))
    assert value == 0
    assert not gradient.any()
    assert gradient.shape == OUTPUTS.shape


@cases
def test_a_weight_counts_like_repetition_and_a_zero_weight_like_absence(loss, targets, formula):
    counts = np.arange(B) % 3
    repeated = np.repeat(np.arange(B), counts)
    value, gradient = loss(OUTPUTS, targets, counts.astype(float))
    expected, by_copy = loss(OUTPUTS[repeated], targets[repeated])
    assert value == pytest.approx(expected, rel=1e-13)
    summed = np.zeros_like(gradient)
    np.add.at(summed, repeated, by_copy)
    np.testing.assert_allclose(gradient, summed, rtol=1e-12, atol=1e-16)


@cases
@given(cut=st.integers(1, B - 1), weighted=st.booleans(), scale=st.floats(1e-6, 1e6))
def test_the_mean_over_the_whole_is_the_weighted_mean_over_uneven_parts(loss, targets, formula, cut, weighted, scale):
    w = (WEIGHTS + 0.01) * scale if weighted else np.ones(B)
    given_w = w if weighted else None
    parts = [slice(0, cut), slice(cut, B)]
    values = [loss(OUTPUTS[p], targets[p], given_w[p] if weighted else None)[0] for p in parts]
    shares = [w[p].sum() for p in parts]
    assert loss(OUTPUTS, targets, given_w)[0] == pytest.approx(np.dot(values, shares) / sum(shares), rel=1e-12)


def test_quantiles_in_ascending_order_never_have_a_larger_loss():
    loss = pl.PinballLoss(LEVELS)
    targets = np.repeat(REAL[:, :1], V, axis=1)
    crossing, sorted_ = (loss.terms(z, targets)[0] for z in (OUTPUTS, np.sort(OUTPUTS, axis=1)))
    assert (sorted_ <= crossing + 1e-12).all()
    assert (sorted_ < crossing - 0.1).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestFar:
    """Logits at +-1000, where e^z is out of range: the loss is the margin and the gradient is -1, 0 or 1."""

    def test_cross_entropy(self, dtype):
        z = np.array([[1000, 0, -1000]] * 3, dtype)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            value, gradient = pl.CrossEntropy()(z, np.eye(3, dtype=dtype))
        assert value == (0 + 1000 + 2000) / 3
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient * 3, [[0, 0, 0], [1, -1, 0], [1, 0, -1]], rtol=1e-6)

    def test_binary_cross_entropy(self, dtype):
        z, t = np.array([[1000], [1000], [-1000], [-1000]], dtype), np.array([[1], [0], [1], [0]], dtype)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            value, gradient = pl.BinaryCrossEntropy()(z, t)
        assert value == 500
        np.testing.assert_allclose(gradient * 4, [[0], [1], [-1], [0]])

    def test_a_confident_right_answer_keeps_its_small_loss(self, dtype):
        """log(1 + e^-30) = 9.357622968839737e-14, by Python's decimal module: 1 - p would have lost it."""
        for z in (30, -30):
            value, _ = pl.BinaryCrossEntropy()(np.array([[z]], dtype), np.array([[float(z > 0)]], dtype))
            assert value == pytest.approx(9.357622968839737e-14, rel=1e-6)

    def test_regression(self, dtype):
        y, t = np.array([[1000], [-1000]], dtype), np.zeros((2, 1), dtype)
        assert pl.MeanSquaredError()(y, t)[0] == 1e6
        assert pl.MeanAbsoluteError()(y, t)[0] == 1000
        assert pl.Huber(2.0)(y, t)[0] == 2 * (1000 - 1)


@cases
def test_float32_is_close_to_float64_and_nothing_given_is_changed(loss, targets, formula):
    z32, t32, w32 = (a.astype(np.float32) for a in (OUTPUTS, targets, WEIGHTS))
    before = [a.copy() for a in (z32, t32, w32)]
    value, gradient = loss(z32, t32, w32)
    exact, exact_gradient = loss(z32.astype(float), t32.astype(float), w32.astype(float))
    eps = np.finfo(np.float32).eps
    assert gradient.dtype == np.float32
    # a handful of rounded operations on numbers up to max |z|, divided by a loss of about 1
    assert value == pytest.approx(exact, rel=0, abs=4 * eps * np.abs(OUTPUTS).max())
    np.testing.assert_allclose(gradient, exact_gradient, rtol=0, atol=16 * eps * np.abs(exact_gradient).max())
    for after, was in zip((z32, t32, w32), before, strict=True):
        np.testing.assert_array_equal(after, was)


def test_the_mean_of_many_float32_terms_does_not_drift():
    """10^6 equal terms of 0.1: a float32 running sum would be off by 1e-4 or more."""
    y = np.full((1_000_000, 1), 0.1, np.float32)
    value, _ = pl.MeanAbsoluteError()(y, np.zeros_like(y))
    assert value == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pl.CrossEntropy(1.0),
        lambda: pl.CrossEntropy(-0.1),
        lambda: pl.CrossEntropy(float("nan")),
        lambda: pl.BinaryCrossEntropy("0.1"),
        lambda: pl.Huber(0.0),
        lambda: pl.Huber(math.inf),
        lambda: regression_loss("cross_entropy"),
        lambda: regression_loss(None),
        lambda: regression_loss("pinball:"),
        lambda: regression_loss("pinball:0.1;0.9"),
        lambda: pl.PinballLoss(()),
        lambda: pl.PinballLoss((0.5, 0.5)),
        lambda: pl.PinballLoss((0.9, 0.1)),
        lambda: pl.PinballLoss((0.0, 0.5)),
        lambda: pl.PinballLoss((0.5, 1)),
        lambda: pl.PinballLoss("0.5"),
        lambda: pl.PinballLoss(tuple((np.arange(100) + 0.5) / 100)),
        lambda: pl.PinballLoss((0.1, 0.9))(OUTPUTS, REAL),
    ],
)
def test_what_cannot_work_is_refused(make):
    with pytest.raises(pl.ArgumentError):
        make()


def test_a_loss_of_ones_own_inherits_the_reduction():
    class Quartic(Loss):
        def terms(self, outputs, targets):
            error = outputs - targets
            return (error**4).sum(axis=-1), 4 * error**3

    assert pl.gradcheck(Quartic(), OUTPUTS / 3, REAL, WEIGHTS).passed
    assert Quartic()(np.array([[2.0], [1.0]]), np.zeros((2, 1)), np.array([1.0, 3.0]))[0] == (16 + 3) / 4
