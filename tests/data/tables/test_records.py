"""Any table in any dialect is read back equal, or each difference stands in the account."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tables_read import read, written

from pellucid.data.tables import records, source
from pellucid.data.tables.account import Account
from pellucid.data.tables.dialect import find_dialect
from pellucid.data.tables.division import STRAY_QUOTES
from pellucid.data.tables.source import Source

SLOW = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
DELIMITERS = [",", ";", "\t", "|"]
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
NAMES = [f"name {k}" for k in range(5)]


def cells(hard):
    """Cells as they are read: without spaces around them."""
    some = st.sampled_from(list('",;\t| ab1é') + (["\n"] if hard else [])) | LETTERS
    return st.text(some, max_size=8).map(lambda text: text.strip(" \t\r"))


def tables(hard):
    def of_width(width):
        row = st.lists(cells(hard), min_size=width, max_size=width).filter(any)
        return st.lists(row, min_size=1, max_size=12)

    return st.integers(2, 5).flatmap(of_width)


def as_csv(rows, delimiter, line_end="\n", quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)
    return text.getvalue()


@SLOW
@given(
    rows=tables(hard=False),
    delimiter=st.sampled_from(DELIMITERS),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    marked=st.booleans(),
    block=st.sampled_from([1, 7, 64, 1 << 20]),
)
def test_a_table_is_read_back_equal(tmp_path, monkeypatch, rows, delimiter, line_end, quoting, marked, block):
    assume(rows[0] != NAMES[: len(rows[0])])
    assume(rows[-1] == rows[0] or next(filter(None, rows[-1])).casefold().rstrip(":") not in records.TOTALS)
    monkeypatch.setattr(source, "BLOCK", block)
    text = as_csv([NAMES[: len(rows[0])], *rows], delimiter, line_end, quoting)
    path = written(tmp_path, ("\ufeff" if marked else "") + text)
    names, found, numbers, offsets, account = read(path, delimiter=delimiter)
    assert list(names) == NAMES[: len(rows[0])]
    assert found == rows
    assert numbers == list(range(1, len(rows) + 1))
    assert (account.rows_in, account.rows_used, account.entries) == (len(rows), len(rows), [])
    content = Path(path).read_bytes()
    for row, offset in zip(rows, offsets, strict=True):  # each row stands where its offset says
        line = as_csv([row], delimiter, line_end, quoting).encode()
        assert content[offset : offset + len(line)] == line


@SLOW
@given(rows=tables(hard=True), delimiter=st.sampled_from(DELIMITERS), block=st.sampled_from([1, 5, 1 << 20]))
@example([["a", "b\nc"], ["d\n\ne", '"\n"']], ",", 1)
def test_cells_with_line_breaks_are_read_back_equal_or_accounted_for(tmp_path, monkeypatch, rows, delimiter, block):
    monkeypatch.setattr(source, "BLOCK", block)
    path = written(tmp_path, as_csv([NAMES[: len(rows[0])], *rows], delimiter))
    _, found, _, _, account = read(path, delimiter=delimiter)
    assert account.rows_used == len(found) == account.rows_in - account.rows_refused
    assert found == rows or account.entries


@SLOW
@given(
    lines=st.lists(st.text(st.sampled_from(list('ab1",;\r\0 \té')), max_size=12), min_size=1, max_size=14),
    block=st.sampled_from([1, 3, 16]),
)
@example(["a,b", '1,"x', "2,y", '3,"'], 3)
@example(['"', "a", '"b",c'], 1)
def test_the_size_of_a_block_changes_nothing(tmp_path, monkeypatch, lines, block):
    path = written(tmp_path, "name 0,name 1\n" + "\n".join(lines) + "\nlast,1\n")

    def everything(size):
        monkeypatch.setattr(source, "BLOCK", size)
        opened = Source(path, "utf-8", 0, b"\n")
        try:
            dialect = find_dialect(opened, ",")
        except Exception as error:
            return type(error), str(error)
        account = Account()
        chunks = list(records.read_chunks(opened, dialect, account))
        rows = [row for chunk in chunks for row in zip(*chunk.columns, strict=True)]
        places = [place for chunk in chunks for place in zip(chunk.rows, chunk.offsets, strict=True)]
        return rows, places, account.entries, account.rows_in, account.blank_lines

    assert everything(block) == everything(1 << 20)


@SLOW
@given(
    lines=st.lists(st.text(st.sampled_from(list("ab1,;\0 \té")), max_size=9), max_size=14),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    block=st.sampled_from([1, 9, 1 << 20]),
)
def test_every_line_is_counted(tmp_path, monkeypatch, lines, line_end, block):
    monkeypatch.setattr(source, "BLOCK", block)
    path = written(tmp_path, line_end.join(["name 0,name 1", *["x,1"] * 15, *lines, "y,2", ""]))
    _, rows, numbers, offsets, account = read(path, delimiter=",")
    blank = sum(not line.strip() for line in lines)
    assert (account.rows_in, account.blank_lines) == (len(lines) + 16 - blank, blank)
    assert account.rows_used == len(rows) == len(set(offsets))
    refused = {entry.row for entry in account.entries if entry.refused}
    assert refused | set(numbers) == set(range(1, account.rows_in + 1))
    assert not refused & set(numbers)


@SLOW
@given(rows=tables(hard=False), line_end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_quick_way_and_the_careful_way_agree(tmp_path, monkeypatch, rows, line_end):
    text = as_csv([NAMES[: len(rows[0])], *rows], ",", line_end)
    assume('"' not in text)
    path = written(tmp_path, text)
    quick = read(path, delimiter=",")
    with monkeypatch.context() as patch:
        patch.setattr(records, "whole_rows", lambda *_: None)
        assert read(path, delimiter=",") == quick


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_python_s_own_reader_reads_the_same(tmp_path, quoting):
    rows = [["a", 'say "yes"', "1.5"], ["two\nlines", "x,y", ""], ["é", "", "-3e5"]]
    path = written(tmp_path, as_csv([NAMES[:3], *rows], ",", "\r\n", quoting))
    with open(path, newline="") as file:
        assert list(csv.reader(file))[1:] == read(path)[1] == rows


@pytest.mark.parametrize(
    ("encoding", "line_end"), [("utf-16", "\n"), ("utf-16-be", "\r\n"), ("utf-32", "\n"), ("windows-1252", "\r\n")]
)
@pytest.mark.parametrize("block", [3, 1 << 20])
def test_offsets_count_the_bytes_of_the_file_in_every_encoding(tmp_path, monkeypatch, encoding, line_end, block):
    monkeypatch.setattr(source, "BLOCK", block)
    lines = ["größe,n", "é,1", "ü,2,3", "æ,4", ""]
    content = line_end.join(lines).encode(encoding)
    path = written(tmp_path, content)
    names, rows, numbers, offsets, account = read(path, encoding=encoding)
    assert (names, rows, numbers) == (("größe", "n"), [["é", "1"], ["æ", "4"]], [1, 3])
    plain = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(encoding, encoding)
    assert offsets == [content.index(text.encode(plain)) for text in ("é", "æ")]
    assert [entry.offset for entry in account.entries] == [content.index("ü".encode(plain))]


def test_a_quote_that_is_never_closed_takes_no_row_along(tmp_path):
    rows = "".join(f"{k},{chr(34) if k in (3, 40) else ''}x{k},y\n" for k in range(60))
    _, found, _, _, account = read(written(tmp_path, "a,b,c\n" + rows))
    assert [row[0] for row in found] == [str(k) for k in range(60)]
    assert [(entry.row, entry.rule) for entry in account.entries] == [(4, STRAY_QUOTES), (41, STRAY_QUOTES)]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them(tmp_path):
    rows = [f"{k},x{k},y" for k in range(60)]
    rows[3], rows[40] = '3,"x3,y', '40,x40",y'  # by the letter of CSV one row of three cells
    _, found, _, _, account = read(written(tmp_path, "a,b,c\n" + "\n".join(rows)))
    assert [row[0] for row in found] == [str(k) for k in range(60)]
    assert [entry.row for entry in account.entries] == [4, 41]


def test_an_address_over_two_lines_is_one_cell(tmp_path):
    _, found, _, _, account = read(written(tmp_path, 'name,address\nBob,"12 Main St\nSpringfield, IL"\nAnn,here\n'))
    assert found == [["Bob", "12 Main St\nSpringfield, IL"], ["Ann", "here"]]
    assert account.entries == []


def test_a_long_text_over_many_lines_is_one_cell(tmp_path):
    text = "\n".join(f"line {k}" for k in range(3000))
    assert read(written(tmp_path, f'a,b\n1,"{text}"\n2,x\n'))[1] == [["1", text], ["2", "x"]]


@pytest.mark.parametrize("block", [4, 1 << 20])
@pytest.mark.parametrize("tail", ["", "\n", "\n\n\n", "\n,\n", "\nfooter: 5\n"])
def test_a_last_row_of_totals_is_refused_whatever_follows(tmp_path, monkeypatch, block, tail):
    monkeypatch.setattr(source, "BLOCK", block)
    _, found, _, _, account = read(written(tmp_path, "a,b\nx,1\ny,2\nTotal:,3" + tail))
    assert found == [["x", "1"], ["y", "2"]]
    assert records.IS_TOTAL in [entry.rule for entry in account.entries]
    assert account.rows_used + account.rows_refused == account.rows_in


@pytest.mark.parametrize("before", ["", '"open\n', "1,2\n"])
@pytest.mark.parametrize("after", ["", "\n3,4\n"])
def test_a_huge_line_is_refused_and_its_neighbours_stay(tmp_path, monkeypatch, before, after):
    monkeypatch.setattr(source, "BLOCK", 16)
    monkeypatch.setattr(source, "LONGEST_LINE", 100)
    _, found, _, offsets, account = read(written(tmp_path, "a,b\n0,0\n" + before + "x" * 500 + "," + after))
    expected = [["0", "0"]] + [["1", "2"]] * (before == "1,2\n") + [["3", "4"]] * bool(after)
    assert found == expected
    assert [e.rule for e in account.entries][-1] == records.TOO_LONG
    assert account.entries[-1].offset == len("a,b\n0,0\n" + before)
    assert account.rows_in == len(expected) + len(account.entries)
    assert not after or offsets[-1] == len("a,b\n0,0\n" + before) + 501 + 1


@pytest.mark.parametrize("length", [98, 99, 100, 101, 150])
def test_whether_a_line_is_too_long_does_not_depend_on_the_blocks(tmp_path, monkeypatch, length):
    monkeypatch.setattr(source, "LONGEST_LINE", 100)
    path = written(tmp_path, "a,b\n0,0\n1," + "x" * (length - 2) + "\n2,2\n")
    found = []
    for block in (1, 16, 64, 100):  # a block is shorter than the longest line
        monkeypatch.setattr(source, "BLOCK", block)
        _, rows, numbers, offsets, account = read(path)
        found.append((rows, numbers, offsets, [(entry.row, entry.offset, entry.rule) for entry in account.entries]))
    assert found == [found[0]] * 4
    assert found[0][1] == ([1, 2, 3] if length < 100 else [1, 3])
