"""The compiled module: see native/bindings.cpp. Sizes are checked there; everything else in `pellucid.executors`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

def instruction_set() -> str: ...
def instruction_sets() -> list[str]: ...
def fail_in_member(threads: int, failing: int) -> None: ...

class Plan:
    def __init__(self, inputs: int, seed: int) -> None: ...
    def add_affine(self, units: int, activation: int, bias: bool, l1: float, l2: float) -> None: ...
    def add_dropout(self, rate: float, layer: int) -> None: ...
    def add_normalization(self, momentum: float, epsilon: float) -> None: ...
    def set_loss(self, kind: int, parameter: float) -> None: ...
    def set_optimizer(
        self,
        rule: int,
        *,
        momentum: float,
        beta1: float,
        beta2: float,
        decay: float,
        epsilon: float,
        weight_decay: float,
        bound: float,
        norm_bound: float,
    ) -> None: ...
    def prepare(self, batch: int, threads: int) -> None: ...
    def load(self, parameters: Float32, state: Float32, slots: Sequence[Float32]) -> None: ...
    def store(self, parameters: Float32, state: Float32, slots: Sequence[Float32]) -> None: ...
    def run(
        self,
        x: NDArray[np.uint8] | Float32,
        labels: NDArray[np.int32] | None,
        targets: Float32 | None,
        weights: Float64 | None,
        rows: NDArray[np.int64],
        rates: Float64,
        first_step: int,
        first_update: int,
        losses: Float64,
        scores: Float64,
    ) -> tuple[int, int]: ...

class Inference:
    def __init__(self, inputs: int) -> None: ...
    def add_affine(self, units: int, activation: int, bias: bool) -> None: ...
    def add_normalization(self, epsilon: float) -> None: ...
    def run(
        self, x: NDArray[np.uint8] | Float32, parameters: Float32, state: Float32, to: Float32, answer: int, threads: int
    ) -> bool: ...
