"""The catalogue: every layer, loss, optimizer, ... by name, and its conversion to plain data and back.

A model file holds descriptions such as ``{"type": "Dense", "units": 128, "activation": "relu"}``. Reading one can only
make objects of the classes listed here, with the fields that they declare: it cannot name code, a path or a URL. A new
class is one row; `register` adds a class of your own for the running process.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import numpy as np

from pellucid.core.errors import ArgumentError
from pellucid.core.suggestions import suggests_arguments
from pellucid.mathematics import clipping, initializers, losses, optimizers, regularizers, schedules
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.convolution import Conv2D
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout, Dropout2D
from pellucid.nn.layers.ensemble_dense import EnsembleDense
from pellucid.nn.layers.flatten import Flatten
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.layer_normalization import LayerNormalization
from pellucid.nn.layers.outputs.classification import BinaryClassification, Classification
from pellucid.nn.layers.outputs.output import OutputLayer
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from pellucid.nn.layers.rescale import Rescale
from pellucid.nn.layers.residual import Residual
from pellucid.nn.layers.tabular.embedding import Embedding
from pellucid.nn.layers.tabular.grouped_dense import GroupedDense
from pellucid.nn.layers.tabular.periodic_embedding import PeriodicEmbedding
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.nn.layers.tabular.scale_features import ScaleFeatures

LAYERS: tuple[type[Layer], ...] = (
    *(Input, Rescale, Embedding, PiecewiseLinearEncoding, PeriodicEmbedding, GroupedDense, ScaleFeatures),
    *(Dense, EnsembleDense, Conv2D),
    *(MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, Flatten),
    *(Dropout, Dropout2D, BatchNormalization, LayerNormalization, Residual),
)
OUTPUTS: tuple[type[OutputLayer], ...] = (Classification, BinaryClassification, Regression)
LOSSES = tuple(losses.LOSSES.values())
OPTIMIZERS = (optimizers.GradientDescent, optimizers.Adam, optimizers.AdamW, optimizers.RMSProp, optimizers.Adagrad)
INITIALIZERS = (
    *(initializers.VarianceScaling, initializers.Constant, initializers.Orthogonal),
    *(initializers.Normal, initializers.RandomSigns),
)
REGULARIZERS = (regularizers.L1, regularizers.L2, regularizers.Sum)
CLIPPINGS = (clipping.ClipByGlobalNorm, clipping.ClipByValue)
SCHEDULES = tuple(type(schedule) for schedule in schedules.SCHEDULES.values())

_VOCABULARY: dict[str, type] = {
    cls.__name__: cls
    for rows in (LAYERS, OUTPUTS, LOSSES, OPTIMIZERS, INITIALIZERS, REGULARIZERS, CLIPPINGS, SCHEDULES)
    for cls in rows
}


@suggests_arguments
def register(cls: type) -> type:
    """Add a frozen dataclass of your own (a layer, a loss, an optimizer), so that model files may name it.

    Usable as a decorator. It holds for this process: register it again before loading. Raises `ArgumentError` for a name
    that is taken, or a class that is not a frozen dataclass.
    """
    frozen = getattr(getattr(cls, "__dataclass_params__", None), "frozen", False)
    if not isinstance(cls, type) or not is_dataclass(cls) or not frozen:
        raise ArgumentError(f"only a frozen dataclass can be registered: its fields are its description; {cls!r} is none.")
    if "type" in {field.name for field in fields(cls)}:
        raise ArgumentError(f"{cls.__name__} has a field called type, which is the name of the class in a description.")
    if _VOCABULARY.get(cls.__name__, cls) is not cls:
        raise ArgumentError(f"the name {cls.__name__} is taken in the catalogue; choose another.")
    _VOCABULARY[cls.__name__] = cls
    return cls


def to_dict(thing: object) -> dict[str, Any]:
    """A member of the catalogue as plain data: its class name as "type", and its fields."""
    name = type(thing).__name__
    if _VOCABULARY.get(name) is not type(thing):
        raise ArgumentError(f"{name} is not in the catalogue; add it with pl.register({name}).")
    assert is_dataclass(thing)
    return {"type": name} | {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}


def from_dict(description: object, expected: type | tuple[type, ...] = object) -> Any:
    """The object of a description; raises `ArgumentError` for an unknown class, or fields or values that do not fit."""
    if not isinstance(description, dict) or not isinstance(description.get("type"), str):
        raise ArgumentError(f"a description is an object with a type, not {str(description)[:60]!r}.")
    name = description["type"]
    cls = _VOCABULARY.get(name)
    if cls is None or not issubclass(cls, expected):
        raise ArgumentError(f"{name[:60]!r} is not a known type here; a class of your own needs pl.register first.")
    values = {key: _restored(value) for key, value in description.items() if key != "type"}
    assert is_dataclass(cls)
    known = {field.name: field for field in fields(cls)}
    unknown = set(values) - set(known)
    missing = [n for n, f in known.items() if n not in values and f.default is MISSING and f.default_factory is MISSING]
    if unknown or missing:
        what = f"unknown {sorted(unknown)}" if unknown else f"missing {missing}"
        raise ArgumentError(f"{name} is described with fields that do not fit: {what}.")
    try:
        return cls(**values)
    except TypeError as error:
        raise ArgumentError(f"{name} is described with a value of a wrong kind: {error}.") from None


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return to_dict(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, np.integer | np.floating):
        return value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ArgumentError(f"{value!r} cannot be described as plain data.")


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return from_dict(value)
    if isinstance(value, list):
        return tuple(_restored(item) for item in value)
    return value
