"""Layers joined into one function of flat parameters, and its derivative."""

from __future__ import annotations

from typing import Never


def __getattr__(name: str) -> Never:
    """Answer who looks here for what torch.nn of PyTorch has."""
    raise AttributeError(f"pellucid.nn has no {name!r}: every name is in pl itself, such as pl.Dense(units).", name=name)
