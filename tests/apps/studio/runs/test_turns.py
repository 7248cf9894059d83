"""The line in which threads wait for their turn."""

from __future__ import annotations

import threading

from pellucid.apps.studio.runs.turns import Turns


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
