"""Prediction with the native kernels.

The bits of an answer depend neither on the batch that a sample is in nor on the number of threads.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from pellucid.core.machine import available_cores
from pellucid.core.shapes import AnyArray
from pellucid.executors.native.compile import compile_inference, obstacle
from pellucid.executors.native.compile_images import count_image_nodes, multiply_adds
from pellucid.executors.native.crew import Crew
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.parameters import ALONE
from pellucid.nn.stack import NOT_MADE, Stack

LOGITS, SOFTMAX, YES_OR_NO = range(3)  # native/plan/inference.hpp: Answer
WORK_AT_ONCE = 20_000_000_000  # multiply-adds of one call: some tenths of a second, so that Ctrl-C is heard
SHARED_WORK = 4_000_000  # native/plan/inference.hpp: work_for_threads

Float32 = NDArray[np.float32]


class NativeInference:
    """The forward pass of one stack, with its parameters as they are at each call."""

    def __init__(self, stack: Stack) -> None:
        self.native = compile_inference(stack)
        self.parameters = stack.parameters
        self.holders = (stack.parameters, stack.state)
        before = self._references()
        self.native.bind(stack.parameters.vector, stack.state.vector)
        self.own_references = self._references() - before
        self.folds = count_image_nodes(stack) > 0
        self.folded: tuple[int, ...] | None = None  # `times_given` of the holders when the image part was folded
        self.outputs = stack.output.num_outputs
        self.threads = available_cores()
        self.work = max(1, multiply_adds(stack))
        self.rows_at_once = max(1, WORK_AT_ONCE // self.work)
        self.crew = Crew(self.threads)
        self.answer = {Classification: SOFTMAX, BinaryClassification: YES_OR_NO}.get(type(stack.output), LOGITS)

    def run(self, x: AnyArray, probabilities: bool = False) -> Float32 | None:
        """Logits (N, outputs), or probabilities, of contiguous x (N, ...), uint8 or float32.

        None if an input or a logit is not finite.
        """
        refresh = self.parameters.refresh
        if refresh is not None:
            refresh()
        answer = self.answer if probabilities else LOGITS
        if self.folds:
            self._fold()
        count = len(x)
        to: Float32 = np.empty((count, 2 if answer == YES_OR_NO else self.outputs), np.float32)
        if self.folds and count < self.threads and self.work >= SHARED_WORK:
            return to if self._share(x, to, answer) else None
        if count <= self.rows_at_once:
            return to if self.native.run(x, to, answer, self.threads) else None
        for start in range(0, count, self.rows_at_once):
            stop = start + self.rows_at_once
            if not self.native.run(x[start:stop], to[start:stop], answer, self.threads):
                return None
        return to

    def _share(self, x: AnyArray, to: Float32, answer: int) -> bool:
        """Threads share out each layer of a few large pictures: fewer of them while other programs use the machine."""
        if self.crew.most != self.threads:
            self.crew = Crew(self.threads)
        start = time.perf_counter()
        is_finite = self.native.run(x, to, answer, self.crew.size)
        self.crew.record((time.perf_counter() - start) / max(1, len(x)))
        return is_finite

    def _fold(self) -> None:
        """Have the image part read its parameters anew, unless nobody can have changed them."""
        given = tuple(holder.times_given for holder in self.holders)
        if given == self.folded:
            return
        is_held = self._references() > len(self.holders) * ALONE + self.own_references
        self.native.fold()
        self.folded = None if is_held else given  # who holds a view may write to it at any time

    def _references(self) -> int:
        return sum(holder.references() for holder in self.holders)


def native_inference(stack: Stack) -> NativeInference | None:
    """The native forward pass of this stack; None if NumPy computes it."""
    if stack.engine_choice == "numpy":
        return None
    if stack.native_forward is NOT_MADE:
        stack.native_forward = None if obstacle(stack) else NativeInference(stack)
    found: NativeInference | None = stack.native_forward
    return found
