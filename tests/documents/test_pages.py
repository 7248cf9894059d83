"""The documents are true: links lead somewhere, snippets run, and every number is what the package computes.

Expected numbers: those of ``docs/mathematics``, which can be checked by hand; the arithmetic on each line is checked too.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from documents import (
    ADDING,
    ARCHITECTURE,
    ATTRIBUTION,
    CALIBRATION,
    DOCS,
    FORMATS,
    MATHEMATICS,
    NATIVE,
    PACKAGE,
    PHOTOS,
    TRACE,
    chapters,
    sections,
    text_of,
)
from PIL import Image
from safetensors import safe_open

import pellucid as pl

PAGES = sorted(DOCS.rglob("*.md"))
DECISIONS = DOCS / "developing" / "decisions"
WITH_LINKS = [path for path in PAGES if path.parent != DECISIONS]
WITH_SNIPPETS = [MATHEMATICS, ADDING, NATIVE, TRACE, ATTRIBUTION, CALIBRATION, FORMATS]

# All pages


def links(path: Path) -> list[str]:
    """What a page links to within the project."""
    return re.findall(r"\]\((?!https?:)([^)]+)\)", text_of(path))


def anchors(path: Path) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in sections(path)}


def test_every_page_stands_in_the_index_once() -> None:
    listed = [(DOCS / link).resolve() for link in links(DOCS / "index.md")]
    pages = [path for path in listed if path.is_relative_to(DOCS)]
    assert sorted(pages) == [path for path in PAGES if path != DOCS / "index.md"]


@pytest.mark.parametrize("path", WITH_LINKS, ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_leads_to_a_file_or_a_heading(path: Path) -> None:
    assert links(path)
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), f"{path.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{path.name} links to {link}"


@pytest.mark.parametrize("path", WITH_SNIPPETS, ids=lambda path: path.name)
def test_every_snippet_runs_and_prints_what_the_document_says(path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text_of(path), flags=re.S)
    assert blocks
    for code, expected in blocks:  # each in a process of its own, as a reader would run it
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        if expected:
            assert done.stdout == expected


# mathematics/


def test_each_chapter_leads_to_the_next() -> None:
    index, *pages = chapters(MATHEMATICS)
    assert sorted([index, *pages]) == sorted(MATHEMATICS.glob("*.md"))
    titles = [text_of(page).splitlines()[0].removeprefix("# ") for page in pages]
    for page, title, following in zip(pages, titles[1:], pages[1:], strict=False):
        assert text_of(page).endswith(f"\nNext: [{title}]({following.name})\n")


# guide/photos.md


def test_the_python_about_photos_runs(tmp_path: Path) -> None:
    """On small pictures, for less time; everything else is as it stands there."""
    pictures = np.random.default_rng(0).integers(0, 256, (2, 30, 16, 16, 3), np.uint8)
    for kind, some in zip(("cat", "not-cat"), pictures // np.uint8([1, 2])[:, None, None, None, None], strict=True):
        folder = tmp_path / "photos" / kind
        folder.mkdir(parents=True)
        for number, pixels in enumerate(some):
            Image.fromarray(pixels).save(folder / f"{number}.png")
    Image.fromarray(pictures[0, 0]).save(tmp_path / "holiday.jpg")
    blocks = re.findall(r"```python\n(.*?)```", text_of(PHOTOS), flags=re.S)
    assert len(blocks) == 2
    for code in blocks:
        code = re.sub(r"size=\d+", "size=16", code)
        command = [sys.executable, "-W", "error", "-c", code.replace("pl.train(photos)", "pl.train(photos, epochs=3)")]
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=60, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        assert re.search(r"^(not-)?cat \([\d.]+%\)$", done.stdout, flags=re.M)
    assert {"photos.safetensors", "mine.safetensors"} <= {path.name for path in tmp_path.iterdir()}


# developing/architecture.md


def test_the_table_of_folders_says_what_each_folder_says_of_itself() -> None:
    said = {}
    for path in PACKAGE.rglob("*/__init__.py"):
        first = (ast.get_docstring(ast.parse(text_of(path))) or "").split("\n\n")[0]
        said[path.parent.relative_to(PACKAGE).as_posix()] = " ".join(first.replace("``", "`").split())
    row = re.compile(r"^\| \[`([\w/]+)/`\]\(\.\./\.\./src/pellucid/\1\) \| (.+) \|$", flags=re.M)
    assert dict(row.findall(text_of(ARCHITECTURE))) == said


# reference/formats.md


def test_the_tables_name_every_key_of_a_model_file(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(200, 2)), np.arange(200) % 2
    network = pl.Network([pl.Input(2), pl.Classification(2)])
    network.fit(x, y, epochs=1, progress="none")
    model = pl.Model(network)
    model.calibrate(x, y)
    model.conformal(x, y)
    model.save(tmp_path / "model.safetensors", optimizer_state=True)
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        description = json.loads(file.metadata()["pellucid"])
        assert {"optimizer.m", "output.weight"} <= set(file.keys())
    keys = {*description, *description["network"], *description["progress"], *description["calibration"]}
    page = sections(FORMATS)["The model file"]
    assert {key for key in keys if f"`{key}`" not in page} == set()
    assert description["format"] == 2
