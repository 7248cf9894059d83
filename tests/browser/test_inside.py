"""Look inside: each number that the page shows of a neuron is the one of the trace; by mouse, by keys, by link."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from printed_equations import equations
from visits import Visit

import pellucid as pl
from pellucid.inspection.trace.trace import Trace

X_TEST, Y_TEST = pl.datasets.digits()[1]
ROW = 4
NETWORK = "application"
ALL_ROWS = """async (table) => {
  const rows = new Map();
  for (let top = 0; ; top += 150) {
    table.scrollTop = top;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (const row of table.querySelectorAll("tbody tr:not(.space)"))
      rows.set(row.cells[0].innerText, [...row.cells].slice(1).map((cell) => cell.innerText));
    if (top >= table.scrollHeight) return [...rows];
  }
}"""


@pytest.fixture
def trace(visit: Visit) -> Trace:
    network = pl.load(visit.studio.model).network
    return network.trace(X_TEST[ROW : ROW + 1], [int(Y_TEST[ROW])], pl.Adam(0.01), training=False)


def shown(number: float, digits: int = 4) -> str:
    text = f"{number:.{digits}g}"
    return "0" if text == "-0" else text


def facts(page: Page) -> dict[str, str]:
    names, numbers = page.locator(".details dt").all_inner_texts(), page.locator(".details dd").all_inner_texts()
    return dict(zip(names, numbers, strict=True))


def test_every_number_of_a_neuron_is_that_of_the_trace(visit: Visit, trace: Trace) -> None:
    unit = int(trace.layer("dense_2").output[0].argmax())  # one that is on, so that its gradients are not 0
    page = visit.to(
        f"/inside?sample=test-{ROW}&view=backward&optimizer=adam&learning_rate=0.01&layer=dense_2&neuron={unit}"
    )
    expect(page.locator(".details h2")).to_contain_text(f"[{unit}]")
    page.get_by_role("columnheader", name="gradient of w").wait_for()  # the way back is there too
    layer, neuron = trace.layer("dense_2"), trace.neuron("dense_2", unit)
    assert page.locator(".sum").first.inner_text() == neuron.arithmetic(5)
    assert facts(page) == {
        "Sum z": shown(neuron.sum),
        "Output relu(z)": shown(neuron.output),
        "Bias": shown(neuron.bias),
        "dL/da, from above": shown(neuron.doutput),
        "Slope f'(z)": "1",
        "dL/dz": shown(neuron.dsum),
    }
    rows = dict(page.get_by_role("region", name="The terms of").evaluate(ALL_ROWS))
    gradient, new = layer.gradients["weight"][:, unit], layer.updates["weight"].new[:, unit]
    assert rows == {
        f"dense_1[{d}]": [
            *(shown(neuron.inputs[d]), shown(neuron.weights[d]), shown(neuron.products[d])),
            *(shown(gradient[d]), shown(new[d], 6)),
        ]
        for d in range(len(neuron.inputs))
    }


def test_the_mouse_opens_a_neuron_and_its_terms_lead_on(visit: Visit, trace: Trace) -> None:
    page = visit.to(f"/inside?sample=test-{ROW}")
    box = page.get_by_role(NETWORK).bounding_box()
    assert box is not None
    tip, right = page.locator(".tip"), box["x"] + box["width"]
    x = right - 10
    while not re.match(r"output\[\d\]", tip.inner_text()):  # from the right edge to the first answer
        x -= 8
        assert x > box["x"], "no answer was found under the pointer"
        page.mouse.move(x, box["y"] + box["height"] / 2)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    label = int(tip.inner_text()[7])
    assert tip.inner_text() == f"output[{label}] score {shown(trace.layers[-1].output[0, label])} ({label})"
    page.mouse.click(x, box["y"] + box["height"] / 2)
    page.wait_for_url(f"**layer=output&neuron={label}**")
    page.locator(".details").get_by_role("button", name="dense_2[").first.click()
    strongest = int(trace.neuron("output", label).strongest(1)[0])
    page.wait_for_url(f"**layer=dense_2&neuron={strongest}**")
    page.go_back()
    expect(page.locator(".details h2")).to_contain_text(f"[{label}]")


def test_keys_walk_through_the_network(visit: Visit, trace: Trace) -> None:
    page = visit.to(f"/inside?sample=test-{ROW}")
    page.get_by_role(NETWORK).focus()
    said = page.get_by_role(NETWORK).locator("[aria-live]")
    page.keyboard.press("PageUp")
    expect(said).to_contain_text("dense_2[")
    page.keyboard.press("Home")
    expect(said).to_have_text(f"dense_2[0] = {shown(trace.layer('dense_2').output[0, 0])}")
    page.keyboard.press("End")
    expect(said).to_have_text(f"dense_2[31] = {shown(trace.layer('dense_2').output[0, 31])}")
    page.keyboard.press("Enter")
    page.wait_for_url("**layer=dense_2&neuron=31**")


def test_softmax_and_loss_term_by_term(visit: Visit, trace: Trace) -> None:
    page = visit.to(f"/inside?sample=test-{ROW}&view=backward&target=3")
    table = page.get_by_role("region", name="Scores")
    expect(table).to_contain_text("target t")
    rows = dict(table.evaluate(ALL_ROWS))
    answer = trace.answer
    assert [int(label) for label in rows] == np.argsort(-trace.layers[-1].output[0]).tolist()
    for k in range(10):
        score = float(trace.layers[-1].output[0, k])
        assert rows[str(k)][:3] == [shown(score), shown(float(answer.probabilities[0, k])), "1" if k == 3 else "0"]


def test_the_table_of_the_answer_fits_its_panel(visit: Visit, trace: Trace) -> None:
    """Of a calibrated network too: the steps are those of z / T, and lead to the probability of the headline."""
    page = visit.to(f"/inside?sample=test-{ROW}")
    table = page.get_by_role("region", name="Scores")
    expect(table).to_contain_text("with T = 1")
    assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
    rows, answer = dict(table.evaluate(ALL_ROWS)), trace.answer
    model = pl.load(visit.studio.model)
    assert model.temperature is not None
    scores, calibrated = trace.layers[-1].output[0], model.predict_proba(X_TEST[ROW : ROW + 1])[0]
    exponentials = np.exp((scores - scores.max()) / model.temperature.value)
    for k in range(10):
        assert [rows[str(k)][0], rows[str(k)][3]] == [shown(float(scores[k])), shown(float(answer.probabilities[0, k]))]
        assert float(rows[str(k)][1]) == pytest.approx(exponentials[k], rel=1e-3)
        assert float(rows[str(k)][2]) == pytest.approx(calibrated[k], rel=1e-3)


@pytest.mark.parametrize("visit", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_on_a_narrow_screen_the_columns_scroll_in_their_own_box(visit: Visit) -> None:
    page = visit.to("/inside?layer=dense_1&neuron=3")
    page.get_by_role("region", name="The terms of").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.get_by_role(NETWORK).evaluate("box => box.scrollWidth > box.clientWidth")


def test_a_number_of_a_convolution_is_that_of_the_trace(visit: Visit, tmp_path: Path) -> None:
    """Of a network that waits to be trained, whose file says what it holds."""
    page = visit.to("/train")
    experiment = {"data": "digits", "samples": 100, "layers": "conv4 pool dense8"}
    made = page.evaluate(
        """experiment => fetch("/api/runs", {
          method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({experiment}),
        }).then((answer) => answer.json())""",
        experiment,
    )
    name = made["run"]["name"]
    content = visit.context.request.get(f"{visit.studio.origin}/api/runs/{name}/model").body()
    (tmp_path / "model.safetensors").write_bytes(content)
    trace = pl.load(tmp_path / "model.safetensors").network.trace(X_TEST[ROW : ROW + 1], training=False)
    row, column, channel = np.argwhere(trace.layer("conv2d_1").output[0] > 0)[-1].tolist()
    page = visit.to(f"/inside?model={name}&sample=test-{ROW}&layer=conv2d_1&neuron={channel}&place={row},{column}")
    expect(page.locator(".details h2")).to_contain_text(f"[{channel}]@{row},{column}")
    page.get_by_role("region", name="The terms of").wait_for()
    neuron = trace.neuron("conv2d_1", channel, place=(row, column))
    assert page.locator(".sum").first.inner_text() == neuron.arithmetic(5)
    rows = dict(page.get_by_role("region", name="The terms of").evaluate(ALL_ROWS))
    assert len(rows) == len(neuron.inputs)
    for (i, j, *_), *terms in zip(neuron.positions.tolist(), neuron.inputs, neuron.weights, neuron.products, strict=True):
        if 0 <= i < 28 and 0 <= j < 28:
            assert rows[f"input[0]@{i},{j}"] == [shown(number) for number in terms]
    page.get_by_role(NETWORK).focus()
    page.keyboard.press("ArrowRight")
    after = trace.layer("batch_normalization_1").output[0, row, 0, channel]  # at the left edge of the next column
    said = f"batch_normalization_1[{channel}]@{row},0 = {shown(after)}"
    expect(page.get_by_role(NETWORK).locator("[aria-live]")).to_have_text(said)


def test_the_way_back_begins_at_the_truth_where_the_answer_is_wrong(visit: Visit) -> None:
    wrong = pl.load(visit.studio.model).network.predict(X_TEST[:2000]) != Y_TEST[:2000]
    row = int(np.flatnonzero(wrong)[0])
    page = visit.to(f"/inside?sample=test-{row}&view=backward")
    expect(page.get_by_role("heading", name=f"Loss if {Y_TEST[row]} is right")).to_be_visible()


@pytest.mark.parametrize("key", [False, True])
def test_the_step_of_a_weight_is_that_of_the_trace(visit: Visit, trace: Trace, key: bool) -> None:
    """The first step by Adam: m = (1 - 0.9) g and v = (1 - 0.999) g^2, so that both corrected are g and g^2."""
    unit = int(trace.layer("dense_2").output[0].argmax())
    strongest = int(trace.neuron("dense_2", unit).strongest(1)[0])
    page = visit.to(
        f"/inside?sample=test-{ROW}&view=backward&optimizer=adam&learning_rate=0.01&layer=dense_2&neuron={unit}"
    )
    page.get_by_role("columnheader", name="gradient of w").wait_for()  # the way back is there too
    row = page.locator(".long tbody tr").filter(has_text=f"dense_1[{strongest}]")
    if key:
        row.get_by_role("button").last.press("Enter")
    else:
        row.locator("td").nth(1).click()
    layer = trace.layer("dense_2")
    at = strongest, unit
    g, w, new = layer.gradients["weight"][at], layer.parameters["weight"][at], layer.updates["weight"].new[at]
    x, dz = trace.layer("dense_1").output[0, strongest], layer.dsums[0, unit]
    expect(page.locator(".step h3")).to_have_text(f"The step of dense_2.weight[{strongest}, {unit}]")
    lines = page.locator(".rules .formula").all_inner_texts()
    assert [line.split(" = ")[0] for line in lines] == ["g", "m", "v", "m_hat", "v_hat", "w"]
    found = [equation for line in lines for equation in equations(line)]
    assert all(equation.holds() for equation in found)
    rights = [float(equation.right) for equation in found]
    assert rights == pytest.approx([g, 0.1 * g, 0.001 * g * g, g, g * g, new], rel=1e-3)
    assert rights[0] == pytest.approx(dz * x, rel=1e-3)
    assert f"{shown(w, 6)} - 0.01 * " in lines[-1]
    expect(page).to_have_url(re.compile(f"weight={strongest}(&|$)"))
    expect(page.locator(".step")).to_contain_text("The first step of a training")
    page.locator(".details section").first.get_by_role("button").click()  # the bias
    expect(page.locator(".step h3")).to_have_text(f"The step of dense_2.bias[{unit}]")


def test_a_point_of_the_plane_fits_on_a_phone(visit: Visit) -> None:
    page = visit.to("/train?data=moons&samples=40&epochs=2")
    page.set_viewport_size({"width": 360, "height": 800})
    page.get_by_role("button", name="Make one step").or_(page.get_by_role("button", name="Step")).first.click()
    expect(page.locator(".state")).to_have_text(re.compile("run-"))
    run = page.locator(".state b").inner_text()
    page.goto(f"{visit.studio.origin}/inside?model={run}")
    page.locator(".numbers-of").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
