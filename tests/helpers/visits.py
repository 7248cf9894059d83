"""What a test of the studio gets: where a studio answers, and a visit to it in the browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Page


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
