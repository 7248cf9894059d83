"""The logits of any number of samples, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pellucid.core.errors import DivergenceError
from pellucid.core.shapes import AnyArray, Array, size_of
from pellucid.data.samples import Samples
from pellucid.executors.native.inference import native_inference
from pellucid.nn.layers.base import Named
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.stack import Stack

PLAIN = (np.dtype(np.float32), np.dtype(np.uint8))  # what the native kernels read, in this machine's byte order
BLOCK_VALUES = 1 << 20  # input values a block: 4 MiB in float32


def block_size(stack: Stack) -> int:
    """How many samples are computed at once: fewer if a layer's output is large."""
    widest = max(size_of(node.output_shape) for node in stack.nodes)
    most = 1024 if native_inference(stack) is None else 16384  # the kernels divide them further
    return max(1, min(most, most * (BLOCK_VALUES // 1024) // widest))


def compute_logits(stack: Stack, x: AnyArray, *, probabilities: bool = False) -> Array:
    """The logits (N, num_outputs) of checked inputs, or the probabilities of a classification."""
    arrays, size = stack.arrays(), block_size(stack)
    blocks = (x[i : i + size] for i in range(0, len(x), size))
    return np.concatenate([finite_answer(stack, block, arrays, probabilities) for block in blocks])


def logit_blocks(stack: Stack, samples: Samples) -> Iterator[Array]:
    """The logits (B, num_outputs) of the samples, block by block, so that x may be larger than memory."""
    arrays = stack.arrays()
    for batch in samples.in_order(block_size(stack)):
        yield finite_answer(stack, batch.x, arrays)


def sample_logits(stack: Stack, samples: Samples) -> Array:
    """The logits of the samples in one array (N, num_outputs)."""
    return np.concatenate(list(logit_blocks(stack, samples)))


def answer(stack: Stack, x: Any, *, probabilities: bool = False) -> Array:
    """Logits (N, num_outputs), or the probabilities of a classification, of inputs that are not checked yet.

    An array that the native kernels can read as it is skips the checks: one sample costs microseconds. Every other one is
    brought into that form, and goes the same way: the bits of an answer depend on the numbers alone.
    """
    native = native_inference(stack)
    is_plain = type(x) is np.ndarray and x.dtype in PLAIN and x.shape[1:] == stack.input.shape and len(x) > 0
    if native is not None and is_plain and x.flags.c_contiguous:
        found = native.run(x, probabilities)
        if found is not None:
            return found  # else the checks below say what is wrong
    return compute_logits(stack, stack.input.check(x), probabilities=probabilities)


def finite_answer(stack: Stack, x: AnyArray, arrays: Sequence[Named], probabilities: bool = False) -> Array:
    """Logits or probabilities of a batch of checked inputs; raises `DivergenceError` if a logit is not finite."""
    native = native_inference(stack)
    found: Array | None
    with np.errstate(all="ignore"):  # what is not finite is found below
        if native is not None:
            found = native.run(np.ascontiguousarray(x, np.uint8 if x.dtype == np.uint8 else np.float32), probabilities)
        else:
            found = stack.propagate(x, arrays).logits
        if found is None or not np.isfinite(found).all():
            raise DivergenceError(
                "the output of the network is not finite.",
                "Its inputs are too large for it (scale them as in training), or its parameters are not finite.",
            )
        if native is None and probabilities:
            assert isinstance(stack.output, ClassifyingOutput)
            found = stack.output.probabilities(found)
    return found
