"""The worst mistakes: wrong answers with the highest probabilities, and the pictures as the network saw them."""

from __future__ import annotations

from pellucid.core.display.markup import Markup, element, joined, section
from pellucid.core.display.pictures import is_picture, picture
from pellucid.core.display.text import counted, percent
from pellucid.reports.judgement import ClassJudgement, Mistake

SHOWN = 24


def mistakes(found: ClassJudgement) -> Markup:
    """The section with a picture of each."""
    count = found.count - found.right
    if count == 0:
        words = f"It made none on {'this picture' if found.count == 1 else f'these {found.count:,} pictures'}."
        return section("mistakes", "Its worst mistakes", element("p", words))
    these = "This is it" if count == 1 else "These are all of them" if count <= SHOWN else f"These are the {SHOWN} surest"
    words = f"{counted(count, 'answer is', 'answers are')} wrong. {these}, as the network saw the pictures."
    cards = (_card(found, mistake) for mistake in found.worst_mistakes(SHOWN))
    return section("mistakes", "Its worst mistakes", element("p", words), element("ol", *cards, class_="cards"))


def _card(found: ClassJudgement, mistake: Mistake) -> Markup:
    x = found.samples.x[mistake.index]
    true, said = str(mistake.label), str(mistake.predicted)
    claim, of_truth = percent(mistake.probability), percent(mistake.probability_of_label)
    image = [picture(x, f"{true}, taken for {said}")] if is_picture(x.shape) else []
    caption = (
        element("div", element("span", "is ", element("b", true, class_="blue")), element("small", of_truth)),
        element("div", element("span", "said ", element("b", said, class_="orange")), element("small", claim)),
        element("div", _breakable(found.name(mistake.index)), class_="file"),
    )
    return element("li", element("figure", *image, element("figcaption", *caption)))


def _breakable(path: str) -> Markup:
    """A path that may go on in the next line after each folder."""
    return joined(path.split("/"), Markup("/<wbr>"))
