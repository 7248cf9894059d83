"""What the commands say of probabilities: the same digits as Python, from the right samples, and refusals."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

import pellucid as pl
from pellucid.apps.cli.named_data import NAMED_DATA, NamedData
from pellucid.data.samples import Samples, split
from pellucid.reports.judgement import judge_classes


@pytest.fixture
def calibrated(cli):
    done = cli("train", "digits", "--hidden", "16", "--epochs", "3", "--validation", "0.2", "--out", "m.safetensors")
    assert done.returncode == 0, done.stderr
    return cli, done


def test_training_calibrates_on_the_rows_that_it_kept_aside(calibrated, few):
    _, done = calibrated
    (x, y), _ = few
    model = pl.load("m.safetensors")
    again = pl.Model(model.network)
    rows = split(Samples(x, y, np.arange(len(x))), 0.2, model.network.seed, y)[1].rows
    assert model.temperature.samples == model.conformal_scores[0].count == len(rows) == 100
    history = model.network.history
    assert model.network.evaluate(x[rows], y[rows])["loss"] == pytest.approx(history["validation_loss"][-1])
    assert again.calibrate(x[rows], y[rows]) == model.temperature
    assert again.conformal(x[rows], y[rows]) == model.conformal_scores
    assert f"temperature {model.temperature} that were held out" in done.stdout


def test_the_figures_are_those_of_python_and_of_the_test_rows_alone(calibrated, few):
    cli, done = calibrated
    _, (x, y) = few
    model = pl.load("m.safetensors")
    trust = judge_classes(model, x, y).trust
    shown = cli("evaluate", "m.safetensors", "digits")
    data = json.loads(cli("evaluate", "m.safetensors", "digits", "--json").stdout)["trust"]
    assert data["brier_score"] == pytest.approx(brier_score_loss(y, model.predict_proba(x), labels=range(10)))
    assert data["calibration_error"] == trust.calibration_error
    assert data["calibration_error_interval"] == list(trust.calibration_error_interval)
    assert data["brier_score_interval"] == list(trust.brier_interval)
    assert data["verdict"] == trust.verdict
    assert data["temperature"] == asdict(model.temperature)
    sets = model.predict_sets(x, 0.9)
    assert data["coverage"]["covered"] == sets[np.arange(200), y].mean()
    assert data["coverage"]["mean_size"] == sets.sum(axis=1).mean()
    assert "thresholds" not in data
    line = (
        f"probabilities {data['calibration_error']:.1%} off on average ({trust.calibration_error_interval[0]:.1%} to "
        f"{trust.calibration_error_interval[1]:.1%}): {trust.verdict}   Brier score {trust.brier:.4f}"
    )
    for text in (done.stdout, shown.stdout):
        assert line in text
        assert "measured on these 200 samples alone" in text
        assert f"contain the true label for {data['coverage']['covered']:.1%} of the samples" in text
        assert data["coverage"]["covered"] >= 0.9 or f"({data['coverage']['in_words']})" in text


def test_without_validation_there_is_no_temperature_and_the_way_to_one_is_said(cli):
    done = cli("train", "digits", "--hidden", "4", "--epochs", "1")
    assert "no temperature: it is fitted on samples that --validation holds out (50 or more)" in done.stdout
    assert "sets for" not in done.stdout
    model = pl.load("digits.safetensors")
    assert (model.temperature, model.conformal_scores) == (None, ())


def test_few_rows_give_sets_but_no_temperature(cli):
    done = cli("train", "digits", "--hidden", "4", "--epochs", "1", "--validation", "0.05")
    assert done.returncode == 0, done.stderr
    model = pl.load("digits.safetensors")
    assert model.temperature is None
    assert model.conformal_scores[0].count == 25
    assert "(50 or more; there were 25)" in done.stdout
    assert "sets for 90% confidence" in done.stdout


def test_going_on_without_validation_forgets_the_calibration(calibrated):
    cli, _ = calibrated
    assert cli("train", "digits", "--resume", "m.safetensors", "--epochs", "1", "--out", "n.safetensors").returncode == 0
    assert pl.load("n.safetensors").temperature is None


def test_info_shows_the_calibration(calibrated):
    cli, _ = calibrated
    model = pl.load("m.safetensors")
    shown = cli("info", "m.safetensors").stdout
    assert f"temperature {model.temperature}" in shown
    assert "measured on 100 samples" in shown
    data = json.loads(cli("info", "m.safetensors", "--json").stdout)
    assert data["temperature"]["value"] == model.temperature.value
    assert data["conformal_samples"] == 100


def test_predict_names_the_set(calibrated, pictures):
    cli, _ = calibrated
    model = pl.load("m.safetensors")
    done = cli("predict", "m.safetensors", *pictures, "--confidence", "0.95", "--quiet")
    assert done.returncode == 0, done.stderr
    rows = json.loads(cli("predict", "m.safetensors", *pictures, "--confidence", "0.95", "--json").stdout)
    for path, row in zip(pictures, rows, strict=True):
        answer = model.predict(path, confidence=0.95)
        assert (row["confidence"], row["set"]) == (0.95, list(answer.set))
        assert f"    {answer.set_in_words()}\n" in done.stdout
    assert "set" not in json.loads(cli("predict", "m.safetensors", *pictures, "--json").stdout)[0]


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        ("0.999", "100 samples for calibration are too few for a confidence of 99.9%, which needs 999 at least"),
        ("1", "confidence must be in (0, 1), not 1.0"),
        ("0", "confidence must be in (0, 1)"),
        ("90", "for 90% write 0.9"),
        ("nan", "confidence must be in (0, 1)"),
        ("high", "'high' is not a valid float"),
    ],
)
def test_a_confidence_that_cannot_be_given_is_one_sentence_before_any_picture(calibrated, pictures, confidence, words):
    done = calibrated[0]("predict", "m.safetensors", *pictures, "--confidence", confidence)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("Error: ") == 1


def test_a_model_that_was_not_calibrated_says_how_to(cli, trained, pictures):
    done = cli("predict", trained[1], *pictures, "--confidence", "0.9")
    assert done.returncode == 2
    assert re.fullmatch(
        r"Error: this model has nothing to measure a confidence by: no .* --validation 0\.1.*\n", done.stderr
    )


def test_the_commands_of_the_page_work_word_by_word(cli, tmp_path):
    page = Path(__file__).parents[3] / "docs" / "insight" / "calibration.md"
    (tmp_path / "examples").symlink_to(page.parents[2] / "examples")
    commands = re.search(r"```sh\n(.*?)```", page.read_text("utf-8"), flags=re.S)[1].splitlines()
    for command in commands:
        done = cli(*shlex.split(command)[1:])
        assert done.returncode == 0, done.stderr
    assert "with 90% confidence" in done.stdout


def test_two_classes_get_a_table_of_thresholds(cli, few, monkeypatch):
    (x, y), (x_test, y_test) = few
    monkeypatch.setitem(NAMED_DATA, "digits", NamedData(lambda: ((x, y % 2), (x_test, y_test % 2))))
    network = pl.Network([pl.Input(28, 28), pl.BinaryClassification()])
    network.fit(x, y % 2, epochs=2, progress="none")
    pl.Model(network, labels=["even", "odd"]).save("m.safetensors")
    done = cli("evaluate", "m.safetensors", "digits", "--report", "page.html")
    assert done.returncode == 0, done.stderr
    assert "If odd were the answer from another probability on" in done.stdout
    table = json.loads(cli("evaluate", "m.safetensors", "digits", "--json").stdout)["trust"]["thresholds"]
    assert table["label"] == "odd"
    p = network.predict_proba(x_test)[:, 1]
    for row in table["rows"]:
        assert row["positive"] == (p >= row["threshold"]).sum()
        assert f"{row['threshold']:.0%}" in done.stdout
        assert f"{row['recall']:.1%}" in done.stdout
    with open("page.html", encoding="utf-8") as page:
        assert "Other thresholds" in page.read()
