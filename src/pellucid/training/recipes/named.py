"""Recipes: named sets of choices with which a network learns digits, or pieces of clothing, well.

Digits are distorted as handwriting varies; clothes are mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pellucid.core.shapes import Shape, positive_integer
from pellucid.data.augmentation.distortion import Distortion
from pellucid.data.augmentation.photo_augmentation import PhotoAugmentation
from pellucid.mathematics.optimizers import Adagrad, Adam, AdamW, GradientDescent, Optimizer, RMSProp
from pellucid.mathematics.regularizers import L1, L2, Regularizer
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.training.recipes.words import layers_from_text

OPTIMIZERS: dict[str, Adam | AdamW | GradientDescent | RMSProp | Adagrad] = {
    "adam": Adam(),
    "adamw": AdamW(),
    "gradient_descent": GradientDescent(),
    "momentum": GradientDescent(momentum=0.9),
    "nesterov": GradientDescent(momentum=0.9, nesterov=True),
    "rmsprop": RMSProp(),
    "adagrad": Adagrad(),
}
IMAGE = (28, 28)  # a sample of the data sets that recipes are made for


@dataclass(frozen=True)
class Recipe:
    """The choices of a training, each of them an option of ``pellucid train``.

    ``layers`` are words of `pellucid.training.recipes.words`, and then take the place of ``hidden`` and what belongs to it.
    ``change`` is how pictures are changed if they are (``augment``).
    """

    hidden: tuple[int, ...] = (256, 128)
    layers: str | None = None
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
    change: Distortion | PhotoAugmentation = field(default_factory=Distortion)

    def __post_init__(self) -> None:
        positive_integer(self.epochs, "epochs")
        positive_integer(self.batch_size, "batch_size")
        self.network_layers(IMAGE, 2)
        self.fit_options()

    def network_layers(self, shape: Shape, num_classes: int) -> list[Layer]:
        """Input, then the hidden layers: those of the words, or for each hidden size Dense (with batch normalization
        before its activation) and Dropout; then the output."""
        hidden = self._dense_layers() if self.layers is None else layers_from_text(self.layers, shape)
        return [Input(*shape), *hidden, Classification(num_classes)]

    def fit_options(self) -> dict[str, Any]:
        """The options of ``Network.fit``."""
        return {
            "optimizer": optimizer_of(self.optimizer, self.learning_rate),
            "schedule": self.schedule,
            "regularizer": regularizer_of(self.l1, self.l2),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "augment": self.change if self.augment else None,
        }

    def _dense_layers(self) -> list[Layer]:
        layers: list[Layer] = []
        for units in self.hidden:
            if self.batch_norm:
                layers += [Dense(units), BatchNormalization(activation=self.activation)]
            else:
                layers.append(Dense(units, self.activation))
            if self.dropout:
                layers.append(Dropout(self.dropout))
        return layers


def optimizer_of(name: str, learning_rate: float | None) -> Optimizer:
    """The optimizer of this name, with this rate or, without one, its own."""
    optimizer = OPTIMIZERS[name]
    return optimizer if learning_rate is None else replace(optimizer, learning_rate=learning_rate)


def regularizer_of(l1: float, l2: float) -> Regularizer | None:
    """The sum of both prices; None if both are 0."""
    prices: list[Regularizer] = [*([L1(l1)] if l1 else []), *([L2(l2)] if l2 else [])]
    return sum(prices[1:], prices[0]) if prices else None


SIX_CONVOLUTIONS = "conv16 conv16 pool conv32 conv32 pool conv48 conv48 average"
DIGITS = {
    "default": Recipe(),
    "conv": Recipe(layers=SIX_CONVOLUTIONS, learning_rate=6e-3, schedule="one_cycle", epochs=8, batch_size=128),
    "best": Recipe(layers=SIX_CONVOLUTIONS, learning_rate=6e-3, schedule="one_cycle", epochs=13, batch_size=128),
}
MIRRORED = PhotoAugmentation(shift=0.0, scale=0.0, rotation=0.0, color=0.0, cutout=0.0)
CLOTHES = "conv32 conv32 pool conv64 conv64 pool conv128 average dropout0.3"
FASHION = {
    "default": Recipe(
        (1024, 512), dropout=0.4, batch_norm=True, schedule="one_cycle", epochs=30, batch_size=256, change=MIRRORED
    ),
    "conv": replace(DIGITS["conv"], layers=CLOTHES, epochs=14, change=MIRRORED),
    "best": replace(DIGITS["conv"], layers=CLOTHES, epochs=30, change=replace(MIRRORED, cutout=0.15)),
}
RECIPES = {"digits": DIGITS, "fashion": FASHION}
