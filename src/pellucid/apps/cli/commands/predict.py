"""``pellucid predict``: what is in these pictures, or what follows from the rows of this table?"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from pellucid.apps.cli.named_models import open_model
from pellucid.apps.cli.table_options import ACCOUNT, reading_options, refuse_options, rows_of
from pellucid.apps.cli.terminal import picture_as_text, say, write_json
from pellucid.core.display.text import printable
from pellucid.core.errors import ArgumentError, DataError
from pellucid.models.model import table_pipeline_of
from pellucid.models.prediction import Prediction


@click.command("predict")
@click.argument("model", type=click.Path())
@click.argument("pictures", type=click.Path(), nargs=-1, required=True, metavar="PICTURES|TABLE")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, help="How many labels for each picture.")
@click.option(
    "--confidence",
    type=float,
    metavar="P",
    help="Also name a set of labels that contains the true one with this probability, such as 0.9. Needs a model "
    "whose training held samples out (--validation).",
)
@click.option("--quiet", is_flag=True, help="Only the answers, without the small pictures.")
@click.option(
    "--out", type=click.Path(), metavar="FILE", help="Of a table: write the answers to this CSV file, a line for each row."
)
@ACCOUNT
@reading_options
def command(
    model: str, pictures: tuple[str, ...], as_json: bool, top: int, confidence: float | None, quiet: bool,
    out: str | None, account: str | None, **reading: Any,
) -> int:  # fmt: skip
    """Predict what is in PICTURES (files or folders) with MODEL: the label of each and its probability. MODEL is a file, or
    imagenet, a network that comes with Pellucid and names what is in photos: one of 1,000 kinds of things. With a model of
    tables: the answer for each row of a TABLE, as CSV, with the number of the row, how probable the answer is, and how many
    cells were not understood; what became of every row and cell goes to standard error.

    Below the answer for a file, a small picture shows what the network saw; files in a folder get none.

    A file that cannot be read is reported on standard error; the others are still answered, and the exit code is 2.
    Folders are searched with all folders in them, without hidden files and what links lead to; a file in them that is not
    a picture is only reported, unless there is no picture at all.
    """
    loaded = open_model(model)
    if confidence is not None:
        loaded.check_confidence(confidence)
    if table_pipeline_of(loaded) is not None:
        from pellucid.apps.cli.predict_table import check_places, predict_table

        refuse_options({"top": top > 1, "quiet": quiet}, "the model answers for the rows of a table")
        if len(pictures) > 1:
            raise ArgumentError(f"one table at a time; {len(pictures)} files are named.")
        check_places(pictures[0], out, account)
        rows = rows_of(pictures[0], reading)
        predict_table(loaded, rows, confidence=confidence, out=out, account=account, as_json=as_json)
        return 0
    refuse_options({"out": out, "account": account, **reading}, f"{model} is no model of tables")
    results: list[dict[str, Any]] = []
    for path in pictures:
        is_folder = os.path.isdir(path)
        answers = 0
        files = sorted(_inside(path)) if is_folder else [path]
        for file in files:
            try:
                prediction: Prediction = loaded.predict(file, confidence=confidence)
            except DataError as error:
                if is_folder:
                    say(printable(f"Skipped: {error}"), err=True)
                else:
                    results.append(_failed(file, str(error)))
                continue
            answers += 1
            results.append(_as_data(file, prediction, top))
            if not as_json:
                _show(file, prediction, top, quiet or is_folder)
        if is_folder and not answers:
            results.append(_failed(path, _without_pictures(path, files)))
    if as_json:
        write_json(results)
    return 2 if any("error" in result for result in results) else 0


def _failed(path: str, error: str) -> dict[str, Any]:
    """What came of a file or a folder without an answer, said on standard error too."""
    say(printable(f"Error: {error}"), err=True)
    return {"file": path, "error": error}


def _without_pictures(folder: str, files: list[str]) -> str:
    """What was found in a folder without a picture that can be read."""
    if not files:
        return f"the folder '{folder}' holds no files; expected pictures"
    kinds = Counter(os.path.splitext(file)[1].casefold() or "without an extension" for file in files)
    found = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(5)) + (", ..." if len(kinds) > 5 else "")
    return f"no file in the folder '{folder}' is a picture that can be read; found {found}"


def _inside(folder: str) -> Iterator[str]:
    """The files of a folder and of those in it; a folder that cannot be listed is reported."""
    for parent, folders, files in os.walk(folder, onerror=lambda error: say(printable(f"Skipped: {error}"), err=True)):
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
