"""The units of a target: how its numbers are scaled for training, and how the network comes back to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray
from pellucid.models.network import Network
from pellucid.nn.layers.outputs.regression import Regression

LARGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)  # of the weights that scale it


@dataclass(frozen=True)
class TargetUnits:
    """Numbers are standardised for training; afterwards mean and standard deviation go into the weights of the output
    layer, so that the network answers in the target's own units:

        y = std (w x + b) + mean  =  (std w) x + (std b + mean)

    Counts are divided by their mean, which the bias takes: mean e^(w x + b) = e^(w x + (b + log mean)). Several values have
    a ``scale`` and an ``offset`` each.
    """

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    is_of_counts: bool = False

    @classmethod
    def of(cls, y: AnyArray, output: Regression) -> TargetUnits:
        """Those of the training targets y, (N,) or (N, V). Raises `ArgumentError` for what cannot be learned."""
        largest = float(np.abs(y).max())
        if largest > LARGEST:
            raise ArgumentError(
                f"the target holds numbers up to {largest:.3g}, a network answers up to {LARGEST:.3g}: give it in a "
                "larger unit."
            )
        mean, std = y.mean(axis=0), y.std(axis=0)
        if output.is_of_counts and (y < 0).any():
            raise ArgumentError(f"the Poisson loss is for counts, of 0 or more; the target holds {y.min():.6g}.")
        if not (std >= SMALLEST).all() and (np.ptp(y, axis=0) > 0).all():
            raise ArgumentError(
                f"the values of the target differ by {float(np.min(std)):.3g}, a network can tell {SMALLEST:.3g} apart: "
                "give it in a smaller unit."
            )
        if not (std > 0).all():
            raise ArgumentError("the target has one value in all training rows; there is nothing to learn.")
        return cls(mean, np.zeros_like(mean), True) if output.is_of_counts else cls(std, mean)

    def scaled(self, y: AnyArray) -> AnyArray:
        """The targets as they are learned."""
        return (y - self.offset) / self.scale

    def enter(self, network: Network) -> None:
        """Let a network that has learned scaled targets answer in own units."""
        weight, bias = _arrays(network)
        if self.is_of_counts:
            bias += np.log(self.scale).astype(bias.dtype)
            return
        scale, offset = self.scale.astype(weight.dtype), self.offset.astype(weight.dtype)
        weight *= scale
        bias *= scale
        bias += offset

    def leave(self, network: Network) -> None:
        """The opposite: let a network that answers in own units go on learning scaled targets."""
        weight, bias = _arrays(network)
        if self.is_of_counts:
            bias -= np.log(self.scale).astype(bias.dtype)
            return
        scale, offset = self.scale.astype(weight.dtype), self.offset.astype(weight.dtype)
        bias -= offset
        bias /= scale
        weight /= scale

    @property
    def in_words(self) -> str:
        """What a loss in the course of training is measured in."""
        several = self.scale.size > 1
        if self.is_of_counts:
            what = "the mean of each target" if several else f"the mean of the target, {float(self.scale):.6g}"
            return f"counts are divided by {what}, for training: the losses and errors of epochs are in that unit"
        what = "of each target" if several else f"of the target, {float(self.scale):.6g}"
        return f"the losses and errors of epochs are in units of the standard deviation {what}"


def _arrays(network: Network) -> tuple[AnyArray, AnyArray]:
    name = network.nodes[-1].name
    return network.parameters[f"{name}.weight"], network.parameters[f"{name}.bias"]
