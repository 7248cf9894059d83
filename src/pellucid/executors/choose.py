"""Chooses the executor: the native one if it knows every part of the training, else NumPy."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pellucid.core.checks import one_of, positive_integer
from pellucid.core.errors import ArgumentError
from pellucid.executors.base import Executor, OptimizerState, Rules
from pellucid.executors.native.compile import obstacle, rules_obstacle
from pellucid.executors.numpy import NumpyExecutor
from pellucid.nn.stack import Stack

Engine: TypeAlias = Literal["auto", "native", "numpy"]
Precision: TypeAlias = Literal["float32", "bf16"]
ENGINES = ("auto", "native", "numpy")
PRECISIONS = ("float32", "bf16")
MOST_THREADS = 256


def choose_executor(
    stack: Stack,
    rules: Rules,
    state: OptimizerState,
    batch_size: int,
    *,
    engine: Engine = "auto",
    threads: int | None = None,
    precision: Precision = "float32",
) -> Executor:
    """The executor for a training; raises `ArgumentError` if the engine or precision asked for cannot run it."""
    one_of(engine, ENGINES, "engine")
    one_of(precision, PRECISIONS, "precision")
    if threads is not None and positive_integer(threads, "threads") > MOST_THREADS:
        raise ArgumentError(f"threads is at most {MOST_THREADS}, not {threads}.")
    reason = "chosen" if engine == "numpy" else obstacle(stack) or rules_obstacle(stack, rules)
    if precision == "bf16" and reason is not None:
        raise ArgumentError(f'precision="bf16" needs the native engine, and that cannot run this: {reason}.')
    if engine == "native" and reason is not None:
        raise ArgumentError(f'engine="native" cannot run this: {reason}. Use engine="auto" or "numpy".')
    if reason is not None:
        executor = NumpyExecutor(stack, rules, state)
        executor.note = reason
        return executor
    from pellucid.executors.native.executor import NativeExecutor

    return NativeExecutor(stack, rules, state, batch_size, threads, precision)
