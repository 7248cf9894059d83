"""What a run says of itself: figures of the parameters that it has, and no praise for what was not learned."""

from __future__ import annotations

import re

import numpy as np
import pytest
from small_runs import new

import pellucid as pl
from pellucid.apps.studio.session import Session
from pellucid.core.display.text import percent

FEW = {"noise": 0.4, "samples": 120, "validation": 0.5, "hidden": [32, 32], "learning_rate": 0.05}


def right(run):
    """Of the samples held out, as the network answers now."""
    aside = run.material.validation
    return percent(np.mean(run.network.predict(aside.x[aside.rows]) == aside.y[aside.rows]))


@pytest.mark.parametrize(("patience", "epochs"), [(3, 60), (59, 60)])
def test_what_was_restored_is_measured_and_said_to_be_chosen(patience, epochs, tmp_path):
    """Whether it stopped early or not: the best network is back at the end."""
    run = new(FEW | {"patience": patience, "epochs": epochs})
    run.resume()
    run.wait()
    losses = [figures["validation_loss"] for figures in run.summary()["history"][:-1]]
    assert np.argmin(losses) < len(losses) - 1, "the best epoch was not the last"
    said = f"{right(run)} of the validation samples right, which also chose the epoch"
    assert run.summary()["measured"] == said
    assert f"those of epoch {run.loop.restored_epoch}" in run.message
    assert "The validation samples also chose this epoch, so their figures flatter." in run.summary()["gap_in_words"]
    run.model().save(tmp_path / "run.safetensors")
    session = Session({"file": pl.load(tmp_path / "run.safetensors")})
    assert session.summary()["models"][0]["measured"] == said
    run.make_step()
    assert run.summary()["measured"] == f"{right(run)} of the validation samples right"
    assert "chose" not in run.summary()["gap_in_words"]


def test_a_rewound_run_has_the_figures_of_its_step(tmp_path):
    run = new(FEW | {"epochs": 30})
    run.resume()
    run.wait()
    at_the_end = run.summary()["measured"]
    run.rewind(0)
    untrained = f"{right(run)} of the validation samples right"
    assert untrained != at_the_end
    assert run.summary()["measured"] == untrained
    run.model().save(tmp_path / "run.safetensors")
    loaded = pl.load(tmp_path / "run.safetensors")
    assert len(loaded.network.history.epochs) == 1
    assert Session({"file": loaded}).summary()["models"][0]["measured"] == untrained


def test_nothing_is_said_of_a_network_that_is_changing():
    run = new(epochs=1000)
    run.set_pace(0.5)
    run.resume()
    assert run.summary()["measured"] is None
    run.close()


def test_a_failed_training_is_not_praised():
    """A rate of 10 on two classes: half of the samples are right, as by always naming one class."""
    run = new(hidden=[8, 8], learning_rate=10.0, epochs=20, samples=200, validation=0.5)
    run.resume()
    run.wait()
    said = run.summary()["gap_in_words"]
    assert f"validation {right(run)}: " in said
    assert "than always naming the commonest class, which is right for 50.0% of the 100 validation samples" in said
    assert "learned anything" in said
    assert "as well" not in said


def test_a_training_that_diverged_says_of_when_its_figures_are():
    run = new(optimizer="gradient_descent", activation="identity", learning_rate=100.0, l2=10.0)
    run.resume()
    run.wait()
    assert run.state == "diverged"
    assert re.fullmatch(r"training diverged at step \d+: .*\. The last good parameters were kept\.", run.message)
    assert run.summary()["gap_in_words"].startswith("The training diverged. Before that: Training ")
    assert run.summary()["measured"] is None


def test_without_validation_there_is_no_gap():
    run = new(validation=0.0)
    assert (run.summary()["gap_in_words"], run.summary()["measured"]) == (None, None)
