"""From what a network for pictures begins: from nothing, or from one that has seen millions of photos; with the reason."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import Shape
from pellucid.data.photos.look import Look

NOTHING = "nothing"
USUAL = "efficientnet-lite0"
USUAL_SHAPE = (224, 224, 3)

Pretrained: TypeAlias = "str | os.PathLike[str] | bool | None"  # a bool is by the rules, or from nothing


@dataclass(frozen=True)
class Start:
    """``network`` is the name or the file of the network to begin from, or None for nothing; ``reason`` is empty if it was
    asked for."""

    network: str | None
    reason: str = ""

    def in_words(self) -> str:
        """Two lines, as those of a recipe; none if it was asked for."""
        return f"  from: {self.network or NOTHING}\n    {self.reason}" if self.reason else ""


def choose_start(asked: Pretrained, by_steps: Sequence[str], shape: Shape, look: Look | None) -> Start:
    """By the rules if ``asked`` is True: from a pretrained network where pictures are photos in colour and not tiny.

    by_steps  the options that were given and mean a network that is trained step by step: with one of them the rules choose
              to begin from nothing; who asks for a pretrained network must leave them out (`ArgumentError`)
    shape     of a prepared picture
    look      what the pictures look like; None if that is not known yet, so that only the options count
    """
    named = ", ".join(by_steps)
    if asked is not True:
        wanted = NOTHING if asked is None or asked is False else os.fspath(asked)
        is_nothing = wanted == NOTHING
        if not is_nothing and by_steps:
            raise ArgumentError(
                f"{named}: on a network that is pretrained only the last layer is new, and it is computed, not trained by "
                "steps; leave this out, or begin from nothing."
            )
        return Start(None if is_nothing else wanted)
    if by_steps:
        return Start(None, f"trained step by step, as {named} asks for")
    if shape != USUAL_SHAPE:
        return Start(
            None, f"pictures of {'x'.join(map(str, shape))}; a pretrained network takes 224x224 in colour{_why(look)}"
        )
    if look is None:
        return Start(USUAL, "photos in colour")
    if not look.are_photos:
        return Start(None, f"no photos: {look.in_words}")
    return Start(USUAL, f"photos: {look.in_words}; it has learned from 1.28 million others what photos show")


def _why(look: Look | None) -> str:
    return "" if look is None or look.are_photos else f", and of these {look.in_words}"
