"""A command whose help lists its options under headings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar

import click

REST = "Other options"


class SectionedCommand(click.Command):
    """``sections``: heading -> the names of its options, in the order of the help; other options come last."""

    sections: ClassVar[Mapping[str, Collection[str]]] = {}

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        options = {option.name: option for option in self.get_params(context) if isinstance(option, click.Option)}
        named = [name for names in self.sections.values() for name in names]
        for heading, names in {**self.sections, REST: [name for name in options if name not in named]}.items():
            records = (options[name].get_help_record(context) for name in names)
            rows = [record for record in records if record is not None]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
