"""``pellucid gradcheck``: are the gradients of a model right?"""

from __future__ import annotations

import click
import numpy as np

from pellucid.apps.cli.named_models import open_model
from pellucid.apps.cli.terminal import say
from pellucid.core import random
from pellucid.core.shapes import AnyArray
from pellucid.inspection.gradcheck import NOTHING_COMPARED, WRONG, gradcheck
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.stack import Stack

SAMPLES = 8


@click.command("gradcheck")
@click.argument("model", type=click.Path())
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random samples and directions.")
def command(model: str, seed: int) -> int:
    """Compare each gradient of MODEL with finite differences of its loss, in float64, on random samples.

    Exit code 1 if one is wrong. A gradient that is zero for a good reason (a bias before batch normalization) is named.
    """
    network = open_model(model).network
    x, y = random_samples(network, seed)
    report = gradcheck(network, x, y, seed=seed, raise_error=False)
    say(report)
    wrong = [row.name for row in report.rows if row.verdict == WRONG]
    silent = [row.name for row in report.rows if row.verdict == NOTHING_COMPARED]
    if silent:
        say(f"nothing was compared for {', '.join(silent)}: both gradients are zero in every direction")
    if wrong:
        say(f"the gradient check FAILED for {', '.join(wrong)}")
    else:
        say("all other gradients are right" if silent else "all gradients are right")
    return 1 if wrong else 0


def random_samples(network: Stack, seed: int) -> tuple[AnyArray, AnyArray]:
    """A few samples of uniform numbers, with targets that fit the output layer."""
    keys = [random.key(seed, random.Purpose.GRADCHECK, part) for part in range(2)]
    x = random.uniform(keys[0], (SAMPLES, *network.input.shape))
    output = network.output
    if isinstance(output, ClassifyingOutput):
        return x, (random.bits(keys[1], SAMPLES) % np.uint32(output.num_labels)).astype(np.int64)
    return x, random.normal(keys[1], (SAMPLES, output.num_outputs))
