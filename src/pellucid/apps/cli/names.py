"""Options that are a name of the library, such as an optimizer: taken and suggested as the library does."""

from __future__ import annotations

from collections.abc import Collection

import click

from pellucid.core.checks import one_of
from pellucid.core.errors import UnknownNameError


class Name(click.ParamType[str]):
    """One of ``names``, in any spelling and by its usual synonyms; a wrong one is answered with the one that is meant."""

    name = "name"

    def __init__(self, kind: str, names: Collection[str]) -> None:
        self.kind, self.names = kind, names

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return one_of(value, self.names, self.kind)
        except UnknownNameError as error:
            self.fail(str(error), param, ctx)
