"""Work that is dealt out to threads."""

from __future__ import annotations

import threading

import pytest

from pellucid.core.machine import Threads, made_ahead


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


class TestMadeAhead:
    def test_the_same_items_in_order(self):
        assert list(made_ahead(iter(range(20)))) == list(range(20))
        assert list(made_ahead(iter([None, None]))) == [None, None]

    def test_the_next_item_is_made_while_one_is_in_use(self):
        is_made = threading.Event()

        def items():
            yield 1
            is_made.set()
            yield 2

        made = made_ahead(items())
        assert next(made) == 1
        assert is_made.wait(60)
        assert list(made) == [2]

    def test_no_more_than_one_is_made_ahead(self):
        begun = []
        made = made_ahead(begun.append(k) or k for k in range(9))
        next(made)
        made.close()  # waits for the thread
        assert begun == [0, 1]

    def test_an_error_comes_where_its_item_would_have(self):
        made = made_ahead(1 / k for k in (1, 2, 0, 4))
        assert [next(made), next(made)] == [1, 0.5]
        with pytest.raises(ZeroDivisionError):
            next(made)
