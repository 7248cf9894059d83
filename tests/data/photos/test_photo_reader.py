"""Reading one file, which may be another than the one that was listed."""

from __future__ import annotations

import os
import subprocess
import sys

from picture_files import save

READ = """
from pathlib import Path
from pellucid.data.photos.listing import Entry
from pellucid.data.photos.photo_reader import read_photo
from pellucid.data.photos.photo_pipeline import PhotoPipeline

reading = read_photo(Path("."), Entry("a.png", "cat", "train", 9, 0), PhotoPipeline(8, 8))
print([problem.kind for problem in reading.problems])
"""


def kinds(folder):
    """The problems of a.png, read in a process of its own, which can be ended if it waits for ever."""
    return subprocess.run(
        [sys.executable, "-c", READ], cwd=folder, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def test_a_file_that_became_a_pipe_is_not_waited_for(tmp_path):
    save(tmp_path / "a.png", 1)
    assert kinds(tmp_path) == "[]"
    (tmp_path / "a.png").unlink()
    os.mkfifo(tmp_path / "a.png")
    assert kinds(tmp_path) == "['special']"
