"""The temperature: SciPy's minimum, a known truth, and what it must never change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

import pellucid as pl
from pellucid.evaluation.temperature import HIGHEST, LOWEST, Temperature, fit_temperature


def drawn(truth, count=2000, classes=5, seed=0):
    """Logits, and classes drawn from softmax(z / truth)."""
    rng = np.random.default_rng(seed)
    z = 3 * rng.normal(size=(count, classes))
    p = softmax(z / truth, axis=1)
    return z, (p.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1).clip(0, classes - 1)


def negative_log_likelihood(z, y, temperature=1.0):
    """The mean of -log p over the samples, by SciPy."""
    return -log_softmax(z / temperature, axis=1)[np.arange(len(y)), y].mean()


@pytest.mark.parametrize("truth", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("classes", [2, 7])
def test_it_is_the_minimum_that_scipy_finds(truth, classes):
    z, y = drawn(truth, classes=classes)

    def loss(log_t):
        return log_loss(y, softmax(z / np.exp(log_t), axis=1), labels=range(classes))

    found = minimize_scalar(loss, bounds=(-4, 4), method="bounded", options={"xatol": 1e-12})
    fitted = fit_temperature(z, y)
    assert fitted.value == pytest.approx(np.exp(found.x), rel=1e-6)
    assert negative_log_likelihood(z, y, fitted.value) == pytest.approx(found.fun, rel=1e-12)
    assert negative_log_likelihood(z, y, fitted.value) <= found.fun + 1e-13
    assert negative_log_likelihood(z, y) == pytest.approx(loss(0.0), rel=1e-12)


def test_a_known_temperature_is_recovered_within_its_standard_error():
    """Over 100 draws the distances, in standard errors, are those of a standard normal number."""
    fits = [fit_temperature(*drawn(1.7, seed=seed)) for seed in range(100)]
    distances = np.array([(fit.value - 1.7) / fit.standard_error for fit in fits])
    assert abs(distances.mean()) < 0.4
    assert 0.8 < distances.std() < 1.2
    assert np.abs(distances).max() < 4
    assert all(fit.samples == 2000 for fit in fits)


def test_the_slope_vanishes_there_by_finite_differences():
    z, y = drawn(2.5)
    fitted, h = fit_temperature(z, y), 1e-4
    above, below = (negative_log_likelihood(z, y, fitted.value * factor) for factor in (1 + h, 1 - h))
    assert abs(above - below) / (2 * h) < 1e-7
    curvature = (above + below - 2 * negative_log_likelihood(z, y, fitted.value)) / h**2  # by log T, of one sample
    assert fitted.standard_error / fitted.value == pytest.approx(1 / np.sqrt(2000 * curvature), rel=0.1)


def test_what_no_temperature_fits_best_stays_as_it_is_and_says_so():
    z = np.array([[3.0, 1.0], [0.0, 2.0]])
    near_miss = np.array([[1e-6, 0.0]] + [[90.0, 0.0]] * 9)
    # all right; nothing known; and one wrong by so little that it hardly matters
    for logits, y in ((z, [0, 1]), (np.zeros((4, 3)), [0, 1, 2, 0]), (near_miss, [1] + [0] * 9)):
        fitted = fit_temperature(logits, np.array(y))
        assert (fitted.value, fitted.standard_error) == (1.0, None)
        assert "do not determine it" in str(fitted)


def test_a_network_that_is_always_wrong_gets_the_highest_and_one_near_miss_does_not_go_below_the_lowest():
    z = np.array([[5.0, 0.0]] * 9)
    assert fit_temperature(z, np.ones(9, int)).value == HIGHEST
    z = np.array([[1e-6, 0.0]] + [[1e-3, 0.0]] * 9)
    assert fit_temperature(z, np.array([1] + [0] * 9)).value == LOWEST


logits = arrays.arrays(np.float32, (6, 4), elements=st.floats(-(2.0**100), 2.0**100, width=32))


@given(logits, st.floats(LOWEST, HIGHEST))
def test_the_most_probable_label_stays_the_same(z, value):
    p = Temperature(value, None, 1).probabilities(z)
    np.testing.assert_array_equal(p.argmax(axis=1), z.argmax(axis=1))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


def test_labels_that_differ_by_a_breath_stay_in_order():
    z = np.array([[1e-30, 2e-30, 0.0]], np.float32)
    assert softmax(z.astype(float), axis=1).argmax() == 0  # ties, in plain arithmetic
    assert Temperature(1.0, None, 1).probabilities(z).argmax() == 1


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, 1e9, 1e-9, "1", None, True])
def test_impossible_temperatures_are_refused(value):
    with pytest.raises(pl.ArgumentError, match="temperature"):
        Temperature(value, None, 5)


@pytest.mark.parametrize("error", [-0.1, np.nan, np.inf, "0"])
def test_impossible_standard_errors_are_refused(error):
    with pytest.raises(pl.ArgumentError, match="standard error"):
        Temperature(1.0, error, 5)


def test_logits_beyond_the_root_of_the_largest_number():
    """They have no square in float64. Of two classes 2 apart, right three times of four: e^(2 / T) = 3."""
    logits, y = np.array([[0.0, -2.0, -1e160]] * 400), np.array([0, 0, 0, 1] * 100)
    assert fit_temperature(logits, y).value == pytest.approx(2 / np.log(3), rel=1e-12)
