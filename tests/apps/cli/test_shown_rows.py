"""The display of a long reading: a bar on a terminal, lines elsewhere, and the rows as they are."""

from __future__ import annotations

import gzip
import io

import pytest

from pellucid.apps.cli import shown_rows
from pellucid.apps.cli.shown_rows import ShownRows
from pellucid.data.tables import source
from pellucid.data.tables.account import Account
from pellucid.data.tables.table import open_rows

TABLE = "a,b\n" + "".join(f"{k},{k % 7}\n" for k in range(400))


class Terminal(io.StringIO):
    def __init__(self, is_live):
        super().__init__()
        self.is_live = is_live

    def isatty(self):
        return self.is_live


def read(path, is_live, monkeypatch, seconds=0.0):
    """What was written while a table is read in blocks of 100 bytes."""
    monkeypatch.setattr(source, "BLOCK", 100)
    monkeypatch.setattr(shown_rows, "SECONDS_BETWEEN_LINES", seconds)
    monkeypatch.setattr(shown_rows, "SECONDS_BEFORE_BAR", seconds)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", terminal := Terminal(is_live))
    rows = open_rows(path)
    found = [chunk.rows.tolist() for chunk in ShownRows(rows, path).chunks(Account())]
    assert found == [chunk.rows.tolist() for chunk in rows.chunks(Account())]
    return terminal.getvalue()


def test_lines_say_how_many_rows_and_what_part_of_the_file(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    lines = read(path, False, monkeypatch).splitlines()
    assert all(line.startswith("reading t.csv: ") for line in lines)
    assert lines[0].endswith("%)")
    assert lines[-1].startswith("reading t.csv: 400 rows (")
    path.write_bytes(gzip.compress(TABLE.encode()))  # whose size says nothing of the rows
    assert read(path, False, monkeypatch).splitlines()[-1] == "reading t.csv: 400 rows"


def test_a_terminal_gets_a_bar(tmp_path, monkeypatch):
    path = tmp_path / "[red]t.csv"
    path.write_text(TABLE)
    shown = read(path, True, monkeypatch)
    assert "reading [red]t.csv" in shown
    assert "400 rows" in shown


@pytest.mark.parametrize("is_live", [True, False])
def test_a_short_reading_shows_nothing(tmp_path, monkeypatch, is_live):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    assert read(path, is_live, monkeypatch, seconds=1000.0) == ""
