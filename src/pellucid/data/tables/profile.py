"""What a whole column holds: every cell is looked at, never a sample, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables.cell_texts import CellTexts, first_of_equal
from pellucid.data.tables.cells import (
    GROUPED,
    OTHER,
    PLAIN,
    POINTED,
    UNAFFIXED,
    WHOLE,
    NumberFormat,
    formats_of,
    is_missing,
    read_numbers,
)
from pellucid.data.tables.dates import ORDERS_OF_DIGITS, has_doubtful_year, orders_of, read_dates

LARGEST_EXACT = 2.0**53  # below it float64 tells all whole numbers apart
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

    def add(self, texts: Sequence[str]) -> None:
        self.add_hashes(CellTexts.of(texts).hashes())

    def add_hashes(self, hashes: NDArray[np.uint64]) -> None:
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
        is_first = first_of_equal(together) == np.arange(len(together))
        self._kept, self._new, self._num_new = together[is_first], [], 0
        self.all_differ &= len(self._kept) == len(together)
        while len(self._kept) > MOST_HASHES:
            self._step *= 2
            self._kept = self._kept[self._kept % np.uint64(self._step) == 0]


class ValueCounts:
    """How often each text comes; texts are told apart by their hashes."""

    def __init__(self) -> None:
        self.hashes = np.zeros(0, np.uint64)  # sorted
        self._counts = np.zeros(0, np.int64)
        self._texts: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.hashes)

    def add(self, cells: CellTexts) -> None:
        first, group = cells.first_of_each()
        found, counts = cells.at(first).hashes(), np.bincount(group, minlength=len(first))
        places = np.searchsorted(self.hashes, found)
        is_new = np.append(self.hashes, np.uint64(0))[places] != found
        is_new |= places == len(self.hashes)
        self._counts[places[~is_new]] += counts[~is_new]
        if is_new.any():
            new = found[is_new]
            self._texts.update(zip(new.tolist(), cells.at(first[is_new]), strict=True))
            hashes = np.concatenate([self.hashes, new])
            order = np.argsort(hashes)
            self.hashes, self._counts = hashes[order], np.concatenate([self._counts, counts[is_new]])[order]

    def counter(self) -> Counter[str]:
        """In the order in which the texts came first."""
        counts = dict(zip(self.hashes.tolist(), self._counts.tolist(), strict=True))
        return Counter({text: counts[hash] for hash, text in self._texts.items()})

    def total(self) -> int:
        return int(self._counts.sum())


class ColumnProfile:
    """Counts over all cells of a column, gathered by `add`.

    count, empty  cells; those without any text
    marked        cells that say that there is nothing (NA, ?, ...), which are missing in a column of numbers or dates
    values        distinct texts and how often each comes; None once there are more than 100,000 (or than 10,000 where
                  all are numbers, with decimals)
    formats       for each `NumberFormat` how many cells are a number in it
    orders        for each order of day, month and year how many cells are a date in it
    slashed       cells that are a date with the day or with the month first
    short_years   dates of digits with a year of two; and ``years_first`` those which may have it first (24.12.31)
    zero_first    cells of digits that begin with 0, such as 02139: codes, no numbers
    whole, rising whether all plain numbers are whole; and each larger by 1 than the one before
    low, high     of the plain numbers
    rounded       whole plain numbers beyond 2^53 that are not exact in float64, so that others may be equal to them
    words         words of all cells that are no plain numbers
    examples      for a question: by order the first date, by "," and an affix the first number that a comma makes doubtful
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = self.empty = self.marked = self.words = self.slashed = self.zero_first = 0
        self.short_years = self.years_first = self.rounded = 0
        self._values: ValueCounts | None = ValueCounts()
        self.formats: Counter[NumberFormat] = Counter()
        self.orders: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.whole = self.rising = True
        self.low, self.high = math.inf, -math.inf
        self._last: float | None = None
        self._distinct = DistinctCount()

    @property
    def values(self) -> Counter[str] | None:
        if self._values is None:
            return None
        values = self._values.counter()
        return values + Counter({"": self.empty}) if self.empty else values

    @property
    def filled(self) -> int:
        """Cells with a text."""
        return self.count - self.empty

    @property
    def distinct(self) -> int:
        """How many different texts there are, without the empty one."""
        return len(self._distinct if self._values is None else self._values)

    @property
    def all_differ(self) -> bool:
        """Whether no text comes twice."""
        if self._values is not None:
            return self.distinct == self.filled
        return len(self._distinct) > 0 and self._distinct.all_differ

    def add(self, cells: Sequence[str]) -> None:
        """Look at these cells, too."""
        texts = CellTexts.of(cells)
        is_filled = ~texts.are_empty
        self.count += len(texts)
        self.empty += len(texts) - int(is_filled.sum())
        decimal, values, kinds = _as_numbers(texts)
        self._add_formats(texts, decimal, kinds)
        if len(large := np.flatnonzero((kinds == WHOLE) & (np.abs(values) >= LARGEST_EXACT))):
            digits = zip(texts.at(large), values[large].tolist(), strict=True)
            self.rounded += sum(text.lstrip("+-").isdecimal() and int(text) != int(value) for text, value in digits)
        plain = np.where(kinds <= (GROUPED if decimal == PLAIN.decimal else WHOLE), values, math.nan)
        if len(others := np.flatnonzero(kinds == OTHER)):
            plain[others] = self._add_others(texts.at(others))
        self._add_plain(plain[~np.isnan(plain)])
        self._count_values(texts if is_filled.all() else texts.at(is_filled))

    def _count_values(self, cells: CellTexts) -> None:
        """Cells that are not empty."""
        if self._values is None:
            self._distinct.add(cells)
            return
        self._values.add(cells)
        numbers = max(self.formats.values(), default=0)
        are_decimals = numbers + self.marked == self.filled and not (self.whole and self.formats[PLAIN] == numbers)
        if len(self._values) > (MOST_DECIMALS if are_decimals else MOST_VALUES):
            self._distinct.add_hashes(self._values.hashes)
            self._distinct.all_differ &= self._values.total() == len(self._values)
            self._values = None

    def _add_formats(self, cells: CellTexts, decimal: str, kinds: NDArray[np.uint8]) -> None:
        """Numbers with this decimal sign: in which formats they are numbers."""
        whole, pointed, grouped = ((kinds == kind).sum() for kind in (WHOLE, POINTED, GROUPED))
        for one in UNAFFIXED:
            behind_sign = pointed + grouped if one.decimal == decimal else grouped if one.thousands == decimal else 0
            if count := int(whole + behind_sign):
                self.formats[one] += count
        if grouped and decimal == ",":
            self.examples.setdefault(",", cells[int((kinds == GROUPED).argmax())])

    def _add_plain(self, numbers: NDArray[np.float64]) -> None:
        if not len(numbers):
            return
        self.whole = self.whole and bool((numbers == np.floor(numbers)).all())
        if self.rising:
            with np.errstate(over="ignore"):  # from one end of float64 to the other: infinity is no step of 1
                steps = np.diff(numbers if self._last is None else np.concatenate([[self._last], numbers]))
            self.rising = bool((steps == 1).all())
        self._last = float(numbers[-1])
        self.low, self.high = min(self.low, float(numbers.min())), max(self.high, float(numbers.max()))

    def _add_others(self, cells: CellTexts) -> NDArray[np.float64]:
        """Cells that hold a text which is no usual number; gives the plain numbers (n,) among them, else NaN."""
        is_date = self._add_dates(cells)
        plain = np.full(len(cells), math.nan)
        if not is_date.all():
            plain[~is_date] = self._add_texts(cells.at(~is_date))
        return plain

    def _add_dates(self, cells: CellTexts) -> NDArray[np.bool_]:
        """Count those that are dates of digits, and say which."""
        are_dates = {order: read_dates(cells, order)[1] == WHOLE for order in ORDERS_OF_DIGITS}
        for order, dates in are_dates.items():
            if count := int(dates.sum()):
                self.orders[order] += count
                self.examples.setdefault(order, cells[int(dates.argmax())])
        is_slashed = are_dates["dmy"] | are_dates["mdy"]
        is_date = is_slashed | are_dates["ymd"]
        self.slashed += int(is_slashed.sum())
        self.words += int(is_date.sum() + _count_times(cells.at(is_date)))
        return is_date

    def _add_texts(self, cells: CellTexts) -> NDArray[np.float64]:
        """Cells of any kind, none of them empty; each distinct text is read once."""
        texts, group = cells.groups()
        plain = np.full(len(texts), math.nan)
        for k, (text, often) in enumerate(zip(texts, np.bincount(group).tolist(), strict=True)):
            if is_missing(text):
                self.marked += often
                continue
            formats = formats_of(text)
            for one in formats:
                self.formats[one] += often
            if PLAIN in formats:
                plain[k] = formats[PLAIN]
                continue
            orders = orders_of(text)
            for order in orders:
                self.orders[order] += often
                self.examples.setdefault(order, text)
            if "dmy" in orders or "mdy" in orders:
                self.slashed += often
                is_short, may_begin_with_it = has_doubtful_year(text)
                self.short_years += often * is_short
                self.years_first += often * may_begin_with_it
            if "," in text and len(set(formats.values())) > 1:
                self.examples.setdefault("," + next(iter(formats)).affix, text)
            self.zero_first += often * (text[0] == "0" and text != "0" and text.isdecimal())
            self.words += often * len(text.split())
        return plain[group]


def _as_numbers(cells: CellTexts) -> tuple[str, NDArray[np.float64], NDArray[np.uint8]]:
    """The decimal sign with which more cells are numbers, the point if either fits; and what `read_numbers` says then."""
    values, kinds = read_numbers(cells, ".")
    others = int((kinds == OTHER).sum())
    if others and b"," in cells.content:
        commas, comma_kinds = read_numbers(cells, ",")
        if (comma_kinds == OTHER).sum() < others:
            return ",", commas, comma_kinds
    return ".", values, kinds


def _count_times(dates: CellTexts) -> int:
    """How many dates of digits have a space before a time: two words."""
    characters = np.frombuffer(dates.content, np.uint8)
    places = dates.begins + np.arange(8, 11)[:, None]
    return int(((characters[np.minimum(places, len(characters) - 1)] == ord(" ")) & (places < dates.ends)).sum())
