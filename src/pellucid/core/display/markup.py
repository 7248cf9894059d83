"""HTML made of elements, in which text cannot become markup: whatever is not `Markup` is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = {"img"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(content: object) -> Markup:
    """``content`` escaped; characters that do not print (text directions, surrogates) are spelled out."""
    if isinstance(content, Markup):
        return content
    printable = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(content))
    return Markup(escape(printable))


def joined(parts: Iterable[object], between: str = "") -> Markup:
    """The parts as markup, one after the other."""
    return Markup(between.join(text(part) for part in parts))


def element(name: str, *content: object, **attributes: object) -> Markup:
    """``<name attribute="value">content</name>``. ``font_size`` becomes font-size, ``class_`` class; None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items() if value is not None
    )
    return Markup(f"<{name}{written}>" if name in VOID else f"<{name}{written}>{joined(content)}</{name}>")


def section(anchor: str, title: str, *content: object) -> Markup:
    """A section with its heading."""
    return element("section", element("h2", title), *content, id=anchor)


def table(caption: str, header: Iterable[object], rows: Iterable[Iterable[object]], *, class_: str | None = None) -> Markup:
    """A table whose first column names the rows; it scrolls sideways where the window is narrow."""
    head = element("tr", *(element("th", cell, scope="col") for cell in header))
    body = (element("tr", element("th", first, scope="row"), *map(_cell, others)) for first, *others in rows)
    content = (element("caption", caption), element("thead", head), element("tbody", *body))
    return scrolling(element("table", *content, class_=class_), caption)


def scrolling(content: Markup, label: str) -> Markup:
    """Wide content in a frame that scrolls, also by keyboard."""
    return element("div", content, class_="scroll", role="region", aria_label=label, tabindex="0")


def folded(summary: str, *content: object) -> Markup:
    """Content that is hidden until the reader opens it."""
    return element("details", element("summary", summary), *content)


def _cell(content: object) -> Markup:
    """A cell; what is a ``<td>`` already stays as it is."""
    return content if isinstance(content, Markup) and content.startswith("<td") else element("td", content)
