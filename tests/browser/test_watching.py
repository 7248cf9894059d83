"""What the page Train shows of two runs is what the server says of them: curves, gap, planes, neurons, tables."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from page_actions import asked, look_of, press
from painted import color_of, pixels, ramp, unpacked
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from visits import Visit

LOOKS = [{"color_scheme": theme} for theme in ("light", "dark")]
CLASSES = np.array([(0, 114, 178), (213, 94, 0)], float)  # A blue, B orange; as of the first and the second run
PAPER = {False: np.array([255.0] * 3), True: np.array([27.0, 31, 35])}
PLOT = """(figure) => {
  const canvas = figure.querySelector("canvas"), box = figure.querySelector(".u-over").getBoundingClientRect();
  const {left, top, width} = canvas.getBoundingClientRect(), sharp = canvas.width / width;
  return [box.left - left, box.top - top, box.width, box.height].map((one) => one * sharp);
}"""


def short(number: float, digits: int = 3) -> str:
    return f"{number:.{digits}g}"


def likeness(tile: Any, values: Any) -> float:
    """Correlation of a small picture, from blue to orange, with the numbers that it is of."""
    warmth = Image.fromarray((tile[..., 0] - tile[..., 2]).astype(np.float32))
    small = np.array(warmth.resize(values.shape[::-1], Image.Resampling.BOX))
    return float(np.corrcoef(small.ravel(), values.ravel().astype(float))[0, 1])


def tiles_of(canvas: Locator, count: int) -> list[Any]:
    """The pictures of a row of at most eight, 45 pixels each, 3 apart."""
    picture = pixels(canvas)
    return [picture[48 * (i // 8) : 48 * (i // 8) + 45, 48 * (i % 8) : 48 * (i % 8) + 45] for i in range(count)]


def curve_of(run: dict[str, Any], field: str) -> Any:
    return np.array([(one["epoch"], one[field]) for one in run["history"] if one[field] is not None])


def lines_of(curves: list[Any], low: float, high: float, plot: Any) -> list[Any]:
    """Places on the canvas along each curve, x and y, all at the same x; ``low`` and ``high`` are the ends of y."""
    left, top, width, height = plot
    start, end = max(curve[0, 0] for curve in curves), min(curve[-1, 0] for curve in curves)
    least, most = min(curve[0, 0] for curve in curves), max(curve[-1, 0] for curve in curves)
    x = np.linspace(start, end, 300)
    across = left + (x - least) / (most - least) * width
    ys = [np.interp(x, curve[:, 0], curve[:, 1]) for curve in curves]
    return [np.stack([across, top + (high - y) / (high - low) * height], axis=1) for y in ys]


def share_painted(picture: Any, places: Any, color: Any, beside: int = 2) -> float:
    """Where the color is, or no more than so many pixels beside."""
    near = [picture[int(y) - 2 : int(y) + 3, int(x) - beside : int(x) + beside + 1].reshape(-1, 3) for x, y in places]
    return float(np.mean([np.abs(one - color).max(axis=1).min() < 60 for one in near if len(one)]))


@pytest.mark.parametrize("visit", LOOKS, indirect=True, ids=["light", "dark"])
def test_everything_shown_of_two_runs_is_what_the_server_says(visit: Visit, request: pytest.FixtureRequest) -> None:
    is_dark = "dark" in request.node.callspec.id
    settings = "hidden=32,16&activation=relu&learning_rate=0.02&epochs=30"
    page = visit.to(f"/train?data=circles&samples=60&noise=0.3&validation=0.5&{settings}")
    for button in ("Start", "+ dropout"):
        expect(page.locator(".state")).not_to_contain_text("running")
        press(page, button)
        expect(page.locator(".go")).to_have_text("Pause")
    expect(page.locator(".state")).to_have_text(re.compile(r"run-\d+ finished"))
    expect(page.locator(".runs tbody tr")).to_have_count(2)
    expect(page.locator(".thumbs .ground")).to_be_visible()
    expect(page.locator(".runs tbody")).not_to_contain_text("running")
    first, second = asked(page, "/api/runs")["runs"]
    looks = [look_of(page, run["name"]) for run in (first, second)]
    expect(page.locator(".herald, .controls .unseen[role=status]")).to_contain_text(f"Epoch {int(second['epoch'])}: loss ")
    _check_planes(page, second, looks, is_dark)
    _check_layers(page, looks[1]["layers"], is_dark)
    _check_table(page, first, second)
    for title, field in (("Loss", "loss"), ("Accuracy", "accuracy")):
        _check_chart(page.locator(".chart", has=page.get_by_role("heading", name=title)), field, second, first)


def _check_planes(page: Page, run: dict[str, Any], looks: list[Any], is_dark: bool) -> None:
    boundaries = [unpacked(look["boundary"]).astype(float) for look in looks]
    assert np.abs(boundaries[0] - boundaries[1]).max() > 5
    for canvas, answer in zip(page.locator(".ground").all(), reversed(boundaries), strict=True):
        best, sure = answer.argmax(axis=2), 2 * (answer.max(axis=2) / 255 - 0.5)
        share = (0.5 if is_dark else 0.55) * np.clip(sure, 0, 1)[..., None]
        expected = PAPER[is_dark] + share * (CLASSES[best] - PAPER[is_dark])
        assert np.abs(pixels(canvas) - expected).max() < 1.01
    words = {name: run["experiment"][name] for name in ("data", "samples", "noise", "validation")}
    query = "&".join(f"{name}={value}" for name, value in words.items())
    points = asked(page, f"/api/points?{query}&seed=0")
    marks, extent = pixels(page.locator(".plane .marks").first), points["extent"][1]
    for kind, is_filled in (("x", True), ("x_validation", False)):
        x, y = unpacked(points[kind]), np.array(points[kind.replace("x", "y")])
        at = np.stack([1 - x[:, 1] / extent, 1 + x[:, 0] / extent], axis=1) / 2 * len(marks)
        expected = CLASSES[y] if is_filled else np.full((len(y), 3), 255.0 if not is_dark else 22)
        found = marks[tuple(at.astype(int).T)]
        assert (np.abs(found - expected).max(axis=1) < 5).mean() > 0.6  # some lie under others
    plane = page.locator(".plane .stage").first
    plane.focus()
    for key in ("ArrowRight", *["ArrowUp"] * 3):
        plane.press(key)
    x1, x2 = extent / 16, 3 * extent / 16
    side = len(boundaries[1])
    a, b = boundaries[1][int(side * (1 - 3 / 16) / 2), int(side * (1 + 1 / 16) / 2)] / 255
    expect(page.locator(".plane figcaption").first).to_have_text(
        f"x1 {x1:.2f}, x2 {x2:.2f}: {run['labels'][0]} {100 * a:.0f}%, {run['labels'][1]} {100 * b:.0f}%"
    )


def _check_layers(page: Page, layers: list[Any], is_dark: bool) -> None:
    for layer in layers:
        shown = page.get_by_role("region", name=layer["name"], exact=True)
        if layer["dead"] is not None:
            start = f"{layer['dead']} of {layer['units']} neurons" if layer["dead"] else "Every neuron"
            expect(shown.locator(".dead")).to_contain_text(start)
        for kind, spread in layer["histograms"].items():
            figure = shown.locator(".histogram", has=page.get_by_text(kind, exact=True))
            low, high = figure.locator("span").all_inner_texts()
            assert [float(low), float(high)] == pytest.approx([spread["low"], spread["high"]], rel=0.6, abs=1e-3)
            ends = f"from {short(spread['low'])} to {short(spread['high'])}"
            said = f"{kind} of {layer['name']}: {sum(spread['counts']):,} numbers {ends}"
            assert figure.get_by_role("img").get_attribute("aria-label") == said
            tops = re.findall(r"L([\d.]+) ([\d.]+)", figure.locator("path").first.get_attribute("d") or "")
            heights = np.array([36 - float(y) for _, y in tops[: 2 * len(spread["counts"]) : 2]]) / (0.96 * 36)
            counts = np.array(spread["counts"])
            np.testing.assert_allclose(heights, np.sqrt(counts / counts.max()), atol=0.005)
        if "neurons" in layer:
            values = unpacked(layer["neurons"])
            for tile, one in zip(tiles_of(shown.locator(".tiles canvas"), len(values)), values, strict=True):
                assert one.min() == one.max() or likeness(tile, one.astype(float) - 128) > 0.9
    weights = unpacked(layers[0]["weights"])
    canvas = page.get_by_role("region", name=layers[0]["name"], exact=True).locator(".heatmap canvas")
    assert np.abs(pixels(canvas) - ramp(weights, np.abs(weights).max(), is_dark)).max() < 1.01


def _check_table(page: Page, first: dict[str, Any], second: dict[str, Any]) -> None:
    assert second["parent"] == {"run": first["name"], "step": 0}
    expect(page.locator(".runs tbody tr").nth(1)).to_contain_text(f"from {first['name']}, step 0")
    for place, (run, row) in enumerate(zip((second, first), reversed(page.locator(".runs tbody tr").all()), strict=True)):
        last = run["history"][-1]
        seen, unseen = (round(100 * last[field], 1) for field in ("accuracy", "validation_accuracy"))
        expected = [
            f"{run['epoch']:.1f}",
            f"{seen:.1f}%",
            f"{unseen:.1f}%",
            f"{seen - unseen:.1f}",
            short(last["validation_loss"]),
        ]
        assert row.locator("td.number").all_inner_texts() == expected
        swatch = row.locator(".swatch").evaluate("(one) => getComputedStyle(one).backgroundColor")
        assert np.array(re.findall(r"\d+", swatch), float).tolist() == CLASSES[place].tolist()


def _check_chart(figure: Locator, field: str, *runs: dict[str, Any]) -> None:
    """The lines as they are painted, the shade between those of the first run, and the numbers beside."""
    figure.locator("summary").click()
    expect(figure.locator("tbody tr").first).to_be_visible()
    cells = figure.locator("tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    curves = [curve_of(run, name) for run in runs for name in (field, f"validation_{field}")]
    assert len(cells) == len({*np.concatenate(curves)[:, 0]})
    for column, curve in enumerate(curves, 1):
        numbers = {f"{epoch:.2f}": short(y) if field == "loss" else f"{100 * y:.1f}%" for epoch, y in curve}
        assert {row[0]: row[column] for row in cells if row[0] in numbers} == numbers
    figure.locator("summary").click()
    every = np.concatenate(curves)[:, 1]
    low, high = (0, 1.05 * every.max()) if field == "loss" else (max(0, min(every.min(), 0.95) - 0.02), 1)
    lines = lines_of(curves, low, high, figure.evaluate(PLOT))
    picture = pixels(figure.locator("canvas"), color_of(figure, "--raised"))
    for i, line in enumerate(lines):
        is_free = np.all([np.abs(line - other)[:, 1] > 3 for other in lines[i + 1 :]] or [True], axis=0)  # of later lines
        places, color = line[np.broadcast_to(is_free, len(line))], CLASSES[i // 2]
        assert share_painted(picture, places, color) > 0.9, (field, i)
        has_gaps = share_painted(picture, places, color, beside=0) < 0.85
        assert field == "accuracy" or has_gaps == (i % 2 == 0), (field, i)  # training is dashed
    middle = (lines[0] + lines[1]) / 2
    wide = (np.abs(lines[0] - lines[1])[:, 1] > 14) & np.all([np.abs(middle - line)[:, 1] > 6 for line in lines], axis=0)
    shaded = [np.abs(picture[int(y), int(x)] - color_of(figure, "--raised")).max() > 8 for x, y in middle[wide]]
    assert field == "accuracy" or (len(shaded) > 5 and np.mean(shaded) > 0.9)
