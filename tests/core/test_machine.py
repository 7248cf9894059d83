"""Work that is dealt out to threads."""

from __future__ import annotations

import threading

import pytest

from pellucid.core.machine import Threads


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_order(count):
    with Threads(count) as threads:
        assert threads.map(lambda a, b: (a, b), range(50), "ab" * 25) == list(zip(range(50), "ab" * 25, strict=True))


def test_several_threads_work_at_once():
    met = threading.Barrier(2, timeout=60)
    with Threads(2) as threads:
        threads.map(lambda _: met.wait(), range(2))  # each waits for the other


def test_small_work_stays_in_this_thread():
    with Threads(2) as threads:
        assert threads.map(lambda _: threading.current_thread(), [0], is_small=True) == [threading.current_thread()]


def test_an_error_comes_through():
    with Threads(2) as threads, pytest.raises(ZeroDivisionError):
        threads.map(lambda x: 1 / x, [1, 0, 2])
