"""``pellucid explain --row``: every line that is an equation holds, and the numbers are those of NumPy from the cells."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from small_tables import learned, numbers_of, outputs, outputs_of, probabilities, read_csv, write_houses

import pellucid as pl
from pellucid.data.tables.columns import CategoryColumn, DateColumn, NumberColumn, OrderedColumn
from pellucid.inspection.arithmetic.cells import as_terms, cell_numbers

EQUATION = re.compile(r"= (?P<left>[^=]*[/*(][^=]*) = (?P<right>-?[\d.]+(?:e[+-]\d+)?)(?:,|$)")


def unit_of(text):
    """What the last digit of a number counts."""
    digits, _, exponent = text.partition("e")
    return 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))


def check_equations(lines):
    """Evaluate the left side of each equation: it is the right side, to the last digit that is shown. Gives how many."""
    count = 0
    for line in lines:
        for match in EQUATION.finditer(line):
            python = match["left"].replace("2 pi", "2 * pi").replace("^", "**")
            value = eval(python, {"__builtins__": {}}, {"sqrt": math.sqrt, "sin": math.sin, "cos": math.cos, "pi": math.pi})
            assert abs(value - float(match["right"])) <= 0.5001 * unit_of(match["right"]), line
            count += 1
    return count


def section(text, title):
    """The lines below this title."""
    return text.partition(f"\n{title}\n")[2].partition("\n\n")[0].splitlines()


def sum_of_columns(text):
    """(name -> contribution as text, the sum as text) of the last table."""
    lines = section(text, "What each column contributes")
    start = next(k for k, line in enumerate(lines) if line.split() == ["column", "cell", "contribution"]) + 1
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines[start:]]
    terms = {row[0]: row[-1] for row in rows[: next(k for k, row in enumerate(rows) if row[0] == "sum") + 1]}
    return terms, terms.pop("sum")


@pytest.mark.parametrize("target", ["price", "sold", "class"])
@pytest.mark.parametrize("number", [1, 6, 43])  # the sixth and the 43rd have no age
def test_from_the_cells_to_the_answer(cli, houses, target, number):
    model, file, new = houses[target]
    done = cli("explain", file, new, "--row", str(number))
    assert done.returncode == 0, done.stderr
    row, answer = read_csv(new)[number - 1], done.stdout.splitlines()[0]
    if target == "price":
        assert answer.endswith(f"new price.csv, row {number}: {outputs(model, [row])[0, 0]:.4g}")
    else:
        p = probabilities(model, [row])[0]
        assert answer.endswith(f"row {number}: {model.labels[p.argmax()]} ({p.max():.1%})")
    lines = section(done.stdout, "From the cells to the numbers")
    for name in ("age", "rooms", "sea", "built"):
        assert any(line.split()[0] == name and (not row[name] or row[name] in line) for line in lines[1:5])
    assert check_equations(lines) == (9 if row["age"] else 7)
    assert check_equations(section(done.stdout, "From scores to probabilities")) >= (target != "price")
    terms, total = sum_of_columns(done.stdout)
    assert set(terms) == {"age", "rooms", "sea", "built", "biases", "gap"}
    assert abs(math.fsum(map(float, terms.values())) - float(total)) <= 0.5001 * unit_of(total)
    z = np.sort(outputs(model, [row])[0])
    assert float(total) == pytest.approx(z[0] if target == "price" else z[-1] - z[-2], rel=1e-4)
    assert "Method: exact" in done.stdout


def test_contributions_are_slopes_times_numbers_summed_to_their_column(cli, houses, tmp_path):
    """Such a network is linear around a row: what a column gives is the sum of x times the slope, by differences."""
    model, file, _ = houses["price"]
    row = {"age": "30.5", "rooms": "5.1234", "sea": "near", "built": "2001-02-03"}  # beside the edges of bins
    path = tmp_path / "one.csv"
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    said = json.loads(cli("explain", file, path, "--row", "1", "--json").stdout)
    x = np.array([number for cell in said["cells"] for number in cell["numbers"]])
    steps = 1e-6 * np.eye(len(x))
    slopes = (outputs_of(model, x + steps) - outputs_of(model, x - steps))[:, 0] / 2e-6
    at = 0
    for column, cell in zip(model.pipeline.columns, said["cells"], strict=True):
        part = slice(at, at := at + column.width)
        assert (cell["column"], cell["text"]) == (column.name, row[column.name])
        if column.name != "built":  # its months lie on edges of bins, where there is no slope
            np.testing.assert_allclose(cell["numbers"], numbers_of(column, row[column.name]), atol=1e-6)
            assert cell["contribution"] == pytest.approx(x[part] @ slopes[part], rel=1e-3, abs=1e-4)
    assert at == len(x)


def test_a_network_that_bends_is_integrated_and_its_gap_is_printed(cli, tmp_path):
    path = write_houses(tmp_path / "houses.csv", "price")
    model = learned(path, "price", tmp_path / "bent.safetensors", layers=None, epochs=2)
    done = cli("explain", tmp_path / "bent.safetensors", path, "--row", "2")
    assert done.returncode == 0, done.stderr
    assert re.search(r"Method: integrated gradients, \d+ steps; completeness gap -?\d\.\de[-+]\d+", done.stdout)
    terms, total = sum_of_columns(done.stdout)
    assert abs(math.fsum(map(float, terms.values())) - float(total)) <= 0.5001 * unit_of(total)
    row = {name: cell for name, cell in read_csv(path)[1].items() if name != "price"}
    assert float(total) == pytest.approx(model.predict(row).value, rel=1e-5)
    zero = model.network.predict(np.zeros((1, 17), np.float32)).item()
    assert float(terms["where it is counted from"]) == pytest.approx(zero, rel=1e-4)


def test_the_api_takes_a_row_and_a_file(houses):
    model, _, new = houses["class"]
    row = {name: cell for name, cell in read_csv(new)[4].items() if name != "class"}
    one, other = pl.explain(model, row), pl.explain(model, new, row=5)
    assert one.label == other.label == model.predict(row).label
    assert one.probability == pytest.approx(model.predict(row).probability, abs=1e-6)
    assert one.row.contributions == other.row.contributions
    assert str(one).startswith("the row: ")
    assert "What each column contributes" in one.to_html()
    cases = (({"source": row, "row": 2}, "leave it out"), ({"source": new}, "--row 17"), ({"source": {"x": 1}}, "'x'"))
    for bad, message in cases:
        with pytest.raises(pl.PellucidError, match=message):
            pl.explain(model, **bad)


def test_numbers_of_a_frame_are_numbers_whatever_the_format_of_the_column(tmp_path):
    """A model that learned "4,5" takes 4.5 from a dict, by prediction and explanation alike."""
    path = tmp_path / "comma.csv"
    path.write_text("a;y\n" + "".join(f"{k},5;{(7 * k) % 31},25\n" for k in range(60)))
    model = learned(path, "y", tmp_path / "comma.safetensors", epochs=2)
    columns = {"a": [30.25, 4.5], "y": [1.5, 2.5]}
    for found in (pl.explain(model, {"a": 4.5}), pl.explain(model, columns, row=2)):
        (cell,) = found.row.cells
        assert (cell.text, cell.value) == ("4.5", "4.5")
        assert found.label == pytest.approx(model.predict({"a": 4.5}).value, rel=1e-6)


def test_what_was_not_understood_is_said(cli, houses, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("age,rooms,sea,built,note\nold,4,moon,soon,=1+1\n1,2\n")
    _, file, _ = houses["price"]
    done = cli("explain", file, path, "--row", "1")
    assert done.returncode == 0
    for words in ("not understood: it is no number", "not understood: its value did not come in training",
                  "not understood: it is no date", "[age is missing] = 1", "all 3 numbers are 0"):  # fmt: skip
        assert words in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["odd.csv", "--row", "2"], "row 2 of odd.csv cannot be used: it has 2 cells, the header 4"),
        (["odd.csv", "--row", "9"], "there is no row 9; odd.csv has 2 rows"),
        (["odd.csv", "--row", "0"], "--row"),
        (["odd.csv"], "say by its number which one to explain"),
        (["lacks.csv", "--row", "1"], "no column 'rooms', 'sea', 'built'"),
        (["nothing.csv", "--row", "1"], "does not exist; expected a table"),
    ],
)
def test_a_wrong_row_is_one_sentence(cli, houses, tmp_path, words, message):
    (tmp_path / "odd.csv").write_text("age,rooms,sea,built\n30,4,far,2001-01-01\n1,2\n")
    (tmp_path / "lacks.csv").write_text("age\n30\n31\n")
    done = cli("explain", houses["price"][1], *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_pictures_have_no_row(cli, trained, pictures):
    done = cli("explain", trained[1], pictures[0], "--row", "1")
    assert done.returncode == 2
    assert "leave --row out" in done.stderr


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (NumberColumn("n", ".", "", "", 3.14159265358979, 2.718281828459045), ["3.1415926", "-7e9", "3.2", "1e-300", "0"]),
        (NumberColumn("n", ",", ".", "€", -1234.5, 1e-7, True), ["€ 1.234,5", "€ -1.234,5", "", "€ 7"]),
        (OrderedColumn("o", ("S", "M", "L", "XL")), ["S", "M", "L", "XL"]),
        (DateColumn("d", "ymd", 12121.123456789, 333.3333333, True),
         ["1969-12-31 23:59:59", "2004-02-29 13:30:01", "2000-04-01", "2000-07-01 06:00", "2000-10-31 18:00"]),
        (DateColumn("d", "dmy", -5.5, 1.0), ["31.12.1969", "1.1.1970", "29.2.2024"]),
        (CategoryColumn("c", ("", "a", "b")), ["", "a", "z"]),
    ],
    ids=["number", "format", "ordered", "time", "date", "category"],
)  # fmt: skip
def test_every_equation_holds_on_odd_numbers(column, texts):
    """And its result is what the network sees."""
    for text in texts:
        found = cell_numbers(column, [text])
        np.testing.assert_array_equal(np.float32(found.numbers), column.encode(column.read([text]).values)[0])
        count = check_equations(found.arithmetic)
        if isinstance(column, NumberColumn) and text:
            assert count == 2
            x = found.arithmetic[1].rpartition(" = ")[2]
            assert abs(found.numbers[0] - float(x)) <= 0.5001 * unit_of(x)
        elif isinstance(column, DateColumn):
            assert count == (7 if column.has_time else 5)
        elif isinstance(column, OrderedColumn):
            assert count == 1


def test_terms_add_up_as_they_are_written():
    rng = np.random.default_rng(3)
    for _ in range(200):
        numbers = (rng.normal(size=rng.integers(1, 25)) * 10.0 ** rng.integers(-6, 7)).tolist()
        total = math.fsum(numbers)
        terms, shown = as_terms(numbers, total)
        assert abs(math.fsum(map(float, terms)) - float(shown)) <= 0.5001 * unit_of(shown)
        assert float(shown) == pytest.approx(total, rel=1e-5)
