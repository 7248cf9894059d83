"""A real studio in a process of its own, and Chromium that looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from visits import SECONDS, Studio, Visit, opened

import pellucid as pl

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
expect.set_options(timeout=SECONDS * 1000)
EPOCHS, KEPT_ASIDE = 2, 5000


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that reads digits, calibrated on samples that it has not seen."""
    x, y = pl.datasets.digits()[0]
    network = pl.Network([pl.Input(28, 28), pl.Dense(64, "relu"), pl.Dense(32, "relu"), pl.Classification(10)], seed=0)
    network.fit(
        *(x[:-KEPT_ASIDE], y[:-KEPT_ASIDE]),
        optimizer=pl.Adam(3e-3),
        augment=pl.Distortion(),
        epochs=EPOCHS,
        batch_size=128,
        progress="none",
    )
    model = pl.Model(network)
    model.calibrate(x[-KEPT_ASIDE:], y[-KEPT_ASIDE:])
    model.conformal(x[-KEPT_ASIDE:], y[-KEPT_ASIDE:])
    path = tmp_path_factory.mktemp("model") / "digits.safetensors"
    model.save(path)
    return path


@pytest.fixture(scope="session")
def studio(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One studio for all tests."""
    with opened(model_file, tmp_path_factory.mktemp("studio")) as studio:
        yield studio


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    assert path, "Chromium is not installed; `make test-studio` installs it where it may."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, studio: Studio, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A new visitor. `@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)` chooses how it looks.

    A test fails if the console says anything, or anything is asked of another host.
    """
    options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **getattr(request, "param", {})}
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on(
        "request", lambda asked: None if asked.url.startswith((studio.origin, "data:", "blob:")) else said.append(asked.url)
    )
    visited = Visit(page, context, said, studio)
    yield visited
    context.close()
    _forget_runs(browser, studio)
    assert [line for line in said if not any(words in line for words in visited.forgiven)] == []


def _forget_runs(browser: Browser, studio: Studio) -> None:
    """The next visitor finds the studio as this one did; and only so many runs are kept."""
    context = browser.new_context(extra_http_headers={"Origin": studio.origin})
    context.request.get(studio.link)
    for run in context.request.get(f"{studio.origin}/api/runs").json()["runs"]:
        assert context.request.delete(f"{studio.origin}/api/runs/{run['name']}").ok
    context.close()
