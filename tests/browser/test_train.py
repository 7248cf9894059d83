"""Training in the browser: two spirals until the boundary is right, the way back, forks beside each other, own points."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_actions import asked, look_of, press
from painted import unpacked
from playwright.sync_api import APIResponse, Locator, Page, Route, expect
from visits import Visit

import pellucid as pl
from pellucid.apps.studio.runs.experiment import experiment as make_experiment
from pellucid.apps.studio.runs.material import material
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.schedules import SCHEDULES
from pellucid.training.recipes.recipe import OPTIMIZERS

AXE = (Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js").read_text()
LOOKS = [{"color_scheme": theme} for theme in ("light", "dark")]


HIDDEN = "Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? true, configurable: true})"


def reading(page: Page, name: str) -> Locator:
    return page.locator(".readings > div", has=page.get_by_text(name, exact=True)).locator("dd")


def start(visit: Visit, experiment: str, until: str = "finished") -> Page:
    """Open the experiment, start it at full speed, and wait for its end."""
    page = visit.to(f"/train?{experiment}&pace=full")
    press(page, "Start")
    expect(page.locator(".state")).to_have_text(re.compile(rf"run-\d+ {until}"))
    return page


def run_of(page: Page) -> str:
    return page.locator(".state b").inner_text()


def colors_of(page: Page, canvas: str = "ground") -> Any:
    """The picture of the boundary, or another canvas of the plane: (rows, columns, 4) bytes."""
    size, values = page.evaluate(
        """(canvas) => {
          const source = document.querySelector(`.plane .${canvas}`);
          const {width, height} = source;
          const context = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
          context.drawImage(source, 0, 0);
          return [[height, width, 4], [...context.getImageData(0, 0, width, height).data]];
        }""",
        canvas,
    )
    return np.array(values).reshape(size)


def test_two_spirals_are_learned_until_the_boundary_is_right(visit: Visit) -> None:
    """Along both arms, without noise, the plane has the color of their class: blue for A, orange for B."""
    page = start(visit, "data=spirals")
    points = asked(page, "/api/points?data=spirals&samples=400&noise=0.03&seed=0")
    extent = points["extent"][1]
    colors = colors_of(page)
    along = np.linspace(0.15, 0.95, 25)
    for label, phase in (("A", 0.0), ("B", np.pi)):
        right = 0
        for share in along:
            radius, angle = 0.05 + 0.95 * share, 2 * np.pi * 1.5 * share + phase
            column, row = 0.5 + radius * np.cos(angle) / extent / 2, 0.5 - radius * np.sin(angle) / extent / 2
            red, _, blue, _ = colors[int(row * len(colors)), int(column * len(colors))]
            right += blue > red if label == "A" else red > blue
        assert right >= 24, f"arm {label}: {right} of 25 places are right"
    assert float(reading(page, "Validation").inner_text().rstrip("%")) >= 97


def test_the_address_is_the_experiment(visit: Visit) -> None:
    page = visit.to("/train?data=moons")
    page.get_by_label("Noise, as a number").fill("0.2")
    page.get_by_label("Noise, as a number").press("Enter")
    press(page, "Add a layer")
    page.get_by_label("Activation").select_option("relu")
    page.get_by_label("Batch normalization").check()
    expect(page).to_have_url(re.compile("noise=0.2.*hidden=8,8,8.*activation=relu.*batch_norm=yes"))
    other = visit.context.new_page()
    other.goto(page.url)
    expect(other.get_by_label("Neurons of layer 3")).to_have_value("8")
    expect(other.get_by_label("Noise, as a number")).to_have_value("0.2")
    expect(other.get_by_label("Batch normalization")).to_be_checked()
    other.get_by_role("button", name="One step", exact=True).click()
    expect(other.locator(".state")).to_contain_text("paused")
    experiment = asked(other, "/api/runs")["runs"][-1]["experiment"]
    assert (experiment["data"], experiment["noise"], experiment["hidden"]) == ("moons", 0.2, [8, 8, 8])
    assert (experiment["activation"], experiment["batch_norm"]) == ("relu", True)


def test_one_step_one_epoch_and_the_rate(visit: Visit) -> None:
    """300 points to learn from in batches of 50 are 6 steps an epoch."""
    page = visit.to("/train?data=circles&samples=400&batch_size=50")
    press(page, "One step")
    expect(reading(page, "Step")).to_have_text("1")
    press(page, "One epoch")
    expect(reading(page, "Step")).to_have_text("6")
    rate = page.get_by_label("Learning rate now, as a number")
    rate.fill("0.02")
    rate.press("Enter")
    press(page, "One epoch")
    expect(reading(page, "Step")).to_have_text("12")
    [run] = [one for one in asked(page, "/api/runs")["runs"] if one["name"] == run_of(page)]
    assert run["learning_rate"] == 0.02
    assert run["history"][-1]["learning_rate"] == pytest.approx(0.02)


def test_rewind_brings_back_the_same_network(visit: Visit) -> None:
    page = start(visit, "data=xor&samples=80&epochs=6")
    run = run_of(page)
    [before] = [one for one in asked(page, "/api/runs")["runs"] if one["name"] == run]
    slider = page.get_by_label("Rewind to")
    slider.focus()
    slider.press("ArrowLeft")
    kept = before["kept"][-2]
    expect(reading(page, "Step")).to_have_text(str(kept))
    press(page, "One epoch")
    expect(reading(page, "Step")).to_have_text(str(before["step"]))
    [after] = [one for one in asked(page, "/api/runs")["runs"] if one["name"] == run]
    assert after["history"][-1] == before["history"][-1]


def test_an_answer_that_comes_late_does_not_bring_back_what_was(visit: Visit) -> None:
    """The page hears by the stream that an epoch is over, and only then how the run was when the epoch was asked for."""
    page = visit.to("/train?data=xor&samples=80&batch_size=20")
    press(page, "One step")
    expect(page.locator(".state")).to_contain_text("paused")
    page.get_by_label("Pace").select_option("steps")
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/epoch", lambda route: held.append((route, route.fetch())))
    press(page, "One epoch")
    expect(reading(page, "Step")).to_have_text("3")  # 60 points to learn from, in batches of 20
    [(route, answer)] = held
    assert answer.json()["run"]["state"] == "running"
    with page.expect_response("**/epoch"):
        route.fulfill(response=answer)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator(".state")).to_contain_text("paused")
    assert reading(page, "Step").inner_text() == "3"


def test_a_rewound_run_shows_the_figures_of_its_step(visit: Visit) -> None:
    """What it was ahead of that step is still kept, so that the way forward is open, but no figure is of there."""
    page = start(visit, "data=moons&samples=80&epochs=6")
    slider = page.get_by_label("Rewind to")
    slider.focus()
    slider.press("Home")
    expect(reading(page, "Step")).to_have_text("0")
    page.reload()
    [now] = [one for one in asked(page, "/api/runs")["runs"] if one["name"] == run_of(page)]
    first, last = now["history"][0], now["history"][-1]
    assert now["step"] == first["step"] == 0 < last["step"]
    validation = f"validation {100 * first['validation_accuracy']:.1f}%"
    expect(reading(page, "Training loss")).to_have_text(f"{first['loss']:.3g}")
    expect(page.locator(".gap-words")).to_contain_text(validation)
    expect(page.locator(".chart figcaption").nth(1)).to_contain_text(validation)
    expect(page.locator(".runs tr[aria-current]")).to_contain_text(f"{first['validation_loss']:.3g}")


def test_a_click_adds_a_regularizer_beside(visit: Visit) -> None:
    """Few and noisy points are memorized; the penalty on the weights makes the gap smaller, and both are shown."""
    page = start(visit, "data=circles&samples=60&noise=0.3&validation=0.5&hidden=64,64&epochs=300")
    first = run_of(page)
    expect(page.locator(".gap-words")).to_contain_text("That much was memorized, and is of no use on new data")
    shares = re.findall(r"\d+\.\d", page.locator(".gap-words").inner_text())
    assert float(shares[0]) - float(shares[1]) == pytest.approx(float(shares[2]), abs=1e-9)
    press(page, "+ L2")
    expect(page.locator(".state")).to_have_text(re.compile(rf"(?!{first} )run-\d+ finished"))
    second = run_of(page)
    expect(page).to_have_url(re.compile(f"run={second}.*beside={first}"))
    expect(page.locator(".chart").first.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(f"{second} training.*{first} validation")
    )
    expect(page.locator(".thumbs")).to_contain_text(first)
    runs = {one["name"]: one for one in asked(page, "/api/runs")["runs"]}
    assert runs[second]["parent"] == {"run": first, "step": 0}
    assert runs[second]["experiment"] == runs[first]["experiment"] | {"l2": 0.001}
    assert runs[second]["history"][0]["loss"] == pytest.approx(runs[first]["history"][0]["loss"])  # the same first weights
    weights = [np.square(first_matrix(page, name)).sum() for name in (first, second)]
    assert weights[1] < weights[0]


def test_a_click_stops_early_and_the_best_network_is_back(visit: Visit) -> None:
    page = start(visit, "data=circles&samples=60&noise=0.3&validation=0.5&hidden=64,64&epochs=300")
    first = run_of(page)
    press(page, "+ early stopping")
    expect(page.locator(".state")).to_have_text(re.compile(rf"(?!{first} )run-\d+ finished"))
    expect(page.locator(".controls")).to_contain_text("the validation loss has not fallen for 30 epochs")
    expect(page).to_have_url(re.compile("patience=30"))
    expect(page.get_by_label("Early stopping")).to_have_value("30")
    runs = {one["name"]: one for one in asked(page, "/api/runs")["runs"]}
    stopped = runs[run_of(page)]
    assert stopped["experiment"] == runs[first]["experiment"] | {"patience": 30}
    assert stopped["step"] < runs[first]["step"]
    losses = [loss for figures in stopped["history"] if (loss := figures["validation_loss"]) is not None]
    assert losses[-1] == pytest.approx(min(losses))


def first_matrix(page: Page, run: str) -> Any:
    """The first layer's weights, from the run's own stream."""
    return unpacked(look_of(page, run)["layers"][0]["weights"])


def test_a_run_that_diverged_is_mended_with_one_click(visit: Visit) -> None:
    too_fast = "optimizer=gradient_descent&learning_rate=10&activation=identity&l2=1"
    page = start(visit, f"data=spirals&{too_fast}", "diverged")
    expect(page.get_by_role("alert")).to_contain_text("A smaller learning rate")
    said = page.get_by_role("alert").inner_text()
    assert not any(words in said for words in ("pl.", "clipping", "="))  # of Python: the page has no such thing
    for name in re.findall("“(.*?)”", said):
        expect(page.get_by_label(name, exact=True)).to_be_enabled()
    page.get_by_role("button", name=re.compile("^Rewind to step .* continue with a learning rate of 1$")).click()
    expect(page.locator(".state")).not_to_contain_text("diverged")


def test_points_are_drawn_by_mouse_and_by_keys(visit: Visit) -> None:
    page = visit.to("/train?data=drawn")
    plane = page.get_by_role("application")
    box = plane.bounding_box()
    assert box
    for x in (0.2, 0.3, 0.4):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + 0.25 * box["height"])
    plane.focus()
    page.keyboard.press("2")
    for key in ("ArrowDown", "ArrowDown", "Enter", *3 * ("ArrowRight", "Enter"), "Delete"):
        page.keyboard.press(key)
    expect(plane).to_have_attribute("aria-label", re.compile("6 training"))
    # In hundredths: the plane reaches from -130 to 130, and an arrow key goes a sixteenth of 130 from where the mouse was.
    expect(page).to_have_url(re.compile(r"points=a-78\.65a-52\.65a-26\.65b-26\.49b-18\.49b-10\.49$"))
    page.reload()
    expect(page.get_by_role("application")).to_have_attribute("aria-label", re.compile("6 training"))


def test_the_point_that_a_link_cannot_hold_is_refused_aloud(visit: Visit) -> None:
    points = "".join(f"{'ab'[i % 2]}{4 * (i % 60) - 118}.{8 * (i // 60)}" for i in range(599))
    page = visit.to(f"/train?data=drawn&points={points}")
    plane, said = page.get_by_role("application"), page.locator(".room[role=status]")
    expect(plane).to_have_attribute("aria-label", re.compile("599 training"))
    expect(said).to_be_empty()
    plane.focus()
    for key in ("Enter", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(said).to_have_text("600 points: a link cannot hold more.")
    expect(plane).to_have_attribute("aria-label", re.compile("600 training"))
    page.keyboard.press("Backspace")
    expect(said).to_be_empty()


def test_where_nothing_is_erased_the_run_stays(visit: Visit) -> None:
    page = start(visit, "data=drawn&points=a100.100a90.90b-100.-100b-90.-90&validation=0&epochs=2")
    name = run_of(page)
    plane = page.get_by_role("application")
    plane.press("Delete")  # in the middle of the plane, far from every point
    plane.press("2")
    expect(page.get_by_role("button", name="Points of class B")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".state")).to_have_text(re.compile(name))
    plane.press("Enter")  # another point is another problem
    expect(page).not_to_have_url(re.compile("run="))


def test_drawn_points_that_a_run_keeps_aside_are_hollow(visit: Visit) -> None:
    """Every point is its color in the middle if it is learned from, and as light as the page if not."""
    points = "".join(f"{letter}{x}.{y}" for letter, y in (("a", 60), ("b", -60)) for x in range(-100, 101, 40))
    page = start(visit, f"data=drawn&points={points}&epochs=2")
    expect(page.get_by_role("application")).to_have_attribute("aria-label", re.compile("9 training and 3 validation"))
    expect(page.locator(".plane figcaption")).to_contain_text("hollow: validation")
    experiment = asked(page, "/api/runs")["runs"][-1]["experiment"]
    aside = material(make_experiment(experiment)).validation
    assert aside is not None
    marks = colors_of(page, "marks")
    for row, (x1, x2) in enumerate(aside.x):
        column, line = (int(len(marks) * (1 + share / 1.3) / 2) for share in (x1, -x2))
        assert (marks[line, column, :3].tolist() == [255, 255, 255]) == (row in aside.rows)
    page.get_by_role("application").press("Enter")  # one point more
    expect(page.locator(".state")).to_have_text("no run yet")
    expect(page.get_by_role("application")).to_have_attribute("aria-label", re.compile("13 training and 0 validation"))


def test_a_file_is_overwritten_only_when_told_to(visit: Visit) -> None:
    page = start(visit, "data=moons&epochs=3")
    page.get_by_label("Save on this computer as").fill("moons.safetensors")
    press(page, "Save")
    expect(page.locator(".said")).to_contain_text("Saved as")
    written = visit.studio.folder / "moons.safetensors"
    before = written.read_bytes()
    assert pl.load(written).network.input.shape == (2,)
    press(page, "One epoch")
    expect(page.locator(".state")).to_contain_text("paused")
    press(page, "Save")
    expect(page.get_by_role("button", name="Overwrite the old file")).to_be_visible()
    assert written.read_bytes() == before
    press(page, "Overwrite the old file")
    expect(page.locator(".said")).to_contain_text("Saved as")
    assert written.read_bytes() != before
    visit.forgiven.append("409")


def test_a_run_can_be_deleted(visit: Visit) -> None:
    page = start(visit, "data=blobs&epochs=2")
    name = run_of(page)
    press(page, f"Delete {name}")
    expect(page.locator(".runs")).to_contain_text("Not saved.")
    press(page, f"Delete {name}")
    expect(page.locator(".state")).to_have_text("no run yet")
    assert name not in [one["name"] for one in asked(page, "/api/runs")["runs"]]


@pytest.mark.parametrize("visit", LOOKS, indirect=True, ids=["light", "dark"])
def test_axe_finds_nothing_while_it_learns(visit: Visit) -> None:
    page = start(visit, "data=digits&samples=600&hidden=16&epochs=2")
    expect(page.get_by_role("link", name="Draw with it")).to_be_visible()
    page.locator(".chart summary").first.click()
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then((result) => result.violations)")
    assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found] == []


def test_who_only_watches_hears_that_the_studio_was_stopped(visit: Visit) -> None:
    page = visit.to("/train?data=xor")
    for path in ("**/events", "**/api/session"):
        page.route(path, lambda route: route.abort())
    press(page, "One step")
    expect(page.get_by_role("alert")).to_contain_text("The studio does not answer")
    visit.forgiven.append("ERR_FAILED")


def test_the_choices_are_those_of_the_package(visit: Visit) -> None:
    page = visit.to("/train?data=moons")
    known = {"Activation": ACTIVATIONS, "Optimizer": OPTIMIZERS, "Schedule": SCHEDULES}
    for title, names in known.items():
        options = page.get_by_label(title, exact=True).locator("option")
        expect(options).to_have_count(len(names))
        assert sorted(options.evaluate_all("(options) => options.map((one) => one.value)")) == sorted(names)


@pytest.mark.parametrize("path", ["/draw?sample=test-0", "/learn/5"])
def test_a_studio_that_does_not_answer_is_said_and_noticed_when_it_is_back(visit: Visit, path: str) -> None:
    page = visit.to("/train?data=moons")
    page.locator(".plane canvas").first.wait_for()
    page.route("**/api/**", lambda route: route.abort())
    page.evaluate("(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path)
    expect(page.get_by_role("alert")).to_contain_text("Start it again with: pellucid studio")
    visit.forgiven.append("ERR_FAILED")
    page.unroute("**/api/**")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.locator(".readout, .stops").first.wait_for()


def test_pages_that_nobody_sees_do_not_listen(visit: Visit) -> None:
    """A browser has six connections for all pages of a studio: as many tabs in the background would stop them all."""
    page = visit.to("/train?data=xor&epochs=1000&pace=slow")
    press(page, "Start")
    expect(page.locator(".state")).to_have_text(re.compile("running"))
    for _ in range(6):
        tab = visit.context.new_page()
        tab.add_init_script(HIDDEN)
        tab.goto(page.url)
        expect(tab.locator(".state")).to_have_text(re.compile("running"))
    press(page, "Pause")
    expect(page.locator(".state")).to_have_text(re.compile("paused"))
    expect(tab.locator(".state")).to_have_text(re.compile("running"))  # it was not told
    step = reading(page, "Step").inner_text()
    tab.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(tab.locator(".state")).to_have_text(re.compile("paused"))  # it is up to date as soon as it is seen
    expect(reading(tab, "Step")).to_have_text(step)
