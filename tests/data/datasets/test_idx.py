"""The reader of IDX files: every kind of number, and files that lie. All bytes here are written by hand."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.data.datasets.idx import read_idx, read_labelled_images

# Two by three values 1 to 6 of kind uint8.
SMALL = bytes.fromhex("00000802 00000002 00000003 010203040506")


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("08", "00 7f ff", np.array([0, 127, 255], np.uint8)),
        ("09", "00 7f ff", np.array([0, 127, -1], np.int8)),
        ("0b", "0102 ffff 8000", np.array([258, -1, -32768], np.int16)),
        ("0c", "00010000 fffffffe 7fffffff", np.array([65536, -2, 2147483647], np.int32)),
        ("0d", "3fc00000 c0000000 00000000", np.array([1.5, -2, 0], np.float32)),
        ("0e", "3ff8000000000000 c000000000000000 0000000000000000", np.array([1.5, -2, 0], np.float64)),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_each_kind_of_number_arrives_with_its_value(tmp_path, pack, kind, values, expected):
    data = bytes.fromhex(f"0000{kind}01 00000003 {values}")
    array = read_idx(write(tmp_path / "x", pack(data)))
    assert array.dtype == expected.dtype  # equal only if the byte order is this machine's
    np.testing.assert_array_equal(array, expected)


def test_rows_come_before_columns_and_the_array_is_ones_own(tmp_path):
    path = write(tmp_path / "x", SMALL)
    array = read_idx(path)
    assert array.tolist() == [[1, 2, 3], [4, 5, 6]]
    array[0, 0] = 99
    assert read_idx(path)[0, 0] == 1
    assert path.read_bytes() == SMALL


def test_the_name_does_not_decide_whether_it_is_packed(tmp_path):
    assert read_idx(write(tmp_path / "plain.gz", SMALL)).sum() == 21
    assert read_idx(write(tmp_path / "packed", gzip.compress(SMALL))).sum() == 21


def test_a_gzip_file_in_several_members_is_read_to_its_end(tmp_path):
    data = gzip.compress(SMALL[:9]) + gzip.compress(SMALL[9:])
    assert read_idx(write(tmp_path / "x", data)).sum() == 21


def test_an_empty_collection_is_empty(tmp_path):
    array = read_idx(write(tmp_path / "x", bytes.fromhex("00000803 00000000 0000001c 0000001c")))
    assert array.shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "ends after 0 bytes"),
        (SMALL[:3], "ends after 3 bytes"),
        (b"\x89PNG\r\n\x1a\n", "not an IDX file: it begins with the bytes 89 50 4e 47"),
        (b"\0\1" + SMALL[2:], "not an IDX file"),
        (b"\0\0\x0a\x02" + SMALL[4:], "not an IDX file"),
        (b"\0\0\x08\0" + SMALL[4:], "1 to 8 dimensions"),
        (b"\0\0\x08\xff" + bytes(2000), "1 to 8 dimensions"),
        (SMALL[:10], "cut off inside its header"),
        (SMALL[:-1], "cut off"),
        (SMALL + b"\7", "goes on after the 6 bytes"),
        (bytes.fromhex("00000804") + b"\xff" * 16 + bytes(100), "cannot hold more than"),
        (bytes.fromhex("0000080300000000") + b"\xff" * 8, "at most 2147483648 are read"),
    ],
)
def test_a_lying_file_is_refused_with_its_name(tmp_path, data, complaint):
    for name, stored in {"plain": data, "packed": gzip.compress(data)}.items():
        path = write(tmp_path / name, stored)
        with pytest.raises(DataError) as caught:
            read_idx(path)
        assert str(path) in str(caught.value)
        assert complaint in str(caught.value)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_every_shortened_file_is_refused(tmp_path, pack):
    stored = pack(SMALL)
    for length in range(len(stored)):
        with pytest.raises(DataError):
            read_idx(write(tmp_path / "x", stored[:length]))


def test_a_gzip_file_with_any_damaged_byte_is_refused_or_still_right(tmp_path):
    data = bytes.fromhex("00000801 00000100") + bytes(range(256))
    stored = gzip.compress(data)
    refused = 0
    for index in range(len(stored)):
        damaged = bytearray(stored)
        damaged[index] ^= 0x10
        try:
            array = read_idx(write(tmp_path / "x", bytes(damaged)))
        except DataError:
            refused += 1
        else:  # only the bytes of the gzip header that say nothing about the content
            np.testing.assert_array_equal(array, np.arange(256, dtype=np.uint8))
    assert refused >= len(stored) - 10


def test_an_absurd_size_costs_no_memory(tmp_path):
    # 1 GiB declared, in a file that could hold 206 kB at the most: refused before 1 MB is taken.
    claim = bytes.fromhex("00000803 00000400 00000400 00000400") + bytes(100)
    for stored in (claim, gzip.compress(claim)):
        path = write(tmp_path / "x", stored)
        tracemalloc.start()
        with pytest.raises(DataError, match="cannot hold more than"):
            read_idx(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1e6


def test_a_small_file_that_unpacks_to_much_is_not_unpacked(tmp_path):
    path = write(tmp_path / "x", gzip.compress(SMALL + bytes(50_000_000)))
    tracemalloc.start()
    with pytest.raises(DataError, match="goes on after"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6


def test_the_ceiling_holds_for_honest_files_too(tmp_path):
    path = write(tmp_path / "x", SMALL)
    with pytest.raises(DataError, match="6 bytes; at most 5 are read"):
        read_idx(path, max_bytes=5)
    assert read_idx(path, max_bytes=6).size == 6


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "nowhere.gz", tmp_path):
        with pytest.raises(DataError) as caught:
            read_idx(path)
        assert str(path) in str(caught.value)


class TestLabelledImages:
    IMAGES = bytes.fromhex("00000803 00000002 00000001 00000003 010203 040506")
    LABELS = bytes.fromhex("00000801 00000002 0709")

    def test_the_pair(self, tmp_path):
        x, y = read_labelled_images(write(tmp_path / "i", self.IMAGES), write(tmp_path / "l", self.LABELS))
        assert x.tolist() == [[[1, 2, 3]], [[4, 5, 6]]]
        assert y.tolist() == [7, 9]
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)

    def test_swapped_files_are_noticed(self, tmp_path):
        images, labels = write(tmp_path / "i", self.IMAGES), write(tmp_path / "l", self.LABELS)
        with pytest.raises(DataError, match=r"uint8 of shape \(2,\); expected grey images"):
            read_labelled_images(labels, images)
        with pytest.raises(DataError, match=r"uint8 of shape \(2, 1, 3\); expected one class per image"):
            read_labelled_images(images, images)

    def test_files_of_different_parts_are_noticed(self, tmp_path):
        images = write(tmp_path / "i", self.IMAGES)
        labels = write(tmp_path / "l", bytes.fromhex("00000801 00000003 070809"))
        with pytest.raises(DataError, match=r"2 images and .* 3 labels"):
            read_labelled_images(images, labels)
