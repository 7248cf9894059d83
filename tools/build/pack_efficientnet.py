"""Write the weights of EfficientNet-Lite0 that come with the package, from those of its PyTorch conversion.

    python tools/build/pack_efficientnet.py efficientnet-lite0-float32.safetensors

The file names the shapes of PyTorch: (out, in / groups, kh, kw) for a convolution, (out, in) for the last layer. But its
numbers lie in the order of TensorFlow, where they come from: (kh, kw, in / groups, out) and (in, out), which is ours too.
Read by their named shapes they would be mixed up. The result has our names, and float16, exact to 0.0005 of each array's
largest number.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from pellucid.core.shapes import AnyArray
from pellucid.models.pretrained.efficientnet import GROUPS, efficientnet_lite0
from pellucid.models.pretrained.networks import WEIGHTS
from pellucid.nn.stack import Stack

NORMALIZATION = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def their_layers() -> list[tuple[str, str]]:
    """Each convolution with the normalization behind it, by the names of the conversion."""
    layers = [("_conv_stem", "_bn0")]
    widths = [group[0] for group in GROUPS for _ in range(group[2])]
    for number, expand in enumerate(widths):
        block = f"_blocks.{number}."
        layers += [(f"{block}_expand_conv", f"{block}_bn0")] if expand > 1 else []
        layers += [(f"{block}_depthwise_conv", f"{block}_bn1"), (f"{block}_project_conv", f"{block}_bn2")]
    return [*layers, ("_conv_head", "_bn1")]


def as_they_lie(weight: AnyArray) -> AnyArray:
    """The weights in the shape that fits the order of their numbers."""
    out, inputs, *window = weight.shape
    return weight.reshape(*window, inputs, out)


def ours(theirs: dict[str, AnyArray], stack: Stack) -> dict[str, AnyArray]:
    """The arrays by our names, in our layout."""
    arrays = {"output.weight": as_they_lie(theirs["_fc.weight"]), "output.bias": theirs["_fc.bias"]}
    weights = [name for name in stack.parameters if name.endswith(".weight") and "conv2d" in name]
    gammas = [name for name in stack.parameters if name.endswith(".gamma")]
    for weight, gamma, (convolution, normalization) in zip(weights, gammas, their_layers(), strict=True):
        arrays[weight] = as_they_lie(theirs[f"{convolution}.weight"])
        stem = gamma.removesuffix("gamma")
        arrays |= {f"{stem}{name}": theirs[f"{normalization}.{other}"] for name, other in NORMALIZATION.items()}
    return arrays


def main(source: str) -> None:
    """Convert one file, and check that nothing is missing, left over or of another shape."""
    layers = efficientnet_lite0()
    arrays = ours(load_file(source), Stack(layers, 0, np.float32))
    Stack(layers, 0, np.float32, arrays=arrays)
    halves = {name: np.ascontiguousarray(array, np.float16) for name, array in arrays.items()}
    Path(str(WEIGHTS)).write_bytes(save(halves))


if __name__ == "__main__":
    main(sys.argv[1])
