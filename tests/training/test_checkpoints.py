"""The checkpoints that a run can go back to."""

from __future__ import annotations

import numpy as np
from small_loops import loop_of

from pellucid.training.checkpoints import checkpoints


def some(count):
    loop = loop_of()
    for _ in range(count):
        yield loop.checkpoint()
        loop.advance(1)


def test_of_many_checkpoints_fewer_old_ones_are_kept():
    kept = checkpoints(most=20)
    for checkpoint in some(200):
        kept.keep(checkpoint)
        assert len(kept.steps) <= 20
    steps = kept.steps
    assert steps[0] == 0
    assert steps[-5:] == [195, 196, 197, 198, 199]
    gaps = np.diff(steps)
    assert gaps[: len(gaps) // 2].min() >= gaps[len(gaps) // 2 :].max() / 2
    assert all(kept.at(step).step == max(s for s in steps if s <= step) for step in range(200))
    assert kept.at(-1) is None


def test_checkpoints_stay_within_their_memory():
    one = next(some(1))
    vectors = 3 * one.parameters.nbytes + one.state.nbytes  # with both moments of Adam
    assert one.nbytes == vectors
    kept = checkpoints(most_bytes=int(10.5 * vectors))
    for checkpoint in some(60):
        kept.keep(checkpoint)
        assert len(kept.steps) <= 10
    assert {0, 58, 59} <= set(kept.steps)
    kept.forget_after(40)
    assert kept.steps[-1] <= 40


def test_one_at_the_same_step_takes_the_place_of_the_last():
    kept = checkpoints()
    loop = loop_of()
    kept.keep(loop.checkpoint())
    again = loop.checkpoint()
    kept.keep(again)
    assert kept.items == [again]
