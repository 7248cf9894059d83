"""What the usual names of parts mean: to learn from, to test with, or for validation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "test"]
Part: TypeAlias = Split | Literal["validation"]

NOT_READ = "only train and test are read; a part for validation is drawn from train when a network is trained"

_MEANINGS: dict[str, Part | Literal["eval"]] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst", "holdout"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "development"), "validation"),
    **dict.fromkeys(("eval", "evaluation"), "eval"),
}
_NO_MEANING = ("dataset", "set", "data", "images", "imgs", "photos", "pictures", "samples", "split", "part", "seg")


def parts_of(names: Iterable[str]) -> dict[str, Part | None]:
    """The part that each folder or split names, in any case: "Training", "test_set" and "seg_train" too; or None.

    "eval" is the part to test with where no other is, and for validation beside one.
    """
    meanings = {name: _meaning_of(name) for name in names}
    evaluation: Part = "validation" if "test" in meanings.values() else "test"
    return {name: evaluation if meaning == "eval" else meaning for name, meaning in meanings.items()}


def _meaning_of(name: str) -> Part | Literal["eval"] | None:
    words = [word for word in re.split(r"[\W_]+", name.casefold()) if word and word not in _NO_MEANING]
    if len(words) != 1:
        return None
    return _MEANINGS.get(words[0]) or _MEANINGS.get(re.sub(f"({'|'.join(_NO_MEANING)})$", "", words[0]))
