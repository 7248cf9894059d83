"""A regression that is opened in the studio is answered as one on every page: on numbers, on bare images, and on digits."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from visits import Studio, Visit, opened

import pellucid as pl

RNG = np.random.default_rng(7)


def made(kind: str) -> pl.Model:
    """A regression on four numbers with intervals and a validation part; on images without a pipeline; on digits."""
    if kind == "numbers":
        x = RNG.normal(size=(300, 4)).astype(np.float32)
        y = x @ np.array([0.5, -1.0, 0.25, 1.0], np.float32)
        network = pl.Network([pl.Input(4), pl.Dense(8, "tanh"), pl.Regression()], seed=1)
        network.fit(x, y, validation=0.3, epochs=5, early_stopping=4, progress="none")
        model = pl.Model(network)
        model.conformal(x, y)
        return model
    if kind == "images":
        network = pl.Network([pl.Input(8, 8), pl.Conv2D(2, 3, "relu"), pl.Flatten(), pl.Regression(2)], seed=1)
        network.parameters["output.bias"] = np.array([0.25, -1.5])
        return pl.Model(network)
    x, y = pl.datasets.digits()[0]
    network = pl.Network([pl.Input(28, 28), pl.Dense(8, "relu"), pl.Regression()], seed=1)
    network.fit(x[:500], (y[:500] - 4.5) / 2.9, epochs=1, progress="none")
    assert network.pipeline is not None
    return pl.Model(network)


SAMPLES = {"numbers": "xy.1,-0.5,0.25,1.5", "images": "", "digits": "test-61"}


@pytest.fixture(scope="module", params=list(SAMPLES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def studio(kind: str, model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio of its own, beside whose model it finds one for digits."""
    folder = tmp_path_factory.mktemp(kind)
    shutil.copy(model_file, folder / "digits.safetensors")
    made(kind).save(folder / "regression.safetensors")
    with opened(folder / "regression.safetensors", folder) as studio:
        yield studio


@pytest.fixture
def values(kind: str, studio: Studio) -> list[float]:
    """What the network answers for the sample of its kind."""
    samples = {
        "numbers": np.array([1, -0.5, 0.25, 1.5], np.float32),
        "images": np.zeros((8, 8), np.uint8),
        "digits": pl.datasets.digits()[1][0][61],
    }
    answer: list[float] = np.ravel(pl.load(studio.model).network.predict(samples[kind][None])).tolist()
    return answer


def check(page: Page) -> None:
    """Nothing went wrong, and nobody asks for labels."""
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("Probability of each label")


def test_draw_answers_with_the_value(visit: Visit, kind: str, values: list[float]) -> None:
    page = visit.to(f"/draw?confidence=none&sample={SAMPLES[kind]}")
    expect(page.locator(".lede")).to_contain_text("answers with a number")
    expect(page.locator(".answer .readout")).to_have_text(", ".join(f"{value:.4g}" for value in values))
    expect(page.locator(".answer .detail")).to_have_text("")
    check(page)
    expect(page.locator(".answer table.data tbody tr")).to_have_count(2 if kind == "images" else 0)
    expect(page.get_by_text("This network has no pipeline")).to_have_count(1 if kind == "images" else 0)


@pytest.mark.parametrize("kind", ["numbers"], indirect=True)
def test_draw_gives_the_interval_that_was_measured(visit: Visit, kind: str, studio: Studio) -> None:
    page = visit.to(f"/draw?sample={SAMPLES[kind]}")
    x = np.array([[1, -0.5, 0.25, 1.5]], np.float32)
    for button, confidence in (("90%", 0.9), ("80%", 0.8)):
        page.get_by_role("radio", name=button).check()
        low, high = (f"{end[0]:.4g}" for end in pl.load(studio.model).predict_interval(x, confidence))
        said = f"The true value lies between {low} and {high}, with this confidence."
        expect(page.locator(".answer .detail")).to_have_text(said)
    check(page)


@pytest.mark.parametrize("kind", ["images"], indirect=True)
def test_pixels_without_a_pipeline_are_changed_by_a_press(visit: Visit, studio: Studio) -> None:
    page = visit.to("/draw")
    canvas = page.locator(".desk .heatmap canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": 2.5 * box["width"] / 8, "y": 5.5 * box["height"] / 8})
    x = np.zeros((1, 8, 8), np.uint8)
    x[0, 5, 2] = 255
    answer = pl.load(studio.model).network.predict(x)[0].tolist()
    expect(page.locator(".answer .readout")).to_have_text(", ".join(f"{value:.4g}" for value in answer))


def test_looking_inside_shows_the_value_and_its_way_back(visit: Visit, kind: str, values: list[float]) -> None:
    page = visit.to(f"/inside?sample={SAMPLES[kind]}")
    expect(page.locator(".details .readout")).to_have_text(", ".join(f"{value:.4g}" for value in values))
    check(page)
    page.get_by_role("radio", name="Backward").check()
    expect(page.get_by_label("Target")).to_have_value(re.compile(r"^-?\d"))
    expect(page.locator(".details")).to_contain_text("is right")
    check(page)


def test_every_chapter_works_or_says_what_it_needs(visit: Visit, kind: str) -> None:
    for number in range(1, 9):
        page = visit.to(f"/learn/{number}")
        widget = page.locator(".widget")
        expect(widget.locator(".waiting")).to_have_count(0)
        if number not in (3, 4, 8):  # these go with a digit through the network
            expect(widget).to_contain_text("This chapter needs a network that reads digits. Continue with digits")
        check(page)


@pytest.mark.parametrize("kind", ["numbers"], indirect=True)
def test_the_model_bar_says_what_was_measured(visit: Visit, studio: Studio) -> None:
    page = visit.to("/draw")
    off = pl.load(studio.model).network.history.final["validation_mae"]
    said = f"{off:.4g} off on average on the validation samples, which also chose the epoch"
    expect(page.locator(".model")).to_contain_text(said)
