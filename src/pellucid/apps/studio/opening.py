"""The models that a studio opens with: the one that the user names, and a network for digits, found or trained."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from pellucid.apps.studio.session import DIGITS, Session, reads
from pellucid.core.errors import PellucidError
from pellucid.core.files import cache_folder
from pellucid.core.version import __version__
from pellucid.data import datasets
from pellucid.data.photos.folder import PhotoFolder
from pellucid.models.model import Model, load
from pellucid.models.network import Network
from pellucid.models.train import fit_and_calibrate
from pellucid.training.recipes.named import IMAGE
from pellucid.training.recipes.recipe import Recipe
from pellucid.training.runs.cache import in_cache, taken_from_cache

Say = Callable[[str], None]

MADE = "digits.safetensors"  # by `make digits`, or pellucid train digits
KEPT_ASIDE = 1 / 12  # 5,000 pictures, for calibration
FIRST = Recipe((128, 64), dropout=0.0, learning_rate=3e-3, schedule="one_cycle", epochs=8, validation=KEPT_ASIDE)


def open_session(
    say: Say, opened: tuple[str, Model] | None = None, photos: PhotoFolder | None = None, folder: Path | None = None
) -> Session:
    """A session with the model of this name, if there is one, and a network for digits unless it is one."""
    folder = folder or Path()
    models = {} if opened is None else {free_name(opened[0]): opened[1]}
    if not any(reads_digits(model) for model in models.values()):
        models["digits"] = digits_model(folder, say)
    session = Session(models, photos, folder)
    _take_up(session, say)
    return session


def _take_up(session: Session, say: Say) -> None:
    """Bring back the runs of a studio that was killed, as far as their data are there."""
    for status in in_cache():
        fields = status.settings.get("studio")
        if status.state == "killed" and isinstance(fields, dict):
            try:
                with ExitStack() as lock:
                    run = session.runs.create(fields, record=lock.enter_context(taken_from_cache(status)))
                    lock.pop_all()  # it stays as long as the studio
            except PellucidError as error:
                say(f"a run of a studio that was killed is kept in {status.folder}, and cannot be taken up: {error}")
            else:
                say(f"{run.name} is that of a studio that was killed, as it was after step {run.loop.step:,}")


def free_name(name: str) -> str:
    """The name of a file as a model's name; "digits" is the studio's own network, and "run-1" a run."""
    return f"{name} (file)" if re.fullmatch(r"digits|run-\d+", name) else name


def reads_digits(model: Model) -> bool:
    """Whether the model reads pictures of the ten digits, so that it can replace the studio's own."""
    return reads(model) == "digits" and [str(label) for label in model.labels] == [str(digit) for digit in DIGITS]


def digits_model(folder: Path, say: Say) -> Model:
    """A network for digits: that of ``make digits`` in the folder, the one that a studio trained earlier, or a new one."""
    kept = _place_to_keep()
    for path in filter(None, (folder / MADE, kept)):
        model = _found(path, say)
        if model is not None:
            return model
    say("Training a first network on the digits; it is kept for the next start.")
    model = train_digits()
    if kept is not None:
        with suppress(OSError, PellucidError):  # then the next start trains again
            kept.parent.mkdir(parents=True, exist_ok=True)
            model.save(kept)
    return model


def train_digits() -> Model:
    """A new network for digits, calibrated on held-out pictures."""
    (x, y), _ = datasets.digits()
    return fit_and_calibrate(Network(FIRST.network_layers(IMAGE, len(DIGITS))), x, y, FIRST.fit_options())


def _found(path: Path, say: Say) -> Model | None:
    if not path.exists():
        return None
    try:
        model = load(path)
    except PellucidError as error:
        say(f"{error} It is skipped.")
        return None
    if reads_digits(model):
        return model
    say(f"{path} does not read digits; it is skipped.")
    return None


def _place_to_keep() -> Path | None:
    try:
        return cache_folder() / "studio" / f"digits-{__version__}.safetensors"
    except RuntimeError:  # this user has no home folder
        return None
