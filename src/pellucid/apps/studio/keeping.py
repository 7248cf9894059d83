"""What was trained becomes a model file: a download, a file in the working directory, or all of it when the studio stops.

A file that is there is never replaced unasked, not even by a studio that stops.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pellucid.apps.server.requests import read_json
from pellucid.apps.studio.session import Session
from pellucid.core.errors import ArgumentError, ModelFileError, PellucidError
from pellucid.core.tensor_file import read_model_file
from pellucid.models.saving import save_new, save_or_rescue

SUFFIX = ".safetensors"
NAME = re.compile(r"(?!\.)[^/\\:]{1,60}\.safetensors")  # shorter than 255 bytes, in whatever script
KIND = "application/octet-stream"


def routes(session: Session) -> list[BaseRoute]:
    def download(request: Request) -> Response:
        name = _known(session, request)
        content = session.runs.model(name).to_bytes()
        return Response(content, media_type=KIND, headers={"Content-Disposition": f'attachment; filename="{name}{SUFFIX}"'})

    async def save(request: Request) -> Response:
        name = _known(session, request)
        body = await read_json(request)
        return JSONResponse({"path": await run_in_threadpool(save_run, session, name, body)})

    return [
        Route("/api/runs/{run}/model", download),
        Route("/api/runs/{run}/save", save, methods=["POST"]),
    ]


def save_run(session: Session, run: str, body: dict[str, Any]) -> str:
    """Save the network of a run as {"path": name, "overwrite": bool} says; gives the name.

    Raises `ArgumentError` for another name than that of a model file in the working directory, a failure of 409 if there is
    a file of this name, `ModelFileError` if it cannot be written or is something else.
    """
    name, overwrite = body.get("path"), body.get("overwrite", False)
    if not isinstance(name, str) or not NAME.fullmatch(name) or not name.isprintable():
        raise ArgumentError(
            f"a file name such as {run}{SUFFIX}, short and without a folder, is expected, not {name!r:.100}."
        )
    path, model = session.folder / name, session.runs.model(run)
    if overwrite is True and (path.exists() or path.is_symlink()):
        if path.is_symlink() or not _is_model_file(path):
            raise ModelFileError(f"{name} is there and is no model file; choose another name.")
        model.save(path, optimizer_state=True)
    elif not save_new(path, model.to_bytes(optimizer_state=True)):
        raise HTTPException(409, f"{name} is there already: choose another name, or replace it.")
    session.runs.mark_saved(run, model)
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


def _save_somewhere(session: Session, run: str) -> Path:
    """In the working directory, or in the user's cache if that cannot be written."""
    model = session.runs.model(run)
    path, _ = save_or_rescue(session.folder / f"{run}{SUFFIX}", model.to_bytes(optimizer_state=True), replace=False)
    session.runs.mark_saved(run, model)
    return path


def _is_model_file(path: Path) -> bool:
    try:
        read_model_file(path)
    except ModelFileError:
        return False
    return True


def _known(session: Session, request: Request) -> str:
    name: str = request.path_params["run"]
    if name not in session.runs.names():
        raise HTTPException(404, f"there is no run {name[:40]!r}.")
    return name
