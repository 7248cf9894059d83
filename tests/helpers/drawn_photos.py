"""Folders of drawn photos: discs and boxes in colors."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

COLORS = {"red disc": (200, 40, 40), "blue box": (40, 40, 200), "green 数": (40, 200, 40)}
FAST = ("--size", "16", "--layers", "conv8 pool conv8 average", "--batch-size", "8")


def draw(path, label, seed):
    """A colored shape at some place on a grey ground, 20 pixels wide and 18 high."""
    rng = np.random.default_rng([seed, len(label)])
    image = Image.new("RGB", (20, 18), tuple(rng.integers(90, 160, 3).tolist()))
    left, top = rng.integers(2, 9, 2).tolist()
    pen = ImageDraw.Draw(image)
    (pen.ellipse if "disc" in label else pen.rectangle)((left, top, left + 8, top + 8), fill=COLORS[label])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def make_folder(root, labels, count, first=0):
    for label in labels:
        for number in range(first, first + count):
            draw(root / label / f"{number}.png", label, number)
    return root


def one_line(text):
    return " ".join(text.split())
