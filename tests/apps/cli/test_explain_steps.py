"""``pellucid explain --step``: forward and backward, with numbers that can be computed again."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import numpy as np
import pytest
from running import environment

import pellucid as pl


def short(number):
    """Four significant digits, written once more."""
    return f"{number:.4g}"


@pytest.fixture
def walk(cli, trained, pictures, monkeypatch):
    """The numbers of the sections that are shown when this is typed, and the text."""

    def run(typed, *options, of=(trained[1], pictures[0])):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        done = cli("explain", *of, "--step", *options)
        assert done.returncode == 0, done.stderr
        return [int(number) for number in re.findall(r"^\[(\d+)/\d+\]$", done.stdout, re.M)], done.stdout

    return run


def test_enter_goes_there_and_back(walk):
    numbers, text = walk("\n" * 50)
    titles = re.findall(r"^(Forward|Backward)\. (.+)$", text, re.M)
    assert numbers == list(range(1, len(titles) + 1))
    assert [name for way, name in titles if way == "Backward"] == ["The loss", "output", "dense_1", "input"]
    assert titles[0] == ("Forward", "What the network saw")


def test_q_and_the_end_of_input_stop(walk):
    assert walk("\n\nq\n\n\n")[0] == [1, 2, 3]
    assert walk("Q\n")[0] == [1]
    assert walk("")[0] == [1]
    assert walk("\n")[0] == [1, 2]


def test_it_works_in_a_pipe(trained, pictures):
    command = [sys.executable, "-m", "pellucid", "explain", str(trained[1]), str(pictures[0]), "--step"]
    done = subprocess.run(command, input="\nq\n", capture_output=True, encoding="utf-8", env=environment(), timeout=60)
    assert done.returncode == 0
    assert done.stdout.count("Forward.") == 2
    assert "Enter: go on" in done.stderr


def test_the_loss_is_that_of_the_label(walk, trained, pictures):
    _, text = walk("\n" * 50, "--label", "3")
    p = pl.explain(pl.load(trained[1]), pictures[0]).scores[3].probability
    assert f"loss = -log({short(p)}) = {short(-np.log(p))}" in text


def test_dz_is_what_is_written(walk):
    _, text = walk("\n" * 50)
    number = r"\(?([-\d.e]+)\)?"
    chains = re.findall(rf"dz = dy \* f'\(z\) = {number} \* {number} = (\S+)$", text, re.M)
    assert len(chains) == 3
    weights = re.findall(rf"dw\[\d+(?:,\d+)?\] = dz \* x = {number} \* {number} = (\S+)$", text, re.M)
    assert len(weights) == 2 * 3 * 3
    for first, second, result in chains + weights:
        assert float(first) * float(second) == pytest.approx(float(result), rel=2e-3)
    assert len(re.findall(r"dz = dy = ", text)) == 3


def test_dy_is_the_sum_of_what_the_units_above_send_down(walk):
    _, text = walk("\n" * 50)
    sums = re.findall(r"dy = sum of dz \* w over the units of output = (.+) = (\S+)$", text, re.M)
    assert len(sums) == 3
    for terms, dy in sums:
        value = eval(re.sub(r"\.\.\. \([\d,]+ more: (\S+)\)", r"(\1)", terms))
        assert value == pytest.approx(float(dy), rel=5e-3, abs=1e-6)


def test_the_gradient_of_each_score_is_p_minus_t(walk, trained, pictures):
    _, text = walk("\n" * 50, "--label", "3")
    rows = re.findall(r"dz\((\d)\) = p - t = (\S+) - (\S+) = (\S+)$", text, re.M)
    p = [score.probability for score in pl.explain(pl.load(trained[1]), pictures[0]).scores]
    assert len(rows) == 5
    for label, shown, target, dz in rows:
        assert float(target) == (label == "3")
        assert float(shown) == pytest.approx(p[int(label)], rel=1e-3)
        assert float(dz) == pytest.approx(p[int(label)] - float(target), rel=1e-3)
    sizes = [abs(float(row[3])) for row in rows]
    assert sizes == sorted(sizes, reverse=True)


def test_the_strongest_are_those_with_the_largest_gradients(walk, trained, pictures):
    _, text = walk("\n" * 50, "--label", "3")
    dz = pl.explain(pl.load(trained[1]), pictures[0], label=3).trace.layer("dense_1").dsums[0]
    units = re.findall(r"^  dense_1\[(\d+)\]  dz", text.split("Backward. dense_1")[1], re.M)
    assert [int(unit) for unit in units] == np.argsort(-np.abs(dz))[:3].tolist()


def test_the_division_by_255_goes_back_too(walk):
    _, text = walk("\n" * 50)
    dy, dx = re.search(r"dx = dy / 255 = \(?(\S+?)\)? / 255 = (\S+)\.$", text, re.M).groups()
    assert float(dy) / 255 == pytest.approx(float(dx), rel=1e-3)


def test_b_goes_back_and_the_last_page_says_so(walk):
    assert walk("\nb\nb\n\nq\n")[0] == [1, 2, 1, 1, 2]
    numbers, _ = walk("\n" * 50)
    assert walk("\n" * (len(numbers) - 1) + "b\n\n\n")[0] == [*numbers, numbers[-2], numbers[-1]]


def test_a_regression_goes_forward_only(walk, regression, tmp_path):
    np.save(tmp_path / "sample.npy", np.arange(4.0))
    _, text = walk("\n" * 20, of=(regression, tmp_path / "sample.npy"))
    assert "Forward. output" in text
    assert "Backward" not in text
