"""What the tests of the native executor share: the same training on three executors.

The truth is the NumPy executor in float64. Two kinds of comparison with it: exactness.py, where float32 rounds nothing, and
rounding.py, which says how far rounding may go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import pellucid as pl
from pellucid._native import instruction_sets
from pellucid.executors.native.inference import native_inference
from pellucid.mathematics.schedules import Position, Schedule
from pellucid.training.events import EpochFinished, Patient, StepFinished

QUIET = {"progress": "none"}
ISAS = instruction_sets()


def numbers(network):
    """All that training changes: parameters, state and optimizer slots, by name."""
    vectors = {"parameters": network.parameters.vector, "state": network.state.vector}
    return {name: vector.copy() for name, vector in (vectors | network.training_state.optimizer_state.slots).items()}


def assert_same_bits(ours, theirs):
    """Bit by bit, of the results of `numbers`; a zero may have either sign only if both are the same."""
    assert ours.keys() == theirs.keys()
    for name, vector in ours.items():
        assert vector.tobytes() == theirs[name].tobytes(), name


def assert_same_training(ours, theirs):
    """Two networks with the same bits, and the same road to them."""
    assert_same_bits(numbers(ours), numbers(theirs))
    for name in ("loss", "accuracy"):
        assert ours.history[name] == theirs.history[name]


def assert_threads_do_not_matter(train, counts, steps):
    """``train(threads=...)`` gives one network, after that many steps at least; to be run on every instruction set."""
    first = train(threads=1)
    assert first.training_state.step >= steps
    assert np.isfinite(first.parameters.vector).all()
    for threads in counts:
        assert_same_training(train(threads=threads), first)


def assert_threads_do_not_matter_to(network, x, y, optimizer):
    """The same for six shuffled steps of this network on more than 230 samples, so that every second step has fewer."""

    def train(threads):
        return fitted(network, x, y, threads=threads, batch_size=230, epochs=3, optimizer=optimizer, shuffle=True)

    assert_threads_do_not_matter(train, (2, 3), steps=6)


def assert_threads_do_not_matter_to_answers(network, x):
    """The probabilities of x have the same bits on any number of threads."""
    native, answers = native_inference(network), []
    for threads in (1, 2, 3):
        native.threads = threads
        answers.append(network.predict_proba(x).tobytes())
    assert len(set(answers)) == 1


def assert_listeners_do_not_matter(train):
    """``train(callbacks=...)`` gives one network, and tells the same events, whether steps are told one by one or not."""
    impatient, patient = [], Quiet()
    silent = train(threads=2)
    assert_same_training(train(threads=2, callbacks=[impatient.append]), silent)
    assert_same_training(train(threads=2, callbacks=[patient]), silent)
    for kind in (StepFinished, EpochFinished):
        ours, theirs = ([e for e in events if isinstance(e, kind)] for events in (impatient, patient.events))
        for event in (*ours, *theirs):
            event.metrics.pop("seconds", None)
        assert ours == theirs
        assert ours


def assert_looking_does_not_matter(network, x, y, train, **options):
    """Whoever predicts, or asks for gradients, between the steps of ``network`` finds it trained as by ``train()``."""

    def look(event):
        if isinstance(event, StepFinished) and event.step % 3 == 1:
            network.predict(x)
            network.gradients(x[:10], y[:10])

    network.fit(x, y, callbacks=[look], threads=2, **QUIET, **options)
    assert_same_bits(numbers(network), numbers(train(threads=2)))


def assert_calls_add_up(train, x, y, threads, **options):
    """One call of several epochs, or a call for each of them, on as many ``threads`` as it says. Schedules count from the
    start of a call, so only the constant one can promise this."""
    whole, parts = train(epochs=len(threads)), train(epochs=1, threads=threads[0])
    for count in threads[1:]:
        parts.fit(x, y, epochs=1, threads=count, **QUIET, **options)
    assert_same_training(parts, whole)


class Quiet(Patient):
    """A listener that lets several steps be made at once."""

    def __init__(self):
        self.events = []

    def __call__(self, event):
        self.events.append(event)


def twin(network, dtype="float32"):
    """A network with the same layers, seed, parameters and state, and the same number of steps behind it."""
    arrays = {**network.parameters, **network.state}
    other = pl.Network(network.layers, network.seed, dtype, arrays={name: a.copy() for name, a in arrays.items()})
    other.training_state.step = network.training_state.step
    return other


def fitted(network, x, y, *, engine="native", dtype="float32", **options):
    """A twin of ``network`` after training; one step in the order of the samples unless ``options`` say otherwise."""
    trained = twin(network, dtype)
    defaults = {"batch_size": len(x), "epochs": 1, "shuffle": False, "optimizer": pl.GradientDescent(0.25, 0.5), **QUIET}
    trained.fit(x, y, engine=engine, **{**defaults, **options})
    assert trained.engine == engine
    return trained


def assert_answers_as_numpy(network, samples_of, counts=(1, 2, 12, 400)):
    """Native answers of ``network`` for so many samples are those of NumPy in float64, but for rounding; and a sample alone
    is answered with the bits that it has in a batch."""
    true = twin(network, "float64")
    assert native_inference(network) is not None
    for count in counts:
        x = samples_of(count)
        ours, truth = network.predict(x), true.predict(x)
        np.testing.assert_allclose(ours, truth, rtol=0, atol=2e-5 * np.abs(truth).max())
        assert ours[:1].tobytes() == network.predict(x[:1]).tobytes()


def assert_step_as_numpy(network, x, y, **options):
    """A native step of ``network`` is that of NumPy in float64, but for rounding. Gives both after it."""
    ours = fitted(network, x, y, **options)
    truth = fitted(network, x, y, engine="numpy", dtype="float64", **options)
    for name in truth.parameters:
        np.testing.assert_allclose(ours.parameters[name], truth.parameters[name], atol=3e-6, rtol=1e-5)
    return ours, truth


def spread(network, seed, scale=1.0):
    """Move biases, scales, shifts and averages off their first values, so that each of them matters."""
    rng = np.random.default_rng(seed)
    for holder in (network.parameters, network.state):
        for name in holder:
            if not name.endswith("weight"):
                holder[name] = holder[name] + scale * rng.uniform(0.1, 0.5, holder[name].shape)
    return network


def gradients(trained):
    """Name -> gradient of the only step that ``trained`` made with `GradientDescent` and momentum: its velocity."""
    velocity = trained.training_state.optimizer_state.slots["velocity"]
    return {name: trained.parameters.layout.view(velocity, name) for name in trained.parameters}


def distances(ours, truth):
    """Name -> the largest difference of two mappings from name to array."""
    assert ours.keys() == truth.keys()
    return {name: np.abs(np.float64(ours[name]) - truth[name]).max(initial=0.0) for name in ours}


@dataclass(frozen=True)
class OneHugeRate(Schedule):
    """The factor 1, but ``size`` for step number ``at`` (1, 2, ...)."""

    at: int
    size: float

    def factor(self, position: Position) -> float:
        return self.size if position.step + 1 == self.at else 1.0
