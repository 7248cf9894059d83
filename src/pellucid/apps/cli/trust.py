"""What ``pellucid train`` and ``pellucid evaluate`` say of the probabilities of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.apps.cli.terminal import say, write_table
from pellucid.core.shapes import AnyArray
from pellucid.evaluation.trust import Trust
from pellucid.executors.logits import block_size
from pellucid.models.model import Model, trust_of
from pellucid.models.train import FEWEST_TO_CALIBRATE

NO_TEMPERATURE = f"no temperature: one is fitted on what --validation keeps aside ({FEWEST_TO_CALIBRATE} samples or more"


def judge(model: Model, x: AnyArray, y: AnyArray, rows: NDArray[np.int64]) -> Trust:
    """The `Trust` in a model's answers for these ``rows`` of x and y, gathered in blocks: x may be larger than memory."""
    size = block_size(model.network)
    return trust_of(model, (x[rows[start : start + size]] for start in range(0, len(rows), size)), y[rows])


def as_data(trust: Trust, model: Model) -> dict[str, Any]:
    """All figures as plain data."""
    data: dict[str, Any] = {
        "samples": len(trust.y),
        "calibration_error": trust.calibration_error,
        "calibration_error_interval": trust.calibration_error_interval,
        "calibration_error_by_chance": trust.band.error,
        "verdict": trust.verdict,
        "brier_score": trust.brier,
        "brier_score_interval": trust.brier_interval,
        "temperature": None if trust.temperature is None else asdict(trust.temperature),
        "coverage": None if trust.coverage is None else asdict(trust.coverage) | {"in_words": trust.coverage.in_words},
    }
    if trust.thresholds:
        data["thresholds"] = {"label": model.labels[1], "rows": [asdict(row) for row in trust.thresholds]}
    return data


def show(figures: dict[str, Any], model: Model) -> None:
    """The figures of `as_data` in a few lines."""
    for line in _lines(figures):
        say(line)
    show_temperature(model)


def show_temperature(model: Model) -> None:
    """The temperature, with where it comes from; or why there is none."""
    if model.temperature is not None:
        say(f"temperature {model.temperature} that were kept aside for validation")
    else:
        kept = f"; there were {model.conformal_scores[0].count}" if model.conformal_scores else ""
        say(f"{NO_TEMPERATURE}{kept})")


def show_thresholds(figures: dict[str, Any]) -> None:
    """For two classes: the table of what would follow from other thresholds."""
    label, rows = figures["thresholds"]["label"], figures["thresholds"]["rows"]
    names = ("precision", "recall", "specificity", "f1")
    cells = ((f"{row['threshold']:.0%}", *(_percent(row[name]) for name in names), f"{row['positive']:,}") for row in rows)
    write_table(f"If {label} is said from another probability on", ["from", *names, "said"], cells)


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    (low, high), (least, most) = figures["calibration_error_interval"], figures["brier_score_interval"]
    off = f"{figures['calibration_error']:.1%} off on average ({low:.1%} to {high:.1%})"
    yield (
        f"probabilities {off}: {figures['verdict']}   Brier score {figures['brier_score']:.4f} ({least:.4f} to {most:.4f})"
    )
    coverage = figures["coverage"]
    if coverage is not None:
        words = f" ({coverage['in_words']})" if coverage["in_words"] else ""
        yield (
            f"sets for {coverage['confidence']:.0%} confidence hold the truth of {coverage['covered']:.1%}{words}, with "
            f"{coverage['mean_size']:.2f} labels on average; not sure of {coverage['unsure']:,}"
        )
    yield f"measured on these {figures['samples']:,} samples alone; in brackets, where a figure lies with 95% confidence"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
