"""PyTorch, eager, as its users write it when they want speed: data in memory, no DataLoader, the fused Adam."""

from __future__ import annotations

import torch
from jobs.data import as_floats
from jobs.dense import THREADS, Job
from torch import nn

from contestants.protocol import serve, training

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


def build(job: Job) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, units in zip(job.sizes[:-2], job.sizes[1:-1], strict=True):
        layers += [nn.Linear(inputs, units), ACTIVATIONS[job.activation]()]
        layers += [nn.BatchNorm1d(units)] if job.normalize else []
        layers += [nn.Dropout(job.dropout)] if job.dropout else []
    return nn.Sequential(*layers, nn.Linear(*job.sizes[-2:]))


def main() -> None:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    job, arrays = training()
    x, y = torch.from_numpy(as_floats(arrays[0])), torch.from_numpy(arrays[1])
    network = build(job)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    loss_function = nn.functional.mse_loss if job.regression else nn.functional.cross_entropy

    def step(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss_function(network(inputs), targets).backward()
        optimizer.step()

    def train() -> None:
        network.train()
        for _ in range(job.epochs):
            if job.batch == len(x):
                step(x, y)
                continue
            for rows in torch.randperm(len(x)).split(job.batch):
                step(x.index_select(0, rows), y.index_select(0, rows))

    @torch.no_grad()
    def loss() -> float:
        network.eval()
        return loss_function(network(x[:10_000]), y[:10_000]).item()

    serve(train, {"torch": torch.__version__}, loss=loss)


if __name__ == "__main__":
    main()
