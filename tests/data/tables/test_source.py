"""The text of a file: its encoding, proven or asked for, and its place in bytes."""

from __future__ import annotations

import gzip

import pytest
from tables_read import read, written

from pellucid.core.errors import DataError
from pellucid.data.tables import source
from pellucid.data.tables.source import Source

TEXT = "größe,n\né,1\nü,2\n"
ROWS = [["é", "1"], ["ü", "2"]]


@pytest.mark.parametrize("block", [1, 1 << 20])
@pytest.mark.parametrize(
    ("encoding", "stated"),
    [
        *(("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-32", None), ("utf-8-sig", "utf-8")),
        *(("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-be", "utf-16-be"), ("windows-1252", "cp1252")),
        *(("latin-1", "iso-8859-1"), ("cp437", "cp437"), ("utf-32", "utf-32"), ("utf-8", "UTF8")),
    ],
)
def test_a_table_in_any_encoding(tmp_path, monkeypatch, block, encoding, stated):
    monkeypatch.setattr(source, "BLOCK", block)
    names, rows, *_ = read(written(tmp_path, TEXT.encode(encoding)), encoding=stated)
    assert (names, rows) == (("größe", "n"), ROWS)


def test_a_byte_order_mark_of_the_other_end_is_heeded(tmp_path):
    path = written(tmp_path, b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert read(path)[1] == read(path, encoding="utf-16")[1] == ROWS


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_windows_1252_is_offered_with_the_place_and_never_guessed(tmp_path, monkeypatch, block, pack):
    monkeypatch.setattr(source, "BLOCK", block)
    path = written(tmp_path, pack("name,n\na,1\nö,2\ncafé,3\n".encode().replace("é".encode(), b"\xe9")))
    with pytest.raises(DataError) as error:
        read(path)
    for words in ("not UTF-8", "0xe9", "offset 19", "line 4", "row 3", "'é'", "--encoding windows-1252"):
        assert words in str(error.value)


def test_bytes_that_windows_1252_does_not_have_are_not_offered(tmp_path):
    with pytest.raises(DataError, match="not UTF-8") as error:
        read(written(tmp_path, b"a,b\n\x81,1\n"))
    assert "windows-1252" not in str(error.value)


def test_a_character_that_is_cut_off_at_the_end_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"not UTF-8.*offset 6, in line 2"):
        read(written(tmp_path, b"a,b\n1,\xc3"))


@pytest.mark.parametrize("name", ["base64", "rot13", "hex", "no-such", "", "undefined", "idna", "a\0b", "bz2"])
def test_what_is_no_encoding_of_text(tmp_path, name):
    with pytest.raises(DataError, match=r"encoding|not IDNA|not UNDEFINED"):
        read(written(tmp_path, "a,b\n1,2\n"), encoding=name)


@pytest.mark.parametrize("name", ["utf-7", "unicode_escape", "raw_unicode_escape"])
def test_escapes_that_are_no_characters_are_an_error(tmp_path, name):
    content = {"utf-7": b"a,b\n+2AA-,1\n"}.get(name, b"a,b\n\\ud800,1\n")
    with pytest.raises(DataError, match="is not"):
        read(written(tmp_path, content), encoding=name)


def test_utf_16_without_a_mark_is_suggested(tmp_path):
    with pytest.raises(DataError, match="--encoding utf-16-le"):
        read(written(tmp_path, "a,b\n1,2\n3,4\n".encode("utf-16-le")))


@pytest.mark.parametrize("block", [1, 3, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_blocks_are_all_of_the_file_each_at_its_place(tmp_path, monkeypatch, block, end):
    monkeypatch.setattr(source, "BLOCK", block)
    content = end.join([b"a,b", b"", b"1,2", "é,4".encode(), b"last"])
    opened = Source.open(written(tmp_path, content))
    assert opened.line_end == end
    blocks = list(opened.blocks())
    assert end.join(one.content for one in blocks) == content
    for one in blocks:
        assert content[one.offset : one.offset + len(one.content)] == one.content
