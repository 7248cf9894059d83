"""Commands on folders of pictures that cannot work: one sentence, exit code 2, and nothing is written."""

from __future__ import annotations

import re
import shlex

import pytest
from drawn_photos import FAST, make_folder, one_line

pytestmark = pytest.mark.usefixtures("photo_cache")

# name -> (arguments, words of the message); S is a folder of two classes, M a model for photos, D one for digits
WRONG = {
    "folder missing": ("train gone", "there is no folder or CSV file 'gone'; the data known by name are digits, fashion"),
    "folder empty": ("train E", "E"),
    "one class": ("train O", "only one class, 'red disc'"),
    "a picture": ("train P", "not a folder"),
    "size 0": ("train S --size 0", "height"),
    "size huge": ("train S --size 99999", "4096"),
    "size beyond numbers": ("train S --size 99999999999999999999", "--size is a number"),
    "size text": ("train S --size big", "--size is a number.*'big'"),
    "size of three": ("train S --size 3x4x5", "'3x4x5'"),
    "crop unknown": ("train S --crop left", "'left'"),
    "bad files unknown": ("train S --bad-files eat", "'eat'"),
    "layers nonsense": ("train S --layers 'conv8 cnov8'", "word 2, 'cnov8'"),
    "layers that leave no pixel": ("train S --size 16 --layers 'pool pool pool pool pool'", "word 5, 'pool'.*1x1"),
    "options of digits": ("train S --hidden 5 --recipe best", "leave --recipe, --hidden out"),
    "validation 1": ("train S --size 16 --validation 1", "validation"),
    "epochs 0": ("train S --size 16 --epochs 0", "epochs"),
    "batch size 0": ("train S --size 16 --batch-size 0", "batch_size"),
    "rate NaN": ("train S --size 16 --learning-rate nan", "learning_rate"),
    "threads 0": ("train S --threads 0", "threads"),
    "resume a model for digits": ("train S --resume D", "single digits"),
    "resume with a size": ("train S --resume M --size 8 --grey", "leave --size, --grey out"),
    "resume with other classes": ("train S --resume M", "'box'"),
    "evaluate by a model for digits": ("evaluate D S", "single digits.*pellucid train"),
    "evaluate a model for photos on digits": ("evaluate M digits", "reads photos"),
    "evaluate a missing folder": ("evaluate M gone", "there is no folder"),
    "evaluate an empty folder": ("evaluate M E", "E"),
    "evaluate with another class": ("evaluate M S", "classes that are not among .*: 'box'"),
    "predict an empty folder": ("predict M E", "folder"),
}


@pytest.fixture
def places(trained, model, tmp_path):
    make_folder(tmp_path / "S", ("red disc", "blue box"), 2)
    (tmp_path / "S" / "blue box").rename(tmp_path / "S" / "box")
    make_folder(tmp_path / "O", ("red disc",), 2)
    (tmp_path / "E").mkdir()
    (tmp_path / "P").write_bytes((tmp_path / "S" / "box" / "0.png").read_bytes())
    return {"D": trained[1], "M": model}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(cli, places, tmp_path, name):
    line, words = WRONG[name]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = cli(*(places.get(word, word) for word in shlex.split(line)))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert len(re.findall(r"^Error: ", done.stderr, re.MULTILINE)) == 1, done.stderr
    assert re.search(words, one_line(done.stderr)), done.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "options", ["--layers 'conv8 cnov8'", "--size 0", "--threads 0", "--resume D", "--out nowhere/m", "--learning-rate -1"]
)
def test_what_cannot_work_fails_before_the_pictures_are_read(cli, places, monkeypatch, options):
    def never(*_, **__):
        raise AssertionError("the pictures were read before the mistake was found")

    monkeypatch.setattr("pellucid.apps.cli.photos.read_photos.datasets.folder", never)
    done = cli("train", "S", *(places.get(word, word) for word in shlex.split(options)))
    assert done.returncode == 2, done.stderr


def test_too_little_memory_is_one_sentence(cli, places, monkeypatch):
    def greedy(*_, **__):
        raise MemoryError

    monkeypatch.setattr("pellucid.models.network.Trainer.run", greedy)
    done = cli("train", "S", *FAST)
    assert done.returncode == 2
    assert "Error: not enough memory" in done.stderr
