"""GroupedDense natively, alone and in one with the bins before it: against NumPy, with the same bits on any threads."""

from __future__ import annotations

import numpy as np
import pytest
from rounding import check
from twins import (
    ISAS,
    assert_answers_as_numpy,
    assert_threads_do_not_matter_to,
    assert_threads_do_not_matter_to_answers,
    spread,
)

import pellucid as pl

EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
EDGES = (tuple(np.linspace(-2, 2, 40).tolist()), (), (-1.0, 0.25, 1.5), (-0.75, 0.75), ())
PLE = pl.PiecewiseLinearEncoding(EDGES, 0.7)  # 5 columns, then 39 + 2 + 1 bins
MIXED = ((3, 0), (1,), (20, 4, 8))  # groups that are not those of the bins
WORDS = pl.Embedding(((2, 9, 4),))  # the others, then four numbers
G = pl.GroupedDense

NETWORKS = {
    "alone": [G(((4, 1), (0, 2)), 3)],
    "wide": [G(((4, 1), (0, 2)), 37), pl.Dense(70, "tanh")],
    "bins": [PLE, G.of_bins(PLE, 12), pl.Dense(70, "gelu"), pl.Dropout(0.2), pl.Dense(33, "tanh")],
    "bins by rows": [PLE, G.of_bins(PLE, 3), pl.Dense(9, "tanh")],
    "wide bins": [PLE, G.of_bins(PLE, 35), pl.ScaleFeatures(3.0), pl.Dense(70, "tanh")],
    "bins of other groups": [PLE, G(MIXED, 5), pl.Dense(70, "tanh")],
    "factors below": [pl.ScaleFeatures(2.0), PLE, G.of_bins(PLE, 12), pl.Dense(70, "tanh")],
    "factors between": [PLE, pl.ScaleFeatures(2.0), G.of_bins(PLE, 5), pl.Dense(70, "tanh")],
    "words below": [
        *(WORDS, pl.PiecewiseLinearEncoding((*EDGES[:4], *[()] * 4), 0.7)),
        *(G.of_bins(pl.PiecewiseLinearEncoding((*EDGES[:4], *[()] * 4), 0.7), 6), pl.Dense(70, "tanh")),
    ],
    "waves": [pl.PeriodicEmbedding(4, (0, 3), 0.5), G(((0, 5, 6, 7, 8), (3, 9, 10, 11, 12)), 7), pl.Dense(70, "tanh")],
    "twice": [G(((0, 1),), 4), G(((1, 3), (4, 5)), 2), pl.Dense(9, "tanh")],
    "an ensemble": [PLE, G.of_bins(PLE, 12), pl.EnsembleDense(40, 3, "silu")],
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def network_of(name, output=None, seed=3):
    output = output or pl.Classification(3, members=3 if name == "an ensemble" else 1)
    return spread(pl.Network([pl.Input(5), *NETWORKS[name], output], seed=seed), seed)


def samples(count, seed=0):
    """Numbers that lie off the edges of the bins, beyond them too, and in column 2 whole numbers for the words."""
    rng = np.random.default_rng(count + seed)
    x = 1.5 * rng.normal(size=(count, 5))
    x[:, 2] = rng.integers(-1, 10, count)
    return x.astype(np.float32), rng.integers(0, 3, count)


@EVERY_ISA
@every_network
@pytest.mark.parametrize("batch", [7, 230])
def test_a_step_is_the_true_one_but_for_rounding(isa, name, batch, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, y = samples(batch)
    check(network_of(name), x, y, threads=2)


@EVERY_ISA
@every_network
def test_the_number_of_threads_changes_no_bit(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    x, y = samples(301)
    assert_threads_do_not_matter_to(network_of(name), x, y, pl.AdamW(0.01))
    assert_threads_do_not_matter_to_answers(network_of(name), samples(3000)[0])


@EVERY_ISA
@every_network
def test_it_answers_as_numpy_does(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    output = pl.Regression(5, members=3 if name == "an ensemble" else 1)
    assert_answers_as_numpy(network_of(name, output), lambda count: samples(count)[0])


@EVERY_ISA
def test_a_number_on_an_edge_or_far_beyond_answers_as_in_numpy(isa, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    network = spread(pl.Network([pl.Input(5), PLE, G.of_bins(PLE, 12), pl.Regression()], seed=1), 1)
    edges = np.array(sorted({edge for column in EDGES for edge in column} | {-1e30, -50.0, 50.0, 1e30}), np.float32)
    x = np.zeros((len(edges) * 3, 5), np.float32)
    for row, column in enumerate((0, 2, 3)):
        x[row * len(edges) : (row + 1) * len(edges), column] = edges
    x[np.abs(x) > 1e6] = np.sign(x[np.abs(x) > 1e6]) * 1e6
    assert_answers_as_numpy(network, lambda count: np.resize(x, (count, 5)))
