"""PyTorch on images, as its users write it when they want speed: channels last, data in memory, the fused Adam."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from jobs.dense import THREADS
from jobs.images import BATCH, ROWS, ImageJob
from torch import nn

from contestants.protocol import serve


def build(job: ImageJob) -> nn.Sequential:
    layers: list[nn.Module] = []
    for kind, *details in job.words:
        if kind == "conv":
            filters, size, padding, activation = details
            normalizes = activation == "norm"
            layers.append(nn.LazyConv2d(filters, size, padding=padding, bias=not normalizes))
            layers += [nn.BatchNorm2d(filters)] if normalizes else []
            layers.append(nn.ReLU())
        elif kind == "pool":
            layers.append(nn.MaxPool2d(2))
        elif kind == "average":
            layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        else:
            layers += [] if isinstance(layers[-1], nn.ReLU) and isinstance(layers[-2], nn.Linear) else [nn.Flatten()]
            layers += [nn.LazyLinear(details[0]), nn.ReLU()]
    return nn.Sequential(*layers, nn.LazyLinear(10))


def main() -> None:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    job = ImageJob.from_json(sys.argv[1])
    with np.load(Path(sys.argv[2]) / "digits.npz") as digits:
        pixels, labels = digits["x"][:ROWS], digits["y"][:ROWS]
    x = torch.from_numpy(pixels[:, None] / np.float32(255)).contiguous(memory_format=torch.channels_last)
    y = torch.from_numpy(labels)
    network = build(job)
    network(x[:2])  # the lazy layers find their inputs
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def train() -> None:
        network.train()
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(network(x.index_select(0, rows)), y.index_select(0, rows)).backward()
            optimizer.step()

    @torch.no_grad()
    def loss() -> float:
        network.eval()
        return nn.functional.cross_entropy(network(x), y).item()

    serve(train, {"torch": torch.__version__}, loss=loss)


if __name__ == "__main__":
    main()
