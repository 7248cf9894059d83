"""What is in a photo: the network that comes with Pellucid, EfficientNet-Lite0 at 224x224, beside onnxruntime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from contestants.contest import Contestant, hold, median, median_ratio
from jobs.photos import JOBS, Word, write

ROUNDS = 15


def measure(peers_python: str, folder: Path) -> dict[str, Any]:
    """Job -> milliseconds a picture, the ratio, and the largest difference of two probabilities."""
    import pellucid as pl

    network = pl.pretrained().network
    write(folder, list(words(network.nodes[1:])), {**network.parameters, **network.state})
    found = {}
    for name, (count, calls, _) in JOBS.items():
        with ExitStack() as stack:
            contestants = {
                "pellucid": stack.enter_context(Contestant("photos_ours", name, str(folder))),
                "onnxruntime": stack.enter_context(Contestant("photos_onnx", name, str(folder), python=peers_python)),
            }
            rounds = hold(contestants, ROUNDS)
            answers = [np.array(contestant.ask("answer")) for contestant in contestants.values()]
        found[name] = {
            "ms": {who: median(rounds, who) / count / calls * 1e3 for who in contestants},
            "ratio": median_ratio(rounds, "pellucid", "onnxruntime"),
            "difference": float(np.abs(answers[0] - answers[1]).max()),
        }
    return found


def words(nodes: Sequence[Any], prefix: str = "") -> Iterator[Word]:
    """The layers of the network; ``prefix`` stands before the names of those in a block."""
    import pellucid as pl

    for node in nodes:
        layer, name = node.layer, prefix + node.name
        match layer:
            case pl.Rescale():
                yield "scale", layer.scale, layer.offset
            case pl.Conv2D():
                yield "conv", name, layer.stride, layer.padding, layer.groups
            case pl.BatchNormalization():
                yield "norm", name, layer.epsilon, layer.activation
            case pl.Residual():
                yield ("keep",)
                yield from words(layer.branches(node.input_shape)[0], f"{name}.")
                yield ("add",)
            case pl.GlobalAveragePooling2D():
                yield ("average",)
            case _:
                yield "dense", name
