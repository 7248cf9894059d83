"""What is asked of every page of the studio: axe finds nothing, and nothing sticks out, in both themes and three widths."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = (Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js").read_text()
THEMES = [{"color_scheme": theme} for theme in ("light", "dark")]
WIDTHS = [360, 1280, 3840]
SIZES = [{"viewport": {"width": width, "height": 800}} for width in WIDTHS]


def violations(page: Page) -> list[str]:
    """What axe finds."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then((result) => result.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]


def sticks_out(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
