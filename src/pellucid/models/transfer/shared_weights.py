"""Weights that a model file leaves out because they come with the package: their name and their hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pellucid.core.errors import ModelFileError
from pellucid.core.shapes import AnyArray
from pellucid.models.pretrained.weights import NAMES, hash_of_arrays, pretrained_arrays, shared_arrays
from pellucid.models.transfer.transfer import Transfer
from pellucid.nn import catalogue
from pellucid.nn.layers.base import Layer
from pellucid.nn.stack import Stack


@dataclass(frozen=True)
class SharedWeights:
    """All arrays below the output layer are those of the ``network`` of the package; ``sha256`` is of them and of the
    layers."""

    network: str
    sha256: str

    def arrays(self, layers: Sequence[Layer]) -> dict[str, AnyArray]:
        """The arrays; raises `ModelFileError` if those that are installed are not these."""
        found = shared_arrays(pretrained_arrays(self.network)) if self.network in NAMES else {}
        if _hash(found, layers) != self.sha256:
            raise ModelFileError(
                f"it was saved without the weights of {str(self.network)[:60]!r} (slim), and this installation has others, "
                "or none. Save it again where it was trained, not slim."
            )
        return found


def shared_weights(network: Stack, transfer: Transfer | None) -> SharedWeights:
    """The reference that stands for them; raises `ModelFileError` if the network has other weights than the package."""
    if transfer is not None and transfer.network in NAMES:
        found = SharedWeights(transfer.network, _hash(shared_arrays(pretrained_arrays(transfer.network)), network.layers))
        if found.sha256 == _hash(shared_arrays({**network.parameters, **network.state}), network.layers):
            return found
    raise ModelFileError(
        "slim leaves out weights that come with the package, and below its last layer this network has others: save it "
        "whole."
    )


def without_shared(arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Those of the output layer."""
    return {name: array for name, array in arrays.items() if name not in shared_arrays(arrays)}


def _hash(arrays: dict[str, AnyArray], layers: Sequence[Layer]) -> str:
    return hash_of_arrays(arrays, [catalogue.to_dict(layer) for layer in layers[:-1]])
