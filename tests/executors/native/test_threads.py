"""Many threads, two trainings at once, an exception in one thread, Ctrl-C, and fork."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from twins import QUIET, assert_same_bits, fitted, numbers, spread

import pellucid as pl
from pellucid import _native
from pellucid.training.events import StepFinished

RNG = np.random.default_rng(14)
X = RNG.normal(size=(300, 24)).astype(np.float32)
Y = RNG.integers(0, 4, 300)
BATCH = {"columns": 40, "rows": 250, "images": 70}


def network_of(kind, seed=0):
    layers = {
        "columns": [pl.Dense(131, "relu"), pl.Dropout(0.3), pl.BatchNormalization(), pl.Dense(65, "gelu")],
        "rows": [pl.Dense(33, "tanh"), pl.Dropout(0.3)],
        "images": [pl.Conv2D(9, 3, "relu"), pl.BatchNormalization(), pl.Residual([pl.Dropout(0.3), pl.Conv2D(9, 2)])],
    }[kind]
    shape = inputs(kind).shape[1:]
    return spread(pl.Network([pl.Input(*shape), *layers, pl.Classification(4)], seed=seed), seed)


def inputs(kind):
    return X.reshape(-1, 3, 4, 2) if kind == "images" else X


def train(kind, seed=0, **more):
    options = {"epochs": 6, "batch_size": BATCH[kind], "optimizer": pl.Adam(0.01), "threads": 2}
    return fitted(network_of(kind, seed), inputs(kind), Y, **{**options, **more})


def in_threads(*functions):
    """The results of functions that run at once; an exception in one of them is raised here."""
    results = [None] * len(functions)

    def call(index):
        try:
            results[index] = functions[index]()
        except BaseException as error:  # handed over below
            results[index] = error

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def test_trainings_at_once_give_the_bits_of_trainings_alone():
    kinds = ["columns", "rows", "images", "columns", "rows", "images"]
    alone = [numbers(train(kind, seed)) for seed, kind in enumerate(kinds)]
    together = in_threads(*(lambda kind=kind, seed=seed: numbers(train(kind, seed)) for seed, kind in enumerate(kinds)))
    for ours, theirs in zip(together, alone, strict=True):
        assert_same_bits(ours, theirs)


@pytest.mark.parametrize("kind", BATCH)
def test_predicting_from_another_thread_while_training(kind):
    """It always sees finite probabilities of a whole network, and changes no bit of the training."""
    network, ended, counts = network_of(kind), threading.Event(), []

    def watch():
        while not ended.is_set():
            found = network.predict_proba(inputs(kind)[:50])
            assert np.isfinite(found).all()
            np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-5)
            counts.append(network.parameters["output.bias"].copy())
        return True

    def work():
        try:
            options = {"epochs": 40, "batch_size": BATCH[kind], "optimizer": pl.Adam(0.01), "shuffle": False}
            network.fit(inputs(kind), Y, **options, **QUIET)
        finally:
            ended.set()

    in_threads(watch, work, watch)
    assert len({bias.tobytes() for bias in counts}) > 1, "it was seen to change"
    assert_same_bits(numbers(network), numbers(train(kind, epochs=40)))


@pytest.mark.parametrize("threads", [16, 64])
def test_more_threads_than_cores_and_than_work(threads):
    for kind in BATCH:
        assert_same_bits(numbers(train(kind, threads=threads, epochs=1)), numbers(train(kind, threads=1, epochs=1)))
    tiny = pl.Network([pl.Input(1), pl.Classification(2)])
    x, y = X[:5, :1], Y[:5] % 2
    assert_same_bits(numbers(fitted(tiny, x, y, threads=threads)), numbers(fitted(tiny, x, y, threads=1)))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_an_exception_in_any_thread_reaches_python_and_the_team_still_works(threads):
    before = numbers(train("columns", threads=threads, epochs=1))
    for _ in range(20):
        for failing in range(threads):
            with pytest.raises(RuntimeError, match="failed on purpose"):
                _native.fail_in_member(threads, failing)
    _native.fail_in_member(threads, -1)  # nobody fails
    assert_same_bits(numbers(train("columns", threads=threads, epochs=1)), before)


def environment():
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def python(script, *arguments, **options):
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, **options)


FORK = """
import hashlib, os, sys
import numpy as np
import pellucid as pl
from pellucid.training.events import StepFinished

rng = np.random.default_rng(0)
x, y = rng.normal(size=(400, 40)).astype(np.float32), rng.integers(0, 3, 400)

def make():
    return pl.Network([pl.Input(40), pl.Dense(200, "relu"), pl.Dropout(0.3), pl.Dense(90, "tanh"), pl.Classification(3)])

def digest(network):
    many = np.repeat(x, 3, axis=0)
    return hashlib.sha256(network.parameters.vector.tobytes() + network.predict_proba(many).tobytes()).hexdigest()

def train(network, threads, callbacks=()):
    network.fit(x, y, epochs=3, batch_size=50, threads=threads, callbacks=callbacks, progress="none")

def in_child(work):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, work().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return text

trained = make()
train(trained, 4)
expected = digest(trained)

def anew():
    other = make()
    train(other, 4)
    return digest(other)

def on():
    train(trained, 3)
    return digest(trained)

assert in_child(lambda: digest(trained)) == expected
assert in_child(anew) == expected
child_goes_on = in_child(on)
assert child_goes_on == on() != expected

# In the middle of a training: the child goes on with its copy, as the parent does.
middle, answers = make(), []
def fork(event):
    if isinstance(event, StepFinished) and event.step == 5:
        answers.append(in_child(lambda: (in_fork.append(1), digest(middle))[1]))
in_fork = []
train(middle, 4, [fork])
assert digest(middle) == expected
assert len(answers) == 1 and not in_fork
print("whole", len(answers[0]))
"""


def test_a_forked_child_can_predict_and_train_after_its_parent_did():
    done = python(FORK)
    assert (done.stdout, done.returncode) == ("whole 64\n", 0), done.stderr


INTERRUPTED = """
import sys
import numpy as np
import pellucid as pl

patient = sys.argv[1] == "silent"
rng = np.random.default_rng(0)
x, y = rng.normal(size=(60_000, 100)).astype(np.float32), rng.integers(0, 10, 60_000)
network = pl.Network([pl.Input(100), pl.Dense(256, "relu"), pl.Dense(256, "relu"), pl.Classification(10)])
begun = []

class Tell(pl.events.Patient):
    def __call__(self, event):
        if isinstance(event, pl.events.TrainingStarted):
            print("begun", flush=True)

listener = Tell() if patient else (lambda event: Tell()(event))
try:
    network.fit(x, y, epochs=1_000_000, batch_size=200, progress="none", threads=2, callbacks=[listener])
except KeyboardInterrupt:
    state = network.training_state
    assert state.step == state.optimizer_state.updates > 0
    assert np.isfinite(network.parameters.vector).all()
    assert np.isfinite(network.predict_proba(x[:5])).all()
    network.save(sys.argv[2], optimizer_state=True)
    network.fit(x, y, epochs=1, batch_size=60_000, progress="none")
    print("whole", network.history.reason)
"""


@pytest.mark.parametrize("way", ["silent", "listened"])
def test_ctrl_c_is_heard_between_steps_and_leaves_a_whole_network(way, tmp_path):
    """The training would go on for days; the answer is awaited for a few seconds only."""
    path = tmp_path / "model.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, way, str(path)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout.readline() == "begun\n"
        threading.Event().wait(0.4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    assert (out, process.returncode) == ("whole completed\n", 0), err
    assert pl.load(path).network.training_state.step > 0


@pytest.mark.parametrize("kind", BATCH)
def test_an_interrupt_between_two_steps_keeps_the_finished_ones(kind):
    network, kept = network_of(kind), []

    def press(event):
        if isinstance(event, StepFinished) and event.step == 4:
            kept.append(numbers(network))
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        network.fit(inputs(kind), Y, epochs=9, batch_size=250, callbacks=[press], **QUIET)
    assert_same_bits(numbers(network), kept[0])
