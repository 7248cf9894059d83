"""The network: a stack of layers with the verbs that people use."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Never, NoReturn

import numpy as np

from pellucid.core.checks import number_between, positive_integer
from pellucid.core.display.markup import element, table
from pellucid.core.display.notebook import framed
from pellucid.core.errors import ArgumentError, DivergenceError, ModelFileError
from pellucid.core.files import write_whole
from pellucid.core.shapes import AnyArray, Array, Label
from pellucid.core.suggestions import refuse_arguments, suggests_arguments, suggests_attributes
from pellucid.data.digits.recognise import pipeline_for
from pellucid.data.pipeline import Pipeline
from pellucid.data.samples import Augmentation, Samples, split
from pellucid.data.weights import ClassWeight, check_sample_weights, check_some_count, weights_by_class
from pellucid.evaluation.evaluate import evaluate
from pellucid.evaluation.metrics import is_constant
from pellucid.executors.base import Rules
from pellucid.executors.choose import Engine, Precision
from pellucid.executors.logits import answer
from pellucid.executors.native.compile import obstacle
from pellucid.inspection.trace.trace import Trace, trace
from pellucid.mathematics.clipping import Clipping
from pellucid.mathematics.optimizers import Adam, Optimizer
from pellucid.mathematics.optimizers import optimizer as optimizer_of
from pellucid.mathematics.regularizers import Regularizer
from pellucid.mathematics.regularizers import regularizer as regularizer_of
from pellucid.mathematics.schedules import Schedule, Warmup
from pellucid.mathematics.schedules import schedule as schedule_of
from pellucid.models.saving import Parts, check_labels, to_bytes
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.dropout import Dropout, Dropout2D
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.layer_normalization import LayerNormalization
from pellucid.nn.layers.outputs.classification import ClassifyingOutput, class_numbers
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.objective import Objective, penalties
from pellucid.nn.stack import Stack
from pellucid.nn.summary import COLUMNS, summary, summary_rows
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.events import Callback
from pellucid.training.history import History
from pellucid.training.loop import TrainingLoop
from pellucid.training.one_at_a_time import only_training
from pellucid.training.plan import Plan
from pellucid.training.progress import ProgressMode, progress_display
from pellucid.training.runs.run import Run, recording
from pellucid.training.state import TrainingState
from pellucid.training.trainer import Trainer

SEEN_FOR_SCALE = 4096  # samples


@suggests_attributes
@suggests_arguments
class Network(Stack):
    """``Network([Input(28, 28), Dense(128, "relu"), Classification(10)], seed=0)``.

    ``parameters`` maps names ("dense_1.weight") to arrays, ``engine`` names the executor. The same seed, data and calls
    give the same network.
    """

    pipeline: Pipeline | None = None  # for pictures, as the first ``fit`` measured it
    _trained_by: tuple[str, str] | None = None  # the name of the last executor, and its note

    @cached_property
    def history(self) -> History:
        """The metrics of all epochs so far."""
        return History()

    @cached_property
    def training_state(self) -> TrainingState:
        return TrainingState()

    @property
    def engine(self) -> str:
        """The executor of the last training, "native" or "numpy"; before any, the one that ``fit`` would choose."""
        return self._trained_by[0] if self._trained_by else "numpy" if obstacle(self) else "native"

    @property
    def engine_note(self) -> str:
        """The engine with its instruction set, or with the reason why it is not native."""
        if self._trained_by:
            return "{} ({})".format(*self._trained_by)
        reason = obstacle(self)
        if reason:
            return f"numpy ({reason})"
        from pellucid._native import instruction_set

        return f"native ({instruction_set()})"

    @property
    def _standardises(self) -> bool:
        """Whether the network scales its inputs itself, before any of its weights sees them."""
        first = next(layer for layer in self.layers[1:] if not isinstance(layer, Flatten | Dropout | Dropout2D))
        return isinstance(first, Rescale | BatchNormalization | LayerNormalization)

    def _without_categories(self, x: AnyArray) -> AnyArray:
        """The columns whose numbers have a size: those that an `Embedding` at the front leaves as they are."""
        front = self.layers[1]
        return x[:SEEN_FOR_SCALE, front.others(x.shape[1])] if isinstance(front, Embedding) else x

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        validation: float | tuple[Any, Any] | None = None,
        optimizer: str | Optimizer | None = None,
        schedule: str | Schedule = "constant",
        regularizer: str | Regularizer | None = None,
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
        run: str | os.PathLike[str] | Run | None = None,
        snapshot_every: float | str | None = None,
    ) -> History:
        """Train on x (N, ...) and y; another call continues from there. Gives the history of this call.

        validation      (x, y), or a fraction of the samples to hold out (the same of each class)
        optimizer       a name ("adam", "sgd", ...) or an `Optimizer`; default: that of the last call, at first ``Adam()``
        schedule        a name ("cosine", "one_cycle", ...) or a `Schedule`; its factor multiplies the learning rate
        regularizer     the penalty on weights: ``L1(...)``, ``L2(...)`` or a sum of them; "l1", "l2": of strength 0.01
        clipping        ``ClipByGlobalNorm(...)`` or ``ClipByValue(...)``
        sample_weight   (N,) numbers of at least 0; class_weight: {class: weight} or "balanced"; the two multiply
        early_stopping  patience in epochs, or an `EarlyStopping`; needs ``validation``
        augment         a random change of each batch, such as ``Distortion()``
        callbacks       functions of one `Event`
        progress        "auto" (a live bar on a terminal, else a line now and then), "bar", "lines" or "none"
        engine          "native" (compiled), "numpy", or "auto": native if it knows every part
        threads         at most so many in the native engine (default: the cores); the results are the same, bit for bit
        precision       "float32", or "bf16": bfloat16 products (sums and weights stay float32) if the processor has them
        run             a folder that keeps the position: the same call takes up a training that was cut off, bit for bit
        snapshot_every  how often it is kept: seconds, or "2 epochs" (default: 10 s, and at most 2 % of the time)

        Raises `ArgumentError` or `ShapeError` before the first step for arguments that cannot work, `DivergenceError` when
        a number is not finite. Ctrl-C raises KeyboardInterrupt after the current step; the network stays usable, with the
        best parameters that early stopping has seen. A network has one training at a time: another ``fit`` meanwhile is an
        `ArgumentError`.
        """
        regularizer = regularizer_of(regularizer)
        training, held_out = self._divided(x, y, sample_weight, validation)
        if not self._standardises:
            self.input.warn_about_scale(self._without_categories(training.x))
        self.output.warn_about_scale(training.y[training.rows])
        if class_weight is not None:
            training = replace(training, weights=weights_by_class(class_weight, training, self.output))
        if optimizer is None:
            optimizer = self.training_state.optimizer or Adam()
        optimizer = optimizer_of(optimizer)
        listeners, stopping = _listeners(callbacks, early_stopping)
        if stopping is not None:
            stopping.check(self._metrics(held_out is not None, regularizer))
            if stopping.monitor == "validation_r2" and held_out is not None:
                self._check_r2(held_out)
        plan = Plan(
            rules=Rules(optimizer, regularizer, clipping),
            schedule=schedule_of(schedule),
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            augment=augment,
            early_stopping=stopping,
            engine=engine,
            threads=threads,
            precision=precision,
        )
        if self.pipeline is None:
            self.pipeline = pipeline_for(training.x, training.rows)
        with only_training(self), recording(run, snapshot_every) as record:
            loop = TrainingLoop(self, self.training_state, training, held_out, plan)
            if isinstance(plan.schedule, Warmup):
                plan.schedule.warn_about_length(loop.planned_steps)
            trainer = Trainer(loop, [*listeners, *progress_display(progress)], record)
            self.engine_choice, self._trained_by = engine, (loop.executor.name, loop.executor.note)
            try:
                trainer.run()
            finally:
                self.history.extend(trainer.history)
            if record is not None:
                record.finish(self.to_bytes)
        return trainer.history

    def predict(self, x: Any, **unknown: Never) -> AnyArray:
        """The answer for each sample: class numbers (B,) int64; for a regression the values, (B,) or (B, V), or quantiles
        (B, K)."""
        if unknown:
            refuse_arguments(list(unknown), Network.predict, "predict")
        return self.output.predict(answer(self, x))

    def predict_proba(self, x: Any, **unknown: Never) -> Array:
        """The probability of each class, (B, K); (B, 2) for yes or no. Each row sums to 1."""
        if unknown:
            refuse_arguments(list(unknown), Network.predict_proba, "predict_proba")
        if not isinstance(self.output, ClassifyingOutput):
            raise ArgumentError("a regression predicts values, not probabilities: use predict.")
        return answer(self, x, probabilities=True)

    def evaluate(self, x: Any, y: Any, *, sample_weight: Any = None) -> dict[str, float]:
        """Mean loss (without penalties) and accuracy on these samples; for a regression loss, mae and r2.

        r2 is NaN where the true values do not vary: there is no variance to explain.
        """
        return evaluate(self, checked_samples(self, x, y, sample_weight=sample_weight))

    def gradients(self, x: Any, y: Any, *, regularizer: str | Regularizer | None = None) -> dict[str, Array]:
        """Name -> gradient of loss + penalty with respect to that parameter, for one batch, as in the next step.

        Raises `DivergenceError` if one is not finite.
        """
        batch, objective = checked_samples(self, x, y), Objective(self, regularizer_of(regularizer))
        with np.errstate(all="ignore"):  # what is not finite is found below
            objective.descend(batch.x, self.output.targets(batch.y, self.dtype), step=self.training_state.step)
        if not np.isfinite(objective.gradient).all():
            raise DivergenceError("the gradient is not finite: the inputs or the parameters are too large for it.")
        return {name: self.parameters.layout.view(objective.gradient, name) for name in self.parameters}

    def trace(
        self,
        x: Any,
        y: Any = None,
        optimizer: str | Optimizer | None = None,
        *,
        training: bool | None = None,
        regularizer: str | Regularizer | None = None,
    ) -> Trace:
        """Every number of one batch x (B, ...) in the forward pass, in float64.

        y            adds the backward pass: the loss term by term, each factor of the chain rule, each gradient
        optimizer    adds the update of each parameter, with the slots of the last ``fit`` if it is of the same kind;
                     nothing is changed
        training     with dropout and the statistics of the batch, as in the next step (the default if there is y), or as
                     in prediction
        regularizer  the penalty on weights, as in ``fit``

        Raises `ShapeError` or `ArgumentError` for arguments that do not fit.
        """
        inputs, targets, optimizer_state = self.input.check(x), None, None
        if y is not None:
            targets = self.output.targets(self.output.check_targets(y, len(inputs)), np.dtype(np.float64))
        if optimizer is not None:
            optimizer = optimizer_of(optimizer)
            state = replace(self.training_state)
            state.use(optimizer, self)
            optimizer_state = state.optimizer_state
        return trace(
            self,
            inputs,
            targets,
            optimizer,
            optimizer_state,
            training=targets is not None if training is None else training,
            step=self.training_state.step,
            regularizer=regularizer_of(regularizer),
        )

    def __call__(self, *_: Never, **__: Never) -> NoReturn:
        raise TypeError("a network is not a function: use predict(x) or predict_proba(x), or forward(x) for the logits.")

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        pipeline: Pipeline | None = None,
        labels: Sequence[Label] | None = None,
        optimizer_state: bool = False,
    ) -> None:
        """Write a model file, for ``pl.load(path)``: this network, its pipeline for pictures (default: the one that ``fit``
        measured on its training images) and the ``labels`` of its classes (default: their numbers).

        ``optimizer_state`` adds what training needs to continue. Raises `ModelFileError` if it cannot be written.
        """
        write_whole(path, self.to_bytes(pipeline, labels, optimizer_state=optimizer_state), ModelFileError)

    def to_bytes(
        self, pipeline: Pipeline | None = None, labels: Sequence[Label] | None = None, *, optimizer_state: bool = False
    ) -> bytes:
        """What `save` writes."""
        parts = Parts(self.training_state, self.history, pipeline or self.pipeline, check_labels(self, labels))
        return to_bytes(self, parts, optimizer_state=optimizer_state)

    def _divided(self, x: Any, y: Any, sample_weight: Any, validation: Any) -> tuple[Samples, Samples | None]:
        """The training and the validation samples."""
        samples = checked_samples(self, x, y, sample_weight=sample_weight)
        if validation is None:
            return samples, None
        if isinstance(validation, tuple | list) and len(validation) == 2:
            return samples, checked_samples(self, *validation, what="validation ")
        if not isinstance(validation, int | float | np.number):
            came = f"{type(validation).__name__} {repr(validation)[:40]}"
            raise ArgumentError(f"validation is a fraction or a pair (x, y), not a {came}.")
        fraction = number_between(validation, "validation", 0.0, 1.0, open_low=True, open_high=True)
        labels = class_numbers(samples.y) if isinstance(self.output, ClassifyingOutput) else None
        training, held_out = split(samples, fraction, self.seed, labels)
        check_some_count(training, "training")
        check_some_count(held_out, "validation")
        return training, held_out

    def _metrics(self, validates: bool, regularizer: Regularizer | None) -> list[str]:
        """The metrics that each epoch will have."""
        metrics = ["loss", self.output.metric]
        if validates:
            metrics = metrics + [f"validation_{name}" for name in (*metrics, *self.output.overall_metrics)]
        return metrics + (["penalty"] if penalties(self, regularizer) else [])

    def _check_r2(self, held_out: Samples) -> None:
        """Raise `ArgumentError` if early stopping would follow an r2 that is not defined."""
        weights = None if held_out.weights is None else held_out.weights[held_out.rows]
        if is_constant(self.output.targets(held_out.y[held_out.rows], self.dtype), weights):
            raise ArgumentError(
                'early stopping monitors "validation_r2", which is not defined here: the true values of the validation '
                'samples do not vary, so there is no variance to explain. Monitor "validation_loss", or validate on others.'
            )

    def __str__(self) -> str:
        return f"{summary(self)}, engine {self.engine_note}"

    def _repr_html_(self) -> str:
        """The table of layers, for a notebook."""
        words = f"{self.parameters.layout.size:,} parameters, {self.dtype}, engine {self.engine_note}"
        return framed(table("Layers", COLUMNS, summary_rows(self)), element("p", words))

    def __repr__(self) -> str:
        return f"Network({list(self.layers)!r}, seed={self.seed}, dtype={str(self.dtype)!r})"


def checked_samples(
    stack: Stack, x: Any, y: Any, *, rows: Any = None, sample_weight: Any = None, what: str = ""
) -> Samples:
    """Samples x (N, ...) with targets y as the stack takes them; ``rows`` are those in use (default: all).

    Raises `ShapeError` or `ArgumentError` for others; ``what`` stands before the names x and y in it.
    """
    inputs = stack.input.check(x, f"{what}x")
    targets, count = stack.output.check_targets(y, len(inputs), f"{what}y"), len(inputs)
    chosen = np.arange(count) if rows is None else np.asarray(rows)
    if chosen.ndim != 1 or not np.issubdtype(chosen.dtype, np.integer) or not len(chosen):
        raise ArgumentError(f"rows are numbers of samples, at least one, not {rows!r:.60}.")
    if chosen.min() < 0 or chosen.max() >= count:
        raise ArgumentError(f"rows go from {chosen.min()} to {chosen.max()}; there are samples 0 to {count - 1}.")
    return Samples(inputs, targets, chosen.astype(np.int64), check_sample_weights(sample_weight, count))


def _listeners(
    callbacks: Sequence[Callback], early_stopping: int | EarlyStopping | None
) -> tuple[list[Callback], EarlyStopping | None]:
    """The callbacks without early stopping, which may be among them, and early stopping."""
    if not isinstance(callbacks, list | tuple):
        raise ArgumentError(f"callbacks is a list of functions of one event, not {callbacks!r}.")
    given = [] if early_stopping is None else [early_stopping]
    given += [callback for callback in callbacks if isinstance(callback, EarlyStopping)]
    if len(given) > 1:
        raise ArgumentError("early stopping is given more than once; pass only early_stopping=EarlyStopping(...).")
    listeners = [callback for callback in callbacks if not isinstance(callback, EarlyStopping)]
    for callback in listeners:
        if not callable(callback) or isinstance(callback, type):
            raise ArgumentError(f"a callback is a function of one event, not {callback!r}.")
    stopping = given[0] if given else None
    if stopping is not None and not isinstance(stopping, EarlyStopping):
        stopping = EarlyStopping(positive_integer(stopping, "early_stopping"))
    return listeners, stopping
