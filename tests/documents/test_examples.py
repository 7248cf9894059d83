"""The examples run as a reader would run them, and what they print is right.

The bounds are far from what the examples reach (given beside each), and far from what a broken network would: they leave
room for another BLAS, not for a wrong gradient.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def printed_by(name: str, folder: Path) -> str:
    """What ``python examples/name.py`` prints, run from another folder; warnings are errors."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    assert not list(folder.iterdir()), "the example left files behind"
    return done.stdout


def percentages(text: str) -> list[float]:
    return [float(number) / 100 for number in re.findall(r"([\d.]+)%", text)]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_shows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 40
    assert text.startswith('"""')
    assert f"test_{path.stem}" in globals(), f"write a test for {path.name}"


def test_xor(tmp_path: Path) -> None:
    """Reached: 50.0 % four times without a hidden layer; 0.2 %, 99.8 %, 99.8 %, 0.2 % with one."""
    text = printed_by("xor", tmp_path)
    p = {case: float(value) / 100 for case, value in re.findall(r"(\d xor \d): +([\d.]+)%", text.split("1 hidden")[1])}
    assert set(p) == {"0 xor 0", "0 xor 1", "1 xor 0", "1 xor 1"}
    for case, value in p.items():
        a, b = int(case[0]), int(case[-1])
        assert (value > 0.95) if a != b else (value < 0.05), case
    # No line separates the two classes: the best that a single layer can do (log 2 a sample) is to say 1/2 everywhere.
    without = percentages(text.split("1 hidden")[0])
    assert len(without) == 4
    assert without == pytest.approx([0.5] * 4, abs=0.02)


def test_digits(tmp_path: Path) -> None:
    """Reached: 96.4 %, 365 wrong."""
    text = printed_by("digits", tmp_path)
    accuracy = re.search(r"accuracy ([\d.]+)% on 10,000 test pictures, loss ([\d.]+)", text)
    assert accuracy
    assert float(accuracy[1]) > 94.5
    assert float(accuracy[2]) < 0.2
    wrong = re.search(r"(\d+) of 10,000 wrong", text)
    assert wrong
    assert int(wrong[1]) == round(100 * (100 - float(accuracy[1])))
    # The first test picture of MNIST is a 7, and an easy one.
    assert re.search(r"test picture 0 is a 7; predicted 7 \(7 9[\d.]+%", text)
    drawing = text.split("\n\n")[1].splitlines()[:-1]
    assert 8 <= len(drawing) <= 14
    assert all(len(line) == 28 and set(line) <= set(" .:+#") for line in drawing)
    assert len(re.findall(r"test picture \d+ is a \d; predicted \d", text)) == 2


def test_regression(tmp_path: Path) -> None:
    """Reached: r2 0.798 with squares, 0.985 with Huber's loss."""
    text = printed_by("regression", tmp_path)
    r2 = dict(re.findall(r"^(\w+) +r2 against the true curve ([\d.]+)$", text, flags=re.M))
    assert float(r2["huber"]) > 0.95
    assert float(r2["mse"]) < float(r2["huber"]) - 0.05
    rows = [[float(cell) for cell in line.split()[:4]] for line in text.splitlines() if re.match(r" *-?\d\.\d\d ", line)]
    assert len(rows) == 25
    mean = sum(truth for _, truth, _, _ in rows) / len(rows)
    spread = sum((truth - mean) ** 2 for _, truth, _, _ in rows)
    for column, name in ((2, "mse"), (3, "huber")):  # the figure is that of the table: 1 - residual / spread
        residual = sum((row[1] - row[column]) ** 2 for row in rows)
        assert 1 - residual / spread == pytest.approx(float(r2[name]), abs=2e-3)
    inside = [abs(truth - huber) for x, truth, _, huber in rows if abs(x) < 2.7]
    assert max(inside) < 0.25
    assert text.count("*") == len(rows) + 1


def test_binary_classification(tmp_path: Path) -> None:
    """Reached on the test points: loss 1.000, accuracy 80.2 % with nothing; 0.364, 84.8 % with both remedies."""
    text = printed_by("binary_classification", tmp_path)
    figures = r"loss ([\d.]+) accuracy ([\d.]+)%"
    pattern = rf"^(\w.*?) +(\d+) epochs   training: {figures}   test: {figures}$"
    rows = {name: [float(number) for number in numbers] for name, *numbers in re.findall(pattern, text, flags=re.M)}
    assert set(rows) == {"nothing", "L2", "early stopping", "both"}
    epochs, loss, _, test_loss, _ = rows["nothing"]
    assert epochs == 200
    assert test_loss > 3 * loss  # it has learned its points by heart
    for name in ("L2", "early stopping", "both"):
        assert rows[name][3] < 0.45 < 0.7 < test_loss, name
        assert rows[name][4] > 82, name
    assert rows["L2"][0] == 200
    assert rows["early stopping"][0] < 150
    answers = {xy: percentages(line) for xy, line in re.findall(r"^at (\(.*?\)): (.*)$", text, flags=re.M)}
    assert len(answers) == 3
    assert all(sum(p) == pytest.approx(1, abs=0.0011) for p in answers.values())
    assert answers["(0.0,  1.00)"][0] > 0.8
    assert answers["(1.0, -0.50)"][1] > 0.5


def test_photos(tmp_path: Path) -> None:
    """Reached: 100 %, also with pictures drawn by other seeds. Guessing is right for half of them."""
    text = printed_by("photos", tmp_path)
    assert "200 pictures to learn from, 100 to test with" in text
    assert "train/box/broken.png: it is empty" in text
    accuracy = re.search(r"accuracy on 100 pictures to test with: ([\d.]+)%", text)
    assert accuracy
    assert float(accuracy[1]) > 90
    assert re.search(r"a new disc: disc \([\d.]+%\)\na new box: box \([\d.]+%\)$", text.strip())


def test_penguins(tmp_path: Path) -> None:
    """Reached: 99 %; the bill's length matters most, 28 points."""
    text = printed_by("penguins", tmp_path)
    assert "344 rows in: 344 used" in text
    accuracy = re.search(r"accuracy ([\d.]+)% on 100 test rows", text)
    assert accuracy
    assert float(accuracy[1]) > 93
    lines = re.findall(r"^(\w+) +(-?[\d.]+) +-?[\d.]+ +-?[\d.]+$", text, flags=re.M)
    importance = {name: float(points) for name, points in lines}
    assert max(importance, key=importance.__getitem__) == "bill_length_mm"
    assert importance["bill_length_mm"] > 10 > importance["year"]
    # On Biscoe, with a flat bill and long flippers: only Gentoo penguins are so.
    answer = re.search(r"^Gentoo \(([\d.]+)%\)$", text, flags=re.M)
    assert answer
    assert float(answer[1]) > 95
    z = re.search(r"bill_depth_mm: z = \(13\.2 - ([\d.]+)\) / ([\d.]+) = (-[\d.]+)", text)
    x = re.search(r"bill_depth_mm: x = .* = (-[\d.]+)$", text, flags=re.M)
    assert z
    assert x
    by_hand = (13.2 - float(z[1])) / float(z[2])
    assert float(z[3]) == pytest.approx(by_hand, abs=1e-3)
    assert float(x[1]) == pytest.approx(by_hand / (1 + (by_hand / 3) ** 2) ** 0.5, abs=1e-3)
