"""``pellucid train FOLDER`` on a pretrained network: the rule and its reason, a file of one's own, and what cannot work."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_photos import FAST, one_line
from PIL import Image
from small_backbones import backbone_model

import pellucid as pl

pytestmark = pytest.mark.usefixtures("photo_cache")


def draw(path, label, seed):
    """A coarse pattern, of 40 pixels and more, in warm or in cold colours, or in grey."""
    rng = np.random.default_rng([seed, len(label)])
    pixels = rng.integers(60, 256, (6, 7, 3), np.uint8)
    if label == "grey":
        pixels[:] = pixels[..., :1]
    else:
        pixels[..., 2 if label == "warm" else 0] //= 5
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.kron(pixels, np.ones((8, 8, 1), np.uint8))).save(path)


def folder_of(root, labels, count, first=0):
    for label in labels:
        for number in range(first, first + count):
            draw(root / label / f"{number}.png", label, number)
    return root


@pytest.fixture
def photos(tmp_path):
    folder_of(tmp_path / "photos" / "train", ("warm", "cold"), 6)
    return folder_of(tmp_path / "photos" / "test", ("warm", "cold"), 2, first=50).parent


@pytest.fixture
def mine(tmp_path):
    backbone_model().save(tmp_path / "mine.safetensors")
    return "mine.safetensors"


def test_photos_begin_from_the_network_of_the_package(cli, photos, tmp_path):
    done = cli("train", "photos")
    assert done.returncode == 0, done.stderr
    assert "from: efficientnet-lite0\n    photos: 16 of 16 have colours, and their shorter sides are 48" in done.stderr
    assert "class_weight: none\n    6 pictures a class: even enough" in done.stderr
    assert "photos.safetensors: 100.00% of 4 test pictures right" in done.stdout
    assert "right answers by pictures a class: 1 -> " in done.stdout
    first = pl.load("photos.safetensors")
    assert first.transfer.network == "efficientnet-lite0"
    assert first.predict(photos / "test" / "cold" / "50.png").label == "cold"
    done = cli("train", "photos", "--slim", "--out", "slim.safetensors")
    assert done.returncode == 0, done.stderr
    slim = pl.load("slim.safetensors")
    assert slim.network.parameters.vector.tobytes() == first.network.parameters.vector.tobytes()
    assert (tmp_path / "slim.safetensors").stat().st_size < 60_000


def test_a_file_of_ones_own_decides_the_size(cli, photos, mine):
    done = cli("train", "photos", "--from", mine, "--crop", "pad", "--seed", "5", "--class-weight", "none", "--no-flip")
    assert done.returncode == 0, done.stderr
    model = pl.load("photos.safetensors")
    assert model.pipeline == pl.PhotoPipeline(12, 12, crop="pad")
    assert (model.network.seed, model.transfer.views, model.transfer.network) == (5, 1, mine)
    photos = pl.datasets.folder("photos", 12, crop="pad")
    by_python = pl.train(photos, pretrained=mine, seed=5, class_weight=None, flip=False, progress="none")
    assert by_python.network.parameters.vector.tobytes() == model.network.parameters.vector.tobytes()
    assert "class_weight" not in done.stderr
    done = cli("evaluate", "photos.safetensors", "photos", "--report", "page.html")
    assert done.returncode == 0, done.stderr


def test_without_a_test_part_each_picture_is_judged_by_a_head_that_has_not_seen_it(cli, photos, mine):
    done = cli("train", "photos/train", "--from", mine)
    assert done.returncode == 0, done.stderr
    model = pl.load("train.safetensors")
    assert f"train.safetensors: {model.transfer.accuracy:.2%} of 12 pictures right (" in done.stdout
    assert "each judged by a last layer that has not seen it" in done.stdout
    right, judged = model.transfer.classes[1]
    assert f"warm {right / judged:.1%} {judged}" in one_line(done.stdout)
    assert "validation: in turn\n    all are learned from, and held out once" in done.stderr


def test_pictures_that_are_held_out_for_good(cli, tmp_path, mine):
    folder_of(tmp_path / "more", ("warm", "cold"), 20)
    done = cli("train", "more", "--from", mine, "--validation", "0.5")
    assert done.returncode == 0, done.stderr
    assert "of 20 pictures held out for validation right" in done.stdout
    assert "validation: in turn" not in done.stderr


def test_one_picture_a_class(cli, tmp_path, mine):
    folder_of(tmp_path / "two", ("warm", "cold"), 1)
    done = cli("train", "two", "--from", mine)
    assert done.returncode == 0, done.stderr
    assert "two.safetensors: trained on all 2 pictures; none is left to judge it on" in done.stdout
    assert pl.load("two.safetensors").transfer.count == 2


QUICK = (*FAST, "--epochs", "1", "--validation", "0")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (QUICK[2:], "trained step by step, as --layers, --batch-size, --epochs asks for"),
        (("--size", "16"), "pictures of 16x16x3; a pretrained network takes 224x224 in colour"),
        (("--grey", "--size", "16"), "pictures of 16x16"),
    ],
)
def test_options_that_begin_from_nothing(cli, photos, options, reason, monkeypatch):
    monkeypatch.setattr("pellucid.training.recipes.photo_rules.choose.__defaults__", (1,))  # one epoch
    done = cli("train", "photos", *options)
    assert done.returncode == 0, done.stderr
    assert f"from: nothing\n    {reason}" in done.stderr
    assert pl.load("photos.safetensors").transfer is None


def test_grey_and_tiny_pictures_begin_from_nothing(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("pellucid.training.recipes.photo_rules.choose.__defaults__", (1,))
    for label in ("a", "b"):
        for number in range(3):
            draw(tmp_path / "greys" / label / f"{number}.png", "grey", number + 10 * ord(label))
    done = cli("train", "greys")
    assert done.returncode == 0, done.stderr
    assert "from: nothing\n    " in done.stderr
    assert "6 of 6 have no colours" in one_line(done.stderr)
    assert pl.load("greys.safetensors").pipeline == pl.PhotoPipeline(64, 64)


def test_nothing_can_be_asked_for(cli, photos):
    done = cli("train", "photos", "--from", "nothing", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "from:" not in done.stderr
    assert pl.load("photos.safetensors").transfer is None


WRONG = {
    "unknown": (
        ("--from", "resnet50"),
        "unknown pretrained network 'resnet50'; the known ones are nothing, efficientnet-lite0",
    ),
    "missing": (("--from", "gone.safetensors"), "gone.safetensors does not exist"),
    "no model": (("--from", "photos/test/cold/50.png"), "is not a model file"),
    "steps": (("--from", "mine.safetensors", "--epochs", "3"), "--epochs: on a network that is pretrained"),
    "bf16": (("--from", "mine.safetensors", "--precision", "bf16"), "--precision: on a network that is pretrained"),
    "size": (("--from", "mine.safetensors", "--size", "64"), "ask for pictures of 64x64x3; mine.safetensors takes 12x12x3"),
    "grey": (("--from", "mine.safetensors", "--size", "12", "--grey"), "ask for pictures of 12x12; mine.safetensors takes"),
    "slim, a file": (("--from", "mine.safetensors", "--slim"), "--slim leaves out weights that come with Pellucid"),
    "slim, nothing": (("--from", "nothing", "--slim"), "this network has none of them"),
    "resume": (("--resume", "mine.safetensors", "--from", "nothing"), "leave --from out"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_work_is_a_sentence(cli, photos, mine, name):
    options, words = WRONG[name]
    done = cli("train", "photos", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in one_line(done.stderr)


@pytest.mark.parametrize("data", ["digits", "fashion"])
def test_digits_and_fashion_have_no_such_start(cli, data):
    done = cli("train", data, "--from", "efficientnet-lite0")
    assert done.returncode == 2
    assert f"{data} is no folder of pictures and no table; leave --from out" in one_line(done.stderr)


def test_a_cut_file_is_a_sentence(cli, photos, mine, tmp_path):
    path = tmp_path / mine
    path.write_bytes(path.read_bytes()[:-7])
    done = cli("train", "photos", "--from", mine)
    assert done.returncode == 2
    assert "is not a model file, or was cut off" in done.stderr
    assert "Traceback" not in done.stderr
