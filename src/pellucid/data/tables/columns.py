"""Columns that a network learns from: how each turns the text of a cell into numbers. They are saved in the model file.

A column reads its cells (`read`: text to a value), measures training values (`fit`), and encodes values (`encode`: a value
to ``width`` numbers, whose `parts` have names). What is missing or was refused is NaN.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import counted
from pellucid.core.shapes import Array
from pellucid.data.tables.cell_texts import CellTexts
from pellucid.data.tables.cells import PLAIN, NumberFormat, parse_numbers
from pellucid.data.tables.dates import parse_dates
from pellucid.data.tables.profile import LARGEST_EXACT
from pellucid.nn import catalogue

DAY = 86_400.0  # seconds
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CLIP = 3.0
SHOWN = 8  # values of a category in words
MOST_ONE_HOT = 64  # values of a category that have a number each
VECTOR = 16  # numbers for a category of a column with more values
LARGEST = 1e300  # what lies beyond is cut to it, so that no difference is infinite
TRUTH = {"true": 1.0, "false": 0.0}


class Words(list[str]):
    """Cells whose texts were texts in a frame: words, also where they look like numbers."""


class Numbers(list[str]):
    """Cells that were numbers in a frame, written as Python does, whatever the format of the column."""


class Values(NamedTuple):
    """Values (n,) float64, NaN where there is none; which cells are missing; which were refused, and by which rule."""

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    rule: str = ""


class Column(ABC):
    """A column of a table, with what was learned of it from training rows. A frozen dataclass in the catalogue."""

    name: str
    kind: ClassVar[str]

    @property
    @abstractmethod
    def learned(self) -> str:
        """What it measured of the training values, in words."""

    @abstractmethod
    def read(self, cells: Sequence[str]) -> Values:
        """The values of these cells, each by itself."""

    @abstractmethod
    def fit(self, values: NDArray[np.float64]) -> Column:
        """The column with what it measures of the training values (n,)."""

    @abstractmethod
    def encode(self, values: NDArray[np.float64]) -> Array:
        """The numbers (n, width) that the network sees, float32."""

    @property
    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """A name for each number that it gives."""

    @property
    def width(self) -> int:
        """How many numbers it gives."""
        return len(self.parts)

    @property
    def resulting_width(self) -> int:
        """How many numbers the network makes of it: as many as it gives, or a vector for each value."""
        return self.width


@catalogue.register
@dataclass(frozen=True)
class NumberColumn(Column):
    """A number, scaled by quartiles and softly clipped:

        z = (value - center) / scale;  x = z / sqrt(1 + (z / 3)^2)

    center   the median of the training values
    scale    the distance of their quartiles; if it is 0, half of the distance of the extremes; if that is 0 too, 1
    has_gaps whether values were missing in training: then a second number is 1 where one is

    A missing value is the median: x = 0. Source: Holzmüller et al. 2024 (arXiv:2407.04491), robust scale and smooth clip.
    """

    kind = "number"

    name: str
    decimal: str = "."
    thousands: str = ""
    affix: str = ""
    center: float = 0.0
    scale: float = 1.0
    has_gaps: bool = False

    @property
    def learned(self) -> str:
        number_format = NumberFormat(self.decimal, self.thousands, self.affix)
        written = "" if number_format == PLAIN else f", {number_format.in_words()}"
        return f"center {self.center:.6g}, scale {self.scale:.6g}{_gaps(self.has_gaps)}{written}"

    def read(self, cells: Sequence[str]) -> Values:
        stated = NumberFormat(self.decimal, self.thousands, self.affix)
        return Values(*parse_numbers(cells, PLAIN if isinstance(cells, Numbers) else stated), "it is no number")

    def fit(self, values: NDArray[np.float64]) -> NumberColumn:
        center, scale = robust_scale(values)
        return replace(self, center=center, scale=scale, has_gaps=bool(np.isnan(values).any()))

    def encode(self, values: NDArray[np.float64]) -> Array:
        gaps = np.isnan(values)
        x = np.where(gaps, 0.0, softly_clipped(values, self.center, self.scale))
        return _beside_gaps(x, gaps, self.has_gaps)

    @property
    def parts(self) -> tuple[str, ...]:
        return _names_beside_gaps(self.name, self.has_gaps)


@catalogue.register
@dataclass(frozen=True)
class CategoryColumn(Column):
    """One of several values: a number for each, 1 where it is this value and else 0 (one-hot).

    ``values`` are those of the training rows, the empty text among them if some were missing. A value that is not among
    them is 0 in all places: it adds nothing of its own. Where 1 came in training, 1.0 is the same value; so are true and 1.

    ``is_embedded`` says that it is a single number, the place of the value among them, or -1 if it is none: a layer
    `Embedding` makes a vector of it. So are columns of more than 64 values.
    """

    kind = "category"

    name: str
    values: tuple[str, ...] = ()
    is_embedded: bool = False

    @property
    def learned(self) -> str:
        shown = ", ".join(value or "(missing)" for value in self.values[:SHOWN])
        return f"{counted(len(self.values), 'value')}: {shown}{', ...' if len(self.values) > SHOWN else ''}"

    def read(self, cells: Sequence[str]) -> Values:
        codes = _places(cells, self.values)
        missing = CellTexts.of(cells).are_empty
        return Values(codes, missing, np.isnan(codes) & ~missing, "its value did not come in training")

    def fit(self, values: NDArray[np.float64]) -> CategoryColumn:
        """The column with only the values that training rows have."""
        codes = np.unique(values[~np.isnan(values)]).astype(int)
        return replace(self, values=tuple(self.values[code] for code in codes), is_embedded=len(codes) > MOST_ONE_HOT)

    def encode(self, values: NDArray[np.float64]) -> Array:
        if self.is_embedded:
            return np.nan_to_num(values, nan=-1.0).astype(np.float32)[:, None]
        return (values[:, None] == np.arange(len(self.values))).astype(np.float32)

    @property
    def parts(self) -> tuple[str, ...]:
        if self.is_embedded:
            return (self.name,)
        return tuple(f"{self.name} = {value}" if value else f"{self.name} is missing" for value in self.values)

    @property
    def resulting_width(self) -> int:
        return VECTOR if self.is_embedded else self.width


@catalogue.register
@dataclass(frozen=True)
class OrderedColumn(Column):
    """One of ``levels``, from low to high: numbers evenly from -1 to 1; and 1 where it is missing, if ``has_gaps``."""

    kind = "ordered"

    name: str
    levels: tuple[str, ...]
    has_gaps: bool = False

    @property
    def learned(self) -> str:
        return f"{' < '.join(self.levels)}{_gaps(self.has_gaps)}"

    def read(self, cells: Sequence[str]) -> Values:
        values = _places(cells, self.levels)
        missing = CellTexts.of(cells).are_empty
        return Values(values, missing, np.isnan(values) & ~missing, "it is none of the levels")

    def fit(self, values: NDArray[np.float64]) -> OrderedColumn:
        return replace(self, has_gaps=bool(np.isnan(values).any()))

    def encode(self, values: NDArray[np.float64]) -> Array:
        gaps = np.isnan(values)
        x = np.where(gaps, 0.0, 2 * values / (len(self.levels) - 1) - 1)
        return _beside_gaps(x, gaps, self.has_gaps)

    @property
    def parts(self) -> tuple[str, ...]:
        return _names_beside_gaps(self.name, self.has_gaps)


@catalogue.register
@dataclass(frozen=True)
class DateColumn(Column):
    """A date, seconds since 1970: the time since then as a `NumberColumn` in days, and its parts.

    The month and, if ``has_time``, the hour are points on a circle (sine and cosine), so that December is beside January;
    the day of the month goes from -1 to 1; the weekday is one-hot. A missing date is 0 in all of them.
    """

    kind = "date"

    name: str
    order: str = "ymd"
    center: float = 0.0
    scale: float = 1.0
    has_time: bool = False
    has_gaps: bool = False

    @property
    def learned(self) -> str:
        time = " and time" if self.has_time else ""
        center = f"{date_in_words(self.center * DAY)}, scale {self.scale:.6g} days"
        return f"center {center}, {self.order}{time}{_gaps(self.has_gaps)}"

    def read(self, cells: Sequence[str]) -> Values:
        return Values(*parse_dates(cells, self.order), "it is no date")

    def fit(self, values: NDArray[np.float64]) -> DateColumn:
        center, scale = robust_scale(values / DAY)
        has_time = bool((values[~np.isnan(values)] % DAY != 0).any())
        return replace(self, center=center, scale=scale, has_time=has_time, has_gaps=bool(np.isnan(values).any()))

    def encode(self, values: NDArray[np.float64]) -> Array:
        gaps = np.isnan(values)
        seconds = np.where(gaps, 0.0, values)
        days = np.floor(seconds / DAY).astype("datetime64[D]")
        month = (days.astype("datetime64[M]").astype(np.int64) % 12) / 12 * 2 * np.pi
        day = (days - days.astype("datetime64[M]")).astype(np.int64) / 15 - 1
        weekday = (days.astype(np.int64) + 3) % 7  # the first of January 1970 was a Thursday
        parts = [softly_clipped(seconds / DAY, self.center, self.scale), np.sin(month), np.cos(month), day]
        parts += list((weekday[:, None] == np.arange(7)).T)
        if self.has_time:
            hour = seconds % DAY / DAY * 2 * np.pi
            parts += [np.sin(hour), np.cos(hour)]
        encoded = np.where(gaps[:, None], 0.0, np.stack(parts, axis=1))
        return np.concatenate([encoded, gaps[:, None]] if self.has_gaps else [encoded], axis=1).astype(np.float32)

    @property
    def parts(self) -> tuple[str, ...]:
        names = ["time", "month (sine)", "month (cosine)", "day of the month", *WEEKDAYS]
        names += ["hour (sine)", "hour (cosine)"] if self.has_time else []
        names += ["is missing"] if self.has_gaps else []
        return tuple(f"{self.name}: {name}" for name in names)


def _places(cells: Sequence[str], known: Sequence[str]) -> NDArray[np.float64]:
    """The place of each cell (n,) among the known texts; of one that is not there, that of a text with the same meaning;
    else NaN."""
    texts, group = CellTexts.of(cells).groups()
    places = {text: float(k) for k, text in enumerate(known)}
    if new := [text for text in texts if text not in places]:
        meanings = {_meaning(text): place for text, place in reversed(places.items())}
        places |= {text: meanings[meaning] for text in new if (meaning := _meaning(text)) in meanings}
    return np.array([places.get(text, math.nan) for text in texts], np.float64)[group]


def _meaning(text: str) -> str | float:
    """What is the same for 1, 1.0 and true, in any case; a text that is nothing of this means itself, and so does a number
    that others may be equal to."""
    number = PLAIN.number(text)
    if number is not None and abs(number) >= LARGEST_EXACT:
        return text
    return TRUTH.get(text.casefold(), text) if number is None else number


def date_in_words(seconds: float) -> str:
    """Seconds since 1970 as 2004-02-29, with the time of day if it is not midnight."""
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    return moment.isoformat(" ", "seconds") if seconds % DAY else moment.date().isoformat()


def _beside_gaps(x: NDArray[np.float64], gaps: NDArray[np.bool_], has_gaps: bool) -> Array:
    """x (n,) as (n, 1), or beside it, as (n, 2), 1 where a value is missing."""
    return np.stack([x, gaps] if has_gaps else [x], axis=1).astype(np.float32)


def _names_beside_gaps(name: str, has_gaps: bool) -> tuple[str, ...]:
    return (name, f"{name} is missing") if has_gaps else (name,)


def _gaps(has_gaps: bool) -> str:
    return ", with gaps" if has_gaps else ""


def robust_scale(values: NDArray[np.float64]) -> tuple[float, float]:
    """(median, distance of the quartiles) of values, without NaN; see `NumberColumn` for a distance of 0."""
    values = np.clip(values[~np.isnan(values)], -LARGEST, LARGEST)
    if not len(values):
        return 0.0, 1.0
    low, center, high = np.percentile(values, [25, 50, 75])
    scale = float(high - low) or float(values.max() - values.min()) / 2 or 1.0
    return float(center), scale


def softly_clipped(values: NDArray[np.float64], center: float, scale: float) -> NDArray[np.float64]:
    """z / sqrt(1 + (z / 3)^2) of z = (value - center) / scale: nearly z around 0, never beyond -3 and 3."""
    with np.errstate(over="ignore"):
        z = np.clip((np.clip(values, -LARGEST, LARGEST) - center) / scale, -LARGEST, LARGEST)
    return np.asarray(z / np.hypot(1, z / CLIP))
