"""What a running studio holds: the models that answer, the data to learn from, and the networks in training."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from pellucid import datasets
from pellucid.datasets.digits import Part
from pellucid.datasets.folder import PhotoFolder
from pellucid.errors import ArgumentError
from pellucid.layers.classification import ClassifyingOutput
from pellucid.model import Model
from pellucid.pipeline.digits import DigitPipeline
from pellucid.pipeline.photos import PhotoPipeline
from pellucid.saving import Label
from pellucid.studio.kept_pictures import KeptPictures
from pellucid.summary import describe_layer
from pellucid.version import __version__

DIGITS = tuple(range(10))
PLANE = (2,)  # the input of a network that learns from points
POINTS = ("circles", "moons", "spirals", "blobs", "xor", "drawn")


class TrainedNetworks(Protocol):
    """The networks in training, as the session sees them (`pellucid.studio.runs`)."""

    def summaries(self) -> list[dict[str, Any]]: ...

    def model(self, name: str) -> Model: ...

    def names(self) -> list[str]: ...


@dataclass
class Session:
    """``models`` by name, the first of them the one that the studio opened with; ``photos`` is the user's own folder;
    ``folder`` is where models are saved. ``runs`` come with their routes."""

    models: dict[str, Model] = field(default_factory=dict)
    photos: PhotoFolder | None = None
    folder: Path = field(default_factory=Path)
    runs: TrainedNetworks | None = None
    pictures: KeptPictures = field(default_factory=KeptPictures)
    preparing: Lock = field(default_factory=Lock)  # pipelines work in one thread at a time

    @cached_property
    def test_digits(self) -> Part:
        """(x, y) of the digits by other writers, read when they are first needed."""
        return datasets.digits()[1]

    def model(self, name: str) -> Model:
        """The model of this name, or of a run as it is now; raises `ArgumentError` if there is none."""
        if name in self.models:
            return self.models[name]
        names = [] if self.runs is None else self.runs.names()
        if self.runs is not None and name in names:
            return self.runs.model(name)
        raise ArgumentError(f"there is no model {name[:80]!r} in this studio; it has {', '.join([*self.models, *names])}.")

    def summary(self) -> dict[str, Any]:
        """What the page fetches first (studio/src/session.ts: Session)."""
        runs = [] if self.runs is None else self.runs.summaries()
        models = [_of_model(name, model) for name, model in self.models.items()] + [self._of_run(run) for run in runs]
        return {"version": __version__, "models": models, "data": self._data()}

    def _of_run(self, run: dict[str, Any]) -> dict[str, Any]:
        """The network of a run (its RunSummary) as a model."""
        data = run["experiment"]["data"]
        shape = PLANE if run["kind"] == "points" else self._image_shape(data)
        measured = [figures["validation_accuracy"] for figures in run["history"]]
        return {
            "name": run["name"],
            "title": f"{run['name']}: {data}",
            "reads": "points" if run["kind"] == "points" else "digits" if data == "digits" else "photos",
            "labels": run["labels"],
            "input_shape": list(shape),
            "layers": run["layers"],
            "parameters": run["parameters"],
            "is_calibrated": False,
            "has_confidence": False,
            "accuracy": next((figure for figure in reversed(measured) if figure is not None), None),
        }

    def _image_shape(self, data: str) -> tuple[int, ...]:
        return self.photos.x.shape[1:] if data == "folder" and self.photos is not None else (28, 28)

    def _data(self) -> list[dict[str, Any]]:
        images = [_data("digits", "Digits", "images", DIGITS, 60_000)]
        if self.photos is not None:
            name = Path(self.photos.report.folder).name
            images.insert(0, _data("folder", name, "images", self.photos.labels, len(self.photos.x)))
        return images + [_data(name, name.capitalize(), "points", (0, 1), 0) for name in POINTS]


def reads(model: Model) -> str:
    """What the input of a model is: "digits", "photos", "points" of a plane, or other "values"."""
    if isinstance(model.pipeline, DigitPipeline):
        return "digits"
    if isinstance(model.pipeline, PhotoPipeline):
        return "photos"
    return "points" if model.network.input.shape == PLANE else "values"


def _of_model(name: str, model: Model) -> dict[str, Any]:
    network = model.network
    accuracies = network.history.get("validation_accuracy", [])
    return {
        "name": name,
        "title": name,
        "reads": reads(model),
        "labels": list(model.labels),
        "input_shape": list(network.input.shape),
        "layers": [describe_layer(layer) for layer in network.layers],
        "parameters": network.parameters.layout.size,
        "is_calibrated": model.temperature is not None,
        "has_confidence": bool(model.conformal_scores) and isinstance(network.output, ClassifyingOutput),
        "accuracy": accuracies[-1] if accuracies else None,
    }


def _data(name: str, title: str, kind: str, labels: tuple[Label, ...], samples: int) -> dict[str, Any]:
    return {"name": name, "title": title, "kind": kind, "labels": list(labels), "samples": samples}
