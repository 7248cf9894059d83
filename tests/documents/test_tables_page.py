"""The page on tables says what the commands print, and its Python runs."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from click.testing import CliRunner

from pellucid.apps.cli.root import root

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "tables.md").read_text()


def test_the_python_prints_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program, printed = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL).groups()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(program, {})
    assert output.getvalue() == printed
    assert (tmp_path / "penguins.safetensors").exists()


def test_inspect_prints_what_the_page_says():
    (printed,) = re.findall(r"```\n(penguins\.csv: .*?)```", PAGE, re.DOTALL)
    result = CliRunner().invoke(root, ["inspect", "penguins"])
    assert result.exit_code == 0
    assert result.output.split("palmer/")[1] == printed


def test_every_option_on_the_page_exists():
    commands = ("inspect", "train", "evaluate", "predict", "explain")
    every = "".join(CliRunner().invoke(root, [name, "--help"]).output for name in commands)
    for option in set(re.findall(r"--[a-z][a-z-]+", PAGE)):
        assert option in every, option
