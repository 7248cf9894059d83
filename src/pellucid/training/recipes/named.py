"""The named recipes, for digits and for Fashion-MNIST."""

from __future__ import annotations

from dataclasses import replace

from pellucid.data.augmentation.photo_augmentation import PhotoAugmentation
from pellucid.training.recipes.recipe import Recipe

IMAGE = (28, 28)  # the shape of their samples
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
