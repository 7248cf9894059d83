"""What the tests of the studio share: a network that reads digits, on a few of them."""

from __future__ import annotations

import pytest

import pellucid as pl

KEPT_ASIDE = 1000


@pytest.fixture(scope="session")
def few_digits():
    """((x, y), (x_test, y_test)): 6,000 and 500 real digits."""
    (x, y), (x_test, y_test) = pl.datasets.digits()
    return (x[:6000].copy(), y[:6000].copy()), (x_test[:500].copy(), y_test[:500].copy())


@pytest.fixture(scope="session")
def reader(few_digits):
    """A model that reads most digits, with temperature and conformal scores."""
    (x, y), _ = few_digits
    network = pl.Network([pl.Input(28, 28), pl.Dense(32, "relu"), pl.Classification(10)], seed=1)
    network.fit(x[KEPT_ASIDE:], y[KEPT_ASIDE:], epochs=6, batch_size=64, progress="none")
    model = pl.Model(network)
    model.calibrate(x[:KEPT_ASIDE], y[:KEPT_ASIDE])
    model.conformal(x[:KEPT_ASIDE], y[:KEPT_ASIDE])
    return model
