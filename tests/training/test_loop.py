"""The training loop: it makes the bits of ``fit``, and a checkpoint anywhere changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from small_loops import LAYERS, X, Y, loop_of

import pellucid as pl
from pellucid.training.events import EpochFinished, StepFinished
from pellucid.training.fork import fork

OPTIONS = {
    "plain": {},
    "a schedule": {"schedule": "one_cycle", "optimizer": pl.GradientDescent(0.1, 0.9)},
    "plateaus": {"schedule": "reduce_on_plateau", "validation": 20, "optimizer": pl.Adam(0.3)},
    "early stopping": {"early_stopping": pl.EarlyStopping(2), "validation": 20, "optimizer": pl.Adam(0.3), "epochs": 30},
    "augmentation": {"augment": lambda x, key: x + np.float32(0.01 * (int(key) % 5))},
    "NumPy": {"engine": "numpy", "regularizer": pl.L2(0.01)},
}
options = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def numbers(loop):
    loop.release()
    slots = loop.state.optimizer_state.slots
    vectors = [loop.stack.parameters.vector, loop.stack.state.vector, *(slots[name] for name in sorted(slots))]
    return b"".join(vector.tobytes() for vector in vectors)


def whole(**options):
    """A loop that has been run to its end, and the bits after each step."""
    loop, after = loop_of(**options), []
    while not loop.ended:
        loop.advance(1)
        after.append(numbers(loop))
    return loop, after


@options
def test_the_loop_makes_the_bits_of_fit(options):
    loop, _ = whole(**options)
    given = dict(options)
    aside = given.pop("validation", 0)
    network = pl.Network([pl.Input(4), *LAYERS, pl.Classification(3)], seed=1)
    validation = {"validation": (X[60 - aside :], Y[60 - aside :])} if aside else {}
    fitted = {"optimizer": pl.Adam(0.01), "epochs": 4} | given | validation
    history = network.fit(X[: 60 - aside], Y[: 60 - aside], batch_size=7, progress="none", **fitted)
    assert network.parameters.vector.tobytes() == loop.stack.parameters.vector.tobytes()
    assert network.state.vector.tobytes() == loop.stack.state.vector.tobytes()
    assert (network.training_state.step, network.training_state.epoch) == (loop.state.step, loop.state.epoch)
    assert history.reason == loop.ended


@options
def test_entered_at_any_step_it_goes_on_as_if_it_had_never_been_left(options):
    """By another loop, after any step, also within an epoch and at the end of one."""
    _, after = whole(**options)
    for left_after in range(len(after)):
        first = loop_of(**options)
        while first.step < left_after:
            first.advance(left_after - first.step)
        other = loop_of(**options)
        other.enter(first.checkpoint())
        for expected in after[left_after : left_after + 10]:
            other.advance(1)
            assert numbers(other) == expected
        while not other.ended:
            other.advance()
        assert numbers(other) == after[-1]


def test_after_the_end_another_training_begins():
    """As a second call of fit does, with its own schedule and its own patience."""
    loop, after = whole(schedule="one_cycle")
    assert loop.ended == "completed"
    first_rate = loop_of(schedule="one_cycle")
    first_rate.advance(1)
    loop.advance(1)
    assert loop.ended is None
    assert loop.last_rate == first_rate.last_rate
    assert loop.step == len(after) + 1
    assert loop.end == 2 * len(after)


def test_what_is_told():
    heard = []
    loop = loop_of(validation=20, tell=heard.append, epochs=2)
    while not loop.ended:
        loop.advance()
    steps = [event for event in heard if isinstance(event, StepFinished)]
    epochs = [event for event in heard if isinstance(event, EpochFinished)]
    assert [event.step for event in steps] == list(range(1, 13))
    assert [event.samples for event in steps[:6]] == [7, 14, 21, 28, 35, 40]
    assert [event.epoch for event in epochs] == [1, 2]
    assert epochs[0].metrics["loss"] == steps[5].metrics["loss"]


def test_a_step_that_diverges_can_be_made_again():
    """The epoch has not begun with it: the order of samples stays that of the same epoch."""
    _, after = whole(engine="numpy")
    loop = loop_of(engine="numpy")
    loop.learning_rate = 1e300
    with pytest.raises(pl.DivergenceError):
        loop.advance(1)
    assert (loop.step, loop.state.epoch) == (0, 0)
    loop.learning_rate = 0.01
    loop.advance(1)
    assert numbers(loop) == after[0]


def test_a_fork_with_more_epochs_goes_on_where_its_parent_ended():
    parent, after = whole(engine="numpy")
    longer = loop_of(engine="numpy", epochs=6)
    fork(parent, parent.checkpoint(), longer)
    assert longer.ended is None
    while not longer.ended:
        longer.advance()
    expected = whole(engine="numpy", epochs=6)[1]
    assert expected[: len(after)] == after
    assert numbers(longer) == expected[-1]
