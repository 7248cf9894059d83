"""The real commands on the real digits: what they print, where, and that it is what the Python API says, to the digit."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from running import TINY
from sklearn import metrics as reference

import pellucid as pl
from pellucid.core.display.text import printable
from pellucid.data.samples import Samples, split


@pytest.fixture(scope="module")
def real(shell, tmp_path_factory):
    """(the finished process, the file) of one real training on all 60,000 digits."""
    path = tmp_path_factory.mktemp("real") / "my digits ü.safetensors"
    process = shell("train", "digits", *TINY, "--seed", "3", "--validation", "0.1", "--out", path)
    assert process.returncode == 0, process.stderr
    return process, path


def only_json(text):
    """The document, when there is nothing else (JSON itself has no NaN)."""

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_train_prints_its_result_on_stdout_and_progress_on_stderr(real):
    process, path = real
    result, *trust = process.stdout.splitlines()
    assert str(path) in result
    assert [line.split()[0] for line in trust] == ["probabilities", "sets", "measured", "temperature"]
    assert re.search(r"\d\d\.\d\d% of 10,000 test pictures right \(loss \d\.\d{4}\)", process.stdout)
    assert "Dense(16, 'relu')" in process.stderr
    assert re.search(r"^epoch 1/1  loss [\d.]+  accuracy [\d.]+ %  validation loss", process.stderr, re.MULTILINE)
    assert "\x1b" not in process.stdout + process.stderr


def test_train_is_fit_with_these_options(real):
    """The same choices by hand give the same network, bit for bit."""
    (x, y), (x_test, y_test) = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(16, "relu"), pl.Classification(10)], seed=3)
    network.fit(x, y, optimizer=pl.Adam(3e-3), schedule="cosine", epochs=1, batch_size=512, validation=0.1, progress="none")
    loaded = pl.load(real[1]).network
    assert loaded.parameters.vector.tobytes() == network.parameters.vector.tobytes()
    figures = network.evaluate(x_test, y_test)
    assert f"{figures['accuracy']:.2%} of 10,000" in real[0].stdout
    assert f"loss {figures['loss']:.4f}" in real[0].stdout


def test_evaluate_json_agrees_with_the_api_and_with_scikit_learn(shell, real):
    process = shell("evaluate", real[1], "digits", "--json")
    assert (process.returncode, process.stderr) == (0, "")
    report = only_json(process.stdout)
    model = pl.load(real[1])
    network = model.network
    _, (x, y) = pl.datasets.digits()
    assert {name: report[name] for name in ("loss", "accuracy")} == network.evaluate(x, y)
    assert report["samples"] == 10_000
    p = model.predict_proba(x)  # with the temperature that was fitted on the tenth that was held out
    predicted = p.argmax(axis=1)
    np.testing.assert_array_equal(predicted, network.predict(x))
    np.testing.assert_array_equal(report["confusion"], reference.confusion_matrix(y, predicted))
    precision, recall, f1, support = reference.precision_recall_fscore_support(y, predicted)
    for k, row in enumerate(report["classes"]):
        assert row["label"] == k
        assert (row["precision"], row["recall"], row["f1"], row["samples"]) == pytest.approx(
            (precision[k], recall[k], f1[k], support[k])
        )
    worst = report["worst_mistakes"]
    wrong = np.flatnonzero(predicted != y)
    assert [row["probability"] for row in worst] == sorted((float(v) for v in p[wrong].max(axis=1)), reverse=True)[:10]
    for row in worst:
        assert (row["label"], row["predicted"]) == (y[row["index"]], predicted[row["index"]])
        assert row["probability_of_label"] == float(p[row["index"], y[row["index"]]])


def test_evaluate_prints_tables(shell, real):
    process = shell("evaluate", real[1], "digits")
    assert (process.returncode, process.stderr) == (0, "")
    for word in (
        "accuracy",
        "Confusion matrix",
        "precision",
        "recall",
        "f1",
        "Worst mistakes",
        "10,000 samples",
        str(real[1]),
    ):
        assert word in process.stdout
    assert "\x1b" not in process.stdout


def test_predict_json_agrees_with_the_api(shell, real, pictures):
    process = shell("predict", real[1], *pictures, "--json", "--top", "3")
    assert (process.returncode, process.stderr) == (0, "")
    model = pl.load(real[1])
    for path, row in zip(pictures, only_json(process.stdout), strict=True):
        prediction = model.predict(path)
        assert row == {
            "file": str(path),
            "label": prediction.label,
            "probability": prediction.probability,
            "top": [{"label": label, "probability": p} for label, p in prediction.top(3)],
            "doubt": prediction.doubt,
        }
        assert len(row["top"]) == 3
        assert row["top"][0]["probability"] == row["probability"]


def test_info_json_agrees_with_the_api(shell, real):
    process = shell("info", real[1], "--json")
    assert (process.returncode, process.stderr) == (0, "")
    report = only_json(process.stdout)
    network = pl.load(real[1]).network
    assert report["parameters"] == {name: list(array.shape) for name, array in network.parameters.items()}
    assert report["number_of_parameters"] == 784 * 16 + 16 + 16 * 10 + 10
    assert report["labels"] == list(range(10))
    assert report["history"] == network.history.epochs
    assert (report["epochs"], report["steps"], report["seed"]) == (1, 106, 3)
    assert [layer["type"] for layer in report["layers"]] == ["Input", "Dense", "Classification"]
    assert report["pipeline"]["type"] == "DigitPipeline"


def test_gradcheck_of_a_real_model(shell, real):
    process = shell("gradcheck", real[1])
    assert (process.returncode, process.stderr) == (0, "")
    assert "all gradients are right" in process.stdout
    assert all(name in process.stdout for name in ("dense_1.weight", "dense_1.bias", "output.weight", "output.bias"))


def test_info_in_words(cli, trained, regression):
    done = cli("info", trained[1])
    for word in (
        str(trained[1]),
        "Dense(16, 'relu')",
        "12,730 parameters",
        "0, 1, 2, 3",
        "3 epochs, 48 steps, seed 5",
        "Adam(",
        "accuracy",
    ):
        assert word in done.stdout
    done = cli("info", regression)
    assert done.returncode == 0
    assert "regression" in done.stdout
    assert "none" in done.stdout
    report = only_json(cli("info", regression, "--json").stdout)
    assert (report["labels"], report["pipeline"], report["history"]) == ([], None, [])


def test_info_says_the_figures_of_the_parameters_in_the_file(cli, few):
    """And whose samples chose them. A high rate makes the loss rise again, so that the best epoch is not the last one."""
    data = ("digits", "--validation", "0.2", "--no-augment", "--out", "m.safetensors")
    done = cli("train", *data, "--hidden", "16", "--learning-rate", "0.05", "--epochs", "40", "--early-stopping", "3")
    assert done.returncode == 0, done.stderr
    (x, y), _ = few
    network = pl.load("m.safetensors").network
    restored = network.history.restored
    assert restored.epoch < len(network.history.epochs)
    rows = split(Samples(x, y, np.arange(len(x))), 0.2, network.seed, y)[1].rows
    accuracy = np.mean(network.predict(x[rows]) == y[rows])
    assert f"restored the parameters of epoch {restored.epoch}  " in done.stderr
    shown = cli("info", "m.safetensors").stdout
    (line,) = [line for line in shown.splitlines() if "validation accuracy" in line]
    assert f"epoch {restored.epoch}, whose parameters early stopping restored" in line
    assert line.endswith(f"validation accuracy {100 * accuracy:.2f} %")
    assert "the validation samples also chose this epoch, so their figures flatter" in shown
    report = only_json(cli("info", "m.safetensors", "--json").stdout)
    assert report["restored"] == {"place": restored.epoch - 1, "epoch": restored.epoch, "monitor": "validation_loss"}
    assert report["history"][report["restored"]["place"]]["validation_accuracy"] == accuracy


def test_a_training_that_taught_nothing_is_not_praised(cli):
    """With a rate of almost 0 the network answers as it was drawn."""
    done = cli("train", "digits", "--hidden", "16", "--epochs", "1", "--learning-rate", "1e-9", "--out", "m.safetensors")
    assert done.returncode == 0, done.stderr
    words = r"Calling every picture “\d” would be right for \d+\.\d%; the network is (not clearly better|worse)"
    for text in (done.stdout, cli("evaluate", "m.safetensors", "digits").stdout):
        assert re.search(words, text)


def test_a_divergence_names_an_option_of_the_command(cli):
    """Not the arguments of Python, which a command line does not take."""
    rate = ("--optimizer", "gradient_descent", "--learning-rate", "1e30", "--schedule", "constant")
    done = cli("train", "digits", "--hidden", "16", "--epochs", "2", *rate, "--out", "m.safetensors")
    assert done.returncode == 2
    said = done.stderr.splitlines()[-1]
    assert re.match(r"Error: training diverged at step \d+: ", said)
    assert said.endswith("A smaller learning rate (--learning-rate) usually helps.")
    assert "pl." not in said


def test_info_names_the_engine_that_would_run(cli, trained):
    network = pl.Network([pl.Input(4), pl.Dense(3, "tanh"), pl.Regression()], dtype="float64")
    network.save("double.safetensors")
    for path, engine in ((trained[1], "native"), ("double.safetensors", "numpy")):
        note = pl.load(path).network.engine_note
        assert note.startswith(f"{engine} (")
        assert f"engine {note}" in " ".join(cli("info", path).stdout.split())
        report = only_json(cli("info", path, "--json").stdout)
        assert (report["engine"], report["engine_note"]) == (engine, note)


def test_predict_in_words(cli, trained, pictures):
    model = pl.load(trained[1])
    done = cli("predict", trained[1], *pictures, "--top", "2")
    assert (done.returncode, done.stderr) == (0, "")
    for path in pictures:
        prediction = model.predict(path)
        assert f"{printable(str(path))}: {prediction.label} ({prediction.probability:.1%})" in done.stdout
        second = prediction.top(2)[1]
        assert f"    {second[0]} ({second[1]:.1%})" in done.stdout
    assert re.search("[░▒▓█.:+#]{2}", done.stdout)
    quiet = cli("predict", trained[1], pictures[0], "--quiet").stdout
    assert len(quiet.splitlines()) == 1
    assert len(only_json(cli("predict", trained[1], pictures[0], "--json", "--top", "99").stdout)[0]["top"]) == 10


def test_an_empty_picture_is_doubted(cli, trained, tmp_path):
    from PIL import Image

    Image.new("L", (40, 40), 255).save(tmp_path / "white.png")
    done = cli("predict", trained[1], "white.png", "--json")
    assert done.returncode == 0
    row = only_json(done.stdout)[0]
    assert "empty" in row["doubt"]
    assert row["probability"] < 0.25
    assert "empty" in cli("predict", trained[1], "white.png").stdout


def test_a_missing_picture_among_good_ones(cli, trained, pictures):
    files = [pictures[0], "nowhere.png", trained[1], pictures[1]]
    done = cli("predict", trained[1], *files, "--quiet")
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 2
    assert [line.startswith("Error: ") for line in done.stderr.splitlines()] == [True, True]
    assert "nowhere.png" in done.stderr
    done = cli("predict", trained[1], *files, "--json")
    rows = only_json(done.stdout)
    assert done.returncode == 2
    assert [("error" in row, "label" in row) for row in rows] == [
        (False, True),
        (True, False),
        (True, False),
        (False, True),
    ]
    assert [row["file"] for row in rows] == [str(file) for file in files]


def test_a_folder_without_a_picture_is_an_error_that_says_what_was_found(cli, trained, pictures, tmp_path, monkeypatch):
    for name in ("notes/a.txt", "notes/deep/b.TXT", "notes/README", "hidden/.a.png", "good/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("no picture")
    (tmp_path / "good/b.png").write_bytes(pictures[0].read_bytes())
    found = "no file in the folder 'notes' is a picture that can be read; found 2 .txt, 1 without an extension"
    empty = "the folder 'hidden' holds no files; expected pictures"
    done = cli("predict", trained[1], "notes")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"Error: {found}"
    done = cli("predict", trained[1], "notes", "good", "hidden", "--json")
    assert done.returncode == 2
    rows = only_json(done.stdout)
    assert rows[0] == {"file": "notes", "error": found}
    assert rows[1]["file"] == "good/b.png"
    assert rows[2] == {"file": "hidden", "error": empty}
    done = cli("predict", trained[1], "good", "--quiet")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.scandir", refuse)
    done = cli("predict", trained[1], "good")
    assert done.returncode == 2
    assert "Skipped: [Errno 13] Permission denied: 'good'" in done.stderr


def test_gradcheck_fails_for_a_wrong_derivative(cli, monkeypatch):
    from pellucid.mathematics.activations import ACTIVATIONS, Activation

    monkeypatch.setitem(ACTIVATIONS, "crooked", Activation("crooked", np.tanh, lambda z, a: 1 - a * a + 1e-3))
    pl.Network([pl.Input(6), pl.Dense(4, "crooked"), pl.Dense(3), pl.Classification(3)]).save("crooked.safetensors")
    done = cli("gradcheck", "crooked.safetensors")
    assert done.returncode == 1
    assert "WRONG" in done.stdout
    assert "FAILED" in done.stdout
    assert "Traceback" not in done.stderr


def test_gradcheck_counts_what_is_at_a_corner(cli, monkeypatch):
    """Windows in which all numbers are equal: the largest has a slope on each side, and neither is wrong."""
    even = np.zeros((6, 4, 4, 1)), np.arange(6) % 3
    monkeypatch.setattr("pellucid.apps.cli.commands.gradcheck.random_samples", lambda network, seed: even)
    pl.Network([pl.Input(4, 4, 1), pl.Conv2D(2), pl.MaxPooling2D(2), pl.Classification(3)]).save("even.safetensors")
    done = cli("gradcheck", "even.safetensors")
    assert done.returncode == 0, done.stdout
    assert "right, 4 of 4 at a corner" in done.stdout
    assert "at a corner: 4 of 20 comparisons" in done.stdout
    assert "WRONG" not in done.stdout


@pytest.mark.parametrize(
    "layers",
    [
        [pl.Dense(5, "relu"), pl.BatchNormalization(), pl.Dropout(0.5), pl.Classification(4)],
        [pl.Dense(5, "gelu", regularizer=pl.L2(0.1)), pl.Regression(2, "huber")],
        [pl.BinaryClassification(0.1)],
        [pl.Flatten(), pl.Dense(3, "elu", use_bias=False), pl.Regression()],
    ],
    ids=lambda layers: "-".join(layer.kind for layer in layers),
)
def test_gradcheck_passes_for_right_ones(cli, layers):
    """Also with a bias before batch normalization, whose gradient is zero for a good reason."""
    pl.Network([pl.Input(3, 4), *layers], seed=2).save("right.safetensors")
    done = cli("gradcheck", "right.safetensors", "--seed", "1")
    assert done.returncode == 0, done.stdout
    assert "all gradients are right" in done.stdout


def test_json_has_null_where_a_figure_does_not_exist(cli, few):
    """A class that is never predicted has no precision."""
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    network.parameters["output.weight"] = np.zeros((784, 10))
    network.parameters["output.bias"] = np.eye(10)[3] * 5
    network.save("three.safetensors")
    report = only_json(cli("evaluate", "three.safetensors", "digits", "--json").stdout)
    assert [row["precision"] is None for row in report["classes"]] == [k != 3 for k in range(10)]
    assert report["accuracy"] == np.mean(few[1][1] == 3)
    assert report["loss"] == pytest.approx(math.log(math.e**5 + 9) - 5 * report["accuracy"], rel=1e-5)
    done = cli("evaluate", "three.safetensors", "digits")
    assert done.returncode == 0
    assert " - " in done.stdout
