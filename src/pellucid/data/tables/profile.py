"""What a whole column holds: every cell is looked at, never a sample, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables.cells import (
    GROUPED,
    LEADING_ZERO,
    PLAIN,
    UNAFFIXED,
    NumberFormat,
    QuickNumbers,
    formats_of,
    is_missing,
    quick_numbers,
)
from pellucid.data.tables.dates import orders_of

MOST_VALUES = 100_000  # distinct texts that are counted one by one
MOST_DECIMALS = 10_000  # the same in a column of numbers with decimals, which are no categories
MOST_HASHES = 1 << 20  # of texts that are no longer counted one by one


class DistinctCount:
    """How many texts differ, by their hashes: exact up to a million, an estimate within some 0.1 % from then on.

    Once there are too many hashes, only every 2nd, 4th, 8th ... possible one is kept, and each stands for as many texts.

    all_differ  whether no text came twice, as far as the kept hashes tell
    """

    def __init__(self) -> None:
        self.all_differ = True
        self._kept: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._new: list[NDArray[np.uint64]] = []
        self._num_new = 0
        self._step = 1

    def add(self, texts: Collection[str]) -> None:
        hashes = np.fromiter(map(hash, texts), np.int64, len(texts)).view(np.uint64)
        if self._step > 1:
            hashes = hashes[hashes % np.uint64(self._step) == 0]
        self._new.append(hashes)
        self._num_new += len(hashes)
        if self._num_new > max(len(self._kept), MOST_HASHES // 8):
            self._merge()

    def __len__(self) -> int:
        self._merge()
        return len(self._kept) * self._step

    def _merge(self) -> None:
        together = np.concatenate([self._kept, *self._new])
        together.sort()  # much faster than np.unique
        is_first = np.append(True, together[1:] != together[:-1])[: len(together)]
        self._kept, self._new, self._num_new = together[is_first], [], 0
        self.all_differ &= len(self._kept) == len(together)
        while len(self._kept) > MOST_HASHES:
            self._step *= 2
            self._kept = self._kept[self._kept % np.uint64(self._step) == 0]


class ColumnProfile:
    """Counts over all cells of a column, gathered by `add`.

    count, empty  cells; those without any text
    marked        cells that say that there is nothing (NA, ?, ...), which are missing in a column of numbers or dates
    values        distinct texts and how often each comes; None once there are more than 100,000 (or than 10,000 where
                  all are numbers, with decimals)
    formats       for each `NumberFormat` how many cells are a number in it
    orders        for each order of day, month and year how many cells are a date in it
    slashed       cells that are a date with the day or with the month first
    zero_first    cells of digits that begin with 0, such as 02139: codes, no numbers
    whole, rising whether all plain numbers are whole; and each larger by 1 than the one before
    low, high     of the plain numbers
    words         words of all cells that are no plain numbers
    examples      for a question: by order the first date, by "," and an affix the first number that a comma makes doubtful
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = self.empty = self.marked = self.words = self.slashed = self.zero_first = 0
        self.values: Counter[str] | None = Counter()
        self.formats: Counter[NumberFormat] = Counter()
        self.orders: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.whole = self.rising = True
        self.low, self.high = math.inf, -math.inf
        self._last: float | None = None
        self._distinct = DistinctCount()

    @property
    def filled(self) -> int:
        """Cells with a text."""
        return self.count - self.empty

    @property
    def distinct(self) -> int:
        """How many different texts there are, without the empty one."""
        if self.values is not None:
            return len(self.values) - ("" in self.values)
        return len(self._distinct)

    @property
    def all_differ(self) -> bool:
        """Whether no text comes twice."""
        if self.values is not None:
            return self.distinct == self.filled
        return len(self._distinct) > 0 and self._distinct.all_differ

    def add(self, cells: Sequence[str]) -> None:
        """Look at these cells, too."""
        self.count += len(cells)
        quick = quick_numbers(cells)
        empty = cells.count("") if quick is None else int(np.isnan(quick.values).sum()) - quick.marked
        self.empty += empty
        if quick is not None:
            self._add_numbers(quick)
        else:
            self._add_texts(cells)
        self._count_values(list(filter(None, cells)) if empty else cells)

    def _count_values(self, cells: Sequence[str]) -> None:
        if self.values is None:
            self._distinct.add(cells)
            return
        self.values.update(cells)
        if self.empty:
            self.values[""] = self.empty
        numbers = max(self.formats.values(), default=0)
        are_decimals = numbers + self.marked == self.filled and not (self.whole and self.formats[PLAIN] == numbers)
        if len(self.values) > (MOST_DECIMALS if are_decimals else MOST_VALUES):
            del self.values[""]
            self._distinct.add(self.values)
            self._distinct.all_differ &= self.values.total() == len(self.values)
            self.values = None

    def _add_numbers(self, quick: QuickNumbers) -> None:
        """Cells that are all numbers that look alike, or missing."""
        self.marked += quick.marked
        numbers = quick.values[~np.isnan(quick.values)]
        whole, grouped = len(numbers), 0
        if b"." in quick.joined:
            whole -= quick.joined.count(b".")
            grouped = _count_grouped(quick.joined)
        for one in UNAFFIXED:
            if one.decimal == quick.decimal:
                self.formats[one] += len(numbers)
            else:
                self.formats[one] += whole + (grouped if one.thousands == quick.decimal else 0)
        if quick.decimal == ",":
            if grouped and "," not in self.examples:
                self.examples[","] = GROUPED.findall(quick.joined)[0].decode().replace(".", ",")
            numbers = np.array([float(line) for line in quick.joined.split(b"\n") if line and b"." not in line])
        self._add_plain(numbers)

    def _add_plain(self, numbers: NDArray[np.float64]) -> None:
        if not len(numbers):
            return
        self.whole = self.whole and bool((numbers == np.floor(numbers)).all())
        if self.rising:
            steps = np.diff(numbers if self._last is None else np.concatenate([[self._last], numbers]))
            self.rising = bool((steps == 1).all())
        self._last = float(numbers[-1])
        self.low, self.high = min(self.low, float(numbers.min())), max(self.high, float(numbers.max()))

    def _add_texts(self, cells: Sequence[str]) -> None:
        """Cells of any kind; each distinct text is read once."""
        plain: dict[str, float] = {}
        for text, often in Counter(cells).items():
            if not text:
                continue
            if is_missing(text):
                self.marked += often
                continue
            formats = formats_of(text)
            for one in formats:
                self.formats[one] += often
            if PLAIN in formats:
                plain[text] = formats[PLAIN]
                continue
            orders = orders_of(text)
            for order in orders:
                self.orders[order] += often
                self.examples.setdefault(order, text)
            self.slashed += often * ("dmy" in orders or "mdy" in orders)
            if "," in text and len(set(formats.values())) > 1:
                self.examples.setdefault("," + next(iter(formats)).affix, text)
            self.zero_first += often * (LEADING_ZERO.match(text.encode()) is not None and text.isdecimal())
            self.words += often * len(text.split())
        self._add_plain(np.array([plain[cell] for cell in cells if cell in plain]))


def _count_grouped(joined: bytes) -> int:
    """How many lines are numbers with a point between groups of three digits."""
    characters = np.frombuffer(b"\n\n\n\n" + joined + b"\n", np.uint8)
    has_point = characters[np.flatnonzero(characters == ord("\n"))[4:] - 4] == ord(".")
    return len(GROUPED.findall(joined)) if has_point.any() else 0
