"""L-BFGS against minima that are known: of quadratics by linear algebra, of a logistic regression by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize as reference

from pellucid.mathematics.lbfgs import minimize


@pytest.mark.parametrize("size", [1, 3, 40])
def test_the_minimum_of_a_quadratic_is_that_of_linear_algebra(size):
    rng = np.random.default_rng(size)
    root, b = rng.normal(size=(size, size)), rng.normal(size=size)
    a = root @ root.T + np.eye(size)
    x, steps = minimize(lambda x: (0.5 * x @ a @ x - b @ x, a @ x - b), np.zeros(size), 1e-8)
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=0, atol=1e-7)
    assert steps < 300


def test_a_logistic_regression_ends_where_that_of_scipy_ends():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 8)), rng.choice([-1.0, 1.0], 60)

    def objective(w):
        margins = y * (x @ w)
        slope = -y / (1 + np.exp(margins))
        return float(np.logaddexp(0, -margins).mean() + 0.01 * w @ w), x.T @ slope / len(y) + 0.02 * w

    ours = minimize(objective, np.full(8, 5.0), 1e-10)[0]
    theirs = reference(objective, np.zeros(8), jac=True, method="BFGS", options={"gtol": 1e-10}).x
    np.testing.assert_allclose(ours, theirs, atol=1e-7)


def test_a_start_at_the_minimum_stays_there():
    x, steps = minimize(lambda x: (float(x @ x), 2 * x), np.zeros(4))
    assert steps == 0
    np.testing.assert_array_equal(x, 0)


def test_the_number_of_steps_is_bounded():
    x, steps = minimize(lambda x: (float(np.logaddexp(0, -x).sum()), -1 / (1 + np.exp(x))), np.zeros(2), 0.0, 7)
    assert steps == 7
    assert (x > 1).all()  # the infimum is at infinity
