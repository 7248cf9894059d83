"""How good the answers of a regression are: of each of several values, and of each quantile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.metrics import r2
from pellucid.mathematics.losses import PinballLoss


@dataclass(frozen=True)
class ValueFigures:
    """How far off one value of a regression is; ``r2`` is None where its true values do not vary."""

    name: str
    rmse: float
    mae: float
    r2: float | None


@dataclass(frozen=True)
class LevelFigures:
    """The pinball ``loss`` of a quantile, and the share of the true values ``below`` it, which should be its level."""

    level: float
    loss: float
    below: float


def value_figures(y: NDArray[np.float64], predicted: NDArray[np.float64], names: Sequence[str] = ()) -> list[ValueFigures]:
    """Of each of the V values, from what is true and what was predicted (N, V)."""
    found = []
    for v in range(y.shape[1]):
        residuals, explained = y[:, v] - predicted[:, v], r2(y[:, v], predicted[:, v])
        rmse, mae = float(np.sqrt((residuals**2).mean())), float(np.abs(residuals).mean())
        name = names[v] if names else f"value {v + 1}"
        found.append(ValueFigures(name, rmse, mae, None if np.isnan(explained) else explained))
    return found


def mean_of_figures(rows: Sequence[ValueFigures]) -> ValueFigures:
    """The mean over the values; of r2 over those that have one."""
    explained = [row.r2 for row in rows if row.r2 is not None]
    rmse, mae = (float(np.mean(figures)) for figures in zip(*((row.rmse, row.mae) for row in rows), strict=True))
    return ValueFigures("mean", rmse, mae, float(np.mean(explained)) if explained else None)


def level_figures(y: NDArray[np.float64], quantiles: NDArray[np.float64], levels: tuple[float, ...]) -> list[LevelFigures]:
    """Of each level, from what is true (N, 1) and the quantiles that were said (N, K)."""
    losses, below = PinballLoss(levels).of_levels(quantiles, y).mean(axis=0), (y < quantiles).mean(axis=0)
    return [LevelFigures(*row) for row in zip(levels, losses.tolist(), below.tolist(), strict=True)]
