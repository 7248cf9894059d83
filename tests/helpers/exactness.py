"""Steps in which float32 rounds nothing: numbers of few bits, and the comparison bit by bit.

Numbers are small multiples of powers of two, and every sum of them has fewer than 24 bits. Then float32 rounds nothing, in
whatever order it adds, and the native numbers must equal the truth.
"""

from __future__ import annotations

import numpy as np
from twins import fitted, numbers


def halves(rng, shape, most=2):
    """Multiples of 1/2 between -most / 2 and most / 2."""
    return rng.integers(-most, most + 1, shape) / 2


def power_of_two_weights(rng, count):
    """Sample weights with zeros among them that add up to a power of two: 0, 1 and 2, and the rest."""
    weights = rng.integers(0, 3, count).astype(float)
    weights[0] += 2.0 ** np.ceil(np.log2(max(weights.sum(), 1))) - weights.sum()
    weights[0] += 1.0 if weights.sum() == 0 else 0.0
    return weights


def assert_exact(network, x, y, **options):
    """One native step equals the true one; gives the trained network."""
    truth = fitted(network, x, y, engine="numpy", dtype="float64", **options)
    native = fitted(network, x, y, **options)
    expected = numbers(truth)
    for name, vector in numbers(native).items():
        np.testing.assert_array_equal(vector, expected[name], err_msg=name)
    metrics = [trained.history.epochs[0][name] for trained in (native, truth) for name in ("loss", "mae")]
    assert metrics[:2] == metrics[2:]
    assert not np.array_equal(expected["parameters"], network.parameters.vector), "the step must have moved something"
    return native
