"""Which executor runs: the native one wherever it knows everything, else the one of NumPy, and why."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pellucid.errors import ArgumentError
from pellucid.executors.base import Executor, OptimizerState, Rules
from pellucid.executors.compilation import obstacle, rules_obstacle
from pellucid.executors.numpy import NumpyExecutor
from pellucid.shapes import one_of, positive_integer
from pellucid.stack import Stack

Engine: TypeAlias = Literal["auto", "native", "numpy"]
ENGINES = ("auto", "native", "numpy")
MOST_THREADS = 256


def choose_executor(
    stack: Stack,
    rules: Rules,
    state: OptimizerState,
    batch_size: int,
    *,
    engine: Engine = "auto",
    threads: int | None = None,
) -> Executor:
    """The executor for a training; raises `ArgumentError` if "native" is asked for and cannot be."""
    check_engine(engine, threads)
    reason = None if engine == "numpy" else obstacle(stack) or rules_obstacle(stack, rules)
    if engine == "native" and reason is not None:
        raise ArgumentError(f'engine="native" cannot run this: {reason}. Use engine="auto" or "numpy".')
    if engine == "numpy" or reason is not None:
        executor = NumpyExecutor(stack, rules, state)
        executor.note = reason or "chosen"
        return executor
    from pellucid.executors.native import NativeExecutor

    return NativeExecutor(stack, rules, state, batch_size, threads)


def check_engine(engine: Engine, threads: int | None) -> None:
    """Raise `ArgumentError` for an engine that does not exist, or an impossible number of threads."""
    one_of(engine, ENGINES, "engine")
    if threads is not None and positive_integer(threads, "threads") > MOST_THREADS:
        raise ArgumentError(f"threads is at most {MOST_THREADS}, not {threads}.")
