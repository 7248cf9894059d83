"""Mixup: each sample of a batch is mixed with a partner, input and target alike.

    x_i <- s_i x_i + (1 - s_i) x_j        t_i <- s_i t_i + (1 - s_i) t_j        s_i ~ Beta(alpha, alpha)

``j`` is the partner of ``i`` in a random order of the batch. A mixed sample keeps the weight of sample ``i``. The targets
of a regression are mixed in the same way.

Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond empirical risk minimization", ICLR 2018.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pellucid.core.random import Key, key, permutation, uniform
from pellucid.core.shapes import Array

TRIES = 32  # each succeeds with a probability of at least 1/2


class Mixture(NamedTuple):
    """The ``partner`` of each sample, int64 (B,), and the ``share`` of the sample itself, (B,) in 0..1."""

    partner: NDArray[np.int64]
    share: NDArray[np.float64]

    def of(self, values: Array) -> Array:
        """The mixtures of the rows of ``values`` (B, ...), in their dtype."""
        share = self.share.astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
        mixed = values - values[self.partner]
        mixed *= share
        mixed += values[self.partner]
        return mixed


@runtime_checkable
class Mixes(Protocol):
    """An augmentation that also mixes samples."""

    def mixture(self, count: int, key: Key) -> Mixture | None:
        """How a batch of ``count`` samples is mixed after its augmentation; None if it is not."""
        ...


def draw_mixture(alpha: float, count: int, key_: Key) -> Mixture:
    """The mixture of a batch of ``count`` samples under a key."""
    return Mixture(permutation(key(key_, 0), count), symmetric_beta(alpha, count, key(key_, 1)))


def symmetric_beta(alpha: float, count: int, key_: Key) -> NDArray[np.float64]:
    """Beta(alpha, alpha) numbers (count,) for 0 < alpha <= 1, by Jöhnk's method with a fixed number of tries.

    With u and v uniform, u^(1/alpha) / (u^(1/alpha) + v^(1/alpha)) has this distribution if the denominator is at most 1.
    The first such try counts; if there is none (probability below 2^-32), the number is 1. Powers are computed as
    logarithms, so that a small alpha does not underflow.
    """
    powers = np.log(uniform(key_, (count, TRIES, 2)) + 2.0**-25) / alpha
    accepted = np.logaddexp(powers[..., 0], powers[..., 1]) <= 0
    first = powers[np.arange(count), accepted.argmax(axis=1)]
    with np.errstate(over="ignore"):
        share = 1.0 / (1.0 + np.exp(first[:, 1] - first[:, 0]))
    return np.asarray(np.where(accepted.any(axis=1), share, 1.0), np.float64)
