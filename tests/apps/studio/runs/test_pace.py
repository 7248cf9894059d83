"""How fast a run may train, by a clock that the test sets."""

from __future__ import annotations

import pytest

from pellucid.apps.studio.runs import pace
from pellucid.apps.studio.runs.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    """``clock.append(seconds)`` moves the time on to there."""
    times = [100.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: times[-1])
    return times


def test_a_pace_is_held_from_where_it_begins(clock):
    held = Pace()
    held.limit = 10.0
    held.start(step=50)
    assert held.rest(51) == pytest.approx(0.1)
    clock.append(100.25)
    assert held.rest(54) == pytest.approx(0.15)  # step 54 is due at 100.4
    assert held.most() == 1  # none is made at once that eyes could tell apart
    held.limit = 500.0
    assert held.most() == 20


def test_what_came_too_late_is_not_made_up_for(clock):
    held = Pace()
    held.limit = 10.0
    held.start(step=0)
    clock.append(103.0)
    assert held.rest(1) == 0
    assert held.rest(2) == pytest.approx(0.1)  # and not at once, as 30 steps in 3 seconds would have it


def test_without_a_limit_nothing_waits(clock):
    free = Pace()
    free.start(0)
    assert (free.rest(1_000), free.most()) == (0.0, None)


def test_the_speed_is_measured_over_a_while(clock):
    run = Pace()
    run.start(10)
    clock.append(100.02)
    assert run.speed(11) == 0.0  # too soon to say
    clock.append(100.1)
    assert run.speed(30) == pytest.approx(200)
    clock.append(100.12)
    assert run.speed(31) == pytest.approx(200)
