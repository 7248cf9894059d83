"""Rules that choose a recipe for photos: a small convolutional network, and how to train it, with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pellucid.core.checks import positive_integer
from pellucid.core.shapes import Shape
from pellucid.data.augmentation.photo_augmentation import PhotoAugmentation
from pellucid.training.recipes.recipe import Recipe

LAST_SIDE = 7  # pictures are halved while at least so many pixels are left
LARGE_SIDE = 128  # from here on the first convolution halves them
FEW, MANY = 1_000, 5_000  # training pictures, all classes together
MANY_CLASSES = 20
FEW_A_CLASS = 1_000
WIDEST = 128  # filters
MOST_PIXELS = 1 << 22  # in a step
UNEVEN = 1.5  # the largest class divided by the smallest
KEPT_ASIDE = 0.2  # of the pictures, for validation
STRONG = PhotoAugmentation(shift=0.1, scale=0.2, rotation=15.0, color=0.3, cutout=0.25, mixup=0.2)
GENTLE = PhotoAugmentation(shift=0.1, scale=0.1, rotation=5.0, color=0.1, cutout=0.0)


def choose(counts: Sequence[int], shape: Shape, epochs: int | None = None, *, flip: bool = True) -> Recipe:
    """The recipe for ``counts`` training pictures of each class, all of this shape: (H, W) or (H, W, C).

    ``epochs`` replaces the number that the rules would choose. Without ``flip`` no picture is mirrored.

    layers         pictures are halved until 7 to 13 pixels are left, so that the last convolutions see most of a picture;
                   filters double with each halving. Few pictures, if not small, get one convolution a stage instead of
                   two, and fewer filters: fewer weights overfit less. Global average pooling, where others put a dense
                   layer, does not depend on where an object is, and has a hundredth of the weights; dropout is high for
                   few pictures
    augment        strong for few pictures a class, gentle for many
    epochs         as many as show 30,000 pictures, and 10 more, but no more than 210
    batch_size     small for few pictures, which would give too few steps, and for large ones, to save memory
    learning_rate  of Adam; batch normalization makes a high one safe
    validation     a fifth: enough to see which epoch is best, and most pictures are left for training
    patience       of early stopping: a sixth of the epochs, 10 at least, in the last third: before, the learning rate is
                   high, and the loss on few validation pictures is noise
    class_weight   "balanced" if the largest class has more than 1.5 times the pictures of the smallest
    """
    total, smallest, largest = sum(counts), min(counts), max(counts)
    layers, why_layers = _layers(len(counts), total, shape)
    few_a_class = total < FEW_A_CLASS * len(counts)
    epochs = 10 + 30_000 // max(total, 150) if epochs is None else positive_integer(epochs, "epochs")
    batch_size = 32 if total < 2_000 else 64 if total < 20_000 else 128
    batch_size = max(1, min(batch_size, MOST_PIXELS // (shape[0] * shape[1])))
    a_class = f"{_counted(round(total / len(counts)), 'picture')} a class"
    balance = _counted(smallest, "picture") if smallest == largest else f"{smallest:,} to {largest:,} pictures"
    uneven = largest > UNEVEN * smallest
    return Recipe(
        layers=layers,
        learning_rate=3e-3,
        schedule="one_cycle",
        epochs=epochs,
        batch_size=batch_size,
        change=replace(STRONG if few_a_class else GENTLE, flip=flip),
        validation=KEPT_ASIDE,
        patience=max(10, epochs // 6),
        start_from_epoch=epochs * 2 // 3,
        class_weight="balanced" if uneven else None,
        reasons={
            "layers": why_layers,
            "augment": f"{a_class}: {'few, so they are changed strongly' if few_a_class else 'a gentle change is enough'}",
            "epochs": f"{total:,} pictures to learn from: {epochs} epochs show {epochs * total:,}",
            "batch_size": f"{_counted(-(-total // batch_size), 'step')} an epoch",
            "learning_rate": "of Adam, at the peak of one_cycle; batch normalization makes a high learning rate safe",
            "validation": f"a part of each class is held out, the {total:,} others are for training",
            "patience": "epochs without progress, in the last third, when the learning rate is low; the best is kept",
            "class_weight": f"{balance} a class: {'all classes get the same weight' if uneven else 'even enough'}",
        },
    )


def _layers(num_classes: int, total: int, shape: Shape) -> tuple[str, str]:
    side = min(shape[:2])
    halvings = max(0, (side // LAST_SIDE).bit_length() - 1)
    filters = 16 if total < MANY and num_classes <= MANY_CLASSES else 32
    depth = 1 if total < FEW and halvings > 1 else 2
    rate = 0.5 if total < FEW else 0.3 if total < MANY else 0.1
    words: list[str] = []
    for stage in range(halvings + 1):
        words += [f"conv{min(filters << stage, WIDEST)}"] * depth
        if stage == 0 and side >= LARGE_SIDE:
            words[0] += "s2"
        elif stage < halvings:
            words.append("pool")
    words += ["average", f"dropout{rate}"]
    last = "x".join(str(-(-length >> halvings)) for length in shape[:2])
    size = f"{shape[0]}x{shape[1]} pictures: {_counted(halvings, 'halving')}, to {last}" if halvings else "small pictures"
    each = f"{total:,} pictures of {_counted(num_classes, 'class', 'es')}: {_counted(depth, 'convolution')} a stage"
    return " ".join(words), f"{size}; {each}, from {filters} filters, dropout {rate}"


def _counted(count: int, noun: str, plural: str = "s") -> str:
    words = ("no", "one", "two", "three", "four", "five", "six")
    number = words[count] if count < len(words) else f"{count:,}"
    return f"{number} {noun}{'' if count == 1 else plural}"
