"""The account of a table: counts that add up, and every entry, also beyond what is kept in memory."""

from __future__ import annotations

import csv

import pytest

from pellucid.core.errors import OutputError
from pellucid.data.tables import account as module
from pellucid.data.tables.account import Account


@pytest.fixture
def full():
    account = Account(rows_in=10, cells_in=24, cells_missing=3, rows_with_missing=3)
    for row in (2, 5):
        account.refuse_row(row, 10 * row, "a,b", "it is broken")
    account.repair_row(7, 70, "c", "it was mended")
    account.refuse_cell(9, "age", 90, "old", "it is no number")
    return account


def test_used_and_refused_are_all_that_came_in(full):
    data = full.as_data()
    for what in (data["rows"], data["cells"]):
        assert what["used"] + what["refused"] == what["in"]
    assert data["rows"] == {"in": 10, "used": 8, "repaired": 1, "missing": 3, "refused": 2}
    assert data["cells"] == {"in": 24, "used": 23, "repaired": 0, "missing": 3, "refused": 1}
    assert full.refused_in_column == {"age": 1}


def test_the_words_say_each_count_and_each_entry(full):
    words = "\n".join(full.in_words())
    assert "10 rows in: 8 used (1 of them repaired, 3 with missing or refused cells), 2 refused" in words
    assert "24 cells in: 23 used (0 of them repaired, 3 missing), 1 refused" in words
    assert "2 refused: it is broken" in words
    assert "row 9, age (byte 90): 'old' refused: it is no number" in words


@pytest.mark.parametrize("kept", [1, 3, 100])
def test_the_file_has_every_entry_also_those_that_are_not_kept_in_memory(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(module, "KEPT", kept)
    account, expected = Account(), []
    for row in range(1, 20):
        value = f'a "quoted",\nvalue {row}'
        account.refuse_cell(row, "x\ny", None if row % 2 else row, value, "a rule")
        expected.append([str(row), "x\ny", "" if row % 2 else str(row), value, "a rule", "True"])
    account.write_csv(tmp_path / "account.csv")
    account.write_csv(tmp_path / "account.csv")  # an account may be replaced by one
    with open(tmp_path / "account.csv", newline="") as file:
        header, *entries = csv.reader(file)
    assert header == ["row", "column", "offset", "value", "rule", "refused"]
    assert entries == expected
    assert f"... and {19 - 10} more" in "\n".join(account.in_words()) or kept < 10


def test_a_table_is_never_overwritten_by_its_account(tmp_path, full):
    path = tmp_path / "houses.csv"
    path.write_text("rooms,price\n1,2\n")
    with pytest.raises(OutputError, match="not an account of a table"):
        full.write_csv(path)
    assert path.read_text() == "rooms,price\n1,2\n"


def test_a_long_value_is_shortened_and_the_rest_of_the_entry_stays(full):
    full.refuse_row(10, 5, "x" * 10_000, "it is long")
    assert full.entries[-1].value == "x" * module.LONGEST_VALUE
