"""Take the pictures of docs/guide/studio.md: every page of the studio, at three sizes, light and dark.

``python tools/pictures/draw_studio.py digits.safetensors`` starts a studio with that model, best a calibrated one
(``pellucid train digits --validation 0.1``), and drives Chromium (the extra ``browser``). Look at them all before
committing them.
"""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parents[2] / "docs" / "guide" / "studio"
SIZES = {"phone": (360, 780), "laptop": (1280, 860), "wide": (2560, 1440)}
THEMES = ("light", "dark")
QUALITY = 82
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
SECONDS = 60_000  # in milliseconds


def main(model: str) -> None:
    command = [sys.executable, "-m", "pellucid", "studio", str(Path(model).resolve()), "--no-open"]
    with TemporaryDirectory() as folder, subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as studio:
        try:
            assert studio.stdout is not None
            link = next(word for line in studio.stdout for word in line.split() if word.startswith("http://"))
            take_all(link)
        finally:
            studio.send_signal(signal.SIGINT)


def take_all(link: str) -> None:
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        for size, (width, height) in SIZES.items():
            for theme in THEMES:
                look = {"viewport": {"width": width, "height": height}, "color_scheme": theme, "reduced_motion": "reduce"}
                page = browser.new_context(**look).new_page()
                page.set_default_timeout(SECONDS)
                page.goto(link)
                for name, show in PAGES.items():
                    show(page, link.split("/?")[0])
                    save(page, OUT / f"{name}-{size}-{theme}.webp")
                page.context.close()
        browser.close()


def draw(page: Page, base: str) -> None:
    page.goto(f"{base}/draw?sample=test-18")
    page.locator(".bars .best").wait_for()


def inside(page: Page, base: str) -> None:
    page.goto(f"{base}/inside?sample=test-18&layer=dense_2&neuron=3")
    page.wait_for_load_state("networkidle")


def train(page: Page, base: str) -> None:
    page.goto(f"{base}/train?data=spirals")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_timeout(12_000)


def table(page: Page, base: str) -> None:
    page.goto(f"{base}/table?table=penguins&target=species&row=2")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**model=run-**")
    page.get_by_text(f"{page.url.rpartition('model=')[2]} finished: ").wait_for()
    page.get_by_label("flipper_length_mm, any number").fill("204")
    page.wait_for_timeout(2_000)
    page.get_by_role("heading", name="One row").evaluate("(title) => scrollBy(0, title.getBoundingClientRect().top - 90)")


def learn(page: Page, base: str) -> None:
    page.goto(f"{base}/learn/2")
    page.locator(".heatmap").nth(2).wait_for()


PAGES = {"draw": draw, "inside": inside, "train": train, "table": table, "learn": learn}


def save(page: Page, path: Path) -> None:
    page.wait_for_timeout(500)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=QUALITY, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
