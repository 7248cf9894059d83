"""Table: from a file to a network, and one row whose values are moved by sliders and menus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_actions import asked, press
from page_checks import SIZES, THEMES, WIDTHS, sticks_out, violations
from playwright.sync_api import Page, expect
from visits import Studio, Visit, opened

import pellucid as pl

PENGUINS = "/table?table=penguins&target=species&epochs=3"
HEARD = ".answer [role=status]"  # what a screen reader hears
BILL = "bill_length_mm"


def table(content: str, name: str = "houses.csv") -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def trained(visit: Visit, path: str = PENGUINS) -> Page:
    """The page, when a run has ended and its answer for the first row is there."""
    page = visit.to(path)
    press(page, "Train")
    expect(page.locator(".progress")).to_contain_text(" finished")
    expect(page.locator(".readout span")).to_be_visible()
    expect(page.get_by_role("group", name="Confidence")).to_be_visible()
    return page


def model_of(visit: Visit, page: Page, folder: Path) -> pl.Model:
    """The model that the page shows, from the file that it gives."""
    run = re.search(r"model=(run-\d+)", page.url)
    assert run is not None
    content = visit.context.request.get(f"{visit.studio.origin}/api/runs/{run[1]}/model").body()
    (folder / "run.safetensors").write_bytes(content)
    return pl.load(folder / "run.safetensors")


def first_row() -> dict[str, object]:
    header, row = Path(pl.datasets.penguins()).read_text().splitlines()[:2]
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    del cells["species"]
    return cells


def headline(model: pl.Model, row: dict[str, object]) -> str:
    found = model.predict(row)
    shown = f"{100 * found.probability:.1f}%"
    return f"{found.label}{'>99.9%' if shown == '100.0%' and found.probability < 1 else shown}"


def test_from_the_penguins_to_an_answer_that_is_the_models(visit: Visit, tmp_path: Path) -> None:
    page = visit.to("/table")
    press(page, "Take the penguins")
    expect(page.get_by_role("region", name="The account")).to_contain_text("344")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
    page.get_by_label("Predict").select_option("species")
    page.get_by_label("Epochs").fill("3")
    press(page, "Train")
    expect(page.locator(".progress")).to_contain_text(" finished: epoch 3.0 of 3")
    model = model_of(visit, page, tmp_path)
    measured = model.network.history.final["validation_accuracy"]
    expect(page.locator(".curves-of-table")).to_contain_text(f"validation {100 * measured:.1f}%")
    expect(page.locator(".readout")).to_have_text(headline(model, first_row()))
    expect(page.locator(".truth")).to_contain_text("In the table: Adelie; ")
    expect(page.locator(HEARD)).to_contain_text("species: Adelie")


def test_a_slider_moved_by_keys_changes_the_answer_the_reasons_and_the_address(visit: Visit, tmp_path: Path) -> None:
    page = trained(visit)
    model = model_of(visit, page, tmp_path)
    gives = page.locator(".cell", has_text=BILL).locator(".gives .number")
    expect(gives).to_have_text(re.compile(r"contributes [+−\d]"))
    before = gives.inner_text()
    slider = page.get_by_label(BILL, exact=True)
    slider.focus()
    page.keyboard.press("End")
    value = float(slider.input_value())
    assert value > 59.6  # the longest bill
    expect(page.locator(".readout")).to_have_text(headline(model, first_row() | {BILL: value}))
    expect(page.locator(".cell", has_text=BILL)).to_contain_text("beyond the training rows' range")
    expect(gives).not_to_have_text(before)
    page.wait_for_url(re.compile("cells="))
    said, link = page.locator(".readout").inner_text(), page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".readout")).to_have_text(said)
    press(page, "Undo changes")
    expect(page.locator(".readout")).to_have_text(headline(model, first_row()))


def test_what_is_shown_beside_the_values_adds_up_to_the_score(visit: Visit) -> None:
    page = trained(visit)
    run = re.search(r"model=(run-\d+)", page.url)
    assert run is not None
    cells = asked(page, f"/api/table/row?table=penguins&row=1&model={run[1]}")["cells"]
    found = page.evaluate(
        """([run, cells]) => fetch(`/api/table/contributions?model=${run}`, {
          method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(cells),
        }).then(answer => answer.json())""",
        [run[1], cells],
    )
    expect(page.locator(".gives .number")).to_have_count(len(found["columns"]))
    shown = [number(text) for text in page.locator(".gives .number").all_inner_texts()]
    assert shown == pytest.approx(found["columns"], rel=0.01)
    total = [number(text) for text in page.locator(".why td").all_inner_texts()]
    assert total[0] + total[1] + total[2] == pytest.approx(total[3], abs=0.02 * abs(total[3]))


def number(text: str) -> float:
    found = re.search(r"[+−-]?[\d,.]+(e[+-]\d+)?$", text.strip())
    assert found is not None, text
    return float(found[0].replace("−", "-").replace(",", ""))


def test_missing_and_unseen_values_can_be_chosen(visit: Visit, tmp_path: Path) -> None:
    page = trained(visit)
    model = model_of(visit, page, tmp_path)
    island = page.locator(".cell", has_text="island")
    page.get_by_label("island", exact=True).select_option(label="(a value that did not come in training)")
    expect(island).to_contain_text("its value did not come in training: it adds nothing")
    expect(page.locator(".readout")).to_have_text(headline(model, first_row() | {"island": "Atlantis"}))
    page.get_by_label("island", exact=True).select_option(label="(missing)")
    expect(island).to_contain_text("missing, as in no training row: it adds nothing")
    page.get_by_label(f"{BILL} is missing").check()
    expect(page.locator(".cell", has_text=BILL)).to_contain_text("missing: the middle counts")
    expect(page.locator(".readout")).to_have_text(headline(model, first_row() | {"island": "", BILL: None}))


def test_another_row_and_what_is_known_of_it(visit: Visit) -> None:
    visit.forgiven.append("400 (Bad Request)")
    page = trained(visit)
    press(page, "The next row")
    expect(page.get_by_label("Row", exact=True)).to_have_value("2")
    expect(page.get_by_label(f"{BILL}, any number")).to_have_value("39.5")
    page.get_by_label("Row", exact=True).fill("999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("there is no row 999; penguins.csv has 344 rows.")
    press(page, "A middle row")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_training_is_stopped_and_goes_on(visit: Visit) -> None:
    page = visit.to(PENGUINS.replace("epochs=3", "epochs=1000"))
    press(page, "Train")
    press(page, "Stop")
    expect(page.locator(".progress")).to_contain_text(" paused")
    expect(page.get_by_role("progressbar")).to_have_attribute("max", "1000")
    press(page, "Go on")
    expect(page.locator(".progress")).to_contain_text(" running")
    press(page, "Stop")


def test_what_the_cells_do_not_tell_is_asked_and_a_choice_answers(visit: Visit) -> None:
    page = visit.to("/table")
    rows = "".join(f"0{1 + k % 9}/0{1 + k % 7}/2024,{k % 3}\n" for k in range(40))
    page.set_input_files("input[type=file]", table(f"day,sold\n{rows}"))
    expect(page.locator(".questions [role=status]")).to_contain_text("written with the day or with the month first")
    page.get_by_label("Predict").select_option("sold")
    train = page.get_by_role("button", name="Train", exact=True)
    expect(train).to_be_disabled()
    page.get_by_role("radio", name="day first").check()
    expect(page.locator(".questions [role=status]")).to_have_count(0)
    expect(train).to_be_enabled()
    assert "date_order=dmy" in page.url


def test_a_file_that_is_no_table_gives_the_sentence_of_the_reader(visit: Visit) -> None:
    visit.forgiven.append("400 (Bad Request)")
    page = visit.to("/table")
    content = b"caf\xe9,b\n1,2\n3,4\n"
    page.set_input_files("input[type=file]", {"name": "old.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_role("alert")).to_contain_text("old.csv is not UTF-8: byte 0xe9 at offset 3")
    page.get_by_label("Encoding of the text").select_option("windows-1252")
    expect(page.get_by_role("region", name="Table of columns")).to_contain_text("café")


def test_a_dropped_file_is_opened_and_columns_are_used_as_chosen(visit: Visit) -> None:
    page = visit.to("/table")
    page.evaluate(
        """(text) => {
          const files = new DataTransfer();
          files.items.add(new File([text], "zips.csv", {type: "text/csv"}));
          window.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
        }""",
        "zip,size,y\n" + "".join(f"{k % 5},{'SML'[k % 3]},{k % 2}\n" for k in range(40)),
    )
    line = page.locator(".columns-of tr", has_text="zip")
    expect(line).to_contain_text("count, as found")
    page.get_by_label("Use zip as").select_option("category")
    expect(line.locator("td").nth(4)).to_have_text("5")  # a number for each value
    page.get_by_label("Use size as").select_option("ordered")
    page.get_by_label("Levels of size").fill("S < M < L")
    page.keyboard.press("Enter")
    expect(page.locator(".columns-of tr", has_text="size").locator("td").nth(4)).to_have_text("1")
    page.get_by_label("Use zip as").select_option("drop")
    expect(line).to_contain_text("left out, as chosen")
    assert json.loads(page.evaluate("new URLSearchParams(location.search).get('kinds')")) == {"size": ["S", "M", "L"]}


def test_the_model_is_saved_from_the_page(visit: Visit) -> None:
    page = trained(visit)
    name = page.get_by_label("Save on this computer as").input_value()
    assert re.fullmatch(r"penguins-run-\d+\.safetensors", name)
    press(page, "Save")
    expect(page.get_by_text(f"Saved as {name}.")).to_be_visible()
    assert pl.load(visit.studio.folder / name).labels == ("Adelie", "Chinstrap", "Gentoo")


def test_a_run_on_a_table_does_not_disturb_the_page_train(visit: Visit) -> None:
    trained(visit)
    page = visit.to("/train")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    expect(page.locator(".compare")).to_have_count(0)


@pytest.mark.parametrize("visit", THEMES, indirect=True, ids=["light", "dark"])
def test_axe_finds_nothing_beside_a_trained_network(visit: Visit) -> None:
    page = trained(visit)
    page.get_by_label(f"{BILL} is missing").check()
    expect(page.locator(".cell", has_text=BILL)).to_contain_text("the middle counts")
    assert violations(page) == []


@pytest.mark.parametrize("visit", SIZES, indirect=True, ids=map(str, WIDTHS))
def test_nothing_sticks_out_beside_a_trained_network(visit: Visit) -> None:
    assert sticks_out(trained(visit)) <= 0


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that was opened with the model of a regression of a table."""
    folder = tmp_path_factory.mktemp("houses")
    lines = [f"{k % 13},{'near' if k % 3 else 'far'},{1000 * (k % 13) + 5000 * (k % 3)}" for k in range(200)]
    (folder / "houses.csv").write_text("\n".join(["rooms,sea,price", *lines]))
    model = pl.train(pl.datasets.table(folder / "houses.csv", target="price"), layers="dense16", epochs=20, progress="none")
    model.save(folder / "houses.safetensors")
    with opened(folder / "houses.safetensors", folder) as studio:
        yield studio


def test_a_model_of_a_table_opens_this_page_and_answers_without_the_table(visit: Visit, houses: Studio) -> None:
    visit.studio = houses
    page = visit.page
    visit.forgiven.append(houses.origin)
    page.goto(houses.link)
    expect(page.locator("h1")).to_have_text("Table")
    model = pl.load(houses.model)
    page.get_by_label("rooms, any number").fill("7")
    page.get_by_label("sea", exact=True).select_option("far")
    found = model.predict({"rooms": 7, "sea": "far"}, confidence=0.9)
    shown = f"{float(f'{found.value:.4g}'):,.10g}" if found.value >= 1e4 else f"{found.value:.4g}"
    expect(page.locator(".readout")).to_have_text(shown)
    expect(page.locator(".detail")).to_contain_text("The true value lies between ")
    page.goto(houses.address("/draw"))
    page.get_by_role("link", name="Move the values of a row").click()
    expect(page.get_by_label("rooms, any number")).to_be_visible()


def test_a_run_can_be_deleted_and_asks_before_it_is_lost(visit: Visit) -> None:
    page = trained(visit)
    name = page.locator(".keep h2").inner_text().removeprefix("Use ")
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.locator(".one-row")).to_have_count(0)
    assert [run["name"] for run in asked(page, "/api/runs")["runs"]] == []


def test_an_address_that_cannot_be_read_says_why_and_leads_back(visit: Visit) -> None:
    visit.forgiven.append("400 (Bad Request)")
    page = visit.to("/table?table=penguins&target=weight")
    expect(page.get_by_role("alert")).to_contain_text("unknown column 'weight'")
    press(page, "Read it as it was found")
    expect(page.get_by_role("region", name="The account")).to_contain_text("344")
    page = visit.to("/table?table=penguins&target=species&epochs=5000")
    press(page, "Train")
    expect(page.get_by_role("alert")).to_contain_text("epochs must be a whole number from 1 to 1,000, not 5000.")


def test_a_file_that_is_too_large_is_not_sent(visit: Visit) -> None:
    page = visit.page
    page.route("**/api/tables", lambda route: route.fulfill(json={"tables": ["penguins"], "most_bytes": 2 << 20}))
    visit.to("/table")
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.method))
    page.set_input_files("input[type=file]", table("x" * ((2 << 20) + 1)))
    expect(page.get_by_role("alert")).to_have_text(
        "houses.csv has 3 MB; this page takes files of at most 2 MB. A larger one opens by: pellucid studio houses.csv"
    )
    assert sent == []


def test_of_a_wide_table_all_columns_are_shown_when_asked_for(visit: Visit) -> None:
    page = visit.to("/table")
    names = [f"x{k}" for k in range(150)]
    rows = [",".join(str((k + row) % 7) for k in range(150)) for row in range(200)]
    page.set_input_files("input[type=file]", table("\n".join([",".join(names), *rows])))
    expect(page.locator(".columns-of tbody tr")).to_have_count(100)
    press(page, "Show all 150 columns")
    expect(page.locator(".columns-of tbody tr")).to_have_count(150)
    page = trained(visit, f"/table?{page.url.partition('?')[2]}&target=x0&epochs=1")
    expect(page.locator(".cell")).to_have_count(30)
    press(page, "Show all 149 columns")
    expect(page.locator(".cell")).to_have_count(149)
