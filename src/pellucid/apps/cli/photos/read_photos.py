"""Folders of pictures in the commands: reading one with a progress display, and for a model its pipeline."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from rich import progress as rich
from rich.console import Console

from pellucid.apps.cli.terminal import say
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Label
from pellucid.data import datasets
from pellucid.data.photos.folder import BadFiles, PhotoFolder
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.photos.picture_cache import Progress
from pellucid.models.model import Model
from pellucid.training.progress import SECONDS_BETWEEN_LINES


def read_photos(
    path: str,
    pipeline: PhotoPipeline,
    bad_files: BadFiles = "skip",
    labels: Sequence[Label] | None = None,
    *,
    fits: bool = False,
) -> PhotoFolder:
    """The pictures of a folder in the form of this pipeline, or in the size that ``fits`` them; its report goes to standard
    error.

    With the ``labels`` of a model, classes are numbered as there, and others are an error.
    """
    with reading_display() as advance:
        photos = datasets.folder(
            path,
            None if fits else (pipeline.height, pipeline.width),
            channels=pipeline.channels,
            crop=pipeline.crop,
            labels=None if labels is None else [str(label) for label in labels],
            bad_files=bad_files,
            progress=advance,
        )
    say(photos.report, err=True)
    return photos


def check_is_of_photos(model: Model, path: str, model_path: str) -> PhotoPipeline:
    """The model's pipeline, if it reads photos; else an `ArgumentError` that says what the model is for."""
    if isinstance(model.pipeline, PhotoPipeline):
        return model.pipeline
    what = "single digits, as light ink on black"
    if model.pipeline is None or model.pipeline.reads_tables:
        what = "arrays, not pictures" if model.pipeline is None else "tables"
    raise ArgumentError(
        f"{model_path} reads {what}; the pictures in {path} need a model that was trained on them: pellucid train {path}."
    )


@contextmanager
def reading_display(doing: str = "reading pictures", done: str = "read {} of {} pictures") -> Iterator[Progress]:
    """A progress bar on a terminal, elsewhere a line now and then; on standard error."""
    console = Console(stderr=True)
    if not (sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal):
        yield _Lines(done)
        return
    columns = (
        rich.TextColumn(doing),
        rich.BarColumn(bar_width=24),
        rich.MofNCompleteColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(so_far: int, total: int) -> None:
            bar.update(task, completed=so_far, total=total)

        yield advance


class _Lines:
    """A line at most every two seconds, none if all is done sooner."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._printed_at = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._printed_at = now
            with suppress(OSError):
                print(self._text.format(f"{done:,}", f"{total:,}"), file=sys.stderr, flush=True)
