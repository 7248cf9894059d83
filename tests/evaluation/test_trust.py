"""The verdict on probabilities: what chance explains is not held against them, nor for them where there are few."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pellucid.evaluation.trust import Trust


def trust(*groups):
    """Answers in groups of (claim, how many, how many of them right), of three classes."""
    claims = np.repeat([claim for claim, _, _ in groups], [count for _, count, _ in groups])
    rest = (1 - claims) / 2
    y = np.concatenate([np.repeat([0, 1], [right, count - right]) for _, count, right in groups])
    return Trust(np.stack([claims, rest, rest], axis=1), y)


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [
        ([(0.9, 1000, 895)], "no more than chance alone would show"),
        ([(0.9, 1000, 800)], "overconfident"),
        ([(0.9, 1000, 960)], "underconfident"),
        ([(0.9, 10, 8)], "too few samples to tell"),
        ([(0.9, 1, 1)], "too few samples to tell"),
        ([(0.999, 5, 5)], "too few samples to tell"),  # no resample of five right answers is wrong
        ([(0.9, 10, 2)], "overconfident"),  # few, but beyond chance
        (
            [(0.95, 500, 425), (0.55, 500, 325)],  # 75 % claimed, 75 % right
            "overconfident where it claims 90% to 100%, underconfident where it claims 50% to 60%",
        ),
        (
            [(0.95, 500, 425), (0.55, 500, 324)],  # one less right is no reason to call it overconfident
            "overconfident where it claims 90% to 100%, underconfident where it claims 50% to 60%",
        ),
    ],
    ids=str,
)
def test_by_hand(groups, verdict):
    assert trust(*groups).verdict == verdict


def test_a_network_that_is_right_on_average_is_seldom_called_one_sided():
    """Claims 20 % too high for half of the answers and too low for the others: the mean is right, and chance moves it."""
    rng = np.random.default_rng(0)
    sided = 0
    for _ in range(100):
        right = rng.binomial(300, [0.75, 0.75])
        found = trust((0.95, 300, right[0]), (0.55, 300, right[1]))
        assert not found.is_by_chance
        sided += found.verdict in ("overconfident", "underconfident")
    assert sided <= stats.binom.ppf(1 - 1e-4, 100, 0.05)
