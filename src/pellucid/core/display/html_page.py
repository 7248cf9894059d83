"""A page: one HTML file that needs no other and no network, and in which nothing runs."""

from __future__ import annotations

from importlib.resources import files as resources
from string import Template

from pellucid.core.display.markup import Markup, text
from pellucid.core.version import __version__


def page(title: str, body: Markup, package: str) -> str:
    """The whole page, in the style that all pages share and that of ``page.css`` in the ``package`` whose page it is."""
    style = _resource("pellucid.core.display", "page.css") + _resource(package, "page.css")
    whole = Template(_resource("pellucid.core.display", "page.html"))
    return whole.substitute(title=text(title), style=style, body=body, version=text(__version__))


def _resource(package: str, name: str) -> str:
    return resources(package).joinpath(name).read_text("utf-8")
