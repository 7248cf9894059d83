"""What is painted of a sample is what the network sees and computes: pixels are read back, and compared with the trace."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from painted import beside_ramp, color_of, pixels, ramp
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from visits import Visit

import pellucid as pl
from pellucid.inspection.trace.trace import Trace

X_TEST, Y_TEST = pl.datasets.digits()[1]
ROW = 4
ROUNDED = 1.01  # a color is a whole number
STEPS = 256  # of the colors on the page Look inside, on each side of 0
SHARED = 12  # gray levels between a picture and the same one enlarged, on average
DARK = {"color_scheme": "dark"}

# The pointer goes over the whole network: where it is, what is said there, and which color. Frames come at once meanwhile.
SWEEP = """async (network) => {
  const canvas = network.querySelector("canvas"), tip = network.querySelector(".tip");
  const {left, top, width, height} = canvas.getBoundingClientRect();
  const sharp = canvas.width / width, found = [];
  const image = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  image.drawImage(canvas, 0, 0);
  const {data} = image.getImageData(0, 0, canvas.width, canvas.height);
  const later = window.requestAnimationFrame;
  window.requestAnimationFrame = (draw) => (draw(), 0);
  for (let y = 1.5; y < height; y += 5) for (let x = 1.5; x < width; x += 5) {
    network.dispatchEvent(new PointerEvent("pointermove", {clientX: left + x, clientY: top + y}));
    const at = 4 * (Math.floor(y * sharp) * canvas.width + Math.floor(x * sharp));
    if (!tip.hidden) found.push([tip.textContent, x, y, data[at], data[at + 1], data[at + 2]]);
  }
  window.requestAnimationFrame = later;
  return found;
}"""


class Place:
    """A number that the pointer found: what was said of it, and where; the color of most of its points."""

    def __init__(self, said: str, points: Any) -> None:
        self.said = said
        self.center = points[:, :2].mean(axis=0)
        self.colors = points[:, 2:]


def swept(page: Page) -> dict[str, Place]:
    """By the address of the number, `dense_1[3]`."""
    by_text: dict[str, list[list[float]]] = {}
    for text, *rest in page.get_by_role("application").evaluate(SWEEP):
        by_text.setdefault(text, []).append(rest)
    return {re.split(r" | = ", text)[0]: Place(text, np.array(points)) for text, points in by_text.items()}


def shown(number: float, digits: int = 4) -> str:
    text = f"{number:.{digits}g}"
    return "0" if text == "-0" else text


def trace_of(visit: Visit, target: int | None = None) -> Trace:
    network = pl.load(visit.studio.model).network
    return network.trace(X_TEST[ROW : ROW + 1], None if target is None else [target], training=False)


def close(canvas: Locator, expected: Any) -> None:
    """The canvas has these colors, when it has been painted."""
    expect(canvas).to_have_js_property("width", expected.shape[1])
    assert np.abs(pixels(canvas) - expected).max() < ROUNDED


def close_to_ramp(canvas: Locator, values: Any, scale: float) -> None:
    expect(canvas).to_have_js_property("width", values.shape[1])
    assert beside_ramp(pixels(canvas), values, scale, False, STEPS).max() < ROUNDED


def gray(picture: Any) -> Any:
    return np.repeat(np.asarray(picture, float)[..., None], 3, axis=2)


def test_a_sample_is_painted_as_it_is(visit: Visit) -> None:
    """What the network sees, the paper, the small pictures to choose from, and the bars."""
    page = visit.to("/draw")
    example = page.get_by_role("button", name="test-7")
    example.click()
    expect(example).to_have_attribute("aria-pressed", "true")
    page.wait_for_url("**sample=test-7")
    expect(page.locator(".detail")).to_contain_text(f"it is {Y_TEST[7]}.")
    close(page.locator(".heatmap canvas"), gray(X_TEST[7]))
    close(example.locator("canvas"), gray(X_TEST[7]))
    paper = Image.fromarray(pixels(page.get_by_label("Paper to draw on")).astype(np.uint8)).convert("L")
    assert np.abs(np.array(paper.resize((28, 28), Image.Resampling.BOX), float) - (255 - X_TEST[7])).mean() < SHARED
    probabilities = pl.load(visit.studio.model).predict_proba(X_TEST[7:8])[0]
    lengths = page.locator(".bars .track").evaluate_all(
        """(tracks) => tracks.map((track) => track.querySelector("i").getBoundingClientRect().width
          / track.firstElementChild.getBoundingClientRect().width)"""
    )
    np.testing.assert_allclose(lengths, probabilities, atol=0.005)
    expect(page.locator(".bars .best th span").first).to_have_text(str(probabilities.argmax()))
    seen = page.locator(".heatmap canvas")
    seen.hover(position={"x": 3, "y": 3})
    box, (y, x) = seen.bounding_box(), np.argwhere(X_TEST[7] > 100)[0]
    assert box is not None
    at = (box["x"] + (x + 0.5) * box["width"] / 28, box["y"] + (y + 0.5) * box["height"] / 28)
    page.mouse.move(*at)
    expect(page.locator(".heatmap figcaption")).to_contain_text(f"row {y}, column {x}: {X_TEST[7, y, x]} of 255")
    frame = page.locator(".heatmap .cell").bounding_box()
    assert frame is not None
    assert (frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2) == pytest.approx(at, abs=2)
    page.go_back()
    expect(example).to_have_attribute("aria-pressed", "false")


def test_the_picture_of_a_network_is_the_trace(visit: Visit) -> None:
    """Of every number under the pointer: what is said of it, and its color; bars of the answers; the scale below."""
    page = visit.to(f"/inside?sample=test-{ROW}&paths=0")
    expect(page.locator(".readout")).to_be_visible()
    found, trace = swept(page), trace_of(visit)
    for name in ("dense_1", "dense_2"):
        output = trace.layer(name).output[0]
        for unit, value in enumerate(output):
            place = found[f"{name}[{unit}]"]
            assert place.said == f"{name}[{unit}] = {shown(float(value))}"
            assert np.median(beside_ramp(place.colors, value, np.abs(output).max(), False, STEPS)) < ROUNDED, place.said
    inked = {said: place for said, place in found.items() if said.startswith("input")}
    assert len(inked) > 500
    for said, place in inked.items():
        row, column = map(int, said.split("@")[1].split(","))
        expected = 255 - float(X_TEST[ROW, row, column]) * (255 - 28) / 255  # black ink on white paper
        assert np.median(np.abs(place.colors[:, 0] - expected)) < 2, said
    canvas = page.get_by_role("application").locator("canvas").first
    colors, blue, rule = pixels(canvas), color_of(canvas, "--blue"), color_of(canvas, "--rule")
    for k, p in enumerate(pl.load(visit.studio.model).predict_proba(X_TEST[ROW : ROW + 1])[0]):
        bar = colors[round(found[f"output[{k}]"].center[1])]
        full, empty = ((np.abs(bar - color).max(axis=1) < 2).sum() for color in (blue, rule))
        assert full / (full + empty) == pytest.approx(p, abs=0.1)
    x, y = found["dense_1[0]"].center
    top = canvas.bounding_box()
    assert top is not None
    page.mouse.move(top["x"] + x, top["y"] + y)
    expect(page.locator(".legend")).to_contain_text(
        f"Numbers of dense_1−{shown(np.abs(trace.layer('dense_1').output).max(), 3)}"
    )


@pytest.mark.parametrize("visit", [DARK], indirect=True, ids=["dark"])
def test_backward_the_picture_is_the_gradient_in_one_scale(visit: Visit) -> None:
    """Of a network with feature maps, in the dark."""
    page = visit.to("/train")
    made = page.evaluate(
        """() => fetch("/api/runs", {
          method: "POST", headers: {"Content-Type": "application/json"},
          body: JSON.stringify({experiment: {data: "digits", samples: 100, layers: "conv4 pool dense8"}}),
        }).then((answer) => answer.json())"""
    )
    name = made["run"]["name"]
    content = visit.context.request.get(f"{visit.studio.origin}/api/runs/{name}/model").body()
    file = visit.studio.folder / f"{name}.safetensors"
    file.write_bytes(content)
    trace = pl.load(file).network.trace(X_TEST[ROW : ROW + 1], [2], training=False)
    page = visit.to(f"/inside?model={name}&sample=test-{ROW}&view=backward&target=2&scale=common&paths=0")
    page.get_by_role("region", name="Scores").get_by_text("target t").wait_for()
    gradients = {
        layer.name: (layer.doutput if layer.dsums is None else layer.dsums)[0]
        for layer in trace.layers
        if layer.name != "input"
    }
    scale = max(np.abs(gradient).max() for gradient in gradients.values())
    found = swept(page)
    count = dict.fromkeys(gradients, 0)
    for said, place in found.items():
        layer, number = said.split("[")
        if layer == "input" or layer not in gradients:
            continue
        unit, *at = map(int, re.findall(r"\d+", number))
        value = gradients[layer][(*at, unit)]
        count[layer] += 1
        assert f"gradient {shown(float(value))}" in place.said
        if layer != "output":
            assert beside_ramp(place.colors, value, scale, True, STEPS).min() < ROUNDED, place.said
    assert count["conv2d_1"] > 500
    assert count["dense_1"] == 8
    assert count["output"] == 10
    expect(page.locator(".legend")).to_contain_text(f"all layers−{shown(scale, 3)}")


def test_paths_lead_from_their_sources_in_the_color_of_their_sign(visit: Visit) -> None:
    unit = int(trace_of(visit).layer("dense_2").output[0].argmax())
    address = f"/inside?sample=test-{ROW}&layer=dense_2&neuron={unit}"
    page = visit.to(f"{address}&paths=0")
    page.get_by_role("region", name="The terms of").wait_for()
    canvas = page.get_by_role("application").locator("canvas").first
    found, before = swept(page), pixels(canvas)
    with page.expect_response("**/api/inside/paths**") as answer:
        page.get_by_label("Paths").fill("8")
    edges = [edge for edge in answer.value.json()["edges"] if edge["layer"] == "dense_2" and edge["source"] == "dense_1"]
    assert len(edges) == 8
    expect(page.locator(".below .hint")).to_be_visible()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    after = pixels(canvas)
    pitch = min(abs(found["dense_1[0]"].center - found[f"dense_1[{i}]"].center).max() for i in range(1, 64))
    for edge in edges:
        x, y = np.round(found[f"dense_1[{edge['start'][0]}]"].center).astype(int)
        there = np.s_[y - 1 : y + 2, x + int(pitch / 2) + 2 : x + int(pitch) + 2]
        change = (after - before)[there].reshape(-1, 3)
        assert np.abs(change).max() > 10, edge
        red_over_blue = (after[there][..., 0] - after[there][..., 2]).reshape(-1)[np.abs(change).max(axis=1).argmax()]
        assert (red_over_blue > 0) == (edge["value"] > 0), edge


def test_a_layer_shows_its_weights_and_numbers(visit: Visit) -> None:
    """Pictures of 48 units, then of the others, each as it looks at the pixels; what the numbers are together."""
    page = visit.to(f"/inside?sample=test-{ROW}&layer=dense_1&paths=0")
    trace = trace_of(visit)
    output, weight = trace.layer("dense_1").output[0], trace.layer("dense_1").parameters["weight"]
    pictures = page.locator(".gallery canvas")
    expect(pictures).to_have_count(48)
    facts = dict(
        zip(page.locator(".details dt").all_inner_texts(), page.locator(".details dd").all_inner_texts(), strict=True)
    )
    assert facts["Range"] == f"{shown(output.min())} to {shown(output.max())}"
    assert facts["Nonzero"] == f"{np.count_nonzero(output)} of 64"
    scale = np.abs(weight[:, :48]).max()
    for unit in (0, 17, 47):
        close_to_ramp(pictures.nth(unit), weight[:, unit].reshape(28, 28), scale)
    page.get_by_role("button", name="Next units").click()
    expect(pictures).to_have_count(16)
    close_to_ramp(pictures.nth(15), weight[:, 63].reshape(28, 28), np.abs(weight[:, 48:]).max())
    box = pictures.nth(15).bounding_box()
    assert box is not None
    pictures.nth(15).hover(position={"x": 20.5 * box["width"] / 28, "y": 5.5 * box["height"] / 28})
    expect(page.locator(".gallery figcaption")).to_contain_text(
        f"unit 63, row 5, column 20: {shown(weight[5 * 28 + 20, 63])}"
    )
    pictures.nth(15).click()
    page.wait_for_url("**neuron=63**")


def test_a_neuron_that_looks_at_pixels_shows_what_it_finds_there(visit: Visit) -> None:
    """As pictures, and as terms: the largest first, or by position."""
    trace = trace_of(visit)
    page = visit.to(f"/learn/2?sample=test-{ROW}&neuron=17")
    neuron = trace.neuron("dense_1", 17)
    pictures = page.locator(".widget .heatmap canvas")
    expect(pictures).to_have_count(3)
    kinds = [np.asarray(one, float).reshape(28, 28) for one in (neuron.inputs, neuron.weights, neuron.products)]
    for picture, values in zip(pictures.all(), kinds, strict=True):
        close(picture, ramp(values, np.abs(values).max(), False))
    page.get_by_label("Bias", exact=True).fill("2")
    expect(page.locator(".widget [role=status]")).to_contain_text(f"z = {shown(float(kinds[2].sum()) + 2)}")
    page = visit.to(f"/inside?sample=test-{ROW}&layer=dense_1&neuron=17&paths=0")
    pictures = page.locator(".kinds canvas")
    expect(pictures).to_have_count(2)
    for picture, values in zip(pictures.all(), kinds[1:], strict=True):
        close_to_ramp(picture, values, np.abs(values).max())
    terms = page.get_by_role("region", name="The terms of").locator("tbody th button")
    strongest = np.argsort(-np.abs(neuron.products), kind="stable")[:5]
    expect(terms.first).to_have_text(f"input[0]@{strongest[0] // 28},{strongest[0] % 28}")
    assert terms.all_inner_texts()[:5] == [f"input[0]@{d // 28},{d % 28}" for d in strongest]
    page.get_by_label("By position").check()
    expect(terms.first).to_have_text("input[0]@0,0")
    assert terms.all_inner_texts()[:3] == ["input[0]@0,0", "input[0]@0,1", "input[0]@0,2"]
