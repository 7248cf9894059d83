"""``pellucid train FOLDER`` and its fellows on small folders of colored shapes, which a network must really learn."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from drawn_photos import COLORS, FAST, draw, make_folder, one_line
from PIL import Image
from running import on_a_terminal
from scipy.stats import binomtest
from sklearn import metrics as reference

import pellucid as pl
from pellucid.apps.cli.terminal import picture_as_text

pytestmark = pytest.mark.usefixtures("photo_cache")

# train


def test_a_folder_becomes_a_model_that_reads_new_pictures(cli, divided, tmp_path):
    done = cli("train", divided, *FAST, "--epochs", "30", "--seed", "3")
    assert done.returncode == 0, done.stderr
    low = binomtest(12, 12).proportion_ci(method="wilson").low
    assert f"divided.safetensors: 100.00% of 12 test pictures right ({low:.1%} to 100.0% with" in done.stdout
    assert re.search(r"red disc +100\.0% +4$", done.stdout, re.MULTILINE)
    assert "broken.png" in done.stderr
    assert "60 pictures to learn from, 12 to test with" in done.stderr
    for reason in ("8 to 24 pictures a class", "few, so they are changed strongly"):
        assert reason in done.stderr
    assert "layers:" not in done.stderr, "what was given is no choice of the rules"
    assert "Conv2D(8, 3" in done.stderr
    loaded = pl.load("divided.safetensors")
    assert loaded.pipeline == pl.PhotoPipeline(16, 16)
    assert loaded.labels == ("blue box", "green 数", "red disc")
    assert loaded.network.seed == 3
    for label in COLORS:
        draw(tmp_path / "new.png", label, 999)
        assert loaded.predict("new.png").label == label


def test_train_is_pl_train(cli, divided):
    """The same choices in Python give the same network, bit for bit, and the same figures."""
    done = cli("train", divided, *FAST, "--epochs", "3", "--l2", "1e-4", "--no-flip", "--early-stopping", "2", "--grey")
    assert done.returncode == 0, done.stderr
    photos = pl.datasets.folder(divided, 16, channels=1)
    model = pl.train(
        photos,
        layers="conv8 pool conv8 average",
        batch_size=8,
        epochs=3,
        regularizer=pl.L2(1e-4),
        flip=False,
        early_stopping=2,
        progress="none",
    )
    loaded = pl.load("divided.safetensors")
    assert loaded.network.parameters.vector.tobytes() == model.network.parameters.vector.tobytes()
    assert loaded.network.history["validation_loss"] == model.network.history["validation_loss"]
    assert f"loss {model.evaluate(*photos.test)['loss']:.4f}" in done.stdout
    assert loaded.pipeline == pl.PhotoPipeline(16, 16, channels=1)


def test_without_a_test_part_the_pictures_kept_aside_judge(cli, shapes):
    done = cli("train", shapes, *FAST, "--epochs", "15")
    assert done.returncode == 0, done.stderr
    assert "my shapes.safetensors: 100.00% of 12 pictures held out for validation right" in done.stdout
    assert "They also decided when to stop" in one_line(done.stdout)
    assert re.search(r"red disc +100\.0% +6$", done.stdout, re.MULTILINE)


def test_the_rules_choose_the_network_and_say_why(cli, shapes):
    done = cli("train", shapes, "--size", "14x18", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    assert "layers: conv16 conv16 pool conv32 conv32 average dropout0.5" in done.stderr
    assert "14x18 pictures: one halving, to 7x9; 48 pictures of two classes" in one_line(done.stderr)
    network = pl.load("my shapes.safetensors").network
    assert network.layers[0] == pl.Input(14, 18, 3)
    assert isinstance(network.layers[1], pl.Rescale)
    assert network.layers[-1] == pl.Classification(2)
    chosen = done.stderr.split("chosen by rules")[1].split("layer  ")[0]
    assert "epochs:" not in chosen
    assert "early_stopping: 10\n" in chosen, "it follows from the epochs that were given"
    assert "validation: 0.2\n    a part of each class is held out, the 48 others are for training" in chosen
    assert "class_weight: none\n    24 pictures a class: even enough" in chosen
    assert "; the network of epoch 1 is kept: it had the lowest validation loss" in done.stderr


def test_very_few_pictures_are_all_trained_on(cli, tmp_path):
    make_folder(tmp_path / "few", ("red disc", "blue box"), 1)
    done = cli("train", "few", *FAST, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    assert "Note: 2 pictures are too few to hold 20% out" in done.stderr
    assert one_line(done.stdout) == "few.safetensors: trained on all 2 pictures; none is left to judge it on"
    assert "validation:" not in done.stderr
    assert "early_stopping:" not in done.stderr, "nothing tells when to stop"
    assert "is kept" not in done.stderr
    done = cli("train", "few", *FAST, "--epochs", "2", "--validation", "0", "--bad-files", "fail")
    assert (done.returncode, "Note" in done.stderr) == (0, False)


def test_a_csv_file_names_pictures_and_labels(cli, tmp_path):
    make_folder(tmp_path, ("red disc", "blue box"), 8)
    rows = [f"{label}/{k}.png,{label}" for label in ("red disc", "blue box") for k in range(8)]
    Path("list.csv").write_text("\n".join(["file,label", *rows]))
    done = cli("train", "list.csv", *FAST, "--epochs", "1")
    assert done.returncode == 0, done.stderr
    assert pl.load("list.safetensors").labels == ("blue box", "red disc")


def test_bad_files_may_be_a_reason_to_stop(cli, divided):
    done = cli("train", divided, *FAST, "--bad-files", "fail")
    assert (done.returncode, done.stdout) == (2, "")
    assert "broken.png" in done.stderr
    assert not Path("divided.safetensors").exists()


def test_digits_learn_by_words_too(cli):
    done = cli("train", "digits", "--layers", "conv4s2 pool dense8", "--epochs", "1", "--no-augment")
    assert done.returncode == 0, done.stderr
    assert [layer.kind for layer in pl.load("digits.safetensors").network.layers] == [
        *("input", "conv2d", "batch_normalization", "max_pooling2d", "dense", "classification")
    ]


def test_reading_is_shown_as_a_bar_on_a_terminal_and_as_lines_elsewhere(cli, shapes, tmp_path, monkeypatch):
    out = ("--out", tmp_path / "m.safetensors")
    shown = on_a_terminal("train", shapes, *FAST, "--epochs", "1", *out)
    assert "reading pictures" in shown
    assert "m.safetensors: " in shown
    assert "reading pictures" not in cli("train", shapes, *FAST, "--epochs", "1", *out).stderr
    monkeypatch.setattr("pellucid.apps.cli.photos.read_photos.SECONDS_BETWEEN_LINES", 0.0)
    done = cli("train", shapes, *FAST, "--size", "15", "--epochs", "1", *out)
    assert "read 60 of 60 pictures" in done.stderr


# resume, Ctrl-C


def test_ctrl_c_while_pictures_are_read_leaves_nothing(cli, divided, monkeypatch, tmp_path):
    def press(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.apps.cli.photos.read_photos.datasets.folder", press)
    done = cli("train", divided, *FAST)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "Interrupted.")
    assert list(tmp_path.iterdir()) == []


def test_resume_is_training_uninterrupted(cli, divided):
    common = ("train", divided, "--schedule", "constant", "--validation", "0", "--batch-size", "8")
    new = ("--size", "16", "--layers", "conv4 average")
    assert cli(*common, *new, "--epochs", "3", "--out", "whole").returncode == 0
    assert cli(*common, *new, "--epochs", "1", "--out", "part", "--optimizer-state").returncode == 0
    done = cli(*common, "--epochs", "2", "--resume", "part", "--out", "rest")
    assert done.returncode == 0, done.stderr
    whole, rest = pl.load("whole"), pl.load("rest")
    assert rest.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()
    assert rest.labels == whole.labels


# evaluate


def test_evaluate_json_agrees_with_scikit_learn_and_names_files(cli, divided, model):
    done = cli("evaluate", model, divided / "train", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    loaded = pl.load(model)
    photos = pl.datasets.folder(divided / "train", 16)
    p = loaded.network.predict_proba(photos.x).astype(np.float64)
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(report["confusion"], reference.confusion_matrix(photos.y, p.argmax(axis=1)))
    assert report["accuracy"] == reference.accuracy_score(photos.y, p.argmax(axis=1))
    assert report["loss"] == pytest.approx(reference.log_loss(photos.y, p), rel=1e-4)
    bounds = binomtest(round(report["accuracy"] * 60), 60).proportion_ci(method="wilson")
    assert report["confidence"] == pytest.approx([bounds.low, bounds.high])
    assert [problem["file"] for problem in report["folder_report"]["problems"] if problem["is_left_out"]]
    for row in report["worst_mistakes"]:
        assert photos.files[row["index"]] == row["file"]
        assert loaded.predict(divided / "train" / row["file"]).label == row["predicted"] != row["label"]


def test_evaluate_takes_the_test_part_and_says_so(cli, divided, model):
    done = cli("evaluate", model, divided)
    assert done.returncode == 0, done.stderr
    assert f"{divided} (test): 12 samples" in done.stdout
    assert "with 95% confidence" in done.stdout


def test_classes_are_matched_by_name_and_missing_ones_are_noted(cli, model, tmp_path):
    make_folder(tmp_path / "some", ("red disc",), 5, first=200)
    done = cli("evaluate", model, "some")
    assert done.returncode == 0, done.stderr
    assert "accuracy 100.00%" in done.stdout
    assert "no pictures of blue box, green 数" in done.stderr


def test_mistakes_are_named_by_file(cli, model, tmp_path):
    make_folder(tmp_path / "wrong", ("red disc",), 2, first=300)
    (tmp_path / "wrong" / "red disc").rename(tmp_path / "wrong" / "blue box")
    done = cli("evaluate", model, "wrong")
    assert done.returncode == 0, done.stderr
    assert "accuracy 0.00%" in done.stdout
    assert re.search(r"blue box/300\.png +blue box +red disc", done.stdout)


def test_without_a_mistake_there_is_no_table_of_them(cli, model, tmp_path):
    make_folder(tmp_path / "right", ("red disc",), 5, first=200)
    done = cli("evaluate", model, "right")
    assert done.returncode == 0, done.stderr
    assert "accuracy 100.00%" in done.stdout
    assert "Worst mistakes" not in done.stdout


def test_many_classes_print_pairs_and_no_matrix(cli, tmp_path):
    labels = [f"class {k}" for k in range(40)]
    network = pl.Network([pl.Input(4, 4, 3), pl.Classification(40)])
    network.parameters["output.weight"] = np.zeros((48, 40))
    network.parameters["output.bias"] = np.eye(40)[7]
    pl.Model(network, pl.PhotoPipeline(4, 4), labels).save("many.safetensors")
    for k in (3, 7):
        draw(tmp_path / "two" / f"class {k}" / "a.png", "red disc", k)
    done = cli("evaluate", "many.safetensors", "two")
    assert done.returncode == 0, done.stderr
    assert "Confusion matrix" not in done.stdout
    assert re.search(r"Most confused.*class 3 +class 7 +1$", done.stdout, re.DOTALL | re.MULTILINE)


# predict, info


def test_predict_walks_folders_in_order_and_notes_what_is_no_picture(cli, divided, model):
    folder = divided / "train" / "red disc"
    done = cli("predict", model, folder, "--json")
    assert done.returncode == 0, done.stderr
    files = [row["file"] for row in json.loads(done.stdout)]
    assert files == sorted(str(path) for path in folder.glob("*.png") if path.name != "broken.png")
    assert [line.startswith("Skipped: ") for line in done.stderr.splitlines()] == [True, True]
    assert "notes.txt" in done.stderr
    done = cli("predict", model, folder / "notes.txt", folder / "0.png", "--quiet")
    assert done.returncode == 2
    assert re.fullmatch(r"Error: .*notes\.txt.*\n", done.stderr)
    assert len(done.stdout.splitlines()) == 1


def test_predict_shows_small_pictures_of_files_and_none_of_a_folder(cli, model, tmp_path):
    make_folder(tmp_path / "some", ("red disc",), 3)
    done = cli("predict", model, "some", "some/red disc/0.png")
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == [f"some/red disc/{k}.png" for k in (0, 1, 2, 0)]
    assert len(lines) == 4 + 8


def test_a_wide_picture_is_shown_in_40_columns():
    picture = np.zeros((64, 80, 3), np.uint8)
    picture[:32, 40:] = 255
    rows = picture_as_text(picture).split("\n")
    assert rows == [" " * 20 + "█" * 20] * 8 + [""] * 8
    assert {len(row) for row in picture_as_text(np.tile(np.uint8([0, 255]), (99, 500))[:, 1:-1]).split("\n")} <= {0, 39, 40}


def test_predict_leaves_hidden_files_and_links_alone(cli, model, tmp_path):
    make_folder(tmp_path / "some", ("red disc",), 1)
    (tmp_path / "some" / ".hidden").mkdir()
    draw(tmp_path / "some" / ".hidden" / "0.png", "red disc", 0)
    draw(tmp_path / "some" / ".thumb.png", "red disc", 0)
    (tmp_path / "some" / "link.png").symlink_to(tmp_path / "some" / "red disc" / "0.png")
    (tmp_path / "some" / "loop").symlink_to(tmp_path / "some")
    done = cli("predict", model, "some", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_the_small_picture_shows_a_photo_by_its_luminance(cli, model, tmp_path):
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:, 4:8], picture[:, 8:12], picture[:, 12:] = (0, 0, 255), (0, 255, 0), (255, 255, 255)
    Image.fromarray(picture).save(tmp_path / "bars.png")
    done = cli("predict", model, "bars.png")
    rows = done.stdout.splitlines()[1:]
    assert len(rows) == 8
    assert len(set(rows)) == 1
    black, blue, green, white = (set(rows[0].ljust(16)[start : start + 4]) for start in (0, 4, 8, 12))
    assert black == blue == {" "}, "blue light looks dark"
    assert green in ({"▒"}, {":"})
    assert white in ({"█"}, {"#"})


def test_info_shows_the_pipeline_for_photos(cli, model):
    assert "PhotoPipeline(height=16, width=16, channels=3, crop='centre')" in cli("info", model).stdout
    report = json.loads(cli("info", model, "--json").stdout)
    assert report["pipeline"] == {"type": "PhotoPipeline", "height": 16, "width": 16, "channels": 3, "crop": "centre"}
    assert report["labels"] == ["blue box", "green 数", "red disc"]
