"""An experiment: data, a recipe and a seed, from the JSON of a page, every field of which is checked.

Every field but ``data`` has a default that works well for these data. An unknown field, one of the wrong type or one out of
bounds is an `ArgumentError` that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pellucid.core.checks import Check, flag, name_of, number, one_of, short, whole
from pellucid.core.errors import ArgumentError
from pellucid.data.datasets.points import LETTERS, SETS
from pellucid.data.photos.folder import PhotoFolder
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.optimizers import OPTIMIZERS
from pellucid.mathematics.schedules import SCHEDULES
from pellucid.models.train import divide, recipe_for
from pellucid.training.recipes.photo_rules import KEPT_ASIDE
from pellucid.training.recipes.recipe import Recipe

POINT_SETS = (*SETS, "drawn")
DATA = ("digits", "folder", *POINT_SETS)
SAMPLES = {"digits": (100, 60_000), **dict.fromkeys(SETS, (10, 20_000))}  # of other data all are used
MOST_DRAWN = 2_000
MOST_HIDDEN, MOST_UNITS, MOST_WORDS = 8, 4_096, 12
OF_THE_DATA = ("data", "samples", "noise", "data_seed", "points", "validation")
PLAIN = Recipe((8, 8), dropout=0.0, schedule="constant", augment=False)


@dataclass(frozen=True)
class Experiment:
    """What a run trains on, and how.

    data        "digits", "folder" (the pictures that the studio was opened with), "drawn", or the name of a point set
    samples     how many are generated, or used
    noise       of generated points; ``points`` are the drawn ones: x1, x2 and class number
    data_seed   the seed of the points, and of the split into training and validation
    recipe      the network, and how it is trained
    seed        the seed of the training
    """

    data: str
    samples: int
    noise: float
    data_seed: int
    points: tuple[tuple[float, float, int], ...] | None
    recipe: Recipe
    seed: int = 0

    def to_data(self) -> dict[str, Any]:
        """All fields as JSON."""
        own = {name: getattr(self, name) for name in ("data", "samples", "noise", "data_seed", "seed")}
        recipe = {name: getattr(self.recipe, name) for name in OF_THE_RECIPE}
        own |= {} if self.points is None else {"points": [list(point) for point in self.points]}
        return own | recipe | {"hidden": list(self.recipe.hidden)}

    def changed(self, changes: Mapping[str, Any]) -> Experiment:
        """The experiment with these fields in place of its own, on the same samples.

        Raises `ArgumentError` as `experiment` does, and for other samples: the network would be validated on samples that
        it was trained on.
        """
        after = _with(self, _checked(changes, self.data))
        mine, changed = self.to_data(), after.to_data()
        for name in OF_THE_DATA:
            if changed.get(name) != mine.get(name):
                raise ArgumentError(f"a fork trains on the samples of its run, so {name} cannot change; start a new run.")
        return after


def experiment(fields: Any, folder: PhotoFolder | None = None) -> Experiment:
    """The experiment of these fields; ``folder`` are the pictures of "folder", if the studio has some."""
    if not isinstance(fields, Mapping):
        raise ArgumentError(f'an experiment must be an object such as {{"data": "spirals"}}, not {fields!r:.60}.')
    if "data" not in fields:
        raise ArgumentError(f"an experiment needs data: one of {', '.join(DATA)}.")
    data: str = CHECKS["data"](fields["data"], "data")
    checked = _checked(fields, data)
    if data != "drawn":
        checked.pop("points", None)
    elif "points" not in checked:
        raise ArgumentError('the data "drawn" need points: a list of [x1, x2, class].')
    else:
        checked["samples"] = len(checked["points"])
    return _with(default(data, folder), checked)


def default(data: str, folder: PhotoFolder | None) -> Experiment:
    """The experiment with the defaults for these data."""
    if data == "digits":
        recipe = replace(PLAIN, hidden=(128, 64), learning_rate=1e-3, batch_size=128, validation=0.1)
        return Experiment(data, SAMPLES[data][1], 0.0, 0, None, recipe)
    if data == "folder":
        if folder is None:
            raise ArgumentError("this studio has no folder of pictures; open one with: pellucid studio FOLDER")
        # no early stopping: it would judge every epoch, and by the rules only those of the last third count
        recipe = recipe_for(folder, divide(folder, KEPT_ASIDE, 0), {"dropout": 0.0, "patience": 0})
        return Experiment(data, len(folder.x), 0.0, 0, None, recipe)
    recipe = replace(PLAIN, activation="tanh", learning_rate=1e-2, epochs=200, batch_size=16, validation=0.25)
    if data == "spirals":  # a long boundary needs more units and epochs
        recipe = replace(recipe, hidden=(32, 32), activation="relu", epochs=400)
    return Experiment(data, 400, 0.03, 0, () if data == "drawn" else None, recipe)


def _with(before: Experiment, fields: dict[str, Any]) -> Experiment:
    """The experiment with these fields, which are checked already."""
    if fields.get("optimizer") == before.recipe.optimizer:
        del fields["optimizer"]  # and keep its learning rate
    of_recipe = {name: value for name, value in fields.items() if name in OF_THE_RECIPE}
    own = {name: value for name, value in fields.items() if name not in OF_THE_RECIPE}
    after = replace(before, recipe=before.recipe.changed(**of_recipe), **own)
    if after.data in POINT_SETS and after.recipe.augment:
        raise ArgumentError("augment is for pictures; these data are points.")
    return after


def _checked(fields: Mapping[str, Any], data: str) -> dict[str, Any]:
    """The fields, each of its type and within its bounds."""
    for name in fields:
        one_of(name[:60], list(CHECKS), "field of an experiment")
    checked = {name: CHECKS[name](value, name) for name, value in fields.items() if name != "samples" or data in SAMPLES}
    if "samples" in checked:
        whole(*SAMPLES[data])(checked["samples"], "samples")
    return checked


def _sizes(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_HIDDEN:
        raise ArgumentError(f"{name} must be a list of at most {MOST_HIDDEN} sizes, such as [32, 32], not {short(value)}.")
    return tuple(whole(1, MOST_UNITS)(size, f"each size of {name}") for size in value)


def _words(value: Any, name: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value.split()) > MOST_WORDS or len(value) > 40 * MOST_WORDS:
        raise ArgumentError(f"{name} must be at most {MOST_WORDS} words such as 'conv16 pool dense64', not {short(value)}.")
    return " ".join(value.split())


def _points(value: Any, name: str) -> tuple[tuple[float, float, int], ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_DRAWN:
        raise ArgumentError(f"{name} must be a list of at most {MOST_DRAWN:,} points [x1, x2, class], not {short(value)}.")
    points = []
    for point in value:
        if not isinstance(point, list | tuple) or len(point) != 3:
            raise ArgumentError(f"each of the {name} must be [x1, x2, class], not {short(point)}.")
        x1, x2 = (number(-4.0, 4.0)(place, "a coordinate of a point") for place in point[:2])
        points.append((x1, x2, whole(0, len(LETTERS) - 1)(point[2], "the class of a point")))
    if len({point[2] for point in points}) < 2:
        raise ArgumentError("the points must be of at least two classes: draw some of another class.")
    return tuple(points)


CHECKS: dict[str, Check] = {
    "data": name_of(DATA),
    "samples": whole(1, 60_000),
    "noise": number(0.0, 0.5),
    "data_seed": whole(0, 2**31 - 1),
    "points": _points,
    "validation": number(0.0, 0.9),
    "hidden": _sizes,
    "layers": _words,
    "activation": name_of(ACTIVATIONS),
    "dropout": number(0.0, 0.95),
    "batch_norm": flag,
    "l1": number(0.0, 10.0),
    "l2": number(0.0, 10.0),
    "optimizer": name_of(OPTIMIZERS),
    "learning_rate": number(0.0, 100.0, open_low=True),
    "schedule": name_of(SCHEDULES),
    "epochs": whole(1, 1_000),
    "batch_size": whole(1, 4_096),
    "augment": flag,
    "patience": whole(0, 1_000),
    "seed": whole(0, 2**31 - 1),
}
OF_THE_RECIPE = [name for name in CHECKS if name in Recipe.__dataclass_fields__]
