"""What was trained becomes a model file in the working directory: a run on request, all of them when the studio stops.

A file that is there is never replaced unasked, not even by a studio that stops.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException

from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.session import Session
from pellucid.core.errors import ArgumentError, ModelFileError, PellucidError
from pellucid.core.tensor_file import read_model_file
from pellucid.models.saving import save_new, save_or_rescue

SUFFIX = ".safetensors"
NAME = re.compile(r"(?!\.)[^/\\:]{1,60}\.safetensors")  # shorter than 255 bytes, in whatever script


def save_run(session: Session, run: Run, body: dict[str, Any]) -> str:
    """Save the network of a run as {"path": name, "overwrite": bool} says; gives the name.

    Raises `ArgumentError` for another name than that of a model file in the working directory, a failure of 409 if there is
    a file of this name, `ModelFileError` if it cannot be written or is something else.
    """
    name, overwrite = body.get("path"), body.get("overwrite", False)
    if not isinstance(name, str) or not NAME.fullmatch(name) or not name.isprintable():
        raise ArgumentError(
            f"a file name such as {run.name}{SUFFIX}, short and without a folder, is expected, not {name!r:.100}."
        )
    path, model = session.folder / name, run.model()
    if overwrite is True and (path.exists() or path.is_symlink()):
        if path.is_symlink() or not _is_model_file(path):
            raise ModelFileError(f"{name} is there and is no model file; choose another name.")
        model.save(path, optimizer_state=True)
    elif not save_new(path, model.to_bytes(optimizer_state=True)):
        raise HTTPException(409, f"{name} is there already: choose another name, or replace it.")
    run.mark_saved(model)
    return name


def save_unsaved(session: Session, say: Callable[[str], None]) -> None:
    """Save every network that was trained and is in no file, under names that are free, and say where; not temporary ones.

    One that was rewound is saved as it is, and as it was at its last step.
    """
    for run in session.runs.unsaved():
        _save_and_say(session, run, run, say)
    for run in session.runs.go_forward():
        _save_and_say(session, run, f"{run}, before it was rewound,", say)


def _save_and_say(session: Session, run: str, words: str, say: Callable[[str], None]) -> None:
    try:
        say(f"{words} is saved in {_save_somewhere(session, run)}")
    except Exception as error:  # whatever it is, the others shall be saved
        say(f"{words} is lost: {error if isinstance(error, PellucidError) else repr(error)}")


def _save_somewhere(session: Session, name: str) -> Path:
    """In the working directory, or in the user's cache if that cannot be written."""
    run = session.runs.run(name)
    model = run.model()
    path, _ = save_or_rescue(session.folder / f"{name}{SUFFIX}", model.to_bytes(optimizer_state=True), replace=False)
    run.mark_saved(model)
    return path


def _is_model_file(path: Path) -> bool:
    try:
        read_model_file(path)
    except ModelFileError:
        return False
    return True
