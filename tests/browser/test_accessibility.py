"""Every page, in both themes and three widths: axe finds nothing, nothing sticks out, nothing jumps."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from visits import Visit

AXE = (Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js").read_text()
PAGES = [
    *("/draw", "/draw?sample=test-3", "/inside?sample=test-3", "/inside?sample=test-3&view=backward&target=5"),
    *("/train", "/train?data=digits", *(f"/learn/{number}" for number in range(1, 9))),
]
THEMES = [{"color_scheme": theme} for theme in ("light", "dark")]
WIDTHS = [360, 1280, 3840]
SIZES = [{"viewport": {"width": width, "height": 800}} for width in WIDTHS]
WATCH = """
window.jumps = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.jumps += entry.value; })
  .observe({type: "layout-shift", buffered: true});
"""
SEEN = 0.01  # of a layout shift: below, a number has grown by a digit


def settled(visit: Visit, path: str) -> Page:
    """The page, when everything that it asks for is there."""
    page = visit.to(path)
    expect(page.locator(".waiting")).to_have_count(0)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("visit", THEMES, indirect=True, ids=["light", "dark"])
def test_axe_finds_nothing(visit: Visit, path: str) -> None:
    page = settled(visit, path)
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then((result) => result.violations)")
    assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found] == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("visit", SIZES, indirect=True, ids=map(str, WIDTHS))
def test_nothing_sticks_out_and_nothing_jumps(visit: Visit, path: str) -> None:
    visit.page.add_init_script(WATCH)
    page = settled(visit, path)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.evaluate("window.jumps") < SEEN
