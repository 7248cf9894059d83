"""A model that is known by name: ``pellucid predict imagenet photo.jpg``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

ROW, COLUMN, CHANNEL = np.indices((224, 224, 3))
COIL = "coil, spiral, volute, whorl, helix"  # what PyTorch says of this picture: tests/models/pretrained/test_networks.py


@pytest.fixture
def picture(tmp_path):
    pixels = ((3 * ROW + 5 * COLUMN + 40 * CHANNEL + ROW * COLUMN // 16) % 256).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "coil.png")
    return tmp_path / "coil.png"


def test_a_photo_is_named_without_any_training(shell, picture):
    """In a fresh process, as a user runs it; the best label first, with four more below."""
    process = shell("predict", "imagenet", picture, "--top", "5", "--quiet")
    assert (process.returncode, process.stderr) == (0, "")
    first, *others = process.stdout.splitlines()
    assert first == f"{picture}: {COIL} (90.1%)"
    assert len(others) == 4
    assert all(line.startswith("    ") and line.endswith("%)") for line in others)


def test_as_data(cli, picture):
    (answer,) = json.loads(cli("predict", "imagenet", picture, "--top", "5", "--json").stdout)
    assert answer["label"] == answer["top"][0]["label"] == COIL
    assert len(answer["top"]) == 5


def test_info_shows_the_network_and_says_how_many_labels_there_are(cli):
    told = cli("info", "imagenet").stdout
    assert "4,652,008 parameters" in told
    assert "labels    tench, Tinca tinca, goldfish" in told
    assert "1,000 in all" in told
    assert "toilet tissue" not in told


def test_a_file_of_this_name_is_reached_by_its_folder(cli, picture):
    process = cli("predict", "./imagenet", picture)
    assert process.returncode == 2
    assert "./imagenet does not exist" in process.stderr
