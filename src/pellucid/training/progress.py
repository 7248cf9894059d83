"""The progress display: a callback that shows on standard error how training goes.

On a terminal it is a live bar; elsewhere (a file, a pipe, a notebook) it is lines: for the first epoch, the last, and
between them at most one every two seconds.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any, Literal, TypeAlias

from pellucid.core.checks import one_of
from pellucid.training.events import (
    Callback,
    EpochFinished,
    Event,
    Patient,
    StepFinished,
    TrainingFinished,
    TrainingStarted,
)

ProgressMode: TypeAlias = Literal["auto", "bar", "lines", "none"] | bool
SECONDS_BETWEEN_LINES = 2.0


def progress_display(mode: ProgressMode) -> Sequence[Callback]:
    """The callback for this mode, or none. True means "auto", False "none"."""
    if isinstance(mode, bool):
        mode = "auto" if mode else "none"
    one_of(mode, ("auto", "bar", "lines", "none"), "progress mode")
    if mode == "auto":
        is_live = sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb" and "ipykernel" not in sys.modules
        mode = "bar" if is_live else "lines"
    if mode == "none":
        return ()
    return (_UntilNobodyReads(ProgressBar() if mode == "bar" else ProgressLines(sys.stderr)),)


def counting_display(mode: ProgressMode, text: str) -> Callable[[int, int], None] | None:
    """For work that is counted: called with how much is done and how much there is, it prints ``text``, which has a place
    for each, at most every two seconds, and nothing if all is done sooner. None if nothing is to be shown."""
    if not progress_display(mode):
        return None
    printed_at = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal printed_at
        now = time.monotonic()
        if now - printed_at >= SECONDS_BETWEEN_LINES:
            printed_at = now
            with suppress(OSError):
                print(text.format(f"{done:,}", f"{total:,}"), file=sys.stderr, flush=True)

    return show


class _UntilNobodyReads(Patient):
    """Shows events until writing fails (a closed pipe, a lost connection); training then goes on without display."""

    def __init__(self, display: Callback) -> None:
        self._display: Callback | None = display

    def __call__(self, event: Event) -> None:
        if self._display is not None:
            try:
                self._display(event)
            except OSError:
                self._display = None


def metrics_text(metrics: dict[str, float], digits: int = 4) -> str:
    """``loss 0.2513  accuracy 92.64 %  validation accuracy 96.20 %``."""
    parts = []
    for name, value in metrics.items():
        if name in ("seconds", "learning_rate"):
            continue
        label = name.replace("_", " ")
        if math.isnan(value):
            parts.append(f"{label} not defined")
            continue
        is_share = name.endswith("accuracy")
        parts.append(f"{label} {100 * value:.{digits - 2}f} %" if is_share else f"{label} {value:.{digits}g}")
    return "  ".join(parts)


def _last_lines(event: TrainingFinished) -> list[str]:
    """How the training ended, unless as planned; and the restored epoch, unless it is the last, which was just shown."""
    lines = [] if event.reason == "completed" else [f"training {event.reason} in epoch {event.epoch}"]
    if event.restored_epoch not in (0, event.epoch):
        lines.append(f"restored the parameters of epoch {event.restored_epoch}  {metrics_text(event.metrics)}")
    return lines


class ProgressLines:
    """A line for an epoch, not too often."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self._last_epoch = 0
        self._samples = 0
        self._printed_at = -SECONDS_BETWEEN_LINES

    def __call__(self, event: Event) -> None:
        if isinstance(event, TrainingStarted):
            self._last_epoch = event.epoch + event.epochs - 1
            self._samples = event.samples_per_epoch
        elif isinstance(event, EpochFinished):
            now = time.monotonic()
            if event.epoch == self._last_epoch or now - self._printed_at >= SECONDS_BETWEEN_LINES:
                self._printed_at = now
                speed = self._samples / max(event.metrics["seconds"], 1e-9)
                self._print(
                    f"epoch {event.epoch}/{self._last_epoch}  {metrics_text(event.metrics)}  {speed:,.0f} samples/s"
                )
        elif isinstance(event, TrainingFinished):
            for line in _last_lines(event):
                self._print(line)

    def _print(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


class ProgressBar:
    """A live bar with the metrics of the current epoch, samples a second and the time left in all."""

    def __init__(self) -> None:
        self._bar: Any = None  # with its task, made when training starts
        self._validation = ""
        self._shown_at = 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, TrainingStarted):
            self._start(event)
        elif isinstance(event, StepFinished):
            now = time.monotonic()
            if now - self._shown_at > 0.1:
                self._shown_at = now
                self._show(event)
        elif isinstance(event, EpochFinished):
            validation = {name: value for name, value in event.metrics.items() if name.startswith("validation")}
            self._validation = metrics_text(validation)
            self._bar.console.print(f"epoch {event.epoch}  {metrics_text(event.metrics)}", highlight=False)
        elif isinstance(event, TrainingFinished) and self._bar is not None:
            self._bar.stop()
            for line in _last_lines(event):
                self._bar.console.print(line, highlight=False)

    def _start(self, event: TrainingStarted) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._started = event
        console = Console(stderr=True)
        self._is_narrow = console.width < 130
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=8 if self._is_narrow else 24),
            TaskProgressColumn(),
            TextColumn("{task.fields[metrics]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        total = event.epochs * event.samples_per_epoch
        self._task = self._bar.add_task(f"epoch {event.epoch}", total=total, metrics="")
        self._began = time.monotonic()
        self._bar.start()

    def _show(self, event: StepFinished) -> None:
        done = (event.epoch - self._started.epoch) * self._started.samples_per_epoch + event.samples
        speed = done / max(time.monotonic() - self._began, 1e-9)
        if self._is_narrow:  # the line of the last epoch, above the bar, shows the validation
            metrics = f"{metrics_text(event.metrics, digits=3)}  {speed:,.0f} samples/s"
        else:
            metrics = f"{metrics_text(event.metrics)}  {self._validation}  {speed:,.0f} samples/s"
        last = self._started.epoch + self._started.epochs - 1
        self._bar.update(self._task, completed=done, description=f"epoch {event.epoch}/{last}", metrics=metrics)
