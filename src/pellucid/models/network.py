"""The network: a stack of layers with the verbs that people use."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pellucid.core.checks import instance_of, number_between, positive_integer
from pellucid.core.display.markup import element, table
from pellucid.core.display.notebook import framed
from pellucid.core.errors import ArgumentError, ModelFileError
from pellucid.core.files import write_whole
from pellucid.core.shapes import AnyArray, Array, Label
from pellucid.data.digits.recognise import pipeline_for
from pellucid.data.pipeline import Pipeline
from pellucid.data.samples import Augmentation, Samples, split
from pellucid.data.weights import ClassWeight, check_sample_weights, weights_by_class
from pellucid.evaluation.evaluate import evaluate
from pellucid.executors.base import Rules
from pellucid.executors.choose import Engine, Precision
from pellucid.executors.logits import answer
from pellucid.executors.native.compile import obstacle
from pellucid.inspection.trace.trace import Trace, trace
from pellucid.mathematics.clipping import Clipping
from pellucid.mathematics.optimizers import Adam, Optimizer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.mathematics.schedules import Schedule
from pellucid.mathematics.schedules import schedule as schedule_of
from pellucid.models.saving import Parts, check_labels, to_bytes
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.objective import Objective, penalties
from pellucid.nn.stack import Stack
from pellucid.nn.summary import COLUMNS, summary, summary_rows
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.events import Callback
from pellucid.training.history import History
from pellucid.training.plan import Plan
from pellucid.training.progress import ProgressMode, progress_display
from pellucid.training.state import TrainingState
from pellucid.training.trainer import Trainer


class Network(Stack):
    """``Network([Input(28, 28), Dense(128, "relu"), Classification(10)], seed=0)``.

    ``parameters`` maps names ("dense_1.weight") to arrays, ``history`` holds the figures of all epochs so far, ``engine``
    names the executor. The same seed, data and calls give the same network.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        seed: int = 0,
        dtype: DTypeLike = "float32",
        arrays: Mapping[str, AnyArray] | None = None,
    ) -> None:
        super().__init__(layers, seed, dtype, arrays)
        self.training_state = TrainingState()
        self.history = History()
        self.pipeline: Pipeline | None = None
        self._trained_by: tuple[str, str] | None = None  # the name of an executor, and its note

    @property
    def engine(self) -> str:
        """The executor of the last training, "native" or "numpy"; before it, the one that ``fit`` would take."""
        return self._trained_by[0] if self._trained_by else "numpy" if obstacle(self) else "native"

    @property
    def engine_note(self) -> str:
        """The engine in words: with its instruction set, or with what keeps the native one away."""
        if self._trained_by:
            return "{} ({})".format(*self._trained_by)
        reason = obstacle(self)
        if reason:
            return f"numpy ({reason})"
        from pellucid._native import instruction_set

        return f"native ({instruction_set()})"

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        validation: float | tuple[Any, Any] | None = None,
        optimizer: Optimizer | None = None,
        schedule: str | Schedule = "constant",
        regularizer: Regularizer | None = None,
        clipping: Clipping | None = None,
        epochs: int = 10,
        batch_size: int = 32,
        sample_weight: Any = None,
        class_weight: ClassWeight | None = None,
        early_stopping: int | EarlyStopping | None = None,
        augment: Augmentation | None = None,
        shuffle: bool = True,
        callbacks: Sequence[Callback] = (),
        progress: ProgressMode = "auto",
        engine: Engine = "auto",
        threads: int | None = None,
        precision: Precision = "float32",
    ) -> History:
        """Train on x (N, ...) and y; calling it again goes on from there. Gives the history of this call.

        validation      (x, y), or a fraction of the samples to keep aside (each class gives its share)
        optimizer       default: that of the last call, at first ``Adam()``
        schedule        a name ("cosine", "one_cycle", ...) or a `Schedule`; its factor multiplies the learning rate
        regularizer     the price on weights, ``L1(...)``, ``L2(...)`` or a sum of them
        clipping        ``ClipByGlobalNorm(...)`` or ``ClipByValue(...)``
        sample_weight   (N,) numbers of at least 0; class_weight: {class: weight} or "balanced"; the two multiply
        early_stopping  patience in epochs, or an `EarlyStopping`; needs ``validation``
        augment         a random change of each batch, such as ``Distortion()``
        callbacks       functions of one `Event`
        progress        "auto" (a live bar on a terminal, else a line now and then), "bar", "lines" or "none"
        engine          "auto": compiled steps if every part is known to them, else NumPy; or "native", or "numpy"
        threads         at most so many work in the native engine (default: the cores); the bits are always the same
        precision       "float32", or "bf16": bfloat16 products (sums and weights stay float32) if the processor has them

        Raises `ArgumentError` or `ShapeError` before the first step for input that cannot work, `DivergenceError` when a
        number is no longer finite. Ctrl-C ends the current step, then raises KeyboardInterrupt; the network stays whole.
        """
        training, kept_aside = self._divided(x, y, sample_weight, validation)
        self.input.warn_about_scale(training.x)
        if class_weight is not None:
            training = replace(training, weights=weights_by_class(class_weight, training, self.output))
        if optimizer is None:
            optimizer = self.training_state.optimizer or Adam()
        listeners, stopping = _listeners(callbacks, early_stopping)
        if stopping is not None:
            stopping.check(self._figures(kept_aside is not None, regularizer))
        plan = Plan(
            Rules(optimizer, regularizer, clipping),
            schedule_of(schedule),
            epochs,
            batch_size,
            shuffle,
            augment,
            stopping,
            engine,
            threads,
            precision,
        )
        if self.pipeline is None:
            self.pipeline = pipeline_for(training.x, training.rows)
        trainer = Trainer(self, self.training_state, training, kept_aside, plan, [*listeners, *progress_display(progress)])
        executor = trainer.loop.executor
        self.engine_choice, self._trained_by = engine, (executor.name, executor.note)
        try:
            return trainer.run()
        finally:
            self.history.epochs.extend(trainer.history.epochs)
            self.history.reason = trainer.history.reason

    def predict(self, x: Any) -> AnyArray:
        """The answer for each sample: class numbers (B,) int64; for a regression the values, (B,) or (B, V)."""
        return self.output.predict(answer(self, x))

    def predict_proba(self, x: Any) -> Array:
        """The probability of each class, (B, K); (B, 2) for yes or no. Each row sums to 1."""
        if not isinstance(self.output, ClassifyingOutput):
            raise ArgumentError("a regression predicts values, not probabilities: use predict.")
        return answer(self, x, probabilities=True)

    def evaluate(self, x: Any, y: Any, *, sample_weight: Any = None) -> dict[str, float]:
        """Mean loss (without penalties) and accuracy on these samples; for a regression loss, mae and r2."""
        return evaluate(self, self._samples(x, y, sample_weight))

    def gradients(self, x: Any, y: Any, *, regularizer: Regularizer | None = None) -> dict[str, Array]:
        """Name -> gradient of loss + penalty with respect to that parameter, for one batch as the next step sees it."""
        batch, objective = self._samples(x, y), Objective(self, regularizer)
        objective.descend(batch.x, self.output.targets(batch.y, self.dtype), step=self.training_state.step)
        return {name: self.parameters.layout.view(objective.gradient, name) for name in self.parameters}

    def trace(
        self,
        x: Any,
        y: Any = None,
        optimizer: Optimizer | None = None,
        *,
        training: bool | None = None,
        regularizer: Regularizer | None = None,
    ) -> Trace:
        """Every number of one batch x (B, ...) on its way through the network, as plain data in float64.

        y            goes back again: the loss term by term, each factor of the chain rule, each gradient
        optimizer    goes on to the update of each parameter, from what the optimizer remembers of the last ``fit`` if it
                     is of the same kind; nothing is changed
        training     with dropout and the statistics of the batch, as in the next step (default: if there is y, as
                     `gradients` does); False for numbers as in prediction
        regularizer  the price on weights, as in ``fit``

        Raises `ShapeError` or `ArgumentError` for input that does not fit.
        """
        inputs, targets, memory = self.input.check(x), None, None
        if y is not None:
            targets = self.output.targets(self.output.check_targets(y, len(inputs)), np.dtype(np.float64))
        if optimizer is not None:
            instance_of(optimizer, Optimizer, "optimizer")
            state = replace(self.training_state)
            state.use(optimizer, self)
            memory = state.optimizer_state
        return trace(
            *(self, inputs, targets, optimizer, memory),
            training=targets is not None if training is None else training,
            step=self.training_state.step,
            regularizer=regularizer,
        )

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        pipeline: Pipeline | None = None,
        labels: Sequence[Label] | None = None,
        optimizer_state: bool = False,
    ) -> None:
        """Write a model file, which ``pl.load(path)`` reads: this network, its pipeline for pictures (default: the one that
        ``fit`` measured on its training images) and the ``labels`` of its classes (default: their numbers).

        ``optimizer_state`` adds what training needs to go on. Raises `ModelFileError` if it cannot be written.
        """
        parts = Parts(self.training_state, self.history, pipeline or self.pipeline, check_labels(self, labels))
        write_whole(path, to_bytes(self, parts, optimizer_state=optimizer_state), ModelFileError)

    def _divided(self, x: Any, y: Any, sample_weight: Any, validation: Any) -> tuple[Samples, Samples | None]:
        """The samples to train on, and those to validate with."""
        samples = self._samples(x, y, sample_weight)
        if validation is None:
            return samples, None
        if isinstance(validation, tuple | list) and len(validation) == 2:
            return samples, self._samples(validation[0], validation[1], what="validation ")
        if not isinstance(validation, int | float | np.number):
            came = f"{type(validation).__name__} {repr(validation)[:40]}"
            raise ArgumentError(f"validation is a fraction or a pair (x, y), not a {came}.")
        fraction = number_between(validation, "validation", 0.0, 1.0, open_low=True, open_high=True)
        labels = samples.y if isinstance(self.output, ClassifyingOutput) and samples.y.ndim == 1 else None
        return split(samples, fraction, self.seed, labels)

    def _figures(self, validated: bool, regularizer: Regularizer | None) -> list[str]:
        """The figures that each epoch will have."""
        figures = ["loss", self.output.metric]
        if validated:
            figures = figures + [f"validation_{name}" for name in (*figures, *self.output.overall_metrics)]
        return figures + (["penalty"] if penalties(self, regularizer) else [])

    def _samples(self, x: Any, y: Any, sample_weight: Any = None, what: str = "") -> Samples:
        inputs = self.input.check(x, f"{what}x")
        targets = self.output.check_targets(y, len(inputs), f"{what}y")
        return Samples(inputs, targets, np.arange(len(inputs)), check_sample_weights(sample_weight, len(inputs)))

    def __str__(self) -> str:
        return f"{summary(self)}, engine {self.engine_note}"

    def _repr_html_(self) -> str:
        """The table of layers, as a notebook shows it."""
        words = f"{self.parameters.layout.size:,} parameters, {self.dtype}, engine {self.engine_note}"
        return framed(table("Layers", COLUMNS, summary_rows(self)), element("p", words))

    def __repr__(self) -> str:
        return f"Network({list(self.layers)!r}, seed={self.seed}, dtype={str(self.dtype)!r})"


def _listeners(
    callbacks: Sequence[Callback], early_stopping: int | EarlyStopping | None
) -> tuple[list[Callback], EarlyStopping | None]:
    """Who hears of events, and early stopping, which may be given among them."""
    if not isinstance(callbacks, list | tuple):
        raise ArgumentError(f"callbacks is a list of functions of one event, not {callbacks!r}.")
    given = [] if early_stopping is None else [early_stopping]
    given += [callback for callback in callbacks if isinstance(callback, EarlyStopping)]
    if len(given) > 1:
        raise ArgumentError("early stopping is given more than once; name one, early_stopping=EarlyStopping(...).")
    listeners = [callback for callback in callbacks if not isinstance(callback, EarlyStopping)]
    for callback in listeners:
        if not callable(callback) or isinstance(callback, type):
            raise ArgumentError(f"a callback is a function of one event; {callback!r} is none.")
    stopping = given[0] if given else None
    if stopping is not None and not isinstance(stopping, EarlyStopping):
        stopping = EarlyStopping(positive_integer(stopping, "early_stopping"))
    return listeners, stopping
