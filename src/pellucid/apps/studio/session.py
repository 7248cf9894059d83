"""What a running studio holds: the opened models, the data, and the runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from pellucid.apps.studio.kept_pictures import KeptPictures
from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.runs.runs import Runs
from pellucid.apps.studio.tables import Tables
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Shape
from pellucid.core.version import __version__
from pellucid.data import datasets
from pellucid.data.datasets.idx import Part
from pellucid.data.digits.digit_pipeline import DigitPipeline
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.data.tables.table_pipeline import TablePipeline
from pellucid.mathematics.regularizers import Regularizer
from pellucid.models.calibrate import FEWEST_TO_CALIBRATE
from pellucid.models.model import Model
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.summary import describe_layer
from pellucid.reports.validation import measured_in_words

DIGITS = tuple(range(10))
READS = {"digits": "digits", "folder": "photos", "table": "table"}  # by the data of a run; all others are points
PLANE: Shape = (2,)  # the input of a network that learns from points


@dataclass
class Session:
    """``models`` by name, that of the user first; ``photos`` is the user's own folder; ``folder`` is where models are
    saved."""

    models: dict[str, Model] = field(default_factory=dict)
    photos: PhotoFolder | None = None
    folder: Path = field(default_factory=Path)
    pictures: KeptPictures = field(default_factory=KeptPictures)
    tables: Tables = field(default_factory=Tables)
    preparing: Lock = field(default_factory=Lock)  # pipelines work in one thread at a time
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.runs = Runs(lambda: self.photos)

    @cached_property
    def test_digits(self) -> Part:
        """(x, y) of the test digits, read when they are first needed."""
        return datasets.digits()[1]

    def model(self, name: str) -> Model:
        """The model of this name, or of a run as it is now; raises `ArgumentError` if there is none."""
        if name in self.models:
            return self.models[name]
        runs = self.runs.names()
        if name in runs:
            return self.runs.run(name).model()
        raise ArgumentError(f"there is no model {name[:80]!r} in this studio; it has {', '.join([*self.models, *runs])}.")

    def penalty(self, name: str) -> Regularizer | None:
        """The penalty on the weights of a run; of a model that was opened, its layers know."""
        return None if name in self.models else self.runs.run(name).loop.plan.rules.regularizer

    def summary(self) -> dict[str, Any]:
        """What a page fetches first (web/src/session.ts: Session)."""
        models = [_of_model(name, model) for name, model in self.models.items()]
        runs = [_of_run(run) for run in self.runs.all()]
        return {"version": __version__, "models": models + runs, "table": self.tables.opened}


def reads(model: Model) -> str:
    """What the input of a model is: "digits", "photos", "images" that no pipeline prepares, "points" of a plane, a row of a
    "table", or other "values"."""
    if isinstance(model.pipeline, TablePipeline):
        return "table"
    if isinstance(model.pipeline, DigitPipeline):
        return "digits"
    if isinstance(model.pipeline, PhotoPipeline):
        return "photos"
    if len(model.network.input.shape) > 1:
        return "images"
    return "points" if model.network.input.shape == PLANE else "values"


def _of_run(run: Run) -> dict[str, Any]:
    """The network of a run as a model. It is calibrated while the run stands still."""
    summary, material = run.summary(), run.material
    data, learns = summary["experiment"]["data"], summary["table"]
    kept_aside = 0 if summary["state"] == "running" or material.validation is None else len(material.validation)
    return {
        "name": run.name,
        "title": f"{run.name}: {data if learns is None else '{target} of {name}'.format(**learns)}",
        "reads": READS.get(data, "points"),
        "answers": "labels" if material.labels else "values",
        **{key: summary[key] for key in ("labels", "layers", "parameters", "measured")},
        "input_shape": list(run.network.input.shape),
        "is_calibrated": kept_aside >= FEWEST_TO_CALIBRATE,
        "has_confidence": kept_aside > 0,
        **({} if learns is None else {"table": learns["name"]}),
    }


def _of_model(name: str, model: Model) -> dict[str, Any]:
    network = model.network
    return {
        "name": name,
        "title": name,
        "reads": reads(model),
        "answers": "labels" if isinstance(network.output, ClassifyingOutput) else "values",
        "labels": list(model.labels),
        "input_shape": list(network.input.shape),
        "layers": [describe_layer(layer) for layer in network.layers],
        "parameters": network.parameters.layout.size,
        "is_calibrated": model.temperature is not None,
        "has_confidence": bool(model.conformal_scores),
        # the errors in the file of a regression of tables are not in the units of its target
        "measured": None if reads(model) == "table" and not model.labels else measured_in_words(network.history),
    }
