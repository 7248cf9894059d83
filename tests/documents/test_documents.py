"""The documents say what is true: their code runs, their results come out, their links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


def test_the_python_of_the_readme_prints_what_the_readme_says(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text()
    (code,) = blocks(readme, "python")
    shown = readme.split(code)[1].split("```\n")[2].strip().splitlines()
    shutil.copytree(ROOT / "examples" / "pictures", tmp_path / "examples" / "pictures")
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    lines = printed.getvalue().strip().splitlines()
    assert len(code.strip().splitlines()) <= 15
    assert len(lines) == len(shown)
    for line, expected in zip(lines, shown, strict=True):
        # BLAS libraries round differently, so the figures of a training agree to a point or so, the rest exactly
        assert re.sub(r"[\d.]+", "#", line) == re.sub(r"[\d.]+", "#", expected)
        assert numbers(line) == pytest.approx(numbers(expected), rel=0.02)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_every_decision_is_in_the_list_of_decisions():
    index = (ROOT / "docs" / "developing" / "decisions" / "README.md").read_text()
    notes = {path.name for path in (ROOT / "docs" / "developing" / "decisions").glob("0*.md")}
    assert notes == set(re.findall(r"\((\d{4}[^)]*\.md)\)", index))


def test_the_page_that_is_everything_names_every_public_name():
    import pellucid as pl

    page = (ROOT / "docs" / "reference" / "everything.md").read_text()
    abstract = {"Activation", "Clipping", "Initializer", "Loss", "Optimizer", "Regularizer", "Schedule"}
    abstract |= {"Context", "ParameterSpec"}
    named_by_their_names = {"CrossEntropy", "BinaryCrossEntropy", "MeanSquaredError", "MeanAbsoluteError"}
    missing = [name for name in pl.__all__ if not re.search(rf"\b{name}\b", page)]
    assert set(missing) <= abstract | named_by_their_names | {"__version__", "History", "Model", "random", "PellucidError"}


def test_the_setup_of_the_studio_compiles_nothing_again():
    """pip's isolated build would have an empty build folder, and compile all of native/ a second time."""
    commands = subprocess.run(
        ["make", "--dry-run", "--always-make", "studio"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    installs = [line for line in commands.splitlines() if "--editable" in line]
    assert installs
    assert all("--no-build-isolation" in line for line in installs)
    assert "--editable" not in (ROOT / "README.md").read_text()
