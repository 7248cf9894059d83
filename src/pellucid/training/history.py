"""History: the metrics of every epoch, and their curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pellucid.core.checks import one_of
from pellucid.core.display.markup import element
from pellucid.core.display.notebook import framed
from pellucid.core.display.training_curves import curves
from pellucid.core.errors import ArgumentError, MissingDependencyError
from pellucid.core.suggestions import suggests_attributes


@suggests_attributes
class History(Mapping[str, list[float]]):
    """A mapping from metric to its values, one an epoch: ``history["validation_loss"]``. ``epochs`` has a dict an epoch.

    ``loss`` is the mean over the samples of the epoch *while* the parameters changed, without penalties; ``penalty`` (if
    weights have one) and everything with ``validation_`` are measured at the end of the epoch.
    """

    def __init__(self, epochs: list[dict[str, float]] | None = None, reason: str = "") -> None:
        self.epochs: list[dict[str, float]] = epochs or []
        self.reason = reason

    def __getitem__(self, name: str) -> list[float]:
        one_of(name, list(self), "metric")
        return [epoch[name] for epoch in self.epochs if name in epoch]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for epoch in self.epochs for name in epoch))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {value:.4g}" for name, value in self.epochs[-1].items()) if self.epochs else "empty"
        return f"History of {len(self.epochs)} epochs ({self.reason or 'running'}); last: {last}"

    def _repr_html_(self) -> str:
        """The curves, for a notebook."""
        return framed(element("p", repr(self)), element("div", *curves(self.epochs), class_="charts"))

    def plot(self, path: str | None = None) -> Any:
        """Draw training and validation curves; gives the matplotlib figure, and saves it if ``path`` is given.

        Raises `MissingDependencyError` without matplotlib, `ArgumentError` for an empty history.
        """
        if not self.epochs:
            raise ArgumentError("there is no finished epoch to plot yet.")
        try:
            import matplotlib  # noqa: F401 - first the package: a part of it may be left over from elsewhere

            from pellucid.core.display.figure import ShownFigure
        except ImportError:
            raise MissingDependencyError("plotting needs matplotlib: pip install matplotlib.") from None
        names = [name for name in self if f"validation_{name}" in self or name in ("loss", "accuracy", "mae")]
        figure = ShownFigure(figsize=(5.5 * len(names), 4), layout="constrained")
        axes = figure.subplots(1, len(names), squeeze=False)
        for axis, name in zip(axes[0], names, strict=True):
            for column, label, style in ((name, "training", "--"), (f"validation_{name}", "validation", "-")):
                points = [(i + 1, epoch[column]) for i, epoch in enumerate(self.epochs) if column in epoch]
                if points:
                    axis.plot(*zip(*points, strict=True), style, label=label, marker="o", markersize=3)
            axis.set(xlabel="epoch", ylabel=name, title=name)
            axis.grid(alpha=0.3)
            axis.legend()
        if path is not None:
            figure.savefig(path)
        return figure
