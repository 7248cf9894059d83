"""Table: what may be chosen in place of the rules, and networks that answer with several numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_actions import press
from page_checks import SIZES, THEMES, sticks_out, violations
from playwright.sync_api import Page, expect
from small_tables import write_houses
from visits import Visit

import pellucid as pl


@pytest.fixture
def houses(visit: Visit, tmp_path: Path) -> Page:
    """The page with a table that was sent to it, to learn prices from."""
    page = visit.to("/table")
    path = write_houses(tmp_path / "houses.csv", "price")
    page.set_input_files("input[type=file]", str(path))
    page.get_by_label("Predict").select_option("price")
    page.get_by_label("Epochs").fill("2")
    page.get_by_text("More choices").click()
    return page


def trained(visit: Visit, page: Page, folder: Path) -> pl.Model:
    """Train, and give the model once its answer for the first row is there."""
    press(page, "Train")
    expect(page.locator(".progress")).to_contain_text(" finished")
    expect(page.get_by_role("group", name="Confidence")).to_be_visible()
    run = re.search(r"model=(run-\d+)", page.url)
    assert run is not None
    content = visit.context.request.get(f"{visit.studio.origin}/api/runs/{run[1]}/model").body()
    (folder / "run.safetensors").write_bytes(content)
    return pl.load(folder / "run.safetensors")


def shown(page: Page) -> dict[str, str]:
    rows = page.locator(".several tbody tr")
    return {row.locator("th").inner_text(): row.locator("td").first.inner_text() for row in rows.all()}


def test_an_ensemble_of_quantiles_by_time(visit: Visit, houses: Page, tmp_path: Path) -> None:
    houses.get_by_label("Ensemble").check()
    houses.get_by_label("Loss").select_option(label="quantiles: 10%, 50% and 90%")
    houses.get_by_label("Hold out").select_option(label="the latest, by")
    houses.get_by_label("By which column").select_option("built")
    model = trained(visit, houses, tmp_path)
    assert model.network.output.members == 8
    assert "split=time%3Abuilt" in houses.url
    expect(houses.locator(".chosen")).to_contain_text("split by built, for validation")
    expect(houses.locator(".several tbody tr")).to_have_count(3)
    expect(houses.locator(".several tr", has_text="price 0.5")).to_contain_text(re.compile(r"\d to \d"))
    expect(houses.locator(".several tr", has_text="price 0.9")).to_contain_text("–")
    numbers = {name: float(text.replace("−", "-")) for name, text in shown(houses).items()}
    assert list(numbers) == ["price 0.1", "price 0.5", "price 0.9"]
    assert numbers["price 0.1"] <= numbers["price 0.5"] <= numbers["price 0.9"]


def test_several_targets_each_with_its_sum(visit: Visit, houses: Page, tmp_path: Path) -> None:
    houses.get_by_label("Together with").select_option("rooms")
    expect(houses.get_by_role("button", name="Without rooms")).to_be_visible()
    trained(visit, houses, tmp_path)
    expect(houses.locator(".answer h2")).to_have_text("price, rooms")
    assert list(shown(houses)) == ["price", "rooms"]
    houses.get_by_label("What adds up to").select_option("rooms")
    expect(houses.locator(".why .total th")).to_have_text("rooms")
    expect(houses.locator(".why .total td")).to_have_text(shown(houses)["rooms"])
    press(houses, "Without rooms")
    assert "also=" not in houses.url


def test_what_does_not_fit_another_target_is_forgotten(houses: Page) -> None:
    houses.get_by_label("Loss").select_option("mae")
    houses.get_by_label("Together with").select_option("rooms")
    houses.get_by_label("Predict").select_option("sea")
    expect(houses.get_by_label("Loss")).to_have_count(0)  # classes have one
    assert "loss=" not in houses.url
    assert "also=" not in houses.url


@pytest.mark.parametrize("visit", [*THEMES, SIZES[0]], indirect=True, ids=str)
def test_axe_finds_nothing_and_nothing_sticks_out_of_a_narrow_page(visit: Visit, houses: Page, tmp_path: Path) -> None:
    houses.get_by_label("Together with").select_option("rooms")
    trained(visit, houses, tmp_path)
    expect(houses.locator(".several")).to_contain_text(" to ")
    assert violations(houses) == []
    assert sticks_out(houses) <= 0
