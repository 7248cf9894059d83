"""What a running studio holds: the models that answer, and the data to learn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pellucid.errors import ArgumentError
from pellucid.model import Model


@dataclass
class Session:
    """``models`` by name, the first of them the one that the studio opened with."""

    models: dict[str, Model] = field(default_factory=dict)

    def model(self, name: str) -> Model:
        """The model of this name; raises `ArgumentError` if there is none."""
        if name not in self.models:
            raise ArgumentError(f"there is no model {name!r} in this studio; it has {', '.join(self.models)}.")
        return self.models[name]

    def summary(self) -> dict[str, Any]:
        """What the page fetches first (studio/src/session.ts: Session)."""
        return {"version": "", "models": [], "data": []}
