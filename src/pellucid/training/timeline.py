"""What a run keeps of its past: items in the order of their steps, the older ones thinned out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Timeline(Generic[Item]):
    """``items`` in the order of their steps. Of too many, every second one of the older half goes, but never the first."""

    def __init__(self, step_of: Callable[[Item], int], are_too_many: Callable[[list[Item]], bool]) -> None:
        self.items: list[Item] = []
        self._step_of = step_of
        self._are_too_many = are_too_many

    @property
    def steps(self) -> list[int]:
        return [self._step_of(item) for item in self.items]

    def keep(self, item: Item) -> None:
        """Add an item after all others; it replaces the last one if that has the same step."""
        if self.items and self._step_of(self.items[-1]) == self._step_of(item):
            self.items.pop()
        self.items.append(item)
        while self._are_too_many(self.items):
            older = len(self.items) // 2
            self.items = self.items[: older + 1 : 2] + self.items[older + 1 :]

    def at(self, step: int) -> Item | None:
        """The last item at or before this step; None if there is none."""
        place = bisect_right(self.items, step, key=self._step_of)
        return self.items[place - 1] if place else None

    def forget_after(self, step: int) -> None:
        """Drop the items after this step."""
        self.items = self.items[: bisect_right(self.items, step, key=self._step_of)]
