"""History: the metrics of every epoch, and their curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pellucid.core.checks import one_of
from pellucid.core.display.markup import element
from pellucid.core.display.notebook import framed
from pellucid.core.display.training_curves import curves
from pellucid.core.errors import ArgumentError, MissingDependencyError
from pellucid.core.suggestions import suggests_arguments, suggests_attributes


@dataclass(frozen=True)
class Restored:
    """The epoch whose parameters early stopping restored.

    place    its place in the history, from 0
    epoch    its number in the life of the network, from 1
    monitor  the metric that was best there
    """

    place: int
    epoch: int
    monitor: str

    @property
    def is_by_validation(self) -> bool:
        """Whether the validation samples chose it, so that their metrics there flatter."""
        return self.monitor.startswith("validation_")


@suggests_attributes
@suggests_arguments
class History(Mapping[str, list[float]]):
    """A mapping from metric to its values, one an epoch: ``history["validation_loss"]``. ``epochs`` has a dict an epoch.

    ``loss`` is the mean over the samples of the epoch *while* the parameters changed, without penalties; ``penalty`` (if
    weights have one) and everything with ``validation_`` are measured at the end of the epoch. ``restored`` says which
    epoch's parameters early stopping restored; None if those of the last stayed.
    """

    def __init__(
        self, epochs: list[dict[str, float]] | None = None, reason: str = "", restored: Restored | None = None
    ) -> None:
        self.epochs: list[dict[str, float]] = epochs or []
        self.reason = reason
        self.restored = restored

    @property
    def final(self) -> dict[str, float]:
        """The metrics of the epoch whose parameters the network has: the restored one, or else the last; {} without any."""
        if not self.epochs:
            return {}
        return self.epochs[-1 if self.restored is None else self.restored.place]

    def extend(self, later: History) -> None:
        """Add the epochs of the training that came after these, or that took up a run of which some are here already."""
        if later.epochs and later.epochs[0] in self.epochs:
            del self.epochs[self.epochs.index(later.epochs[0]) :]
        if later.epochs:
            self.restored = later.restored and replace(later.restored, place=len(self.epochs) + later.restored.place)
        self.epochs.extend(later.epochs)
        self.reason = later.reason

    def __getitem__(self, name: str) -> list[float]:
        one_of(name, list(self), "metric")
        return [epoch[name] for epoch in self.epochs if name in epoch]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for epoch in self.epochs for name in epoch))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        final = ", ".join(f"{name} {value:.4g}" for name, value in self.final.items()) or "empty"
        which = "last" if self.restored is None else f"restored, epoch {self.restored.epoch}"
        return f"History of {len(self.epochs)} epochs ({self.reason or 'running'}); {which}: {final}"

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
