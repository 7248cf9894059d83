"""The crew: how many threads work is learnt from how long steps take, and changes no bit."""

from __future__ import annotations

import numpy as np

import pellucid as pl
from pellucid.executors.native.crew import OFTEN, SELDOM, Crew
from pellucid.executors.native.executor import NativeExecutor


def run(crew, seconds, calls):
    """Feeds the crew with the seconds of a step that ``seconds(size)`` says; the sizes used."""
    sizes = []
    for _ in range(calls):
        sizes.append(crew.size)
        crew.record(seconds(crew.size))
    return sizes


def test_on_a_quiet_machine_all_work_but_for_rare_trials():
    sizes = run(Crew(4), lambda size: 1.0 / size, 1000)
    assert sizes.count(4) >= 1000 - 2 - 1000 // SELDOM
    assert set(sizes) == {4, 2}


def test_a_busy_machine_gets_fewer_and_all_come_back_later():
    crew = Crew(2)
    run(crew, lambda size: 1.0 / size, 50)
    busy = run(crew, lambda size: 8.0 if size == 2 else 1.2, 10 * OFTEN)
    assert busy[-OFTEN:].count(1) >= OFTEN - 1
    quiet = run(crew, lambda size: 1.0 / size, 10 * OFTEN)
    assert quiet[-OFTEN:].count(2) >= OFTEN - 1


def test_a_machine_that_was_busy_from_the_start_is_noticed():
    assert run(Crew(2), lambda size: 8.0 if size == 2 else 1.2, 40)[-3:].count(1) >= 2


def test_one_thread_stays_one():
    assert set(run(Crew(1), lambda size: 1.0, 300)) == {1}


def test_a_changing_crew_changes_no_bit(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(600, 20)).astype(np.float32), rng.integers(0, 3, 600)

    def trained():
        network = pl.Network([pl.Input(20), pl.Dense(65, "relu"), pl.Dropout(0.3), pl.Classification(3)], seed=4)
        network.fit(x, y, epochs=5, batch_size=17, threads=4, progress="none", engine="native")
        return network.parameters.vector.tobytes()

    usual = trained()
    sizes = iter(np.resize([1, 3, 4, 2], 10_000).tolist())
    make = NativeExecutor._run

    def with_other_sizes(self, *arguments):
        self._crew.size = next(sizes)
        return make(self, *arguments)

    monkeypatch.setattr(NativeExecutor, "_run", with_other_sizes)
    assert trained() == usual
    assert next(sizes) is not None
