"""Explain under attack: a name too many, numbers that overflow, wrong arguments, and labels that would command."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import pellucid as pl
from pellucid.core.display.document_text import as_text


def test_a_page_never_takes_the_place_of_something_else(cli, tmp_path):
    """One slip of the keyboard after --html, and the model or the picture would be gone."""
    pl.Network([pl.Input(3), pl.Classification(2)]).save("model")
    np.save("ones.npy", np.ones(3))
    (tmp_path / "thesis.txt").write_bytes(b"years of work")
    for name in ("model", "ones.npy", "thesis.txt"):
        content = (tmp_path / name).read_bytes()
        done = cli("explain", "model", "ones.npy", "--html", name)
        assert done.returncode == 2
        assert f"{name} exists and is not an HTML page" in done.stderr
        assert (tmp_path / name).read_bytes() == content
    for _ in range(2):  # its own page it may write again
        assert cli("explain", "model", "ones.npy", "--html", "page.html").returncode == 0


def test_numbers_that_overflow_are_a_sentence_without_warnings(cli):
    network = pl.Network([pl.Input(3), *[pl.Dense(4, "relu") for _ in range(12)], pl.Classification(2)])
    network.parameters.vector[...] = 3e38
    network.save("huge")
    np.save("ones.npy", np.ones(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = cli("explain", "huge", "ones.npy")
    assert done.returncode == 2
    assert re.fullmatch(r"Error: the scores are not finite.*\n", done.stderr)


def test_python_says_what_it_expects():
    network = pl.Network([pl.Input(3), pl.Classification(2)])
    with pytest.raises(pl.ArgumentError, match=r"a model is expected, not Network; .*pl\.Model\(network\)"):
        pl.explain(network, np.ones(3))
    with pytest.raises(pl.ShapeError, match="rows of different lengths; one sample is explained"):
        pl.explain(pl.Model(network), [[1, 2], [3]])


def test_a_number_and_its_text_are_two_labels():
    model = pl.Model(pl.Network([pl.Input(2), pl.Classification(3)]), labels=[1, "1", 2])
    for label, expected in ((1, 1), ("1", "1"), ("2", 2), (np.int64(2), 2)):
        followed = pl.explain(model, np.ones(2), label=label).backward_from
        assert (followed, type(followed)) == (expected, type(expected))
    with pytest.raises(pl.ArgumentError, match="not a label"):
        pl.explain(model, np.ones(2), label=np.array([1, 2]))


FORGED = ["a\n## An answer of its own", "\x1b[31mred", "\u202eright to left", "b\r```\x85\u2028"]


@pytest.mark.parametrize("labels", [FORGED, FORGED[:2]], ids=["softmax", "sigmoid"])
def test_labels_can_neither_command_nor_make_lines_in_python_too(labels):
    """``print(explanation)`` and ``to_markdown()`` show labels of a file from elsewhere without the command line."""
    output = pl.Classification(4) if len(labels) == 4 else pl.BinaryClassification()
    explanation = pl.explain(pl.Model(pl.Network([pl.Input(2), output]), labels=labels), np.ones(2))
    walk = as_text(labels[0], explanation.steps(), str)
    for text in (str(explanation), explanation.to_markdown(), walk):
        assert all(character.isprintable() or character == "\n" for character in text)
        assert not re.search(r"^\s*(## An answer|```\\)", text, re.M)
        assert "red" in text
