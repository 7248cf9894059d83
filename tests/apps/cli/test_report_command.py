"""``pellucid evaluate --report``: the page beside the tables, and what it refuses to replace."""

from __future__ import annotations

import json

import pytest
from PIL import Image

import pellucid as pl


@pytest.fixture
def judged(cli):
    """A model of the few digits, in the folder where the command runs."""
    assert cli("train", "digits", "--hidden", "8", "--epochs", "1", "--out", "m.safetensors").returncode == 0
    return cli


def test_the_page_holds_what_the_tables_say(judged, tmp_path):
    plain = judged("evaluate", "m.safetensors", "digits")
    done = judged("evaluate", "m.safetensors", "digits", "--report", "a page.html")
    assert done.returncode == 0
    assert done.stdout == plain.stdout
    assert "The report is in a page.html." in done.stderr
    page = (tmp_path / "a page.html").read_text("utf-8")
    report = json.loads(judged("evaluate", "m.safetensors", "digits", "--json", "--report", "a page.html").stdout)
    assert f"{report['accuracy']:.1%} right" in page
    assert "digits (test)" in page
    assert "pellucid evaluate m.safetensors digits --report &#x27;a page.html&#x27;" in page
    assert (tmp_path / "a page.html").read_text("utf-8") == page


def test_nothing_but_a_page_is_replaced(judged, tmp_path):
    before = (tmp_path / "m.safetensors").read_bytes()
    done = judged("evaluate", "m.safetensors", "digits", "--report", "m.safetensors")
    assert done.returncode == 2
    assert "m.safetensors exists and is not an HTML page" in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "m.safetensors").read_bytes() == before
    (tmp_path / "empty.html").touch()
    assert judged("evaluate", "m.safetensors", "digits", "--report", "empty.html").returncode == 0


def test_a_place_that_cannot_be_written_is_said_before_anything_is_judged(judged):
    done = judged("evaluate", "m.safetensors", "digits", "--report", "nowhere/report.html")
    assert done.returncode == 2
    assert "the folder" in done.stderr
    assert done.stdout == ""


def test_a_folder_is_reported_on_by_file(judged, tmp_path, monkeypatch):
    """Noise in two classes, in the form that photos have; one file is empty, and the page says so."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    for k, label in enumerate(("cat", "dog")):
        for part, count in (("train", 6), ("test", 3)):
            folder = tmp_path / "photos" / part / label
            folder.mkdir(parents=True)
            for i in range(count):
                Image.effect_noise((32, 32), 40 + 50 * k + i).convert("RGB").save(folder / f"{label} {i}.png")
    (tmp_path / "photos" / "test" / "cat" / "hollow.png").touch()
    photos = pl.datasets.folder("photos", 16)
    network = pl.Network([pl.Input(16, 16, 3), pl.Classification(2)])
    pl.Model(network, photos.pipeline, photos.labels).save("photos.safetensors")
    done = judged("evaluate", "photos.safetensors", "photos", "--report", "photos.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "photos.html").read_text("utf-8")
    assert "hollow.png" in page
    assert "without a single byte" in page
    assert "photos (test)" in page
