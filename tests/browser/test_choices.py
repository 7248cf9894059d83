"""What a visitor chooses is done, and kept: colors, samples, files, strokes, settings of a run, the keyboard's place."""

from __future__ import annotations

import re

import numpy as np
import pytest
from digit_files import TEST_IMAGES, TEST_LABELS, png
from page_actions import press
from painted import pixels
from playwright.sync_api import Page, expect
from visits import Visit

import pellucid as pl

DROP = """(bytes) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], "digit.png", {type: "image/png"}));
  window.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
}"""


def run_of(page: Page, name: str) -> dict[str, object]:
    runs = page.evaluate("fetch('/api/runs').then((answer) => answer.json())")["runs"]
    return next(run for run in runs if run["name"] == name)


def test_colors_and_sample_go_along_from_page_to_page(visit: Visit) -> None:
    page = visit.to("/draw?sample=test-3")
    page.get_by_role("radio", name="Dark").check(force=True)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Look inside").click()
    expect(page).to_have_title("Look inside · Pellucid studio")
    expect(page).to_have_url(re.compile(r"/inside\?sample=test-3"))
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Next test sample").click()
    expect(page).to_have_url(re.compile("sample=test-4$"))
    expect(page.locator(".sample")).to_contain_text(f"Test 4: {TEST_LABELS[4]}")
    page.goto(visit.studio.address("/learn/7?sample=test-3"))
    page.get_by_role("link", name=re.compile("^Next: ")).click()
    expect(page).to_have_url(re.compile(r"/learn/8\?sample=test-3"))


def test_the_last_stroke_is_taken_back_and_the_pen_may_be_thick(visit: Visit) -> None:
    page = visit.to("/draw")
    paper = page.get_by_label("Paper to draw on")
    box = paper.bounding_box()
    assert box is not None
    for x, thickness in ((0.3, "0.03"), (0.7, "0.14")):
        page.get_by_label("Thickness of the pen").fill(thickness)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.3 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.7 * box["height"], steps=5)
        page.mouse.up()
    expect(page).to_have_url(re.compile("sample=px"))
    left, right = ink(page)
    assert right / left == pytest.approx(0.14 / 0.03, rel=0.25)
    press(page, "Undo")
    assert ink(page) == (left, 0)
    press(page, "Clear")
    assert ink(page) == (0, 0)
    expect(page).not_to_have_url(re.compile("sample="))


def ink(page: Page) -> tuple[int, int]:
    """Dark pixels on the left half of the paper, and on the right."""
    dark = pixels(page.get_by_label("Paper to draw on"))[..., 0] < 128
    half = dark.shape[1] // 2
    return int(dark[:, :half].sum()), int(dark[:, half:].sum())


def test_one_picture_after_the_other_is_dropped(visit: Visit) -> None:
    page = visit.to("/draw")
    for label in (3, 4):
        row = TEST_LABELS.tolist().index(label)
        page.evaluate(DROP, list(png(np.kron(TEST_IMAGES[row], np.ones((5, 5), np.uint8)))))
        expect(page.locator(".readout")).to_contain_text(str(label))
    noise = {"name": "a.png", "mimeType": "image/png", "buffer": png(TEST_IMAGES[0])}
    page.set_input_files("input[type=file]", noise)
    expect(page.locator("input[type=file]")).to_have_js_property("value", "")  # so that the same one may be chosen again


def test_a_place_in_the_plane_is_read(visit: Visit) -> None:
    page = visit.to("/train?data=moons")
    press(page, "One step")
    run = page.locator(".state b").inner_text()
    page = visit.to(f"/draw?model={run}&sample=xy.0,0")
    plane = page.locator("svg.plane")
    box = plane.bounding_box()
    assert box is not None
    plane.click(position={"x": 0.75 * box["width"], "y": 0.25 * box["height"]})
    expect(page).to_have_url(re.compile(r"sample=xy\.0\.7\d,0\.7\d"))
    page = visit.to("/inside?sample=test-3")
    page.locator(".model select").select_option(run)
    expect(page).to_have_url(re.compile(f"model={run}"))
    expect(page).not_to_have_url(re.compile("test-3"))


def test_settings_lead_to_the_run_that_was_asked_for(visit: Visit) -> None:
    page = visit.to("/train?data=circles&samples=60&noise=0.3&validation=0.5&hidden=32&epochs=20")
    page.get_by_label("Learning rate", exact=True).press("ArrowRight")  # a tenth of a power of ten
    expect(page).to_have_url(re.compile("learning_rate=0.013"))
    page.get_by_label("Pace").select_option("slow")
    press(page, "Start")
    expect(page.locator(".state")).to_contain_text("running")
    first = page.locator(".state b").inner_text()
    run = run_of(page, first)
    assert run["pace"] == run["steps_per_epoch"]
    page.get_by_label("Pace").select_option("full")
    expect(page.locator(".state")).to_contain_text("finished")
    page.get_by_label("Activation", exact=True).select_option("relu")
    press(page, "Undo")
    expect(page.get_by_label("Activation", exact=True)).not_to_have_value("relu")
    page.get_by_label("Activation", exact=True).select_option("relu")
    page.get_by_role("button", name=f"Fork {first} at step").click()
    expect(page.locator(".state")).not_to_contain_text(first)
    run = run_of(page, first)
    assert run_of(page, page.locator(".state b").inner_text())["parent"] == {"run": first, "step": run["step"]}
    press(page, f"Delete {first}")
    expect(page.get_by_role("button", name="Keep", exact=True)).to_be_focused()


def test_points_that_were_drawn_outlast_other_data(visit: Visit) -> None:
    page = visit.to("/train?data=drawn&points=a10.20b30.40")
    page.get_by_label("What to learn").select_option("moons")
    page.get_by_label("Noise, as a number").fill("0.2")
    page.get_by_label("Noise, as a number").press("Enter")
    page.get_by_label("What to learn").select_option("drawn")
    expect(page.get_by_role("application")).to_have_attribute("aria-label", re.compile("2 training"))


def test_a_step_by_another_optimizer_at_another_rate(visit: Visit) -> None:
    row = 4
    network = pl.load(visit.studio.model).network
    trace = network.trace(TEST_IMAGES[row : row + 1], [int(TEST_LABELS[row])], pl.GradientDescent(0.5), training=False)
    page = visit.to(f"/inside?sample=test-{row}&view=backward&layer=output&neuron=2")
    page.get_by_label("Rate").fill("0.5")
    page.get_by_label("Rate").press("Enter")
    expect(page).to_have_url(re.compile("learning_rate=0.5"))
    neuron, new = trace.neuron("output", 2), trace.layers[-1].updates["weight"].new[:, 2]
    strongest = int(neuron.strongest(1)[0])
    expect(page.get_by_role("region", name="The terms of").locator("tbody tr").first).to_contain_text(
        f"{new[strongest]:.6g}"
    )


def test_the_curves_of_an_activation_are_drawn_to_scale(visit: Visit) -> None:
    page = visit.to("/learn/3?activation=tanh")
    curve = page.locator(".widget svg.curve")
    curve.wait_for()
    ends = curve.locator("text[text-anchor=end]").evaluate_all(
        "(texts) => texts.map((one) => [Number(one.textContent), Number(one.getAttribute('y')) - 4])"
    )
    (low, bottom), (high, top) = ends[:2]
    assert low < high
    assert top < bottom  # upwards
    for kind, function in (("line", np.tanh), ("line other", lambda z: 1 - np.tanh(z) ** 2)):
        drawn = np.array(
            re.findall(r"[ML]([\d.]+) ([\d.]+)", curve.locator(f"path[class='{kind}']").get_attribute("d") or ""), float
        )
        values = low + (drawn[:, 1] - bottom) / (top - bottom) * (high - low)
        z = np.linspace(-1, 1, len(values)) * page.locator("#z").evaluate("(one) => Number(one.max)")
        np.testing.assert_allclose(values, function(z), atol=0.02)


def test_the_penalty_on_the_weights_is_that_of_the_run(visit: Visit) -> None:
    page = visit.to("/learn/8?l2=0.01")
    page.get_by_role("button", name="Train", exact=True).and_(page.locator(":enabled")).wait_for()
    [run] = page.evaluate("fetch('/api/runs').then((answer) => answer.json())")["runs"]
    assert run["experiment"]["l2"] == 0.01
    page = visit.to("/learn/4?hidden=32,32")
    expect(page.locator(".widget .sum")).to_contain_text("= 1218 parameters")  # 2*32 + 32 + 32*32 + 32 + 32*2 + 2
