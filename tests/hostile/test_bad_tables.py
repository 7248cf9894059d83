"""Files that no table should be, and yet are sent: a right reading with an account of every row, or one sentence."""

from __future__ import annotations

import gzip
import json
import re
import zlib

import pytest

ROWS = "".join(f"{k},{k}.5,w{k % 3}\n" for k in range(1, 9))  # 8 whole rows under a,b,c
TABLE = "a,b,c\n" + ROWS

# name -> (content, options, words of the sentence); the command ends with exit code 2
NOT_READ = {
    "empty": ("", "", "is empty"),
    "a single line break": ("\n", "", "is empty"),
    "spaces and line breaks": (" \n\t\n \r\n" * 9, "", "is empty"),
    "a byte order mark alone": ("\ufeff", "", "is empty"),
    "a mark of UTF-16 alone": (b"\xff\xfe", "", "is empty"),
    "commas alone": (",,,\n,,,\n", "", "no rows"),
    "header only": ("a,b,c", "", "a header and no rows"),
    "header only, with a line break": ("a,b,c\r\n", "", "a header and no rows"),
    "header only, many times": ("a,b,c\n" * 9, "", "a header and no rows"),
    "a single word": ("hello", "", "a header and no rows"),
    "numbers without a header": (ROWS, "", "has no header.*--names"),
    "words without a header": ("x,u\nx,v\ny,u\n" * 3, "", "has no header"),
    "a gap in the first row, no header": ("1.5,,x\n2.5,3,y\n3.5,4,x\n", "", "has no header"),
    "a title above the header": ("My table of 2024\n" + TABLE, "", "header .* has 1 column, most rows have 3"),
    "comments above the header": ("# made by x\n# on Monday\n" + TABLE, "", "most rows have 3"),
    "every row of another width": ("a,b\n1\n1,2,3\n1,2,3,4\n1,2,3,4,5\n", "", "no table: only 0.0% of its rows"),
    "no row of the header's width": ("a,b,c,d\n" + ROWS, "", "4 columns, most rows have 3"),
    "a header of two columns above rows of one": ("a;b\n1\n2\n3\n", "", "header .* has 2 columns, divided by ';'"),
    "prose": ("It was the best of times\nit was the worst of times\nit was the age of wisdom\n", "", "no table"),
    "prose with commas": ("Dear Sir, dear all,\nI write\nto you, and others, because, well,\nit rains\n", "", "no table"),
    "JSON": ('{"a": [1, 2, 3],\n "b": 2}\n', "", "a JSON document"),
    "a JSON list": ('[\n {"a": 1},\n {"a": 2}\n]', "", "a JSON document"),
    "HTML": ("<!DOCTYPE html>\n<html><body>1,2,3</body></html>\n", "", "HTML or XML"),
    "XML": ('<?xml version="1.0"?>\n<rows><row/></rows>\n', "", "HTML or XML"),
    "an Excel workbook": (b"PK\x03\x04" + bytes(500), "", "zip archive or an Excel workbook"),
    "an old Excel workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "", "an old Excel workbook"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "", "a picture"),
    "a PDF": (b"%PDF-1.7\n1 0 obj\n", "", "a PDF document"),
    "JSON, one object a line": ('{"a":1,"b":2}\n{"a":2,"b":3}\n', "", "a JSON document"),
    "statements of SQL": ("INSERT INTO t VALUES (1,2,'x');\nINSERT INTO t VALUES (2,2,'y');\n", "", "has no header"),
    "numbers between spaces": ("a b  c\n1 2  3\n4 5  6\n", "", "divided by spaces: each line holds 3 words"),
    "an archive of tar": (b"table.csv" + bytes(503) + TABLE.encode(), "", "is not text"),
    "an array of NumPy": (b"\x93NUMPY\x01\0v\0{'descr': '<f8'}".ljust(128) + bytes(240), "", "an array of NumPy"),
    "an SQLite database": (b"SQLite format 3\0" + bytes(900), "", "an SQLite database"),
    "random bytes": (bytes((k * k * 7919 >> 4) & 255 for k in range(5000)), "", "is not text|is not UTF-8"),
    "zeros": (bytes(5000), "", "is not text"),
    "UTF-16 without a mark": (TABLE.encode("utf-16-le"), "", "--encoding utf-16-le"),
    "UTF-16 of the other end, without a mark": (TABLE.encode("utf-16-be"), "", "UTF-16 .*--encoding utf-16-be"),
    "UTF-32 without a mark": (TABLE.encode("utf-32-le"), "", "UTF-32 .*--encoding utf-32-le"),
    "UTF-32 of the other end, without a mark": (TABLE.encode("utf-32-be"), "", "UTF-32 .*--encoding utf-32-be"),
    "half a surrogate in UTF-8": (b"a,b\n1,\xed\xa0\x80\n2,x\n", "", "byte 0xed at offset 6, in line 2"),
    "a slash of two bytes": (b"a,b\n1,\xc0\xaf\n2,x\n", "", "byte 0xc0 at offset 6, in line 2"),
    "half a character of UTF-16": (b"\xff\xfe" + TABLE.encode("utf-16-le") + b"x", "", "not UTF-16-LE"),
    "Windows-1252": (TABLE.replace("w2", "é").encode("cp1252"), "", "offset 21, in line 3 .row 2.*'é'.*windows-1252"),
    "a lonely byte in row 8": (TABLE.encode()[:-2] + b"\x81\n", "", "0x81 at offset 76, in line 9"),
    "gzip cut off": (gzip.compress(TABLE.encode() * 200)[:-20], "", "damaged or cut off"),
    "gzip with a wrong sum": (gzip.compress(TABLE.encode())[:-8] + bytes(8), "", "damaged or cut off"),
    "gzip of gzip": (gzip.compress(gzip.compress(TABLE.encode())), "", "packed twice"),
    "gzip of a zip archive": (gzip.compress(b"PK\x03\x04" + bytes(500)), "", "zip archive"),
    "gzip of a Parquet file": (gzip.compress(b"PAR1" + bytes(500)), "", "Parquet file that was packed"),
    "gzip of 100 MB of one letter": (gzip.compress(b"x" * 100_000_000, 1), "", "the first line .* more than 16 MiB"),
    "zlib without a header of gzip": (zlib.compress(TABLE.encode()), "", "is not text|is not UTF-8"),
    "gzip of nothing": (gzip.compress(b""), "", "is empty"),
    "half a gzip header": (b"\x1f\x8b\x08", "", "damaged or cut off"),
    "an unknown encoding": (TABLE, "--encoding martian", "no encoding 'martian'"),
    "an encoding of no text": (TABLE, "--encoding base64", "no encoding 'base64'"),
    "a delimiter of two signs": (TABLE, "--delimiter ::", "delimiter is one sign"),
    "too few names": (ROWS, "--names x,y", "has 3 cells, not 2 names"),
    "names that are equal": (ROWS, "--names x,y,x", "must differ"),
    "a kind of no column": (TABLE, "--kind age=number", "'age'"),
    "a kind that is none": (TABLE, "--kind a=numbr", "'numbr'"),
    "a kind without a sign": (TABLE, "--kind a", "COLUMN=KIND"),
    "a target that is no column": (TABLE, "--target price", "'price'"),
    "a dropped column that is none": (TABLE, "--drop price", "'price'"),
    "only rows that are refused": ("a,b\n1,\0\n2,\0\n", "", "no row of .* can be used.*NUL"),
    "only a row of totals": ("a,b\nTotal,3\n", "", "no row of .* can be used.*totals"),
}  # fmt: skip

# name -> (content, options, rows used, rows refused, rows repaired, cells refused, words of the account)
READ = {
    "plain": (TABLE, "", 8, 0, 0, 0, ""),
    "no line break at the end": (TABLE[:-1], "", 8, 0, 0, 0, ""),
    "CR": (TABLE.replace("\n", "\r"), "", 8, 0, 0, 0, ""),
    "CRLF": (TABLE.replace("\n", "\r\n"), "", 8, 0, 0, 0, ""),
    "CRLF below LF": ("a,b,c\n" + ROWS.replace("\n", "\r\n"), "", 8, 0, 0, 0, ""),
    "LF below CRLF": ("a,b,c\r\n" + ROWS, "", 8, 0, 0, 0, ""),
    "a CR in the middle of a line": (TABLE + "1,2,x\r3,4,y\n", "", 8, 1, 0, 0, "carriage return outside of quotes"),
    "byte order mark": ("\ufeff" + TABLE, "", 8, 0, 0, 0, ""),
    "UTF-16": (TABLE.encode("utf-16"), "", 8, 0, 0, 0, ""),
    "gzip": (gzip.compress(TABLE.encode()), "", 8, 0, 0, 0, ""),
    "gzip in two pieces": (gzip.compress(TABLE[:20].encode()) + gzip.compress(TABLE[20:].encode()), "", 8, 0, 0, 0, ""),
    "Windows-1252, stated": (TABLE.replace("w2", "é").encode("cp1252"), "--encoding windows-1252", 8, 0, 0, 0, ""),
    "a row too short": (TABLE + "1,2\n", "", 8, 1, 0, 0, "row 9 .byte 78.*it has 2 cells, the header 3"),
    "a row too long": (TABLE + "1,2,x,y\n", "", 8, 1, 0, 0, "it has 4 cells, the header 3"),
    "a row too long by nothing": (TABLE + "1,2,x,,\n", "", 9, 0, 1, 0, "empty cells beyond the last column"),
    "a stray quote": (TABLE + '1,2,"x\n', "", 9, 0, 1, 0, "quotes do not fit"),
    "text behind a quote": (TABLE + '1,2,"x"y\n', "", 9, 0, 1, 0, "quotes do not fit"),
    "two stray quotes over rows": (TABLE + '1,2,"x\n3,4,z\n5,6,x"\n', "", 11, 0, 2, 0, "quotes do not fit"),
    "each row too long by nothing": ("a,b,c\n" + ROWS.replace("\n", ",\n"), "", 8, 0, 8, 0, "empty cells beyond"),
    "a delimiter at the end of each line": (TABLE.replace("\n", ",\n"), "", 8, 0, 0, 0, "column 4 has no name"),
    "an open quote, and the end": (TABLE + '1,2,"x', "", 9, 0, 1, 0, "quotes do not fit"),
    "an open quote before 50,000 rows": ('a,b\n"' + "1,2\n" * 50_000, "", 50_000, 0, 1, 1, "1, a .byte 4.*it is no"),
    "an open quote in the header": ('a,"b,c\n' + ROWS, "", 8, 0, 0, 0, "the header: its quotes do not fit"),
    "quotes behind backslashes": (TABLE + '9,1,"say \\"x\\""\n', "", 9, 0, 1, 0, "quotes do not fit"),
    "quotes that are doubled, over lines": (TABLE + '9,1,"say ""x""\n\n, y"\n', "", 9, 0, 0, 0, ""),
    "all three ends of lines": (TABLE + "9,1,x\r\n1,2,y\r3,4,z\n", "", 9, 1, 0, 0, "carriage return outside of quotes"),
    "a NUL byte": (TABLE + "1,2,x\0y\n", "", 8, 1, 0, 0, "NUL bytes"),
    "a second header": (TABLE + "a,b,c\n" + ROWS, "", 16, 1, 0, 0, "the header again"),
    "a second header in quotes": (TABLE + '"a","b","c"\n', "", 8, 1, 0, 0, "the header again"),
    "trailing totals": (TABLE + "Total,40,\n", "", 8, 1, 0, 0, "a word for totals"),
    "a footnote": (TABLE + "Source: the census\n", "", 8, 1, 0, 0, "it has 1 cell, the header 3"),
    "blank lines": (TABLE.replace("\n", "\n\n"), "", 8, 0, 0, 0, "9 blank lines|8 blank lines"),
    "rows of commas": (TABLE + ",,\n,,\n", "", 8, 2, 0, 0, "all its cells are empty"),
    "infinities among numbers": (TABLE + ROWS * 2 + "9,inf,x\n9,-Infinity,x\n9,nan,x\n", "", 27, 0, 0, 2, "'-Infinity'"),
    "a word among numbers": (TABLE + ROWS + "9,oops,w1\n", "", 17, 0, 0, 1, "row 17, b .byte 150.*'oops' refused"),
    "an overflow among numbers": (TABLE + ROWS + "9,1e999,w1\n", "", 17, 0, 0, 1, "'1e999' refused: it is no number"),
    "a date that is none": ("d,n\n2024-02-28,1\n" + "2024-01-13,5\n" * 10 + "2024-02-30,2\n", "", 12, 0, 0, 1,
                            "'2024-02-30' refused: it is no date"),
    "the 31st of February": ("d,n\n" + "".join(f"{d:02}/03/2024,{d % 5}\n" for d in range(1, 29)) + "31/02/2024,3\n", "",
                             29, 0, 0, 1, "row 29, d .byte 368.*'31/02/2024' refused: it is no date"),
    "missing marks": (TABLE + "NA,?,NA\n", "", 9, 0, 0, 0, "2 missing"),
    "duplicated names": ("a,a,a\n" + ROWS, "", 8, 0, 0, 0, r"it is called 'a \(2\)'"),
    "an empty name": ("a,,c\n" + ROWS, "", 8, 0, 0, 0, "column 2 has no name"),
    "10,000 columns of one name": ("a," * 9_999 + "a\n" + "1," * 9_999 + "1", "", 1, 0, 0, 0, r"'a \(10000\)'"),
    "names that differ by case and spaces": ("Price,price, PRICE\n" + ROWS, "", 8, 0, 0, 0, "Price, price, PRICE"),
    "names that spaces alone tell apart": ("a, a ,a  b\n" + ROWS, "", 8, 0, 0, 0, r"'a' again: it is called 'a \(2\)'"),
    "names that control the terminal": ("\x1b[31ma,b\x07,\x9b2Jc\n" + ROWS, "", 8, 0, 0, 0, r"x1b\[31ma, b\\x07, \\x9b2Jc"),
    "names that turn the text": ("\u202ea,\u2067b,שם\n" + ROWS, "", 8, 0, 0, 0, r"\\u202ea, \\u2067b, שם"),
    "names of emoji": ("😀,👩\u200d👧,c\n" + ROWS, "", 8, 0, 0, 0, r"😀, 👩\\u200d👧, c"),
    "a name that feigns a line": ('"a\n9 rows refused",b,c\n' + ROWS, "", 8, 0, 0, 0, r"target.*: a\\n9 rows refused, b"),
    "names of line breaks": ('"a\nb","c\rd","\te"\n' + ROWS, "", 8, 0, 0, 0, r"a\\nb"),
    "one column": ("price\n1\n2\n7\n", "", 3, 0, 0, 0, "price"),
    "one column of quotes": ('price\n"1"\n"2"\n"7"\n', "", 3, 0, 0, 0, "price"),
    "all columns constant": ("a,b\n" + "1,x\n" * 5, "", 5, 0, 0, 0, "all cells are equal"),
    "all cells of a column missing": ("a,b\n" + "1,\n2,\n7,\n", "", 3, 0, 0, 0, "all cells are empty"),
    "one row": ("a,b\n1,x\n", "", 1, 0, 0, 0, "all cells are equal"),
    "sep= above the header": ("sep=;\n" + TABLE.replace(",", ";"), "", 8, 0, 0, 0, ""),
    "a long cell in quotes": (TABLE + '9,1,"' + "x\n" * 5000 + '"\n', "", 9, 0, 0, 0, ""),
    "a line of 17 MiB": (TABLE + "x" * (17 << 20) + "\n" + ROWS, "", 16, 1, 0, 0, "more than 16 MiB"),
    "an open quote before 17 MiB": (TABLE + '1,2,"' + "x" * (17 << 20) + "\n" + ROWS, "", 16, 1, 0, 0, "more than 16 MiB"),
    "1,000 columns": (",".join(f"c{k}" for k in range(1000)) + ("\n" + ",".join(["1"] * 1000)) * 3, "", 3, 0, 0, 0, ""),
    "formulas and control characters": (TABLE + "1,2,=cmd|x\n1,2,\x1b[31mred\n", "", 10, 0, 0, 0, ""),
    "cells that control the terminal": (TABLE + ROWS * 2 + "9,\x1b]0;x\x07,w\x9bm\n", "", 25, 0, 0, 1, r"0;x\\x07' ref"),
    "a cell of 5 MB": (TABLE + "9,1," + "x" * 5_000_000 + "\n", "", 9, 0, 0, 0, ""),
    "one sign a comment": ("#a,b,c\n" + ROWS, "", 8, 0, 0, 0, "#a"),
    "sep= in quotes": ('"sep=;"\n' + TABLE.replace(",", ";"), "", 8, 0, 0, 0, ""),
    "decimal commas": ("a;b\n" + "".join(f"{k},5;{k}\n" for k in range(9)), "", 9, 0, 0, 0, "decimal comma"),
    "numbers beyond float64": ("a,b\n" + "".join(f"{k}e400,{k}\n" for k in range(1, 6)), "", 5, 0, 0, 0, "a category 0 5"),
    "all ways of thousands": ('a,b\n"1,234.5",1\n"1.234,5",3\n1 234.5,2\n1\'234.5,9\n', "", 4, 0, 0, 0, "category 0 4"),
    "nothing that could be a target": ("a,b\n" + "1,x\n" * 5, "", 5, 0, 0, 0, "No column could be a target"),
    "names given": (ROWS, "--names x,y,z", 8, 0, 0, 0, ""),
    "names given, blank lines first": ("\n\n" + ROWS, "--names x,y,z", 8, 0, 0, 0, "2 blank lines"),
    "a comma that may mean either": ('a,b\n"1,234",2\n"5,678",3\n', "", 2, 0, 0, 0, "--decimal"),
    "a day that may be a month": ("a,b\n03/04/2024,2\n05/06/2024,3\n", "", 2, 0, 0, 0, "--date-order"),
}  # fmt: skip


@pytest.fixture
def inspect(command, tmp_path):
    """``inspect(content, "--json")``: exit code and what was written."""

    def run(content, *options):
        (tmp_path / "table.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return command("inspect", "table.csv", *options)

    return run


def matches(pattern, text):
    return re.search(f"(?i){pattern}", " ".join(text.split()))


def test_there_are_many():
    assert len(NOT_READ) + len(READ) >= 120


@pytest.mark.parametrize("name", NOT_READ)
def test_one_sentence_and_exit_code_2(inspect, name):
    content, options, words = NOT_READ[name]
    code, out, error = inspect(content, *options.split(), "--json")
    assert (code, out) == (2, ""), out + error
    assert error.count("Error: ") == 1
    assert matches(words, error), error


@pytest.mark.parametrize("name", READ)
def test_a_right_reading_and_its_account(inspect, name):
    content, options, used, refused, repaired, cells_refused, words = READ[name]
    code, out, error = inspect(content, *options.split())
    assert code == 0, error
    assert matches(words, out), out
    code, out, error = inspect(content, *options.split(), "--json")
    assert code == 0, error
    data = json.loads(out)
    rows, cells = data["rows"], data["cells"]
    assert (rows["used"], rows["refused"], rows["repaired"], cells["refused"]) == (used, refused, repaired, cells_refused)
    assert rows["in"] == used + refused
    assert cells["in"] == cells["used"] + cells["refused"] == used * len(data["columns"])
    assert len(data["entries"]) == min(10, refused + repaired + cells_refused)
