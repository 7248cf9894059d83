"""Photos to look at again: labels that disagree with what looks alike, and near duplicates across training and test."""

from __future__ import annotations

from pellucid.core.display.markup import Markup, element, section
from pellucid.core.display.pictures import picture
from pellucid.core.display.text import counted
from pellucid.evaluation.neighbours import NEIGHBOURS, SAME_SCENE, Disagreement, NearDuplicate
from pellucid.reports.photo_suspects import PhotoSuspects

SHOWN = 24  # of each kind


def suspects(found: PhotoSuspects) -> Markup:
    """The section with pictures of each."""
    return section("suspects", "Look at these again", *_labelled(found), *_duplicates(found))


def _labelled(found: PhotoSuspects) -> list[Markup]:
    if not found.labelled:
        words = f"No label disagrees with those of the {NEIGHBOURS} photos that look most like its own."
        return [element("p", words)]
    count = len(found.labelled)
    words = (
        f"{counted(count, 'label disagrees', 'labels disagree')} with those of the photos that look most alike, to a "
        "network that has seen none of these labels. Wrong labels are among such photos, and rare sights of a class."
    )
    cards = (_label(found, each) for each in found.labelled[:SHOWN])
    more = [] if count <= SHOWN else [element("p", f"and {count - SHOWN:,} more.", class_="note")]
    return [element("p", words), element("ol", *cards, class_="cards"), *more]


def _label(found: PhotoSuspects, each: Disagreement) -> Markup:
    own, other = str(found.label(each.row)), str(found.photos.labels[each.other])
    caption = (
        element("div", element("span", "labelled ", element("b", own, class_="blue"))),
        element(
            "div", element("span", f"{each.votes} of {len(each.nearest)} like it: ", element("b", other, class_="orange"))
        ),
        element("div", found.file(each.row), class_="file"),
    )
    shown = picture(found.pixels(each.row), f"labelled {own}, like {other}")
    near = (picture(found.pixels(row), f"{found.label(row)}: {found.file(row)}") for row in each.nearest)
    strip = element("div", *near, class_="strip")
    return element("li", element("figure", shown, element("figcaption", *caption)), strip)


def _duplicates(found: PhotoSuspects) -> list[Markup]:
    if found.photos.test is None:
        return []
    if not found.duplicates:
        return [element("p", "No test photo shows about the same as one to learn from.")]
    count = len(found.duplicates)
    words = (
        f"{counted(count, 'test photo shows', 'test photos show')} about the same as one to learn from (a similarity of "
        f"{SAME_SCENE:g} and more; 1 is the same). What is right in these says little of photos that are new."
    )
    cards = (_pair(found, each) for each in found.duplicates[:SHOWN])
    return [element("h3", "Near duplicates"), element("p", words), element("ol", *cards, class_="cards")]


def _pair(found: PhotoSuspects, each: NearDuplicate) -> Markup:
    rows = len(found.photos.x) + each.test, each.training
    names = ("to test with", "to learn from")
    shown = (picture(found.pixels(row), f"{name}: {found.file(row)}") for row, name in zip(rows, names, strict=True))
    files = (element("div", found.file(row), class_="file") for row in rows)
    caption = element("figcaption", element("div", element("b", f"similarity {each.similarity:.2f}")), *files)
    return element("li", element("figure", element("div", *shown, class_="strip"), caption))
