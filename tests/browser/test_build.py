"""The files that the package carries are those that the source builds."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

import pellucid.apps.studio

SOURCE = Path(__file__).parents[2] / "web"
STATIC = Path(pellucid.apps.studio.__file__).parent / "static"
MOST_BYTES = 400_000  # compressed


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("static")
    subprocess.run(["npx", "tsc", "--noEmit"], cwd=SOURCE, check=True)
    subprocess.run(["npx", "vite", "build", "--outDir", str(folder), "--logLevel", "warn"], cwd=SOURCE, check=True)
    return files(folder)


def test_the_package_carries_what_the_source_builds(built: dict[str, bytes]) -> None:
    carried = files(STATIC)
    assert sorted(carried) == sorted(built), "run `npm run build` in web/ and commit what it writes"
    different = [name for name in built if built[name] != carried[name]]
    assert different == [], "run `npm run build` in web/ and commit what it writes"


def test_all_files_together_are_small() -> None:
    assert sum(len(gzip.compress(content)) for content in files(STATIC).values()) < MOST_BYTES


def test_no_file_names_another_host() -> None:
    """Names of XML namespaces are no addresses, and a license may say where its text stands; nothing else may name one."""
    programs = {name: content for name, content in files(STATIC).items() if not name.endswith("license.txt")}
    for name, content in programs.items():
        found = re.findall(rb"https?://[\w.-]+[\w/.-]*", content)
        assert [url for url in found if not url.startswith(b"http://www.w3.org/")] == [], name


def test_the_license_of_everything_built_in_is_carried() -> None:
    carried = {name: " ".join(content.decode().split()) for name, content in files(STATIC).items() if "license" in name}
    built_in = [*json.loads((SOURCE / "package.json").read_text())["dependencies"], "@preact/signals-core"]
    for name in built_in:
        text = " ".join((SOURCE / "node_modules" / name / "LICENSE").read_text().split())
        assert any(text in own for own in carried.values()), name


def test_the_page_has_no_script_or_style_in_it() -> None:
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\bstyle=|\bon\w+=|javascript:", page) == []
