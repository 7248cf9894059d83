"""Equations as a reader finds them: every side of every ``=`` in a text is either known words, or computed."""

from __future__ import annotations

import html
import itertools
import re
from typing import Any, NamedTuple

import numpy as np
from documents import arithmetic

NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"
RIGHT = re.compile(rf"(about )?({NUMBER})(?=$|; \w+ -> |; in doubt|\.$| \(|, with label)")
DRAWN = re.compile(r"[ .+#=%-]+| *\. \+ # speak for the answer, - = % against it")  # a map of signs, and its legend
NAME = r"(?:[a-z]|d[wxyz]|m_hat|v_hat|gamma|beta|loss|margin|T)(?:\([^()]*\)|\[[\d,]+\])?"
BEFORE = r"(?:[A-Z].* |[\w.]+\[\d+\](?:@\d+,\d+)?: )?"  # a sentence, or a neuron
RULES = (r"p - t", r"dz \* x", r"dy \* f'\(z\)", r"dy / 255", r"sum of dz \* w over the units of \w+", r"(?:x \* )?dL/d\w+")
IN_LETTERS = re.compile(rf"{BEFORE}{NAME}|with T|new w|{'|'.join(RULES)}")


class Equation(NamedTuple):
    """``left = right``, or ``left = about right``."""

    left: str
    right: str
    is_about: bool

    @property
    def value(self) -> float:
        """What the left side comes to."""
        return _value(self.left)

    def holds(self, digits: int = 4) -> bool:
        """Whether the left side gives the right one, rounded to the digits shown, or to as many as all numbers have."""
        shown = len(re.sub(r"e.*|[-.]", "", self.right).lstrip("0"))
        return float(f"{self.value:.{max(digits, shown)}g}") == float(self.right)


def equations(text: str) -> list[Equation]:
    """All of a text. An ``=`` beside which there is something that cannot be read raises AssertionError."""
    return [found for line in text.splitlines() if not DRAWN.fullmatch(line) for found in _of(line)]


def _of(line: str) -> list[Equation]:
    sides = line.split(" = ")
    found = []
    for left, right in itertools.pairwise(sides):
        plain = re.sub(r"^.*(?:  |\| |in doubt: )", "", left).strip()
        if IN_LETTERS.fullmatch(plain):
            continue
        match = RIGHT.match(right)
        assert match, f"no number: {line!r}"
        found.append(Equation(plain, match[2], bool(match[1])))
        assert np.isfinite(found[-1].value), f"no arithmetic: {line!r}"
    return found


def _value(text: str) -> float:
    text = re.sub(rf"\.\.\. \((?:[\d,]+ more: )?({NUMBER})(?: from the others)?\)", r"(\1)", text)
    text = re.sub(r" from (?:inputs|biases|the gap)", "", text)
    with np.errstate(over="ignore"):  # e^800
        return arithmetic(text)


def of_page(page: str) -> str:
    """What an HTML page shows, each part on a line of its own."""
    page = re.sub(r"<style.*?</style>|</?span[^>]*>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "\n", page))


def of_data(data: Any) -> str:
    """All texts of JSON, each on a line of its own."""
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return data if isinstance(data, str) else "\n".join(filter(None, map(of_data, parts)))
