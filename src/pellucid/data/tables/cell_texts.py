"""The cells of a column as they lie in the bytes of a file: a text is made only of those that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

_native: Any
try:
    import pellucid._native as _native
except ImportError:  # then all is done in Python
    _native = None


class CellTexts(Sequence[str]):
    """The texts ``content[begins[k]:ends[k]]`` in UTF-8, as a sequence of str."""

    def __init__(self, content: bytes, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        self.content, self.begins, self.ends = content, begins, ends

    @classmethod
    def of(cls, cells: Sequence[str]) -> CellTexts:
        """These cells; a `CellTexts` is what it was."""
        if isinstance(cells, CellTexts):
            return cells
        content = "\n".join(cells).encode(errors="surrogatepass")
        if content.count(b"\n") == max(len(cells) - 1, 0):
            ends = np.append(np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")), len(content))[: len(cells)]
        else:  # line breaks in cells, too
            ends = np.cumsum([len(cell.encode(errors="surrogatepass")) + 1 for cell in cells]) - 1
        found = cls(content, np.append(0, ends[:-1] + 1)[: len(cells)], ends)
        found.texts = list(cells)
        return found

    @cached_property
    def texts(self) -> list[str]:
        """All of them."""
        places = zip(self.begins.tolist(), self.ends.tolist(), strict=True)
        return [self.content[begin:end].decode(errors="surrogatepass") for begin, end in places]

    @property
    def are_empty(self) -> NDArray[np.bool_]:
        return self.begins == self.ends

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> CellTexts: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.at(index)
        return self.content[self.begins[index] : self.ends[index]].decode(errors="surrogatepass")

    def at(self, places: slice | NDArray[Any]) -> CellTexts:
        """Those at these places, or where a mask says so."""
        return CellTexts(self.content, self.begins[places], self.ends[places])

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __contains__(self, text: object) -> bool:
        if not isinstance(text, str):
            return False
        characters = np.frombuffer(self.content, np.uint8)
        sought = text.encode(errors="surrogatepass")
        alike = self.begins[self.ends - self.begins == len(sought)]  # where those begin that may be it
        for k, character in enumerate(sought):
            alike = alike[characters[alike + k] == character]
        return len(alike) > 0

    def first_of_each(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places at which a text comes first; and for each cell, which of these texts it has."""
        if _native is None:
            groups: dict[str, int] = {}
            group = np.array([groups.setdefault(text, len(groups)) for text in self.texts], np.int64)
            return np.unique(group, return_index=True)[1], group
        first = np.empty(len(self), np.int64)
        _native.find_first(self.content, self.begins, self.ends, first)
        is_first = first == np.arange(len(first))
        return np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[first]

    def groups(self) -> tuple[list[str], NDArray[np.int64]]:
        """The different texts, in the order in which they come first; and for each cell, which of them it is."""
        places, group = self.first_of_each()
        return self.at(places).texts, group

    def hashes(self) -> NDArray[np.uint64]:
        """64 bits for each cell, which depend on its text alone."""
        if _native is None:
            return np.fromiter(map(hash, self.texts), np.int64, len(self)).view(np.uint64)
        hashes = np.empty(len(self), np.uint64)
        _native.hash_cells(self.content, self.begins, self.ends, hashes)
        return hashes


def first_of_equal(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each of 64 evenly distributed bits (n,) the place of the first that is equal."""
    if _native is None:
        _, places, group = np.unique(hashes, return_index=True, return_inverse=True)
        return places[group.reshape(-1)]
    first = np.empty(len(hashes), np.int64)
    _native.find_first_hash(hashes, first)
    return first


def quick_columns(
    content: bytes, delimiter: str, line_end: bytes, width: int
) -> tuple[list[CellTexts], NDArray[np.int64]] | None:
    """The columns of lines that are all rows of ``width`` cells, and where each row begins; None if any line is not. Spaces
    around a cell are no part of it, nor are quotes around one that has none inside."""
    if _native is None or not delimiter.isascii():
        return None
    begins = np.empty((width, content.count(line_end) + 1), np.int64)
    ends = np.empty_like(begins)
    if not _native.divide_rows(content, delimiter, line_end.decode(), begins, ends):
        return None
    line_ends = np.flatnonzero(np.frombuffer(content, np.uint8) == line_end[0])
    return [CellTexts(content, *places) for places in zip(begins, ends, strict=True)], np.append(0, line_ends + 1)
