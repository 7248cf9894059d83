"""Files unpacked on the way: whole ones as they are, cut or damaged ones never as short ones."""

from __future__ import annotations

import gzip

import pytest

from pellucid.core.errors import DataError
from pellucid.data.unpacking import unpacked

CONTENT = b"".join(b"%d,%d\n" % (k * 7919 % 100003, k) for k in range(30_000))


def zstd(content):
    return pytest.importorskip("zstandard").ZstdCompressor().compress(content)


def content_of(path, size=5000):
    parts = []
    with unpacked(str(path)) as file:
        while part := file.read(size):
            parts.append(part)
    assert all(len(part) == size for part in parts[:-1])
    return b"".join(parts)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
@pytest.mark.parametrize("pieces", [1, 3])
def test_what_was_packed_comes_out(tmp_path, pack, pieces):
    size = len(CONTENT) // pieces
    (tmp_path / "x").write_bytes(b"".join(pack(CONTENT[k : k + size]) for k in range(0, len(CONTENT), size)))
    assert content_of(tmp_path / "x") == CONTENT


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_an_error(tmp_path, pack, share):
    packed = pack(CONTENT)
    (tmp_path / "x").write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(DataError, match="damaged or cut off"):
        content_of(tmp_path / "x")


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_damaged_file_is_an_error(tmp_path, pack):
    packed = bytearray(pack(CONTENT))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    (tmp_path / "x").write_bytes(packed)
    with pytest.raises(DataError, match="damaged or cut off"):
        content_of(tmp_path / "x")


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        content_of(tmp_path / "none")
