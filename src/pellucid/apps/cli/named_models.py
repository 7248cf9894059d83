"""The model of a command: a model file, or one that comes with the package, known by name."""

from __future__ import annotations

from pellucid.models.model import Model, load

NAMED_MODELS = {"imagenet": "efficientnet-lite0"}  # what it knows -> which network


def open_model(name: str) -> Model:
    """The model of that name or in that file; a file of such a name is meant by ``./imagenet``."""
    if name not in NAMED_MODELS:
        return load(name)
    from pellucid.models.pretrained.networks import pretrained

    return pretrained(NAMED_MODELS[name])
