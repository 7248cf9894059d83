"""``pellucid train`` on a table: which rows are held out, which loss, class weights, several targets, and going on."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from small_tables import read_csv

import pellucid as pl

SMALL = ("--layers", "dense8", "--epochs", "2", "--engine", "numpy")


@pytest.fixture
def visits(tmp_path):
    """visits.csv: 400 visits of 25 customers, on days in no order; one without a day, one without a customer."""
    rng = np.random.default_rng(3)
    a = rng.normal(size=400)
    days = np.datetime64("2023-01-01") + rng.integers(0, 300, 400)
    rows = zip(
        ["" if k == 11 else str(day) for k, day in enumerate(days)],
        ["" if k == 20 else f"c{number}" for k, number in enumerate(rng.integers(0, 25, 400))],
        a.round(3),
        rng.poisson(np.exp(0.5 * a + 0.5)),
        (100 + 20 * a + rng.normal(size=400)).round(2),
        (3 + a + rng.normal(size=400) / 5).round(3),
        np.where(np.arange(400) % 25 == 0, "yes", "no"),
        strict=True,
    )
    with open(tmp_path / "visits.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["day", "customer", "a", "calls", "price", "weight", "left"])
        writer.writerows(rows)
    return tmp_path / "visits.csv"


@pytest.fixture
def train(cli, visits):
    """``train("--target", "price")`` on visits.csv; (the command, its file of predictions for the whole table)."""

    def run(*options, drop=("calls", "price", "weight", "left")):
        target = options[options.index("--target") + 1].split(",")
        dropped = [word for name in drop if name not in target for word in ("--drop", name)]
        done = cli("train", visits, *SMALL, *dropped, "--out", "m", *options)
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_time_is_on_one_side_of_a_day(train, visits):
    done = train("--target", "price", "--split", "time:day", "--test", "0.25")
    assert "1 row has no day, and is left out: 12" in done.stderr
    found = re.search(r"for the test: (\d+) rows before (\S+) to learn from, (\d+) rows from then on held out", done.stderr)
    rows = [row["day"] for row in read_csv(visits) if row["day"]]
    assert (int(found[1]), int(found[3])) == (sum(day < found[2] for day in rows), sum(day >= found[2] for day in rows))
    assert f"on {found[3]} test rows" in done.stdout
    inner = re.search(r"for validation: (\d+) rows before (\S+) to learn from, (\d+) rows", done.stderr)
    assert inner[2] < found[2]
    assert int(inner[1]) + int(inner[3]) == int(found[1])


def test_groups_are_whole_also_those_of_a_dropped_column(train):
    done = train("--target", "price", "--split", "group:customer", "--test", "0.2", "--drop", "customer")
    found = re.search(r"for the test: (\d+) groups \((\d+) rows\) to learn from, (\d+) other \((\d+) rows\)", done.stderr)
    groups, rows, others, tested = map(int, found.groups())
    assert (groups + others, rows + tested) == (25, 399)
    assert "1 row has no customer, and is left out: 21" in done.stderr


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        ("group:customer", "split by customer, new.csv: 2 of 3 rows are of a customer that is learned from, too"),
        ("time:day", "split by day, new.csv: 1 of 3 rows is not later than {last}, the last day that is learned from"),
        ("time:a", "split by a is for validation alone: new.csv has no such column to compare"),
    ],
)
def test_a_split_is_compared_with_a_table_to_test_on(train, visits, split, sentence):
    rows = read_csv(visits)
    last = max(row["day"] for row in rows)
    (visits.parent / "new.csv").write_text(f"day,customer,price\n{last},c3,100\n2024-05-01,c4,90\n2024-05-02,c99,80\n")
    drop = ("a", "calls", "weight", "left")
    done = train("--target", "price", "--test", "new.csv", "--split", split, drop=drop)
    assert sentence.format(last=last) in done.stderr


def test_a_test_of_too_few_rows_is_a_sentence(cli, visits):
    done = cli("train", visits, "--target", "price", "--test", "0.01")
    assert done.returncode == 2
    assert "fewer than 10" in done.stderr


def test_counts_are_suggested_and_learned_only_if_asked_for(cli, train, visits):
    done = train("--target", "calls")
    assert "if it counts something" in done.stderr
    assert pl.load("m").network.output == pl.Regression()
    done = train("--target", "calls", "--loss", "poisson")
    assert "if it counts something" not in done.stderr
    assert "counts are divided by the mean of the target" in done.stderr
    assert pl.load("m").network.output.is_of_counts
    said = json.loads(cli("evaluate", "m", visits, "--json").stdout)
    predicted = np.array([float(row["calls"]) for row in csv.DictReader(cli("predict", "m", visits).stdout.splitlines())])
    y = [float(row["calls"]) for row in read_csv(visits)]
    assert said["loss"] == pytest.approx(metrics.mean_poisson_deviance(y, predicted) / 2, rel=1e-4)
    assert said["mae"] == pytest.approx(metrics.mean_absolute_error(y, predicted), rel=1e-5)
    assert (predicted > 0).all()
    assert cli("evaluate", "m", visits, "--report", "page.html").returncode == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert "units of the logarithm of calls" in text
    assert "divided by their mean for training" in text


def test_few_counts_are_no_classes_for_a_loss_of_counts(cli, tmp_path):
    """0 to 3 without a gap would be four classes, unless a loss says that they are numbers."""
    lines = "".join(f"{k % 7},{k % 4}\n" for k in range(80))
    (tmp_path / "few.csv").write_text("a,goals\n" + lines)
    done = cli("train", "few.csv", *SMALL, "--target", "goals")
    assert "'goals' is read as 4 classes; if it counts something, say --loss poisson" in done.stderr
    assert pl.load("few.safetensors").labels == ("0", "1", "2", "3")
    assert cli("train", "few.csv", *SMALL, "--target", "goals", "--loss", "poisson").returncode == 0
    assert pl.load("few.safetensors").network.output.is_of_counts


def test_quantiles(cli, train, visits):
    done = train("--target", "price", "--loss", "pinball:0.2,0.8", "--epochs", "15")
    assert "Quantiles" in done.stdout
    answers = list(csv.DictReader(cli("predict", "m", visits).stdout.splitlines()))
    assert list(answers[0]) == ["row", "price 0.2", "price 0.8", "cells not understood"]
    low, high = (np.array([float(row[name]) for row in answers]) for name in ("price 0.2", "price 0.8"))
    y = np.array([float(row["price"]) for row in read_csv(visits)])
    said = json.loads(cli("evaluate", "m", visits, "--json").stdout)
    assert [row["below"] for row in said["quantiles"]] == pytest.approx([(y < low).mean(), (y < high).mean()])
    shown = cli("evaluate", "m", visits).stdout
    assert f"{(y < high).mean():.1%}" in shown
    assert "level 0.2: rmse" in shown  # as near to 0.5 as 0.8; the lower one is judged
    assert cli("evaluate", "m", visits, "--report", "page.html").returncode == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert "Quantiles: the share below should be the level" in text
    assert "units of price 0.2" in text


def test_several_targets(cli, train, visits):
    done = train("--target", "price,weight", "--epochs", "20", "--test", "0.25")
    assert re.search(r"price +\S+ +\S+ +\S+\n *weight +\S+ +\S+ +\S+\n +mean ", done.stdout)
    said = json.loads(cli("evaluate", "m", visits, "--json").stdout)
    assert said["target"] == ["price", "weight"]
    answers = list(csv.DictReader(cli("predict", "m", visits).stdout.splitlines()))
    for figures in said["targets"]:
        name = figures["target"]
        y, predicted = ([float(row[name]) for row in rows] for rows in (read_csv(visits), answers))
        assert figures["rmse"] == pytest.approx(metrics.root_mean_squared_error(y, predicted), rel=1e-4)
        assert figures["r2"] == pytest.approx(metrics.r2_score(y, predicted), rel=1e-4)
    assert said["rmse"] == pytest.approx(np.mean([figures["rmse"] for figures in said["targets"]]))
    page = cli("explain", "m", visits, "--row", "3", "--label", "weight").stdout
    assert "in units of weight" in page
    assert cli("evaluate", "m", visits, "--report", "page.html").returncode == 0
    text = Path("page.html").read_text(encoding="utf-8")
    assert "Each target in its own units" in text
    assert "Truth over prediction of weight" in text


def test_rare_classes_are_named_and_balanced_if_asked_for(train):
    done = train("--target", "left")
    assert "only 4.0% of the rows are 'yes'; --class-weight balanced" in done.stderr
    plain = pl.load("m").network.parameters.vector.copy()
    done = train("--target", "left", "--class-weight", "balanced")
    assert "--class-weight" not in done.stderr
    assert "only 4.0% of the rows are 'yes'" in done.stderr
    assert np.abs(plain - pl.load("m").network.parameters.vector).max() > 1e-3


WRONG = {
    "loss of classes": (["--target", "left", "--loss", "mae"], "has classes"),
    "unknown loss": (["--target", "price", "--loss", "mes"], "Did you mean 'mse'"),
    "levels that are none": (["--target", "price", "--loss", "pinball:high"], "the levels of pinball are numbers"),
    "counts below 0": (["--target", "a", "--loss", "poisson"], "of 0 or more"),
    "weights of numbers": (
        ["--target", "price", "--class-weight", "balanced"],
        "class weights are for a target of classes",
    ),
    "unknown split": (["--target", "price", "--split", "week:day"], "random, time:COLUMN or group:COLUMN"),
    "column of a split": (["--target", "price", "--split", "time:dya"], "unknown column 'dya'"),
    "groups of the target": (["--target", "left", "--split", "group:left"], "divide the rows by what is to be predicted"),
    "time of the target": (["--target", "price,weight", "--split", "time:weight"], "name a column that is known before"),
    "a word is no time": (["--target", "price", "--split", "time:left"], "cannot say what came first"),
    "a target that is no number": (["--target", "price,left"], "'left' is yes or no"),
    "a target twice": (["--target", "price,price"], "each once"),
    "a target that is not there": (["--target", "price,wieght"], "unknown column 'wieght'"),
}


@pytest.mark.parametrize(("options", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_work_is_a_sentence(cli, visits, options, sentence):
    done = cli("train", visits, *SMALL, *options)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [["--split", "time:day"], ["--loss", "mae"]])
def test_split_and_loss_are_for_tables(cli, option):
    done = cli("train", "digits", *option)
    assert done.returncode == 2
    assert f"leave {option[0]} out" in done.stderr


@pytest.mark.parametrize("target", ["price", "price,weight", "left"])
def test_resume_is_training_uninterrupted(cli, train, target):
    """But for rounding: a network that answers in own units is brought back to those of training."""
    common = ("--target", target, "--split", "group:customer", "--early-stopping", "9", "--schedule", "constant")
    train(*common, "--epochs", "4", "--optimizer-state", "--out", "whole")
    train(*common, "--epochs", "2", "--optimizer-state", "--out", "half")
    dropped = [
        w for name in ("calls", "price", "weight", "left") if name not in target.split(",") for w in ("--drop", name)
    ]
    again = ("train", "visits.csv", *common, *dropped, "--epochs", "2", "--engine", "numpy", "--resume", "half")
    done = cli(*again, "--out", "rest")
    assert done.returncode == 0, done.stderr
    whole, rest = pl.load("whole").network, pl.load("rest").network
    assert (rest.training_state.epoch, rest.training_state.step) == (4, whole.training_state.step)
    np.testing.assert_allclose(rest.history["loss"], whole.history["loss"], rtol=1e-5)


def test_resume_of_few_counts_without_their_loss(cli, tmp_path):
    """The file of the model says that they are numbers; --loss is its own and cannot be said again."""
    rng = np.random.default_rng(4)
    a = rng.normal(size=200).round(3)
    lines = [f"{x},{goals}" for x, goals in zip(a, np.minimum(rng.poisson(np.exp(a)), 3), strict=True)]
    (tmp_path / "goals.csv").write_text("\n".join(["a,goals", *lines]))
    again = ("train", "goals.csv", *SMALL[2:], "--target", "goals", "--out", "m")
    assert cli(*again, "--layers", "dense8", "--loss", "poisson").returncode == 0
    done = cli(*again, "--resume", "m")
    assert done.returncode == 0, done.stderr
    assert pl.load("m").network.training_state.epoch == 4


def test_resume_needs_the_same_columns_target_and_classes(cli, train, visits):
    train("--target", "price")
    drop = ("--drop", "calls", "--drop", "left")
    for options, sentence in (
        (("--target", "price", *drop), "other columns: now with weight (number)"),
        (("--target", "weight", "--drop", "price", *drop), "other targets: now with weight (number)"),
        (("--target", "price", "--drop", "weight", *drop, "--loss", "mae"), "leave --loss out"),
    ):
        done = cli("train", visits, *options, "--resume", "m")
        assert done.returncode == 2
        assert sentence in done.stderr
    assert "a regression" in cli("train", "digits", "--resume", "m").stderr


def test_rules_that_layers_replace_are_not_named(cli, train, visits):
    assert "hidden:" not in train("--target", "price").stderr
    done = cli("train", visits, "--target", "price", "--epochs", "1", "--hidden", "4", "--learning-rate", "0.01")
    assert "dropout:" in done.stderr
    assert "hidden:" not in done.stderr


def test_options_of_the_network_hold_for_tables_too(cli, visits):
    words = "--hidden 6 --hidden 5 --activation tanh --dropout 0.2 --batch-norm --l2 0.01 --optimizer rmsprop --epochs 2"
    words += (
        " --learning-rate 0.01 --schedule cosine --batch-size 50 --validation 0.2 --early-stopping 3 --seed 5 --threads 1"
    )
    done = cli("train", visits, "--target", "price", "--out", "m", *words.split())
    assert done.returncode == 0, done.stderr
    network = pl.load("m").network
    kinds = [type(layer).__name__ for layer in network.layers]
    hidden = ["Dense", "BatchNormalization", "Dropout"] * 2
    assert kinds == ["Input", "PiecewiseLinearEncoding", "GroupedDense", *hidden, "Regression"]
    assert [layer.units for layer in network.layers if isinstance(layer, pl.Dense)] == [6, 5]
    assert network.seed == 5
    assert network.training_state.step == 2 * 7  # 320 rows in batches of 50
    assert network.training_state.settings["regularizer"] == "L2(strength=0.01)"
    assert network.training_state.optimizer == pl.RMSProp(0.01)


def test_the_unit_of_the_losses_of_epochs_is_said(train, visits):
    """The first loss is near 1, the variance of what is learned, and not near 400, that of the prices."""
    done = train("--target", "price")
    unit = float(re.search(r"in units of the standard deviation of the target, (\S+)", done.stderr)[1])
    assert unit == pytest.approx(np.std([float(row["price"]) for row in read_csv(visits)]), rel=0.1)
    assert pl.load("m").network.history["loss"][0] < 3
