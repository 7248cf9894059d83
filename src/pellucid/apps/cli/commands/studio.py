"""``pellucid studio``: a network in the browser."""

from __future__ import annotations

import os
import threading
import webbrowser
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import click

from pellucid.apps.cli.photos.read_photos import read_photos
from pellucid.apps.cli.terminal import say
from pellucid.core.errors import ArgumentError, MissingDependencyError
from pellucid.data.photos.csv_listing import names_pictures
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.models.model import Model, load
from pellucid.training.runs.folder import is_run, model_file

SUFFIXES = (".csv", ".tsv", ".parquet", ".feather", ".arrow")


@click.command("studio")
@click.argument("opened", metavar="[MODEL|FOLDER|TABLE]", type=click.Path(), required=False)
@click.option("--model", "model_path", metavar="MODEL", type=click.Path(), help="The model to open together with data.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 for any free one.  [default: 8765, or the next free]",
)
@click.option("--open/--no-open", "opens", default=True, help="Open the link in the browser.  [default: open]")
def command(opened: str | None, model_path: str | None, port: int | None, opens: bool) -> None:
    """Draw for a network, look inside it, and train others, in the browser. Nothing leaves this machine.

    MODEL is a model file, or the folder of a run; FOLDER holds pictures to learn from, and TABLE is a table, as for
    pellucid train. Without any, the studio opens on digits, with digits.safetensors from this folder, or else with a
    network that it trains first.

    The link works in this browser until Ctrl-C, which saves every trained network that is not in a file yet.
    """
    if not all(find_spec(package) for package in ("starlette", "uvicorn")):
        raise MissingDependencyError('the studio needs two more packages: pip install "pellucid[studio]".')
    from pellucid.apps.server.guard import Guard
    from pellucid.apps.server.listen import listening_socket, serve
    from pellucid.apps.studio.application import application
    from pellucid.apps.studio.keeping import save_unsaved
    from pellucid.apps.studio.opening import open_session

    tell = partial(say, err=True)
    model, data = _what(opened, model_path)
    with listening_socket(port) as listener:
        is_table = data is not None and _is_table(data)
        photos = None if data is None or is_table else _photos(data, model)
        session = open_session(tell, model, photos)
        if data is not None and is_table:
            session.tables.open(data)
        guard = Guard(application(session), listener.getsockname()[1])
        say(f"The studio is open at {guard.link}")
        tell("Ctrl-C stops it.")
        if opens:
            threading.Thread(target=_open, args=(guard.link,), daemon=True).start()
        serve(guard, listener, close=session.runs.close, finish=partial(save_unsaved, session, tell))


def _what(opened: str | None, model_path: str | None) -> tuple[tuple[str, Model] | None, str | None]:
    """(name and model, folder of pictures or table) that the command names; raises a `PellucidError` for anything else."""
    is_folder = opened is not None and os.path.isdir(opened) and not is_run(Path(opened))
    are_data = is_folder or (opened is not None and _has_suffix_of_table(opened))
    if opened is not None and not are_data:
        if model_path is not None:
            raise ArgumentError(f"{opened} and --model {model_path} are two models; name one.")
        model_path = opened
    if opened is not None and not os.path.exists(opened):
        raise ArgumentError(f"there is no model file or folder {opened!r}.")
    if model_path is None:
        return None, opened
    return (Path(model_path).stem, load(model_file(model_path))), opened if are_data else None


def _has_suffix_of_table(path: str) -> bool:
    """Whether a name, without that of its packing, ends as those of tables do."""
    return path.casefold().removesuffix(".gz").removesuffix(".zst").endswith(SUFFIXES)


def _is_table(path: str) -> bool:
    """Whether it is a table, and no folder and no list of pictures."""
    return os.path.isfile(path) and not names_pictures(path)


def _photos(path: str, model: tuple[str, Model] | None) -> PhotoFolder:
    """The pictures, in the form that the model takes if it takes photos."""
    pipeline = None if model is None else model[1].pipeline
    return read_photos(path, pipeline if isinstance(pipeline, PhotoPipeline) else PhotoPipeline())


def _open(link: str) -> None:
    """Only in a browser with a window: a text browser would take over the terminal."""
    has_windows = os.name == "nt" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_windows or os.uname().sysname == "Darwin" or os.environ.get("BROWSER"):
        webbrowser.open(link)
