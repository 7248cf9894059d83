"""The model of a command: a model file, that of a run, or one that comes with the package, known by name."""

from __future__ import annotations

from pellucid.models.model import Model, load
from pellucid.training.runs.folder import model_file

NAMED_MODELS = {"imagenet": "efficientnet-lite0"}  # what it knows -> which network


def open_model(name: str) -> Model:
    """The model of that name, in that file, or of the run in that folder; ``./imagenet`` means a file of such a name."""
    if name not in NAMED_MODELS:
        return load(model_file(name))
    from pellucid.models.pretrained.networks import pretrained

    return pretrained(NAMED_MODELS[name])
