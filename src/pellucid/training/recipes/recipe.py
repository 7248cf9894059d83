"""A recipe: the network and the training options, with the reasons where rules chose them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from pellucid.core.checks import positive_integer
from pellucid.core.shapes import Shape
from pellucid.data.augmentation.distortion import Distortion
from pellucid.data.augmentation.photo_augmentation import PhotoAugmentation
from pellucid.mathematics.optimizers import OPTIMIZERS, Optimizer
from pellucid.mathematics.regularizers import L1, L2, Regularizer
from pellucid.nn.layers.base import Layer
from pellucid.nn.layers.batch_normalization import BatchNormalization
from pellucid.nn.layers.dense import Dense
from pellucid.nn.layers.dropout import Dropout
from pellucid.nn.layers.input import Input
from pellucid.nn.layers.members import check_members
from pellucid.nn.layers.outputs.classification import Classification
from pellucid.nn.layers.rescale import Rescale
from pellucid.training.early_stopping import EarlyStopping
from pellucid.training.recipes.ensemble import as_ensemble
from pellucid.training.recipes.words import layers_from_text


@dataclass(frozen=True)
class Recipe:
    """The options of ``pellucid train``, the settings of the studio, and what the rules for photos choose.

    hidden      units of each hidden layer; ``activation``, ``dropout`` and ``batch_norm`` belong to these layers
    layers      words of `pellucid.training.recipes.words`, in place of ``hidden`` and what belongs to it
    ensemble    members inside one network (`pellucid.nn.layers.ensemble_dense`); 1 for a single network
    beta2, weight_decay  of the optimizer; None: its own
    l1, l2      strengths of the penalty on the weights
    augment     whether training pictures are changed at random, by ``change``
    validation  the share of the samples held out for validation; 0 for none
    patience    of early stopping, which ignores the epochs before ``start_from_epoch``; 0 for none
    reasons     field -> why, where rules chose it
    """

    hidden: tuple[int, ...] = (256, 128)
    layers: str | None = None
    activation: str = "relu"
    dropout: float = 0.1
    batch_norm: bool = False
    ensemble: int = 1
    l1: float = 0.0
    l2: float = 0.0
    optimizer: str = "adam"
    learning_rate: float = 3e-3
    beta2: float | None = None
    weight_decay: float | None = None
    schedule: str = "warmup"
    epochs: int = 10
    batch_size: int = 256
    augment: bool = True
    change: Distortion | PhotoAugmentation = field(default_factory=Distortion)
    validation: float = 0.0
    patience: int = 0
    start_from_epoch: int = 0
    class_weight: Literal["balanced"] | None = None
    reasons: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        positive_integer(self.epochs, "epochs")
        positive_integer(self.batch_size, "batch_size")
        check_members(self.ensemble, "ensemble", fewest=1)
        self.fit_options()

    def changed(self, **changes: Any) -> Recipe:
        """The recipe with these fields in place of its own, which then have no reason.

        Unless the changes say otherwise, ``hidden`` replaces ``layers``, another optimizer brings its own learning rate and
        constants, and another patience counts from the first epoch.
        """
        if "hidden" in changes:
            changes.setdefault("layers", None)
        if "optimizer" in changes:
            own = {"learning_rate": OPTIMIZERS[changes["optimizer"]].learning_rate, "beta2": None, "weight_decay": None}
            changes = own | changes
        if "patience" in changes:
            changes.setdefault("start_from_epoch", 0)
        gone = {*changes, *(("hidden", "dropout") if changes.get("layers") is not None else ())}
        reasons = {name: reason for name, reason in self.reasons.items() if name not in gone}
        return replace(self, **changes, reasons=reasons)

    def network_layers(self, shape: Shape, num_classes: int, rescale: Rescale | None = None) -> list[Layer]:
        """Input, ``rescale`` if there is one, the hidden layers, and `Classification`.

        Two classes get it too: softmax over two logits is the sigmoid of their difference.
        """
        first: list[Layer] = [Input(*shape)] if rescale is None else [Input(*shape), rescale]
        return [*first, *self.hidden_layers(shape), Classification(num_classes, members=self.ensemble)]

    def hidden_layers(self, shape: Shape) -> list[Layer]:
        """Those of ``layers`` if there are such words, else of ``hidden``; for an ensemble with members."""
        layers = self._dense_layers() if self.layers is None else layers_from_text(self.layers, shape)
        return layers if self.ensemble == 1 else as_ensemble(layers, self.ensemble)

    def fit_options(self) -> dict[str, Any]:
        """The options of ``Network.fit``."""
        stopping = EarlyStopping(self.patience, start_from_epoch=self.start_from_epoch) if self.patience else None
        return {
            "optimizer": self._optimizer(),
            "schedule": self.schedule,
            "regularizer": regularizer_of(self.l1, self.l2),
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "augment": self.change if self.augment else None,
            "validation": self.validation or None,
            "early_stopping": stopping,
            "class_weight": self.class_weight,
        }

    def in_words(self) -> str:
        """Two lines for each choice that has a reason: its value as an option, and the reason."""
        shown = vars(self) | {"augment": self.change if self.augment else None}
        names = {"patience": "early_stopping"}
        return "\n".join(
            f"  {names.get(name, name)}: {'none' if shown[name] is None else shown[name]}\n    {reason}"
            for name, reason in self.reasons.items()
        )

    def _optimizer(self) -> Optimizer:
        given = {"beta2": self.beta2, "weight_decay": self.weight_decay}
        own = {name: value for name, value in given.items() if value is not None}
        optimizer: Any = optimizer_of(self.optimizer, self.learning_rate)
        return cast(Optimizer, replace(optimizer, **own))

    def _dense_layers(self) -> list[Layer]:
        """For each hidden size `Dense`, batch normalization before its activation, and `Dropout`."""
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
    """The optimizer of this name, with this learning rate or its own."""
    optimizer = OPTIMIZERS[name]
    return optimizer if learning_rate is None else replace(optimizer, learning_rate=learning_rate)


def regularizer_of(l1: float, l2: float) -> Regularizer | None:
    """The sum of both penalties; None if both are 0."""
    penalties: list[Regularizer] = [*([L1(l1)] if l1 else []), *([L2(l2)] if l2 else [])]
    return sum(penalties[1:], penalties[0]) if penalties else None
