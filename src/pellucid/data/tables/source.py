"""The text of a table's file, in blocks of whole lines, in bounded memory, each with its place in the file."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pellucid.core.display.text import printable
from pellucid.core.errors import DataError
from pellucid.data.unpacking import check_is_file, unpacked

BLOCK = 1 << 21  # bytes that are read at once
BEGINNING = 1 << 20  # bytes that tell what the file is
LONGEST_LINE = 1 << 24  # bytes; a longer line is no row of a table
CONTROL = bytes(set(range(32)) - {0, 9, 10, 11, 12, 13, 27})  # what no text holds, besides a stray NUL
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
NOT_TABLES = (
    (rb"PK\x03\x04", "a zip archive or an Excel workbook; save the sheet as CSV"),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (rb"%PDF", "a PDF document; expected a table as CSV text"),
    (rb"SQLite format 3", "an SQLite database; export the table as CSV"),
    (rb"\x1f\x8b|\x28\xb5\x2f\xfd", "packed twice by gzip or zstd; unpack it once"),
    (rb"PAR1", "a Parquet file that was packed by gzip or zstd; unpack it"),
    (rb"ARROW1|FEA1", "an Arrow file that was packed by gzip or zstd; unpack it"),
    (rb"\x93NUMPY", "an array of NumPy; expected a table as CSV text, such as numpy.savetxt writes"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0", "a picture, not a folder of pictures, and not a table as CSV text"),
    (rb"\s*<(?:[!?/]|[A-Za-z][\w:-]*[ />])", "a page or a document in HTML or XML; expected a table as CSV text"),
    (rb"\s*(?:\{\s*[\"}]|\[\s*[\[{])", "a JSON document; expected a table as CSV text"),
)


class Block(NamedTuple):
    """Whole lines, in UTF-8, without the end of the last one.

    offset   of the first byte in the file, once it is unpacked
    is_long  one line that is longer than a row may be, cut to its beginning
    """

    offset: int
    content: bytes
    is_long: bool = False


@dataclass(frozen=True)
class Source:
    """A file that holds text. ``encoding`` is that of its byte order mark, else UTF-8 unless another one is given.

    Offsets count the bytes of the file once it is unpacked.
    """

    path: str
    encoding: str
    skip: int  # bytes of the byte order mark
    line_end: bytes

    @property
    def name(self) -> str:
        return printable(self.path)

    @classmethod
    def open(cls, path: str | os.PathLike[str], encoding: str | None = None) -> Source:
        """Look at the beginning of the file. Raises `DataError` for what is missing, empty, or no text."""
        name = check_is_file(path)
        with unpacked(name) as file:
            start = file.read(BEGINNING)
        shown = printable(name)
        kind = next((kind for magic, kind in NOT_TABLES if re.match(magic, start, re.DOTALL)), None)
        if kind:
            raise DataError(f"{shown} is {kind}.")
        bom, marked = next(((bom, name) for bom, name in BOMS if start.startswith(bom)), (b"", "utf-8"))
        if encoding is not None and not (bom and _is_unicode(_known(encoding))):
            marked = _known(encoding)
        text = codecs.getincrementaldecoder(marked)("replace").decode(start[len(bom) :])
        _check_is_text(start if marked == "utf-8" else text.encode(errors="replace"), shown)
        if not text.strip():
            raise DataError(f"{shown} is empty; expected a table with a header and rows.")
        return cls(name, marked, len(bom), b"\r" if "\r" in text and "\n" not in text else b"\n")

    def size(self, text: bytes) -> int:
        """How many bytes of the file a piece of its text in UTF-8 takes."""
        if self.encoding == "utf-8":
            return len(text)
        return len(text.decode().encode(self.encoding, "replace"))

    def beginning(self) -> Block:
        """The lines that tell what the file is: the first MiB of whole lines."""
        first: Block | None = None
        for block in self.blocks():
            if first is None:
                first = block
            elif not block.is_long:
                first = first._replace(content=first.content + self.line_end + block.content)
            if first.is_long or block.is_long or len(first.content) >= BEGINNING:
                break
        if first is None:
            raise DataError(f"{self.name} is empty; expected a table with a header and rows.")
        return first

    def blocks(self) -> Iterator[Block]:
        """All lines. Raises `DataError` where the bytes are not text in the encoding, or the file is cut off."""
        offset, left, is_in_long_line = self.skip, b"", False
        for text in self._texts():
            content = left + text
            first = content.find(self.line_end) + 1  # the end of the first line, 0 if it goes on
            if is_in_long_line or (first or len(content)) > LONGEST_LINE:
                if not is_in_long_line:
                    yield Block(offset, content[:1000].decode(errors="ignore").encode(), True)
                offset += self.size(content[:first] if first else content)
                content, is_in_long_line = content[first:] if first else b"", not first
            cut = content.rfind(self.line_end) + 1
            if cut:
                yield Block(offset, content[: cut - 1])
                offset += self.size(content[:cut])
            left = content[cut:]
        if left:
            yield Block(offset, left)

    def _texts(self) -> Iterator[bytes]:
        """The text in UTF-8, piece by piece, checked."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        end = self.line_end.decode()
        position, line = self.skip, 1
        with unpacked(self.path) as file:
            file.read(self.skip)
            while True:
                raw = file.read(BLOCK)
                pending = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(raw, final=not raw)
                    content = text.encode()
                except UnicodeDecodeError as error:
                    before = error.object[: error.start].decode(self.encoding, "replace")
                    at = position - pending + error.start
                    raise DataError(self._undecodable(at, line + before.count(end), error.object[error.start])) from None
                except UnicodeError as error:
                    raise DataError(f"{self.name} is not {self.encoding.upper()} from line {line:,} on: {error}.") from None
                yield content
                if not raw:
                    return
                position += len(raw)
                line += text.count(end)

    def _undecodable(self, at: int, line: int, byte: int) -> str:
        where = f"{self.name} is not {self.encoding.upper()}: byte 0x{byte:02x} at offset {at:,}, in line {line:,}"
        where += f" (row {line - 1:,})" if line > 1 else " (the header)"
        if self.encoding != "utf-8":
            return f"{where}. Name its encoding: --encoding NAME, or encoding=."
        try:
            character = bytes([byte]).decode("windows-1252")
        except UnicodeDecodeError:
            return f"{where}. Save it as UTF-8, or name its encoding: --encoding NAME, or encoding=."
        return (
            f"{where}. In Windows-1252 this is {character!r}: if that fits, say so by --encoding windows-1252, "
            "or encoding='windows-1252'."
        )


def _known(encoding: str) -> str:
    """The name of an encoding of text that can be read piece by piece."""
    try:
        name = codecs.lookup(encoding).name
        b"a".decode(name, "replace")  # refused by codecs that are no encodings of text
        codecs.getincrementaldecoder(name)("strict").getstate()
    except (LookupError, ValueError, TypeError):
        raise DataError(f"there is no encoding {encoding!r}; usual ones are utf-8 and windows-1252.") from None
    return name


def _is_unicode(encoding: str) -> bool:
    """Whether a byte order mark tells which of these is meant, and where the text begins."""
    return encoding.startswith(("utf-8", "utf-16", "utf-32"))


def _check_is_text(start: bytes, name: str) -> None:
    nul, control = start.count(b"\0"), len(start) - len(start.translate(None, CONTROL))
    if max(2, len(start) // 4) < nul < len(start) * 0.8:
        encoding = _like_unicode(start)
        raise DataError(
            f"{name} looks like {encoding[:6].upper()} without a byte order mark; if so, name it: --encoding {encoding}, "
            "or encoding=."
        )
    if control > max(8, len(start) // 100) or nul > max(8, len(start) // 10):
        raise DataError(f"{name} is not text; expected a table as CSV text.")


def _like_unicode(start: bytes) -> str:
    """UTF-16 or UTF-32, whose zeros stand before (be) or behind (le) the letters that ASCII has too."""
    zeros = [start[k::4].count(0) * 8 > len(start) for k in range(4)]  # at which places of four most bytes are zero
    kind = "utf-32" if sum(zeros) == 3 else "utf-16"
    return f"{kind}-{'be' if zeros[0] else 'le'}"
