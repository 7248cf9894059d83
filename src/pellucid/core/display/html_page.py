"""A page: one HTML file without scripts, which needs no other file and no network."""

from __future__ import annotations

from importlib.resources import files as resources
from string import Template

from pellucid.core.display.markup import Markup, text
from pellucid.core.version import __version__


def page(title: str, body: Markup, style: str) -> str:
    """The whole page, with the CSS that all pages share and its own ``style``."""
    whole = Template(resource("pellucid.core.display", "page.html"))
    both = resource("pellucid.core.display", "page.css") + style
    return whole.substitute(title=text(title), style=both, body=body, version=text(__version__))


def resource(package: str, name: str) -> str:
    """The text of a file in a package."""
    return resources(package).joinpath(name).read_text("utf-8")
