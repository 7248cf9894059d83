"""The native executor: whole training steps in C++ (native/plan/plan.hpp).

While it trains, the plan keeps parameters and moments in a layout of its own. Reading a named view refreshes it:
`Parameters.refresh` calls back here. A reader may also write, so the next steps start from the views again.

When a number is not finite, the last good parameters are computed again (`pellucid.executors.native.replay`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.data.samples import Batch, BatchIndices, Samples
from pellucid.executors.base import Executor, OptimizerState, Rules, diverged, targets_of
from pellucid.executors.native.compile import compile_plan, front_nodes
from pellucid.executors.native.compile_images import count_image_nodes
from pellucid.executors.native.crew import Crew, default_threads
from pellucid.executors.native.replay import Copy, Data, Float32, Replay, StepBlock
from pellucid.executors.numpy import NumpyExecutor
from pellucid.nn.layers.base import Context
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.stack import Stack

SECONDS_AT_ONCE = 0.05  # of one call: Ctrl-C and listeners wait for its end
MOST_AT_ONCE = 256
SEEN_FOR_ZEROS = 256  # samples
FLOAT32 = np.dtype(np.float32)
DONE, BAD_LOSS, BAD_GRADIENT, BAD_UPDATE = range(4)  # native/plan/plan.hpp: Outcome


class NativeExecutor(Executor):
    """Runs the layers, losses and optimizers of this package in float32, on ``threads`` threads."""

    name = "native"

    def __init__(
        self,
        stack: Stack,
        rules: Rules,
        optimizer_state: OptimizerState,
        batch_size: int,
        threads: int | None = None,
        precision: str = "float32",
    ) -> None:
        from pellucid._native import has_bf16, instruction_set

        self.stack = stack
        self.rules = rules
        self.optimizer_state = optimizer_state
        self.batch_size = batch_size
        self.plan = compile_plan(stack, rules)
        self._crew = Crew(threads or default_threads(stack, batch_size))
        self.note = instruction_set()
        if precision == "bf16":
            if not has_bf16():
                raise ArgumentError(
                    f'precision="bf16" needs a processor with AVX512_BF16, and this runs with {self.note}; use "float32".'
                )
            self.plan.use_bf16()
        try:
            self.plan.prepare(batch_size, self._crew.most)
        except MemoryError:
            raise MemoryError(
                f"not enough memory for steps of {batch_size} samples; use a smaller batch_size, or smaller pictures."
            ) from None
        if precision == "bf16":
            without = "convolutions" if count_image_nodes(stack) else "ensembles" if stack.output.members > 1 else None
            why = f"{without} have no bf16" if without else "too small for bf16"
            self.note += ", bf16 products" if self.plan.uses_bf16() else f", float32: {why}"
        self._at_once = 1
        self._lock = threading.Lock()
        self._samples: Samples | None = None
        self._replay = Replay(self.plan, self._run, batch_size)

    @property
    def steps_at_once(self) -> int:
        return max(1, self._at_once // 4) if self._crew.is_trying else self._at_once

    def train_steps(self, batches: Sequence[BatchIndices], step: int, rates: Sequence[float]) -> list[dict[str, float]]:
        with self._lock:
            if self.stack.parameters.refresh is None:
                self._load()
            data, rows = self._gather(batches)
            block = StepBlock(data, rows, np.array(rates, np.float64), step, self.optimizer_state.updates)
            start = time.perf_counter()
            done, outcome, losses, scores = self._run(block)
            seconds = time.perf_counter() - start
            self._crew.record(seconds / max(done, 1))
            if outcome != DONE and done == 0:
                self._give_up(block, outcome, losses[0])
            if outcome != DONE:  # keep the steps before the failed one, which the next call begins with
                block = block.first(done, self.batch_size)
                self._replay.before(block, back=0)
            self.optimizer_state.updates += done
            self._replay.remember(block, owns_inputs=block.data is not self._data)
            self.stack.parameters.refresh = self.stack.state.refresh = self._store
        self._at_once = max(1, min(MOST_AT_ONCE, 2 * self._at_once, int(SECONDS_AT_ONCE * len(rates) / (seconds + 1e-9))))
        metric = self.stack.output.metric
        return [{"loss": losses.item(i), metric: scores.item(i)} for i in range(done)]

    def settle(self) -> None:
        self._store()

    def _run(self, block: StepBlock) -> tuple[int, int, NDArray[np.float64], NDArray[np.float64]]:
        """The number of steps made and how they ended; the loss and the score of each."""
        losses, scores = np.empty(len(block.rates)), np.empty(len(block.rates))
        done, outcome = self.plan.run(
            **vars(block.data),
            rows=block.rows,
            rates=block.rates,
            first_step=block.step,
            first_update=block.update,
            threads=self._crew.size,
            losses=losses,
            scores=scores,
        )
        return done, outcome, losses, scores

    def _load(self) -> None:
        vectors = self._vectors()
        self.plan.load(*vectors)
        self._replay.begin(Copy(*vectors))

    def _store(self) -> None:
        """Refresh the named views, for somebody who reads them."""
        with self._lock:
            if self.stack.parameters.refresh is not None:  # no other thread was faster
                self.stack.parameters.refresh = self.stack.state.refresh = None
                self.plan.store(*self._vectors())

    def _vectors(self) -> tuple[Float32, Float32, list[Float32]]:
        slots = [self.optimizer_state.slots[name] for name in self.rules.optimizer.needed_slots()]
        return self.stack.parameters.vector, self.stack.state.vector, slots

    def _gather(self, indices: Sequence[BatchIndices]) -> tuple[Data, NDArray[np.int64]]:
        """The data of these steps, and its rows in the order of the steps."""
        samples = indices[0].samples
        if self._samples is not samples:
            self._samples, self._data = samples, _data_of(samples.x, samples.y, samples.weights, self.stack.output)
            if not count_image_nodes(self.stack):
                self.plan.expect_zeros(_has_many_zeros(self._encoded(self._data.x[samples.rows[:SEEN_FOR_ZEROS]])))
        rows = np.concatenate([one.rows for one in indices]) if len(indices) > 1 else indices[0].rows
        if indices[0].augment is None:
            return self._data, np.ascontiguousarray(rows, np.int64)
        batches = [one.batch() for one in indices]
        parts = [_numbers(batch.x) for batch in batches]
        if len({part.dtype for part in parts}) > 1:  # pixels beside numbers
            parts = [np.multiply(part, 1 / 255, dtype=np.float32) if part.dtype == np.uint8 else part for part in parts]
        x = np.concatenate([part.reshape(len(part), -1) for part in parts])
        whole = self._data
        labels, targets, weights = (
            None if array is None else array[rows] for array in (whole.labels, whole.targets, whole.weights)
        )
        if any(batch.mixture is not None for batch in batches):
            labels, targets = None, np.concatenate([targets_of(self.stack, batch) for batch in batches])
        return Data(x, labels, targets, weights), np.arange(len(x))

    def _encoded(self, x: AnyArray) -> AnyArray:
        """These rows behind the layers for tables that stand first. Where the first sum sees a 0 does not depend on their
        parameters, which are all 1 here."""
        nodes = front_nodes(self.stack)
        if not nodes:
            return x
        numbers, _ = self.stack.input.forward({}, x, Context())
        for node in nodes:
            specs = node.layer.parameter_specs(node.input_shape)
            ones = {spec.name: np.ones(spec.shape, np.float32) for spec in specs}
            numbers, _ = node.layer.forward(ones, numbers, Context())
        return numbers

    def _give_up(self, block: StepBlock, outcome: int, loss: float) -> NoReturn:
        """Restore the last good parameters, and raise `DivergenceError` with the layer where it began.

        The first step of the block has failed. If its loss is not finite, the parameters before it are not good either:
        the last good ones are those of the step before.
        """
        spoilt, nothing = self._replay.now(), block.first(0, self.batch_size)
        before = spoilt if outcome == BAD_LOSS else self._replay.before(nothing, back=0)
        good = self._replay.before(nothing, back=1) if outcome == BAD_LOSS else before
        what = {
            BAD_LOSS: f"the loss is {loss}",
            BAD_GRADIENT: "the gradient is not finite",
            BAD_UPDATE: "the update left numbers that are not finite",
        }[outcome]
        self.stack.parameters.refresh = self.stack.state.refresh = None
        where = self._diagnose(_batch_of(block.data, block.rows[: self.batch_size], self.stack), block.step, before, spoilt)
        self._put(good)
        raise diverged(block.step, what, where)

    def _diagnose(self, batch: Batch, step: int, before: Copy, spoilt: Copy) -> str:
        """Says which layer, gradient or array is the first that is not finite, by repeating the failed step with NumPy."""
        self._put(before)
        executor = NumpyExecutor(self.stack, self.rules, OptimizerState())
        with np.errstate(all="ignore"):
            found = executor.objective.descend(batch.x, targets_of(self.stack, batch), batch.weights, step=step)
        self._put(spoilt)
        return executor.first_non_finite(found.forward)

    def _put(self, copy: Copy) -> None:
        self.stack.parameters.vector[...] = copy.parameters
        self.stack.state.vector[...] = copy.state


def _has_many_zeros(x: AnyArray) -> bool:
    return bool(np.count_nonzero(x) < x.size / 2)


def _numbers(x: AnyArray) -> AnyArray:
    """uint8 or float32, without gaps."""
    return np.ascontiguousarray(x, np.uint8 if x.dtype == np.uint8 else np.float32)


def _data_of(x: AnyArray, y: AnyArray, weights: AnyArray | None, output: OutputLayer) -> Data:
    labels = np.ascontiguousarray(y, np.int32) if y.ndim == 1 else None
    targets = np.ascontiguousarray(output.targets(y, FLOAT32)) if y.ndim == 2 else None
    own_weights = None if weights is None else np.ascontiguousarray(weights, np.float64)
    return Data(_numbers(x).reshape(len(x), -1), labels, targets, own_weights)


def _batch_of(data: Data, rows: NDArray[np.int64], stack: Stack) -> Batch:
    y = data.labels if data.labels is not None else data.targets
    assert y is not None
    weights = None if data.weights is None else data.weights[rows]
    return Batch(data.x[rows].reshape(-1, *stack.input.shape), y[rows], weights)
