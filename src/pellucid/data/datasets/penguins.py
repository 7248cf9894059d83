"""The Palmer penguins, a table that comes with the package."""

from __future__ import annotations

from importlib import resources


def penguins() -> str:
    """The path of a CSV file of 344 penguins: species, island, size of bill and flipper, mass, sex and year.

    Two penguins were not measured, the sex of eleven is not known. Source: K. Gorman and the Palmer Station LTER (PLoS ONE
    9(3), 2014), simplified by Horst, Hill and Gorman 2020; in the public domain, CC0 (``datasets/palmer/LICENSE.md``).

    Example::

        table = pl.datasets.table(pl.datasets.penguins(), target="species")
    """
    return str(resources.files("pellucid.data.datasets") / "palmer" / "penguins.csv")
