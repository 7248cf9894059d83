"""The studio in the browser: how soon pages open and strokes are answered, how smoothly a large network is drawn.

This drives Chromium (the extra ``browser``) without a window: the processor paints. Every page is opened by a browser that
has nothing of it yet, and its clock begins with the navigation.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import pellucid as pl
import pellucid.apps.studio

STATIC = Path(pellucid.apps.studio.__file__).parent / "static"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
ROUNDS = 9
PAGES = {  # when it is there: what of it is the last to come
    "draw": ".bars",
    "inside": "[role=application]",
    "train": ".plane canvas",
    "learn/1": ".heatmap canvas",
}
STROKES = (((0.3, 0.2), (0.7, 0.2), (0.35, 0.85)), ((0.3, 0.5), (0.7, 0.5)))  # a 7, in parts of the paper
MOVES = 60  # of the pointer, in a part of a stroke or on its way across the picture
COUNT_FRAMES = """() => {
  window.frames_at = [];
  const note = (time) => { window.frames_at.push(time); requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""
LISTEN = """() => {
  window.delays = [];
  new PerformanceObserver((list) => list.getEntries().forEach(({name, duration}) => {
    if (name === "stroke to bars") window.delays.push(duration);
  })).observe({entryTypes: ["measure"]});
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        with studio(digits(Path(folder))) as link:
            found: dict[str, Any] = {
                "seconds_to_open": {name: seconds_to_open(browser, link, name, sign) for name, sign in PAGES.items()},
                "compressed_bytes": sum(len(gzip.compress(path.read_bytes())) for path in STATIC.rglob("*.*")),
                "stroke_to_bars_ms": spread(stroke_to_bars(browser, link)),
            }
        with studio(wide(Path(folder))) as link:
            found["frame_ms"] = spread(frame_times(browser, link))
        browser.close()
    json.dump(found, sys.stdout)


def chromium() -> str:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    return found or sys.exit("Chromium is not installed; `make browser` installs it where it may.")


def digits(folder: Path) -> Path:
    """A network that reads digits, not long trained: how well it reads takes no time."""
    x, y = pl.datasets.digits()[0]
    network = pl.Network([pl.Input(28, 28), pl.Dense(128, "relu"), pl.Dense(64, "relu"), pl.Classification(10)])
    network.fit(x, y, epochs=1, progress="none")
    return saved(network, folder / "digits.safetensors")


def wide(folder: Path) -> Path:
    """Four layers of 512."""
    hidden = [pl.Dense(512, "relu") for _ in range(4)]
    return saved(pl.Network([pl.Input(28, 28), *hidden, pl.Classification(10)]), folder / "wide.safetensors")


def saved(network: pl.Network, path: Path) -> Path:
    pl.Model(network).save(path)
    return path


@contextmanager
def studio(model: Path) -> Iterator[str]:
    """The link of a studio that runs in a process of its own."""
    command = [sys.executable, "-m", "pellucid", "studio", str(model), "--no-open", "--port", "0"]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, cwd=model.parent, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
        finally:
            process.send_signal(signal.SIGINT)


def visitor(browser: Browser, link: str) -> BrowserContext:
    """Somebody new, whom the studio has let in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.request.get(link)
    return context


def opened(context: BrowserContext, link: str, path: str) -> Page:
    page = context.new_page()
    page.goto(f"{link.split('/?')[0]}/{path}")
    return page


def seconds_to_open(browser: Browser, link: str, path: str, sign: str) -> float:
    """From the navigation to the frame in which the last part is there: the median."""
    seconds = []
    for _ in range(ROUNDS):
        context = visitor(browser, link)
        page = opened(context, link, path)
        there = "sign => document.querySelector(sign) && !document.querySelector('.waiting') && performance.now()"
        seconds.append(page.wait_for_function(there, arg=sign).json_value() / 1000)
        context.close()
    return statistics.median(seconds)


def stroke_to_bars(browser: Browser, link: str) -> list[float]:
    """Milliseconds from the pointer to the painted bars, as the page itself measures and shows them."""
    context = visitor(browser, link)
    page = opened(context, link, "draw")
    page.locator(".bars").wait_for()
    page.evaluate(LISTEN)
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    for _ in range(ROUNDS):
        for stroke in STROKES:
            places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in stroke]
            page.mouse.move(*places[0])
            page.mouse.down()
            for place in places[1:]:
                page.mouse.move(*place, steps=MOVES)
            page.mouse.up()
        page.wait_for_timeout(200)
        page.get_by_role("button", name="Clear").click()
    found: list[float] = page.evaluate("window.delays")
    context.close()
    return found


def frame_times(browser: Browser, link: str) -> list[float]:
    """Milliseconds between frames while the pointer runs over the network and the keys choose other neurons."""
    context = visitor(browser, link)
    page = opened(context, link, "inside?layer=dense_3&neuron=100")
    picture = page.get_by_role("application")
    box = picture.bounding_box()
    assert box is not None
    page.get_by_role("region", name="The terms of").wait_for()
    page.evaluate(COUNT_FRAMES)
    for row in range(ROUNDS):
        y = box["y"] + box["height"] * (row + 0.5) / ROUNDS
        page.mouse.move(box["x"] + 1, y)
        page.mouse.move(box["x"] + box["width"] - 1, y, steps=MOVES)
        picture.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    times: list[float] = page.evaluate("window.frames_at")
    context.close()
    return [after - before for before, after in pairwise(times)]


def spread(values: list[float]) -> dict[str, float]:
    """The median, and what 19 of 20 stay below."""
    return {"count": len(values), "median": statistics.median(values), "most": statistics.quantiles(values, n=20)[-1]}


if __name__ == "__main__":
    main()
