"""What a test of the studio gets: a studio, where it answers, and a visit to it in the browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

SECONDS = 60  # at most, for anything that is waited for


@dataclass(frozen=True)
class Studio:
    """Where a studio answers: ``link`` with its token, and the file of the model that it opened with."""

    link: str
    model: Path
    folder: Path

    @property
    def origin(self) -> str:
        return self.link.split("/?")[0]

    def address(self, path: str) -> str:
        """The address of a page, with the token, which the studio takes away again."""
        return f"{self.origin}{path}{'&' if '?' in path else '?'}{self.link.split('/?')[1]}"


@contextmanager
def opened(model_file: Path, folder: Path) -> Iterator[Studio]:
    """A studio in a process of its own, which was opened with this model in this folder."""
    command = [sys.executable, "-m", "pellucid", "studio", str(model_file), "--no-open"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"})
    try:
        yield Studio(_link(process), model_file, folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)


def _link(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        for word in line.split():
            if word.startswith("http://127.0.0.1:"):
                return word
    raise AssertionError(f"the studio printed no link and ended with {process.wait()}")


@dataclass
class Visit:
    """One page of the studio, and everything that the browser's console said."""

    page: Page
    context: BrowserContext
    said: list[str]
    studio: Studio
    forgiven: list[str] = field(default_factory=list)  # what the browser itself says of answers that a test refuses

    def to(self, path: str) -> Page:
        """Go to a page of the studio and wait until its heading is there."""
        self.page.goto(self.studio.address(path))
        self.page.locator("main h1").first.wait_for()
        return self.page
