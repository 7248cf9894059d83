"""Every cell of hostile files that can be read, worked out by hand: what is kept stands as it was written."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from tables_read import read, written

import pellucid as pl

# name -> (content, names, rows)
CELLS = {
    "a row too short and one too long": ("a,b\n1\n2,x\n3,y,z\n4,w\n", "ab", [["2", "x"], ["4", "w"]]),
    "an open quote at the end": ('a,b\n1,x\n2,"y', "ab", [["1", "x"], ["2", '"y']]),
    "an open quote in the middle": (
        'a,b,c\n1,"x,u\n2,y,v\n3,z,w\n',
        "abc",
        [["1", '"x', "u"], ["2", "y", "v"], ["3", "z", "w"]],
    ),
    "quotes inside of a cell": ('a,b\n1,5" pipe\n2,x "y" z\n', "ab", [["1", '5" pipe'], ["2", 'x "y" z']]),
    "doubled quotes over lines": ('a,b\n"say ""x""\n, y",1\n"""",2\n', "ab", [['say "x"\n, y', "1"], ['"', "2"]]),
    "backslashes": ('a,b\n"say \\"x\\"",1\no\\nk,2\n\\,3\n', "ab", [['"say \\"x\\""', "1"], ["o\\nk", "2"], ["\\", "3"]]),
    "a delimiter at the end": ("a,b,\n1,x,\n2,y,\n", ["a", "b", "column 3"], [["1", "x", ""], ["2", "y", ""]]),
    "a delimiter at the end of rows alone": ("a,b\n1,x,\n2,y,\n", "ab", [["1", "x"], ["2", "y"]]),
    "CR": ("a,b\r1,x\r2,y", "ab", [["1", "x"], ["2", "y"]]),
    "CRLF, LF, and CR in quotes": ('a,b\r\n1,x\n2,"y\rz"\r\n', "ab", [["1", "x"], ["2", "y\rz"]]),
    "NUL in one row": ("a,b\n1,\0\n2,y\n", "ab", [["2", "y"]]),
    "a second header, and totals": ("a,b\n1,x\na,b\n2,y\nTotal,\n", "ab", [["1", "x"], ["2", "y"]]),
    "blank lines everywhere": ("\n\na,b\n\n1,x\n   \n2,y\n\n\n", "ab", [["1", "x"], ["2", "y"]]),
    "the mark of UTF-8": ("\ufeffa,b\n1,é\n2,y\n", "ab", [["1", "é"], ["2", "y"]]),
    "the mark of UTF-16": ("a,b\n1,é\n2,😀\n".encode("utf-16"), "ab", [["1", "é"], ["2", "😀"]]),
    "the mark of UTF-16, high byte first": (
        b"\xfe\xff" + "a,b\n1,é\n2,y\n".encode("utf-16-be"),
        "ab",
        [["1", "é"], ["2", "y"]],
    ),
    "the mark of UTF-32": ("a,b\n1,é\n2,y\n".encode("utf-32"), "ab", [["1", "é"], ["2", "y"]]),
    "gzip in pieces": (gzip.compress(b"a,b\n1,x\n2") + gzip.compress(b",y\n"), "ab", [["1", "x"], ["2", "y"]]),
    "sep= for Excel": ("sep=;\na;b\n1,5;x\n2,5;y\n", "ab", [["1,5", "x"], ["2,5", "y"]]),
    "names twice, and none": ("a,a,,a (2)\n1,2,3,4\n5,6,7,8\n", ["a", "a (3)", "column 3", "a (2)"], ["1234", "5678"]),
    "names of emoji and right to left": ("😀,שלום\n1,x\n2,y\n", ["😀", "שלום"], [["1", "x"], ["2", "y"]]),
    "names that differ by case": ("A,a\n1,x\n2,y\n", ["A", "a"], [["1", "x"], ["2", "y"]]),
    "a name over two lines": ('"a\nb",c\n1,x\n2,y\n', ["a\nb", "c"], [["1", "x"], ["2", "y"]]),
    "ends of lines that are none": (
        "a,b\n1,x\u2028y\n2,\u0085\x0b\x0c\n",
        "ab",
        [["1", "x\u2028y"], ["2", "\u0085\x0b\x0c"]],
    ),
    "formulas": ("a,b\n=cmd()|' /C x'!A0,1\n@SUM(1),2\n", "ab", [["=cmd()|' /C x'!A0", "1"], ["@SUM(1)", "2"]]),
    "escapes of a terminal": ("a,b\n\x1b[2J,1\n\x07,2\n", "ab", [["\x1b[2J", "1"], ["\x07", "2"]]),
    "one column": ("a\n1\n\n2\n", "a", [["1"], ["2"]]),
    "one column with an empty cell in quotes": ('a\n1\n""\n2\n', "a", [["1"], ["2"]]),
    "a field of 3 MB": ("a,b\n1," + "é" * 1_500_000 + "\n2,y\n", "ab", [["1", "é" * 1_500_000], ["2", "y"]]),
}


@pytest.mark.parametrize("name", CELLS)
def test_what_is_kept_stands_as_it_was_written(tmp_path, name):
    content, names, rows = CELLS[name]
    found_names, found, _, _, account = read(written(tmp_path, content))
    assert list(found_names) == list(names)
    assert found == [list(row) for row in rows]
    assert account.rows_used == len(rows) == account.rows_in - account.rows_refused
    assert sum(entry.refused for entry in account.entries) == account.rows_refused


# name -> (cells of a column, what they are as numbers; None where one is missing or refused, how many are refused)
NUMBERS = {
    "beyond float64": (["1.5", "1e400", "-1e400", "2"], [1.5, None, None, 2], 2),
    "infinity and nan": (["1.5", "inf", "-Infinity", "nan", "NaN"], [1.5, None, None, None, None], 2),
    "next to zero": (["1e-320", "1e-400", "-0", "4.9e-324"], [1e-320, 0, 0, 5e-324], 0),
    "many digits": (
        ["1" * 300, "0." + "3" * 400, "123456789012345678901234567890"],
        [float("1" * 300), 1 / 3, 123456789012345678901234567890.0],
        0,
    ),
    "digits of other scripts": (["1", "٢", "³", "2"], [1, None, None, 2], 2),
    "numbers of programs": (["1", "0x10", "1_000", "1f", "2"], [1, None, None, None, 2], 3),
    "signs": (["+5", "-5", "- 5", "--5", "5-"], [5, -5, None, None, None], 3),
    "thousands and points": (["1,234.5", "12", "1,234,567", "12,34"], [1234.5, 12, 1234567, None], 1),
    "thousands by apostrophes": (["1'234.5", "1'234'567", "2"], [1234.5, 1234567, 2], 0),
    "spaces of thousands": (["1 234,5", "1\u00a0234\u00a0567", "2\u202f000", "7"], [1234.5, 1234567, 2000, 7], 0),
    "money": (["$5", "$1,234.50", "€3", "$7"], [5, 1234.5, None, 7], 1),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_what_they_say_or_refused(tmp_path, name):
    cells, numbers, refused = NUMBERS[name]
    lines = [f'"{cell}",{"xy"[k % 2]}' for k, cell in enumerate(cells)]
    path = written(tmp_path, "\n".join(["number,t", *lines]) + "\n")
    table = pl.datasets.table(path, "t", kinds={"number": "number"})
    assert [None if value != value else value for value in table.values[0].tolist()] == numbers
    assert table.account.cells_refused == refused
    assert table.account.cells_in == 2 * len(cells) == table.account.cells_used + refused


# name -> (cells, days as ISO dates; None where one is refused)
DATES = {
    "days that no month has": (["28/02/2024", "31/02/2024", "30/02/2023", "31/04/2024"], ["2024-02-28", None, None, None]),
    "leap days": (["29/02/2024", "29/02/2023", "29/02/1900", "29/02/2000"], ["2024-02-29", None, None, "2000-02-29"]),
    "years of two digits": (
        ["31/12/68", "01/01/69", "29/02/00", "31/02/24"],
        ["2068-12-31", "1969-01-01", "2000-02-29", None],
    ),
    "one order": (["13/01/2024", "01/02/2024", "01/13/2024"], ["2024-01-13", "2024-02-01", None]),
    "the year 0, and 10000": (
        ["0000-01-01", "9999-12-31", "10000-01-01", "2024-01-13"],
        [None, "9999-12-31", None, "2024-01-13"],
    ),
}


@pytest.mark.parametrize("name", DATES)
def test_dates_are_days_of_the_calendar_or_refused(tmp_path, name):
    cells, days = DATES[name]
    path = written(tmp_path, "day,t\n" + "".join(f"{cell},{'xy'[k % 2]}\n" for k, cell in enumerate(cells)))
    options = {"date_order": "dmy"} if "/" in cells[0] else {}
    table = pl.datasets.table(path, "t", kinds={"day": "date"}, **options)
    found = [None if value != value else str(np.datetime64(int(value), "s"))[:10] for value in table.values[0].tolist()]
    assert found == days
    assert table.account.cells_refused == days.count(None)
