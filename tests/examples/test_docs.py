"""The documents are true: links lead somewhere, snippets run, and every number is what the package computes.

Expected numbers: those of ``docs/backprop.md``, which can be checked by hand; the arithmetic on each line is checked too.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from documents import ARCHITECTURE, ATTRIBUTION, BACKPROP, CALIBRATION, NATIVE, PACKAGE, PHOTOS, TRACE, sections, text_of
from PIL import Image

DOCUMENTS = [BACKPROP, ARCHITECTURE, NATIVE, TRACE, ATTRIBUTION, CALIBRATION]

# All documents with snippets


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_or_a_heading(path: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", text_of(path))
    assert links
    anchors = {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in sections(path)}
    for link in links:
        if link.startswith("#"):
            assert link[1:] in anchors, link
        else:
            assert (path.parent / link.split("#")[0]).exists(), f"{path.name} links to {link}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_snippet_runs_and_prints_what_the_document_says(path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text_of(path), flags=re.S)
    assert blocks
    for code, expected in blocks:  # each in a process of its own, as a reader would run it
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        if expected:
            assert done.stdout == expected


# photos.md


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


# architecture.md


def modules() -> set[str]:
    """Every module of the package as a path: ``layers/dense.py``."""
    return {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}


def tiers() -> dict[str, int]:
    """Module -> number of its tier, from the tables of the document."""
    found: dict[str, int] = {}
    for heading, text in sections(ARCHITECTURE).items():
        tier = re.match(r"Tier (\d)", heading)
        if tier:
            for name in re.findall(r"^\| \[`([\w/]+\.py)`\]\(\.\./src/pellucid/\1\) \|", text, flags=re.M):
                assert name not in found, f"{name} stands in two tiers"
                found[name] = int(tier[1])
    return found


def imports_of(name: str) -> Iterator[str]:
    """The modules of the package that a module imports, at the top or later."""
    for node in ast.walk(ast.parse(text_of(PACKAGE / name))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pellucid":
            for alias in node.names:
                for dotted in (f"{node.module}.{alias.name}", node.module):
                    path = "/".join(str(dotted).split(".")[1:])
                    known = [p for p in (f"{path}.py", f"{path}/__init__.py".lstrip("/")) if (PACKAGE / p).is_file()]
                    if known:
                        yield known[0]
                        break


def test_every_module_has_its_line_and_every_line_its_module() -> None:
    assert set(tiers()) == modules()


def test_imports_never_point_to_a_higher_tier() -> None:
    tier = tiers()
    upward = [f"{name} -> {used}" for name in modules() for used in imports_of(name) if tier[used] > tier[name]]
    assert not upward
