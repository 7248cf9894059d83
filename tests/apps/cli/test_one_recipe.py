"""``pl.train``, ``pellucid train`` and the studio prepare a folder of pictures in one way, however few there are."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid.apps.studio.runs.experiment import experiment
from pellucid.apps.studio.runs.material import material, network_of
from pellucid.training.history import History


@pytest.fixture
def fitted(monkeypatch):
    """(network, options) of each call of ``fit``, none of which trains."""
    calls = []

    def fit(network, x, y, **options):
        calls.append((network, options))
        return History()

    monkeypatch.setattr(pl.Network, "fit", fit)
    return calls


def folder_of(count, root):
    """Pictures of two classes, two thirds of them of one: such classes are weighed."""
    rng = np.random.default_rng(count)
    for number in range(count):
        path = root / ("light" if number % 3 == 1 else "dark") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (14, 14, 3), np.uint8)).save(path)
    return root


def comparable(options):
    """The choices among the options of ``fit``: what early stopping is set to, and not which object it is."""
    names = ("optimizer", "schedule", "regularizer", "epochs", "batch_size", "augment", "validation", "class_weight")
    stopping = options["early_stopping"]
    settings = None if stopping is None else (stopping.patience, stopping.start_from_epoch)
    return {name: options[name] for name in names} | {"early_stopping": settings}


@pytest.mark.parametrize("count", [2, 5, 9, 10, 40, 300])
@pytest.mark.filterwarnings("ignore:.*too few to hold")
def test_the_same_network_and_options(cli, count, fitted, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    photos = pl.datasets.folder(folder_of(count, tmp_path / "photos"), 14)

    pl.train(photos)
    done = cli("train", "photos", "--size", "14")
    assert done.returncode == 0, done.stderr
    (by_python, options), (by_command, other_options) = fitted
    assert by_command.layers == by_python.layers  # with the same means and deviations
    assert by_command.seed == by_python.seed
    assert by_command.pipeline == by_python.pipeline
    assert comparable(other_options) == comparable(options)
    assert (options["validation"] is None) == (count < 50), "ten pictures at least are held out, or none"

    chosen = experiment({"data": "folder"}, photos)
    parts = material(chosen, photos)
    by_studio = network_of(chosen, parts)
    assert (by_studio.layers, by_studio.seed, by_studio.pipeline) == (by_python.layers, by_python.seed, by_python.pipeline)
    expected = comparable(options) | {"early_stopping": None}  # a run has none unless it is asked for
    assert comparable(chosen.recipe.fit_options()) == expected
    assert (parts.training.weights is None) == (options["class_weight"] is None)
    assert (parts.validation is None) == (options["validation"] is None)
