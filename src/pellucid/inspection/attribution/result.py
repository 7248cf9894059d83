"""An attribution: the score of each sample as a sum, of which every input has its share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import positive_integer
from pellucid.core.display.drawing import as_letters, as_terminal_colors, colored
from pellucid.core.display.markup import element, table
from pellucid.core.display.notebook import framed
from pellucid.core.display.pictures import picture
from pellucid.core.display.text import counted
from pellucid.core.errors import ArgumentError
from pellucid.core.shapes import AnyArray, Array
from pellucid.inspection.trace.neuron import place_in_words

EXACT, INTEGRATED_GRADIENTS = "exact", "integrated_gradients"


@dataclass(frozen=True, eq=False)
class Attribution:
    """score = contributions + bias + gap, for each sample of a batch, in float64.

    contributions  (B, ...), of the shape of x: what each input gives to the score, measured from its ``baseline``
    slopes         (B, ...): contribution_d = slope_d (x_d - baseline_d); score for one unit of that input. NaN for a
                   category that becomes a vector: it contributes what the numbers of its vector do, beside the baseline's
    bias_parts     name -> (B,): what every bias of the network gives, and what the ``baseline`` gives
    score          (B,): the logit of ``target`` (minus that of ``against``); of a regression, the value
    baseline       (...): the sample in whose terms the contributions are counted
    method         "exact" or "integrated_gradients", with the number of ``steps`` (B,), which is 1 for "exact"

    ``x`` holds the samples, ``columns`` the names of their columns, or None. ``attribution[i]`` is that of sample i alone.
    """

    x: AnyArray
    contributions: Array
    slopes: Array
    bias_parts: Mapping[str, Array]
    score: Array
    target: NDArray[np.int64]
    against: NDArray[np.int64] | None
    baseline: Array
    method: str
    steps: NDArray[np.int64]
    columns: tuple[str, ...] | None = None
    kind: str = field(default="class", repr=False)

    @property
    def bias(self) -> Array:
        """(B,): the sum of all bias parts, which no input can claim."""
        return sum(self.bias_parts.values(), np.zeros(len(self)))

    @property
    def total(self) -> Array:
        """(B,): the sum of the contributions of each sample."""
        return self.contributions.reshape(len(self), -1).sum(axis=1)

    @property
    def gap(self) -> Array:
        """(B,): the completeness gap, score - contributions - bias: rounding for "exact", quadrature for the other."""
        return self.score - self.total - self.bias

    @property
    def relative_gap(self) -> Array:
        """(B,): abs(gap), as a part of the largest of score, contributions and bias."""
        size = np.max(np.abs([self.score, self.total, self.bias]), axis=0)
        return np.abs(self.gap) / np.where(size > 0, size, 1.0)

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, sample: int) -> Attribution:
        row = slice(_row(sample, len(self)), _row(sample, len(self)) + 1)
        kept = {name: getattr(self, name)[row] for name in ("x", "contributions", "slopes", "score", "target", "steps")}
        against = None if self.against is None else self.against[row]
        return replace(self, against=against, bias_parts={n: part[row] for n, part in self.bias_parts.items()}, **kept)

    def map(self, sample: int = 0) -> Array:
        """The contributions of one picture, (H, W), those of its channels added up."""
        given = self.contributions[_row(sample, len(self))]
        if given.ndim not in (2, 3):
            raise ArgumentError(f"only pictures have a map; a sample of the shape {given.shape} has strongest().")
        return given.sum(axis=2) if given.ndim == 3 else given

    def picture(self, sample: int = 0) -> NDArray[np.uint8]:
        """The map as colors, (H, W, 3): orange speaks for the target, blue against it, light grey is nothing."""
        return colored(self.map(sample))

    def as_text_map(self, sample: int = 0, *, color: bool = False) -> str:
        """The map as lines of text: ``.+#`` speak for the target, ``-=%`` against it; or in the colors of a terminal."""
        return as_terminal_colors(self.map(sample)) if color else as_letters(self.map(sample))

    def strongest(self, count: int = 5, sample: int = 0) -> list[tuple[str, float]]:
        """The inputs with the largest contributions, for or against: (name or place, contribution), strongest first.

        The place of a pixel is ``[row,column]``, counted from 0, its channels added up.
        """
        row = _row(sample, len(self))
        given = self.contributions[row]
        shown = self.map(row) if given.ndim == 3 else given
        order = np.argsort(-np.abs(shown), axis=None, kind="stable")[: positive_integer(count, "count")]
        places = list(zip(*np.unravel_index(order, shown.shape), strict=True))
        names = map(place_in_words, places) if self.columns is None else (self.columns[d] for (d,) in places)
        return [(name, float(shown[place])) for name, place in zip(names, places, strict=True)]

    def to_data(self, sample: int = 0) -> dict[str, Any]:
        """The attribution of one sample as plain data, which JSON can hold."""
        one = self[sample]
        return {
            "method": self.method,
            "steps": int(one.steps[0]),
            "target": int(one.target[0]),
            "against": None if one.against is None else int(one.against[0]),
            "score": float(one.score[0]),
            "contributions": one.contributions[0].tolist(),
            "bias": {name: float(part[0]) for name, part in one.bias_parts.items()},
            "baseline": self.baseline.tolist(),
            "gap": float(one.gap[0]),
            "columns": None if self.columns is None else list(self.columns),
        }

    def __str__(self) -> str:
        """The first sample as a sum, term by term, with its strongest inputs; of the others, how many and their gap."""
        rows = self._rows()
        name, number = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines = [f"{row[0]:<{name}}  {row[1]:>{number}}  {row[2]}".rstrip() for row in rows]
        steps = f", {self.steps[0]} steps" if self.method == INTEGRATED_GRADIENTS else ""
        lines.insert(0, f"{self.method.replace('_', ' ')} attribution{steps}")
        if len(self) > 1:
            lines.append(
                f"and {counted(len(self) - 1, 'more sample')}; largest gap of all {self.relative_gap.max():.1e} relative"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Attribution of {counted(len(self), 'sample')} {self.x.shape[1:]}, {self.method.replace('_', ' ')}>"

    def _repr_html_(self) -> str:
        """The first sample as a notebook shows it: its map if it is a picture, and the sum with the strongest inputs."""
        header, rows = ["", "gives", ""], self._rows()
        shown = [element("div", table(f"Why the {rows[0][0]}", header, rows))]
        if self.contributions.ndim in (3, 4):
            said = "orange speaks for it, blue against it"
            shown.insert(0, element("figure", picture(self.picture(), said), element("figcaption", said)))
        return framed(element("div", *shown, class_="beside"))

    def _rows(self) -> list[tuple[str, str, str]]:
        """The first sample as a sum: what, how much, and a remark."""
        against = "" if self.against is None else f" against {self.against[0]}"
        return [
            (f"score of {self.kind} {self.target[0]}{against}", f"{self.score[0]:.4f}", ""),
            ("  inputs", f"{self.total[0]:+.4f}", ""),
            *((f"  {name}", f"{part[0]:+.4f}", "") for name, part in self.bias_parts.items()),
            ("  gap", f"{self.gap[0]:+.1e}", f"{self.relative_gap[0]:.1e} relative"),
            ("strongest inputs", "", ""),
            *self._strongest_rows(),
        ]

    def _strongest_rows(self) -> list[tuple[str, str, str]]:
        """Columns with value, baseline and slope in their own units; pixels with their place alone."""
        if self.columns is None:
            return [(f"  {place}", f"{given:+.4f}", "") for place, given in self.strongest()]
        rows = []
        for name, given in self.strongest(len(self.columns)):
            d = self.columns.index(name)
            slope = self.slopes[0, d]
            how = f"from {self.baseline[d]:.6g}" + ("" if np.isnan(slope) else f", {slope:+.4g} a unit")
            rows.append((f"  {name} = {self.x[0, d]:.6g}", f"{given:+.4f}", how))
        return rows


def _row(sample: int, count: int) -> int:
    if isinstance(sample, bool) or not isinstance(sample, int | np.integer):
        raise ArgumentError(f"the number of a sample is a whole number, not {sample!r}.")
    if not -count <= sample < count:
        raise IndexError(f"there is no sample {sample}: the attribution has {count}.")  # IndexError ends a for loop
    return int(sample) % count
