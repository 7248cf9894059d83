"""The chapters on the real network: what they show is what the package computes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from printed_equations import equations
from visits import Visit

import pellucid as pl


@pytest.fixture(scope="module")
def model(model_file: object) -> pl.Model:
    return pl.load(str(model_file))


@pytest.fixture(scope="module")
def eight() -> np.ndarray:
    """The picture of the chapters, ``test-61``: an 8."""
    x, y = pl.datasets.digits()[1]
    assert y[61] == 8
    return x[61]


def shown(page: Page, pattern: str) -> list[float]:
    """The numbers of the first match of ``pattern`` in the widget."""
    text = page.locator(".widget").inner_text().replace("−", "-")
    found = re.search(pattern, text, re.DOTALL)
    assert found, text
    return [float(number) for number in found.groups()]


def test_the_road_leads_from_the_first_chapter_to_the_last(visit: Visit) -> None:
    page = visit.to("/learn/1")
    for number in range(2, 9):
        page.get_by_role("link", name=re.compile("^Next: ")).click()
        expect(page).to_have_url(re.compile(f"/learn/{number}"))
        expect(page.get_by_role("navigation", name="Chapters").locator("[aria-current]")).to_have_count(1)
        expect(page.locator("main h1")).to_be_focused()
    page.get_by_role("link", name="Train a network of your own").click()
    expect(page).to_have_url(re.compile("/train"))


def test_pixels_change_and_the_network_answers_again(visit: Visit, model: pl.Model, eight: np.ndarray) -> None:
    page = visit.to("/learn/1?sample=test-61")
    canvas = page.locator(".widget canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    changed = eight.copy()
    for row, column in [(2, 3), (14, 14), (20, 9)]:
        canvas.click(position={"x": (column + 0.5) * box["width"] / 28, "y": (row + 0.5) * box["height"] / 28})
        changed[row, column] = 0 if changed[row, column] > 127 else 255
        count = int((changed != eight).sum())
        expect(page.get_by_text(f"{count} of 784 pixels changed")).to_be_visible()
    probabilities = model.predict_proba(changed[None])[0]
    expect(page.locator(".bars .best .number")).to_have_text(f"{100 * probabilities.max():.1f}%")
    page.reload()
    expect(page.locator(".bars .best .number")).to_have_text(f"{100 * probabilities.max():.1f}%")


def test_a_neuron_is_that_of_the_trace(visit: Visit, model: pl.Model, eight: np.ndarray) -> None:
    page = visit.to("/learn/2?sample=test-61&neuron=17")
    page.locator(".widget .sum").first.wait_for()
    neuron = model.network.trace(eight[None]).neuron("dense_1", 17)
    up, down = neuron.products[neuron.products > 0].sum(), neuron.products[neuron.products < 0].sum()
    found = shown(page, r"for it (\S+).*against it (\S+)\s+bias (\S+)\s+z = (\S+)")
    assert found == [float(f"{number:.4g}") for number in (up, down, neuron.bias, neuron.sum)]
    expect(page.locator(".widget")).to_contain_text(neuron.arithmetic(5))


def test_an_activation_and_its_slope(visit: Visit) -> None:
    page = visit.to("/learn/3?activation=tanh&z=0.7")
    page.get_by_text("tanh(0.7)").wait_for()
    assert shown(page, r"tanh\(0\.7\) = (\S+).*slope f′\(0\.7\) = (\S+)") == [0.6044, 0.6347]  # tanh 0.7, 1 - tanh² 0.7


def test_the_road_shows_every_layer(visit: Visit, model: pl.Model, eight: np.ndarray) -> None:
    page = visit.to("/learn/5?sample=test-61")
    trace = model.network.trace(eight[None])
    for layer in trace.layers:
        expect(page.get_by_role("button", name=layer.name, exact=True)).to_have_attribute("aria-pressed", "true")
        if layer.name != "input":
            strongest = int(layer.output[0].argmax())
            expect(page.locator(".widget")).to_contain_text(trace.neuron(layer.name, strongest).arithmetic(5))
        if layer.name != "output":
            page.get_by_role("button", name="Next", exact=True).click()
    rows, probabilities = page.locator(".widget tbody tr"), model.predict_proba(eight[None])[0]
    expect(rows).to_have_count(10)
    for k, row in enumerate(rows.all()):
        cells = row.locator("td").all_inner_texts()
        assert float(cells[0]) == float(f"{trace.layers[-1].output[0, k]:.4g}")
        assert cells[2] == f"{100 * probabilities[k]:.2f}%"


def test_the_loss_of_the_truth(visit: Visit, model: pl.Model, eight: np.ndarray) -> None:
    page = visit.to("/learn/6?sample=test-61&truth=3")
    page.get_by_text("The network gives 3").wait_for()
    p = float(model.predict_proba(eight[None])[0, 3])
    (loss,) = shown(page, r"a loss of (\d+\.?\d*)\.")
    assert loss == pytest.approx(-np.log(p), rel=1e-3)
    page.goto(f"{visit.studio.origin}/learn/6?sample=test-61&truth=3&p=0.25")
    page.get_by_text("The network gives 3").wait_for()
    assert shown(page, r"-ln 0.25 = (\S+)\s+\(1 - 0.25\)² = (\S+)") == [1.386, 0.5625]


def test_the_slope_of_a_weight_and_a_step(visit: Visit, model: pl.Model, eight: np.ndarray) -> None:
    page = visit.to("/learn/7?sample=test-61&target=3&source=5&rate=-2")
    page.locator(".widget .sum").wait_for()
    trace = model.network.trace(eight[None], [3], training=False)
    gradient, weight = trace.gradients["output.weight"][5, 3], trace.layers[-1].parameters["weight"][5, 3]
    found = shown(page, r"dL/dw = x · dL/dz = (\S+) · (\S+) = (\S+)\s+new w = (\S+) - 0.01 · (\S+) = (\S+)")
    x, dz = trace.layers[-1].input[0, 5], trace.layers[-1].dsums[0, 3]
    exact = [x, dz, gradient, weight, gradient, weight - 0.01 * gradient]
    assert found == pytest.approx([float(f"{number:.4g}") for number in exact], rel=2e-3, abs=1e-12)


def test_the_slope_is_there_where_the_input_is_0(visit: Visit, model: pl.Model, eight: np.ndarray) -> None:
    output = model.network.trace(eight[None], [3], training=False).layers[-1]
    off = int(np.flatnonzero(output.input[0] == 0)[0])
    page = visit.to(f"/learn/7?sample=test-61&target=3&source={off}")
    page.locator(".widget .sum").wait_for()
    dz = float(f"{output.dsums[0, 3]:.4g}")
    assert shown(page, r"dL/dz = (\S+)\s+dL/dw = x · dL/dz = (\S+) · (\S+) = (\S+)") == [dz, 0, dz, 0]


@pytest.mark.parametrize("chapter", ["6?truth={}", "7?target={}&source={}&rate=-1.35"], ids=["loss", "slope"])
def test_a_reader_who_computes_an_equation_gets_what_it_says(visit: Visit, chapter: str) -> None:
    for number in range(10):
        page = visit.to(f"/learn/{chapter.format(number, 3 * number)}&sample=test-61")
        page.locator(".widget .sum").wait_for()
        text = page.locator(".widget .sum").inner_text().translate(str.maketrans({"−": "-", "·": "*", "²": "^2"}))
        found = equations(re.sub(r"ln (\S+)", r"log(\1)", text))
        assert len(found) == 2
        assert [one for one in found if not one.holds()] == []


def test_hidden_layers_bend_the_boundary(visit: Visit) -> None:
    """No hidden layer: no better than a straight line can be. Two of 32: the arms are told apart."""
    page = visit.to("/learn/4")
    for shape, right in (("no hidden layer", False), ("32 + 32", True)):
        page.get_by_role("radio", name=shape, exact=True).check()
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.get_by_role("button", name="Continue")).to_be_visible(timeout=60_000)
        said = page.get_by_text(re.compile(r"^[\d.]+% of the points are classified correctly\.$")).inner_text()
        share = float(said.split("%")[0])
        assert (share > 97) == right
        assert (share < 75) != right


def wait_for_runs(page: Page, count: int) -> None:
    """Until the studio has so many runs. (`wait_for_function` takes a promise for true, whatever it comes to.)"""
    page.evaluate(
        """async (count) => {
          for (let i = 0; i < 100; i++) {
            const { runs } = await fetch("/api/runs").then((answer) => answer.json());
            if (runs.length === count) return;
            await new Promise((done) => setTimeout(done, 100));
          }
          throw new Error(`the studio never had ${count} runs`);
        }""",
        count,
    )


def test_a_chapter_leaves_no_run_behind(visit: Visit) -> None:
    page = visit.to("/learn/8")
    page.get_by_role("button", name="Train", exact=True).click()
    before = page.evaluate("fetch('/api/runs').then((answer) => answer.json()).then(({runs}) => runs.length)")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Draw").click()
    wait_for_runs(page, before - 1)


def test_a_chapter_that_is_closed_leaves_no_run_behind(visit: Visit) -> None:
    page = visit.to("/learn/4")
    page.get_by_role("button", name="Train", exact=True).and_(page.locator(":enabled")).wait_for()
    other = visit.context.new_page()
    other.goto(visit.studio.address("/draw"))
    page.close()
    wait_for_runs(other, 0)


def test_a_chapter_about_digits_says_so_of_another_network(visit: Visit) -> None:
    page = visit.to("/train?data=xor")
    page.get_by_role("button", name="One step", exact=True).click()
    run = page.locator(".state b").inner_text()
    for chapter in (1, 2, 5, 6, 7):
        page = visit.to(f"/learn/{chapter}?model={run}")
        expect(page.locator(".widget")).to_contain_text("needs a network that reads digits")
    page.get_by_role("link", name="Continue with digits").click()
    expect(page.locator(".widget .curve")).to_be_visible()
