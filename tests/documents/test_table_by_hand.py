"""docs/guide/table-by-hand.md: each line of its arithmetic is right, and every number is that of the package."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from documents import SIX_DECIMALS, TABLE_BY_HAND, arithmetic, equations, table, text_of

import pellucid as pl
from pellucid.data.tables.columns import NumberColumn

TEXT = text_of(TABLE_BY_HAND)
SAID = {name: number for name, _, number in equations(TEXT)}

FLOAT32 = 2e-7  # as exact as the input of the network is


def block(language: str, containing: str) -> str:
    """The block of code of the page that holds this text."""
    (found,) = [code for code in re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S) if containing in code]
    return found


@pytest.fixture
def five(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("five.csv").write_text(block("csv", "age,town"))
    return Path("five.csv")


def test_the_arithmetic_of_every_line_is_right() -> None:
    lines = list(equations(TEXT))
    assert len(lines) == len(SAID) == 4 + 5 * 2 + 6 * 7  # measured; five ages; six rows, the new one among them
    for name, expression, number in lines:
        assert arithmetic(expression) == pytest.approx(number, abs=3e-6), f"{name} = {expression}"  # of rounded numbers


def test_every_number_is_a_cell_a_weight_or_the_result_of_a_line_above() -> None:
    known = {float(number) for number in re.findall(r"\d+", block("csv", "age,town"))}
    known |= {float(number) for number in re.findall(r"= -?([\d.]+)", block("text", "h11 = "))}
    known |= {65, 0.75, 0.25}  # the age of the new row, and the places of the quartiles
    known |= {0, 1, 2, 3, 0.5}  # the formulas'
    for name, expression, number in equations(TEXT):
        used = {float(one) for one in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", expression)}
        assert used <= known, name
        known.add(abs(number))


def test_kinds_labels_and_measures_are_those_of_the_package(five: Path) -> None:
    read = pl.datasets.table(five, "leaves")
    assert {name: kind.kind for name, kind in read.kinds.items()} == {
        "age": "count",
        "town": "category",
        "leaves": "yes_no",
    }
    assert read.labels == ("no", "yes")
    account = read.account
    assert (account.cells_in, account.cells_missing, account.cells_refused, account.rows_refused) == (15, 1, 0, 0)
    age, _ = read.pipeline(np.arange(5)).columns
    assert isinstance(age, NumberColumn)
    assert (age.center, age.scale) == (SAID["center"], SAID["scale"])
    known = read.values[0][~np.isnan(read.values[0])]
    assert np.percentile(known, [25, 75]).tolist() == [SAID["low"], SAID["high"]]


def test_the_input_is_that_of_the_table_of_the_page(five: Path) -> None:
    read = pl.datasets.table(five, "leaves")
    pipeline = read.pipeline(np.arange(5))
    rows = np.array([[float(cell) for cell in row] for row in table(TABLE_BY_HAND, "row")])
    np.testing.assert_allclose(read.encode(pipeline), rows[:, 1:], rtol=0, atol=SIX_DECIMALS)
    head = next(line for line in TEXT.splitlines() if line.startswith("| row |"))
    assert tuple(cell.strip() for cell in head.split("|")[2:-1]) == pipeline.parts
    for row in (1, 2, 4, 5):
        assert rows[row - 1, 1] == SAID[f"x{row}"]


def test_every_number_of_the_network_is_that_of_the_package(five: Path) -> None:
    """The weights of the page, put into a network, give its sums, sigmoids, scores and probabilities; its own code too."""
    names: dict[str, object] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python", "import pellucid"), TABLE_BY_HAND.name, "exec"), names)
    assert printed.getvalue() == block("text", "[[")
    network, pipeline = names["network"], names["pipeline"]
    assert isinstance(network, pl.Network)
    weights = {name: float(number) for name, number in re.findall(r"(\w+) = (-?[\d.]+)", block("text", "h11 = "))}
    for letter, name, count in (("h", "dense_1", 4), ("o", "output", 2)):
        for j in (1, 2):
            assert network.parameters[f"{name}.bias"][j - 1] == weights[f"{letter}b{j}"]
            for i in range(1, count + 1):
                assert network.parameters[f"{name}.weight"][i - 1, j - 1] == weights[f"{letter}{i}{j}"]

    table_of_page = names["table"]
    new = pipeline.prepare({"age": 65, "town": "Jena"}).pixels
    x = np.concatenate([table_of_page.encode(pipeline), new[None]])
    done = network.propagate(x.astype(np.float64), training=True)
    _, s, a, _ = done.caches[1]
    p = network.predict_proba(x)
    for k in range(6):
        for name, number in (
            *((f"s{k + 1}_{j + 1}", s[k, j]) for j in (0, 1)),
            *((f"a{k + 1}_{j + 1}", a[k, j]) for j in (0, 1)),
            (f"no{k + 1}", done.logits[k, 0]),
            (f"yes{k + 1}", done.logits[k, 1]),
            (f"p{k + 1}", p[k, 1]),
        ):
            assert number == pytest.approx(SAID[name], abs=SIX_DECIMALS + FLOAT32), name
