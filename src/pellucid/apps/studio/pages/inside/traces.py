"""The traces that the page looks into, kept for a while, so that each click is answered from the same one at once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np

from pellucid.apps.studio.sample_words import Sample, default_sample, find_sample
from pellucid.apps.studio.session import Session
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.inspection.trace.trace import Trace
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.training.recipes.recipe import optimizer_of

KEPT = 4
MOST_PARAMETERS = 20_000_000  # a trace there and back again holds about ten numbers of 8 bytes for each


class LearnedOn(ArgumentError):
    """The network is no longer what it was when the page was drawn, and that trace is gone."""


@dataclass(frozen=True)
class Question:
    """What is looked at: a sample in a model; with a ``target`` (a class number, or the values of a regression) backward
    too, into the update that this optimizer would make (``rate`` None: at its own learning rate)."""

    model: str
    sample: str = ""
    target: str = ""
    optimizer: str = "gradient_descent"
    rate: float | None = None


@dataclass(frozen=True, eq=False)
class Look:
    """The answer: a trace, and what it was made of. ``version`` tells the network's state of this moment from others."""

    question: Question
    version: str
    model: Model
    sample: Sample
    trace: Trace


class Traces:
    """The last few looks. One trace is made at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._looks: OrderedDict[tuple[Question, str], Look] = OrderedDict()
        self._lock = Lock()

    def look(self, question: Question, version: str = "") -> Look:
        """The trace that answers this question; of the network as it was in that ``version``, or as it is now (""). Raises
        `LearnedOn` if the network has changed since then, and that trace is gone."""
        with self._lock:
            if version and (question, version) in self._looks:
                self._looks.move_to_end((question, version))
                return self._looks[question, version]
            model = self._session.model(question.model)
            if not question.sample:
                question = replace(question, sample=default_sample(self._session, model))
            now = version_of(model.network)
            if version not in ("", now):
                raise LearnedOn(f"{question.model} has learned on since this was drawn: look again.")
            if (question, now) not in self._looks:
                self._looks[question, now] = self._made(question, now, model)
                while len(self._looks) > 1 and (len(self._looks) > KEPT or self._size() > MOST_PARAMETERS):
                    self._looks.popitem(last=False)
            self._looks.move_to_end((question, now))
            return self._looks[question, now]

    def _size(self) -> int:
        """The parameters of all networks that were looked at: what the kept traces weigh."""
        return sum(look.model.network.parameters.layout.size for look in self._looks.values())

    def _made(self, question: Question, version: str, model: Model) -> Look:
        size = model.network.parameters.layout.size
        if size > MOST_PARAMETERS:
            raise ArgumentError(
                f"{question.model} has {size:,} parameters; the studio looks into networks of {MOST_PARAMETERS:,} at most."
            )
        sample = find_sample(self._session, model, question.sample)
        targets = _targets(model, question.target)
        optimizer = None if targets is None else optimizer_of(question.optimizer, question.rate)
        penalty = self._session.penalty(question.model)
        trace = model.network.trace(sample.x[None], targets, optimizer, training=False, regularizer=penalty)
        return Look(question, version, model, sample, trace)


def version_of(network: Network) -> str:
    """A fingerprint of every parameter, of what the layers keep beside them, and of what the optimizer remembers."""
    parameters, state = network.parameters.vector, network.state.vector  # reading them brings the slots up to date
    progress, memory = network.training_state, network.training_state.optimizer_state
    made = hashlib.blake2b(f"{progress.step} {memory.updates}".encode(), digest_size=8)
    for vector in (parameters, state, *memory.slots.values()):
        made.update(np.ascontiguousarray(vector).data)
    return made.hexdigest()


def _targets(model: Model, text: str) -> AnyArray | None:
    """The target of one sample: a class number, or the values of a regression."""
    if not text:
        return None
    output = model.network.output
    try:
        if isinstance(output, ClassifyingOutput):
            return output.check_targets([int(text)], 1, "target")
        values: Any = [float(part) for part in text.split(",")]
        return output.check_targets([values] if len(values) > 1 else values, 1, "target")
    except ValueError as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(f"target is {_wanted(model)}, not {text[:40]!r}.") from None


def _wanted(model: Model) -> str:
    if isinstance(model.network.output, ClassifyingOutput):
        return f"the number of a class, 0 to {model.network.output.num_labels - 1}"
    return "the values that should come out, such as 1.5 or 1.5,-2"
