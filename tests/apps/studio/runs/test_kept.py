"""The places that a run can go back to, and the line in which threads wait for their turn."""

from __future__ import annotations

import threading

import numpy as np

from pellucid.apps.studio.runs.experiment import experiment
from pellucid.apps.studio.runs.material import material, network_of
from pellucid.apps.studio.runs.turns import Turns
from pellucid.training.checkpoints import Kept
from pellucid.training.loop import Course


def test_turns_are_given_in_the_order_of_asking():
    turns, order, asked = Turns(), [], []
    threads = []

    def wait(number):
        with turns:
            order.append(number)

    with turns:
        for number in range(5):
            threads.append(threading.Thread(target=wait, args=(number,)))
            threads[-1].start()
            while len(turns._line) < number + 2:  # it stands in line
                threads[-1].join(0.001)
            asked.append(number)
    for thread in threads:
        thread.join()
    assert order == asked


def places(count, size=10):
    chosen = experiment({"data": "blobs", "hidden": [size]})
    data = material(chosen)
    network = network_of(chosen, data)
    course = Course(network, network.training_state, data.training, data.validation, chosen.recipe.fit_options())
    for _ in range(count):
        yield course.place()
        course.advance(1)


def test_of_many_places_fewer_old_ones_are_kept():
    kept = Kept(most_places=20)
    for place in places(200):
        kept.keep(place)
        assert len(kept.steps) <= 20
    steps = kept.steps
    assert steps[0] == 0
    assert steps[-5:] == [195, 196, 197, 198, 199]
    gaps = np.diff(steps)
    assert gaps[: len(gaps) // 2].min() >= gaps[len(gaps) // 2 :].max() / 2
    assert all(kept.at(step).step == max(s for s in steps if s <= step) for step in range(200))


def test_places_stay_within_their_memory():
    one = next(places(1))
    vectors = 3 * one.parameters.nbytes + one.state.nbytes  # with both moments of Adam
    assert one.nbytes == vectors
    kept = Kept(most_bytes=int(10.5 * vectors))
    for place in places(60):
        kept.keep(place)
        assert len(kept.steps) <= 10
    assert {0, 58, 59} <= set(kept.steps)
    kept.forget_after(40)
    assert kept.steps[-1] <= 40
