"""Every page, in both themes and three widths: axe finds nothing, nothing sticks out, nothing jumps."""

from __future__ import annotations

import pytest
from page_checks import SIZES, THEMES, WIDTHS, sticks_out, violations
from playwright.sync_api import Page, expect
from visits import Visit

PAGES = [
    *("/draw", "/draw?sample=test-3", "/inside?sample=test-3", "/inside?sample=test-3&view=backward&target=5"),
    *("/train", "/train?data=digits", "/table", "/table?table=penguins&target=species"),
    *(f"/learn/{number}" for number in range(1, 9)),
]
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
    assert violations(settled(visit, path)) == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("visit", SIZES, indirect=True, ids=map(str, WIDTHS))
def test_nothing_sticks_out_and_nothing_jumps(visit: Visit, path: str) -> None:
    visit.page.add_init_script(WATCH)
    page = settled(visit, path)
    assert sticks_out(page) <= 0
    assert page.evaluate("window.jumps") < SEEN
