"""``pellucid predict``: what is in these pictures?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import click

from pellucid.apps.cli.terminal import picture_as_text, say, write_json
from pellucid.core.display.text import printable
from pellucid.core.errors import DataError
from pellucid.models.model import load
from pellucid.models.prediction import Prediction


@click.command("predict")
@click.argument("model", type=click.Path())
@click.argument("pictures", type=click.Path(), nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, help="How many labels for each picture.")
@click.option(
    "--confidence",
    type=float,
    metavar="P",
    help="Also name a set of labels that contains the true one with this probability, such as 0.9. Needs a model "
    "whose training kept samples aside (--validation).",
)
@click.option("--quiet", is_flag=True, help="Only the answers, without the small pictures.")
def command(model: str, pictures: tuple[str, ...], as_json: bool, top: int, confidence: float | None, quiet: bool) -> int:
    """Predict what is in PICTURES (files or folders) with MODEL: the label of each and its probability.

    Below the answer for a file, a small picture shows what the network saw; files in a folder get none.

    A file that cannot be read is reported on standard error; the others are still answered, and the exit code is 2.
    Folders are searched with all folders in them; a file in them that is not a picture is only reported.
    """
    loaded = load(model)
    if confidence is not None:
        loaded.check_confidence(confidence)
    results: list[dict[str, Any]] = []
    for path, is_named in _files(pictures):
        try:
            prediction: Prediction = loaded.predict(path, confidence=confidence)
        except DataError as error:
            if is_named:
                say(printable(f"Error: {error}"), err=True)
                results.append({"file": path, "error": str(error)})
            else:
                say(printable(f"Skipped: {error}"), err=True)
            continue
        results.append(_as_data(path, prediction, top))
        if not as_json:
            _show(path, prediction, top, quiet or not is_named)
    if as_json:
        write_json(results)
    return 2 if any("error" in result for result in results) else 0


def _files(paths: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Each file, and whether it was named itself; those of a folder sorted, without hidden files and links.

    A folder without files is passed on as it is: reading it raises the error.
    """
    for path in paths:
        inside = sorted(_inside(path)) if os.path.isdir(path) else []
        yield from ((file, False) for file in inside) if inside else [(path, True)]


def _inside(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (os.path.join(parent, name) for name in files if not name.startswith("."))
        yield from (path for path in paths if os.path.isfile(path) and not os.path.islink(path))


def _as_data(path: str, prediction: Prediction, top: int) -> dict[str, Any]:
    return {
        "file": path,
        "label": prediction.label,
        "probability": prediction.probability,
        "top": [{"label": label, "probability": p} for label, p in prediction.top(top)],
        "doubt": prediction.doubt,
        **({} if prediction.set is None else {"confidence": prediction.confidence, "set": prediction.set}),
    }


def _show(path: str, prediction: Prediction, top: int, quiet: bool) -> None:
    say(printable(f"{path}: {prediction}"))
    for label, probability in prediction.top(top)[1:]:
        say(printable(f"    {label} ({probability:.1%})"))
    if prediction.set is not None:
        say(printable(f"    {prediction.set_in_words()}"))
    if not quiet and prediction.seen is not None:
        say(picture_as_text(prediction.seen))
