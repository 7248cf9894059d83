"""What people hold: a network, a model with its pipeline, a prediction, a file."""

from __future__ import annotations

from typing import Never


def __getattr__(name: str) -> Never:
    """Answer who looks here for what keras.models of Keras has."""
    raise AttributeError(
        f"pellucid.models has no {name!r}: every name is in pl itself, such as pl.Dense(units).", name=name
    )
