"""The places that a run can go back to: its beginning, the end of each epoch, and with time fewer of the old ones."""

from __future__ import annotations

from bisect import bisect_right

from pellucid.training.loop import Place

MOST_BYTES = 64 << 20
MOST_PLACES = 400
FEWEST_PLACES = 3  # the beginning and the last two, however large they are


class Kept:
    """Places in the order of their steps. Of too many, every second one of the older half goes, but never the first."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_places: int = MOST_PLACES) -> None:
        self._most_bytes = most_bytes
        self._most_places = most_places
        self._places: list[Place] = []
        self._bytes = 0

    @property
    def steps(self) -> list[int]:
        return [place.step for place in self._places]

    def keep(self, place: Place) -> None:
        """Keep this place, after all others, or in place of the last one at the same step."""
        if self._places and self._places[-1].step == place.step:
            self._bytes -= self._places.pop().nbytes
        self._places.append(place)
        self._bytes += place.nbytes
        while self._is_too_much():
            older = len(self._places) // 2
            self._places = self._places[: older + 1 : 2] + self._places[older + 1 :]
            self._bytes = sum(place.nbytes for place in self._places)

    def at(self, step: int) -> Place:
        """The last place at or before this step."""
        return self._places[max(bisect_right(self.steps, step) - 1, 0)]

    def forget_after(self, step: int) -> None:
        """Drop the places beyond this step: from here the run goes another way."""
        self._places = [place for place in self._places if place.step <= step]
        self._bytes = sum(place.nbytes for place in self._places)

    def _is_too_much(self) -> bool:
        count = len(self._places)
        return count > FEWEST_PLACES and (count > self._most_places or self._bytes > self._most_bytes)
