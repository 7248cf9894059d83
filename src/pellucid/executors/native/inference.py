"""Prediction with the native kernels.

The bits of an answer depend neither on the batch that a sample is in nor on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.core.machine import available_cores
from pellucid.core.shapes import AnyArray
from pellucid.executors.native.compile import compile_inference, obstacle
from pellucid.executors.native.compile_images import count_image_nodes, multiply_adds
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.parameters import ALONE
from pellucid.nn.stack import NOT_MADE, Stack

LOGITS, SOFTMAX, YES_OR_NO = range(3)  # native/plan/inference.hpp: Answer
WORK_AT_ONCE = 2_000_000_000  # multiply-adds of one call: some hundredths of a second, so that Ctrl-C is heard

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
        self.rows_at_once = max(1, WORK_AT_ONCE // max(1, multiply_adds(stack)))
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
        if count <= self.rows_at_once:
            return to if self.native.run(x, to, answer, self.threads) else None
        for start in range(0, count, self.rows_at_once):
            stop = start + self.rows_at_once
            if not self.native.run(x[start:stop], to[start:stop], answer, self.threads):
                return None
        return to

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
