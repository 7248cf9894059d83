"""Draw: by mouse, by keys, by file; the answer, what is seen, and the link that shows the same."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from digit_files import TEST_IMAGES, TEST_LABELS, png
from playwright.sync_api import Page, expect
from visits import Visit

import pellucid as pl

LIVE = ".answer [role=status]"  # what a screen reader hears


def draw_eight(page: Page) -> None:
    """One stroke with the mouse: a narrow figure of eight."""
    box = page.get_by_label("Paper to draw on").bounding_box()
    assert box is not None
    side = box["width"]
    turns = [2 * math.pi * i / 60 + 0.3 for i in range(61)]
    places = [
        (box["x"] + side * (0.5 + 0.15 * math.sin(2 * t)), box["y"] + side * (0.5 - 0.28 * math.cos(t))) for t in turns
    ]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def test_an_eight_drawn_by_mouse_is_read_and_its_link_shows_it_again(visit: Visit) -> None:
    page = visit.to("/draw")
    draw_eight(page)
    expect(page.locator(".readout")).to_contain_text("8")
    expect(page.locator(LIVE)).to_contain_text("8, ")
    page.wait_for_url("**sample=px.**")
    said, link = page.locator(".readout").inner_text(), page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".readout")).to_have_text(said)


def test_before_there_is_a_picture_no_probability_is_shown(visit: Visit) -> None:
    page = visit.to("/draw")
    numbers = page.locator(".bars .number")
    expect(numbers).to_have_text(["–"] * 10)
    draw_eight(page)
    expect(numbers).to_have_text([re.compile(r"^>?[\d.]+%$")] * 10)


def test_while_the_pen_is_down_the_network_answers_but_nothing_is_announced(visit: Visit) -> None:
    page = visit.to("/draw")
    box = page.get_by_label("Paper to draw on").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8, steps=10)
    expect(page.locator(".readout")).to_contain_text("1")
    expect(page.locator(LIVE)).to_have_text("")
    page.mouse.up()
    expect(page.locator(LIVE)).to_contain_text("1, ")


def test_a_one_drawn_by_keys_and_taken_back(visit: Visit) -> None:
    page = visit.to("/draw")
    page.keyboard.press("Tab")
    paper = page.get_by_label("Paper to draw on")
    paper.focus()
    for key in ["ArrowUp"] * 8 + ["Space"] + ["ArrowDown"] * 16 + ["Space"]:
        page.keyboard.press(key)
    expect(page.locator(LIVE)).to_contain_text("1, ")
    page.keyboard.press("Control+z")
    expect(page.locator(LIVE)).to_have_text("")
    expect(page).not_to_have_url(re.compile("sample="))


def test_the_probabilities_and_pixels_are_those_of_the_model(visit: Visit) -> None:
    """Of a digit of which it is sure, but not wholly: that is not shown as 100%."""
    probabilities = pl.load(visit.studio.model).predict_proba(TEST_IMAGES[:2000])
    best = probabilities.max(axis=1)
    row = int(np.flatnonzero((best > 0.9995) & (best < 1) & (probabilities.argmax(axis=1) == TEST_LABELS[:2000]))[0])
    expected = probabilities[row]
    page = visit.to(f"/draw?sample=test-{row}")
    truth = int(TEST_LABELS[row])
    expect(page.locator(".detail")).to_contain_text(f"it is {truth}.")
    shown = page.locator(".bars .number").all_inner_texts()
    assert shown == [">99.9%" if 0.9995 <= p < 1 else f"{100 * p:.1f}%" for p in expected]
    y, x = np.argwhere(TEST_IMAGES[row] > 100)[0]
    seen = page.get_by_label("What the network sees:")
    seen.focus()
    for key in ["ArrowDown"] * int(y) + ["ArrowRight"] * int(x):
        page.keyboard.press(key)
    expect(page.locator(".heatmap figcaption")).to_contain_text(f"row {y}, column {x}: {TEST_IMAGES[row, y, x]} of 255")


def test_the_set_is_the_conformal_set(visit: Visit) -> None:
    model = pl.load(visit.studio.model)
    sets = model.predict_sets(TEST_IMAGES[:2000], 0.99)
    row = int(np.argmax(sets.sum(axis=1)))  # the sample with the largest set
    assert sets[row].sum() > 1
    page = visit.to(f"/draw?sample=test-{row}&confidence=0.99")
    expect(page.locator(".bars .marked")).to_have_count(int(sets[row].sum()))
    marked = page.locator(".bars .marked th span:first-child").all_inner_texts()
    assert marked == [str(k) for k in np.flatnonzero(sets[row])]
    page.get_by_role("radio", name="None").check()
    expect(page.locator(".bars .marked")).to_have_count(0)


def test_a_picture_without_a_figure_is_in_doubt(visit: Visit) -> None:
    page = visit.to("/draw")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    page.set_input_files("input[type=file]", {"name": "noise.png", "mimeType": "image/png", "buffer": png(noise)})
    expect(page.locator(".readout")).to_have_text("Not sure")
    expect(page.locator(LIVE)).to_contain_text("No figure")


def test_a_dropped_picture_is_read(visit: Visit) -> None:
    row = int(np.argmax(TEST_LABELS == 3))
    page = visit.to("/draw")
    large = np.kron(TEST_IMAGES[row], np.ones((5, 5), np.uint8))
    page.evaluate(
        """(bytes) => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(bytes)], "three.png", {type: "image/png"}));
          window.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
        }""",
        list(png(large)),
    )
    expect(page.locator(".readout")).to_contain_text("3")


def test_what_was_drawn_can_be_looked_into(visit: Visit) -> None:
    page = visit.to("/draw?sample=test-0")
    expect(page.locator(".readout")).to_contain_text(str(TEST_LABELS[0]))
    page.get_by_role("link", name="Look inside").last.click()
    page.wait_for_url("**/inside?**sample=test-0**")
    assert page.evaluate("document.activeElement.tagName") == "H1"


@pytest.mark.parametrize("visit", [{"viewport": {"width": 360, "height": 740}, "has_touch": True}], indirect=True)
def test_a_finger_draws_and_does_not_scroll(visit: Visit) -> None:
    page = visit.to("/draw")
    assert page.get_by_label("Paper to draw on").evaluate("(canvas) => getComputedStyle(canvas).touchAction") == "none"
    box = page.get_by_label("Paper to draw on").bounding_box()
    assert box is not None
    fingers = visit.context.new_cdp_session(page)
    x = box["x"] + box["width"] / 2
    for kind, share in [("touchStart", 0.2), *(("touchMove", 0.2 + 0.06 * i) for i in range(1, 11)), ("touchEnd", 1)]:
        points = [] if kind == "touchEnd" else [{"x": x, "y": box["y"] + box["height"] * share}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator(LIVE)).to_contain_text("1, ")
    assert page.evaluate("scrollY") == 0


def test_a_pasted_picture_is_read(visit: Visit) -> None:
    row = int(np.argmax(TEST_LABELS == 4))
    page = visit.to("/draw")
    page.evaluate(
        """(bytes) => {
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([new Uint8Array(bytes)], "four.png", {type: "image/png"}));
          window.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }""",
        list(png(np.kron(TEST_IMAGES[row], np.ones((5, 5), np.uint8)))),
    )
    expect(page.locator(".readout")).to_contain_text("4")


def test_another_network_reads_the_same_strokes_and_each_can_still_be_undone(visit: Visit) -> None:
    page = visit.to("/draw")
    made = page.evaluate(
        """() => fetch("/api/runs", {
          method: "POST", headers: {"Content-Type": "application/json"},
          body: JSON.stringify({experiment: {data: "digits", samples: 100}}),
        }).then((answer) => answer.json())"""
    )
    run = made["run"]["name"]
    page = visit.to("/draw")
    undo, paper = page.get_by_role("button", name="Undo"), page.get_by_label("Paper to draw on")
    paper.focus()
    stroke = ["ArrowLeft"] * 8 + ["ArrowUp"] * 4 + ["Space"] + ["ArrowRight"] * 8 + ["Space"]
    for key in stroke * 2:
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("sample=px"))
    page.get_by_role("combobox", name="Network").select_option(run)
    expect(page).to_have_url(re.compile(f"model={run}"))
    expect(page.locator(".answer .readout")).not_to_have_text("–")
    undo.click()
    expect(undo).to_be_enabled()  # the first stroke is still there
    undo.click()
    expect(undo).to_be_disabled()
    expect(page).not_to_have_url(re.compile("sample="))
