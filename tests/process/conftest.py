"""A few real digits, and small networks that have learned a little."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl


@pytest.fixture(scope="session")
def digits():
    """(x, y): 600 digits, uint8 (600, 28, 28); read-only, since all tests share them."""
    (x, y), _ = pl.datasets.digits()
    x, y = x[:600].copy(), y[:600].copy()
    x.flags.writeable = y.flags.writeable = False
    return x, y


@pytest.fixture(scope="session")
def table():
    """(x, y): a regression with four numbers a sample."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(90, 4))
    return x, x @ np.array([1.0, -2.0, 0.5, 3.0]) + 0.1 * rng.normal(size=90)
