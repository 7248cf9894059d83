"""Recipes: named sets of choices with which a network learns the digits well."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pellucid.layers.base import Layer
from pellucid.layers.classification import Classification
from pellucid.layers.dense import Dense
from pellucid.layers.dropout import Dropout
from pellucid.layers.input import Input
from pellucid.layers.normalization import BatchNormalization
from pellucid.optimizers import Adagrad, Adam, AdamW, GradientDescent, RMSProp
from pellucid.pipeline.augmentation import Distortion
from pellucid.regularizers import L1, L2, Regularizer
from pellucid.shapes import Shape, positive_integer

OPTIMIZERS: dict[str, Adam | AdamW | GradientDescent | RMSProp | Adagrad] = {
    "adam": Adam(),
    "adamw": AdamW(),
    "gradient_descent": GradientDescent(),
    "momentum": GradientDescent(momentum=0.9),
    "nesterov": GradientDescent(momentum=0.9, nesterov=True),
    "rmsprop": RMSProp(),
    "adagrad": Adagrad(),
}


@dataclass(frozen=True)
class Recipe:
    """The choices of a training, each of them an option of ``pellucid train``."""

    hidden: tuple[int, ...] = (256, 128)
    activation: str = "relu"
    dropout: float = 0.1
    batch_norm: bool = False
    l1: float = 0.0
    l2: float = 0.0
    optimizer: str = "adam"
    learning_rate: float | None = 3e-3
    schedule: str = "warmup"
    epochs: int = 10
    batch_size: int = 256
    augment: bool = True
    distortion: Distortion = field(default_factory=Distortion)

    def __post_init__(self) -> None:
        positive_integer(self.epochs, "epochs")
        positive_integer(self.batch_size, "batch_size")
        self.layers((1,), 2)
        self.fit_options()

    def layers(self, shape: Shape, num_classes: int) -> list[Layer]:
        """Input, then for each hidden size Dense (with batch normalization after it) and Dropout, then the output."""
        layers: list[Layer] = [Input(*shape)]
        for units in self.hidden:
            layers.append(Dense(units, self.activation))
            if self.batch_norm:
                layers.append(BatchNormalization())
            if self.dropout:
                layers.append(Dropout(self.dropout))
        return [*layers, Classification(num_classes)]

    def fit_options(self) -> dict[str, Any]:
        """The options of ``Network.fit``."""
        optimizer = OPTIMIZERS[self.optimizer]
        return {
            "optimizer": optimizer if self.learning_rate is None else replace(optimizer, learning_rate=self.learning_rate),
            "schedule": self.schedule,
            "regularizer": self._regularizer(),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "augment": self.distortion if self.augment else None,
        }

    def _regularizer(self) -> Regularizer | None:
        prices: list[Regularizer] = [*([L1(self.l1)] if self.l1 else []), *([L2(self.l2)] if self.l2 else [])]
        return sum(prices[1:], prices[0]) if prices else None


RECIPES = {
    "default": Recipe(),
    "best": Recipe(
        (800, 400), dropout=0.2, learning_rate=1.5e-3, epochs=50, batch_size=256, distortion=Distortion(elastic=0.7)
    ),
}
