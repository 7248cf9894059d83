"""The page on scikit-learn: its Python runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "sklearn.md").read_text()


def test_the_python_prints_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == PAGE.count("```python")
    names: dict[str, object] = {}
    for program, printed in blocks:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            exec(program, names)
        found = output.getvalue()
        assert re.sub(r"[\d.]+", "#", found) == re.sub(r"[\d.]+", "#", printed)
        # instruction sets round differently, so the figures of a training agree to a point or so
        assert numbers(found) == pytest.approx(numbers(printed), rel=0.02, abs=0.11)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]
