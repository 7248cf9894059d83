"""What a training has measured, in words: of the parameters that were saved, on samples that are called what they are."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl
from pellucid.core.display.text import percent
from pellucid.reports.model_report.training import curves
from pellucid.reports.validation import CHOSE, final_in_words, measured_in_words


@pytest.fixture
def held(digits):
    """(network, x, y): early stopping kept a network which is not that of the last epoch; it was validated on x and y."""
    x, y = digits
    aside = x[100:200], np.where(np.arange(100) < 50, y[100:200], (y[100:200] + 1) % 10)  # half of the labels are wrong
    network = pl.Network([pl.Input(28, 28), pl.Dense(16, "relu"), pl.Classification(10)], seed=0)
    network.fit(x[:100], y[:100], validation=aside, epochs=30, early_stopping=6, progress="none")
    history = network.history
    assert history.restored.epoch < len(history.epochs)
    assert history.final["validation_accuracy"] != history.epochs[-1]["validation_accuracy"]
    return network, *aside


def test_the_accuracy_is_that_of_the_parameters_which_were_saved(held, tmp_path):
    network, x, y = held
    share = percent(np.mean(network.predict(x) == y))
    network.save(tmp_path / "held.safetensors")
    for history in (network.history, pl.load(tmp_path / "held.safetensors").network.history):
        assert measured_in_words(history) == f"{share} of the validation samples right, which also chose the epoch"
        first, second = final_in_words(history)
        epoch = history.restored.epoch
        assert first.startswith(f"epoch {epoch}, whose parameters early stopping restored for its validation loss: ")
        assert f"validation accuracy {100 * np.mean(network.predict(x) == y):.2f} %" in first
        assert second == CHOSE
        page = str(curves(history))
        assert f"Epoch {epoch}, whose parameters early stopping restored" in page
        assert "The validation samples also chose this epoch, so their figures flatter." in page


def test_samples_that_chose_nothing_are_not_said_to(digits):
    x, y = digits
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    network.fit(x[:200], y[:200], validation=0.25, epochs=2, progress="none")
    assert measured_in_words(network.history).endswith("% of the validation samples right")
    (line,) = final_in_words(network.history)
    assert line.startswith("last finished epoch: loss ")
    stopping = pl.EarlyStopping(1, monitor="loss")
    network.fit(x[:200], y[:200], validation=0.25, epochs=2, early_stopping=stopping, progress="none")
    assert measured_in_words(network.history).endswith("% of the validation samples right")
    (line,) = final_in_words(network.history)
    assert "restored for its loss: " in line


def test_a_regression_says_how_far_off_it_is(table):
    x, y = table
    network = pl.Network([pl.Input(4), pl.Regression()])
    network.fit(x, y, validation=(x, y), epochs=2, progress="none")
    off = np.abs(network.predict(x) - y).mean()
    assert measured_in_words(network.history) == f"{off:.4g} off on average on the validation samples"


def test_nothing_is_said_where_nothing_was_measured(digits):
    x, y = digits
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    assert (measured_in_words(network.history), final_in_words(network.history)) == (None, [])
    network.fit(x[:50], y[:50], validation=0.2, epochs=1, progress="none")
    network.fit(x[:50], y[:50], epochs=1, progress="none")  # what was validated is no longer this network
    assert measured_in_words(network.history) is None
