"""The hidden layers of an ensemble inside one network, from those of a single network."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.core.errors import ArgumentError
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.ensemble_dense import EnsembleDense


def as_ensemble(layers: Sequence[Layer], members: int) -> list[Layer]:
    """Each `Dense` as an `EnsembleDense` of so many members. Raises `ArgumentError` for layers that have no such form."""
    for layer in layers:
        if not isinstance(layer, Dense | Dropout):
            raise ArgumentError(
                f"an ensemble is made of dense layers and dropout; a {type(layer).__name__} cannot be in it."
            )
    if not any(isinstance(layer, Dense) for layer in layers):
        raise ArgumentError("an ensemble shares its hidden layers, and this network has none; give it a dense layer.")
    return [_of_members(layer, members) if isinstance(layer, Dense) else layer for layer in layers]


def _of_members(dense: Dense, members: int) -> EnsembleDense:
    return EnsembleDense(dense.units, members, dense.activation, dense.initializer, dense.use_bias, dense.regularizer)
