"""What a notebook shows of an object: HTML without scripts, with its own style."""

from __future__ import annotations

from collections.abc import Iterable

from pellucid.core.display.html_page import resource
from pellucid.core.display.markup import Markup, element
from pellucid.core.display.text import percent


def framed(*content: object) -> str:
    """The content in one element with its style; for ``_repr_html_``."""
    style = Markup(resource("pellucid.core.display", "notebook.css"))
    return element("div", element("style", style), *content, class_="pellucid")


def bars(caption: str, shares: Iterable[tuple[object, float]]) -> Markup:
    """A row for each name, with its share in [0, 1] as a bar and as a percentage."""
    rows = (
        element(
            "tr",
            element("th", name, scope="row"),
            element("td", element("span", class_="bar", style=f"width:{100 * share:.1f}%"), class_="track"),
            element("td", percent(share)),
        )
        for name, share in shares
    )
    return element("table", element("caption", caption), element("tbody", *rows), class_="bars")
