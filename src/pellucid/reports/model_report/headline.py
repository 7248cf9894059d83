"""The head of the report: the result in words, and the main metrics."""

from __future__ import annotations

from pellucid.core.display.markup import Markup, element, joined
from pellucid.core.display.text import between, counted, percent
from pellucid.evaluation.trust import ROUGH
from pellucid.reports.judgement import ClassJudgement

FEW = 30  # samples of a class, below which its figures say little


def answer(found: ClassJudgement) -> Markup:
    """The sentences below the title, and a row of figures."""
    sentences = [_accuracy(found), found.against_guessing, *_weakest(found), _honesty(found)]
    return joined([_figures(found), *(element("p", sentence) for sentence in sentences), *_warnings(found)])


def headline(found: ClassJudgement) -> str:
    """The result in a line."""
    if found.right == found.count:
        return f"All {found.count:,} {found.noun}s right" if found.count > 1 else f"The one {found.noun} is right"
    return f"{percent(found.accuracy)} right: {found.right:,} of {counted(found.count, found.noun)}"


def _figures(found: ClassJudgement) -> Markup:
    rows = {
        "accuracy": (percent(found.accuracy), between(*found.interval)),
        "balanced accuracy": (percent(found.mean_recall), "mean recall of the classes"),
        **({} if found.auc is None else {"AUC": (f"{found.auc:.4f}", "how well it ranks the two classes")}),
        "calibration error": (percent(found.trust.calibration_error), between(*found.trust.calibration_error_interval)),
        "Brier score": (f"{found.trust.brier:.4f}", "{:.4f}–{:.4f}".format(*found.trust.brier_interval)),
        "loss": (f"{found.loss:.4f}", "cross-entropy" + (", before the temperature" if found.trust.temperature else "")),
        f"test {found.noun}s": (f"{found.count:,}", f"{counted(len(found.names), 'class', 'classes')}"),
    }
    return row_of_figures(rows)


def row_of_figures(rows: dict[str, tuple[str, str]]) -> Markup:
    """Name -> (figure, note), side by side."""
    items = (
        element("div", element("dt", name), element("dd", value, element("small", note)))
        for name, (value, note) in rows.items()
    )
    return element("dl", *items, class_="figures")


def _accuracy(found: ClassJudgement) -> Markup:
    noun, all_right = found.noun, found.right == found.count
    named = f"every test {noun}" if all_right else f"{percent(found.accuracy)} of the test {noun}s"
    said = f"The network labels {named} correctly. On all {noun}s that are taken in the same way its accuracy lies in "
    return joined([said, element("strong", between(*found.interval)), ", with 95% confidence."])


def _weakest(found: ClassJudgement) -> list[str]:
    if not found.confusions:
        return []
    recalls = [(row.recall, k) for k, row in enumerate(found.classes) if row.recall is not None]
    recall, weakest = min(recalls)
    said = f"Its weakest class is “{found.names[weakest]}”, of which it recognizes {percent(recall)}."
    times, true, predicted = found.confusions[0]
    if times > 1:
        said += f" Most often it takes “{found.names[true]}” for “{found.names[predicted]}”: {times:,} times."
    return [said]


def _honesty(found: ClassJudgement) -> str:
    trust = found.trust
    judgement = (
        f"too few {found.noun}s to tell how far its probabilities can be trusted"
        if trust.is_by_chance and trust.is_rough else
        "on the whole, its probabilities can be trusted" if trust.is_by_chance else
        f"it is {trust.verdict}" if trust.excess else
        f"on average that fits, but a single probability may be far off: it is {trust.verdict}"
    )  # fmt: skip
    claims = f"On average it gives its answers a probability of {percent(trust.mean_claim)}"
    return f"{claims}, and {percent(found.accuracy)} of them are right: {judgement}."


def _warnings(found: ClassJudgement) -> list[Markup]:
    low, high = found.interval
    small = [label for label, row in zip(found.names, found.classes, strict=True) if row.support < FEW]
    said = []
    if high - low > ROUGH:
        said.append(
            f"Only {counted(found.count, f'{found.noun} was', f'{found.noun}s were')} tested, so these figures are rough: "
            f"the true accuracy may be anywhere from {percent(low)} to {percent(high)}. More test {found.noun}s make them "
            "more precise."
        )
    if small:
        names = ", ".join(f"“{label}”" for label in small[:5]) + (", …" if len(small) > 5 else "")
        which = counted(len(small), "class has", "classes have")
        said.append(
            f"{which} fewer than {FEW} test {found.noun}s ({names}). The figures of such a class are rough: look at their "
            "intervals."
        )
    return [element("p", words, class_="warning") for words in said]
