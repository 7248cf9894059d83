"""docs/insight/calibration.md: its programs run and print what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "insight" / "calibration.md"
NUMBER = r"\d+(?:[.,]\d+)*"


def test_every_program_prints_what_the_page_says():
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), flags=re.S)
    assert len(blocks) == 2
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, PAGE.name, "exec"), {})
        assert re.sub(NUMBER, "#", printed.getvalue()) == re.sub(NUMBER, "#", expected)
        found, said = (
            [float(n.replace(",", "")) for n in re.findall(NUMBER, text)] for text in (printed.getvalue(), expected)
        )
        assert found == pytest.approx(said, rel=0.15)  # instruction sets round differently, and a training amplifies
