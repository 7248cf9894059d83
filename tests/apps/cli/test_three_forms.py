"""One evaluation in three forms: the text, the JSON and the page say the same figures, as many digits as each shows."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from report_pages import Page
from sklearn.metrics import confusion_matrix

import pellucid as pl
from pellucid.apps.cli.named_data import NAMED_DATA, NamedData


def ten_classes(few):
    """Ten digits, with a temperature and sets of labels."""
    (x, y), test = few
    model = pl.Model(pl.Network([pl.Input(28, 28), pl.Dense(16, "relu"), pl.Classification(10)]))
    model.network.fit(x[:300], y[:300], epochs=4, progress="none")
    model.calibrate(x[300:], y[300:])
    model.conformal(x[300:], y[300:])
    return model, *test


def yes_or_no(few):
    (x, y), (x_test, y_test) = few
    network = pl.Network([pl.Input(28, 28), pl.BinaryClassification()])
    network.fit(x, y % 2, epochs=2, progress="none")
    return pl.Model(network, labels=["even", "odd"]), x_test, y_test % 2


def one_class(few):
    model, x, y = ten_classes(few)
    return model, x[y == 3], y[y == 3]


def one_sample(few):
    model, x, y = ten_classes(few)
    return model, x[:1], y[:1]


def nearly_undecided(few):
    """Every logit is 1e-20: both probabilities round to one half in float32, and yet every answer is yes."""
    arrays = {"output.weight": np.zeros((784, 1)), "output.bias": np.array([1e-20])}
    _, (x, _) = few
    model = pl.Model(pl.Network([pl.Input(28, 28), pl.BinaryClassification()], arrays=arrays), labels=["no", "yes"])
    return model, x, (np.arange(len(x)) % 3 > 0).astype(np.int64)


def thirty_classes(few):
    """So many that the text names the most frequent confusions in place of the matrix."""
    _, (x, y) = few
    return pl.Model(pl.Network([pl.Input(28, 28), pl.Classification(30)])), x, y + np.arange(len(y)) % 20


CASES = (ten_classes, yes_or_no, one_class, one_sample, nearly_undecided, thirty_classes)


@pytest.fixture(params=CASES, ids=lambda case: case.__name__)
def forms(request, cli, few, monkeypatch):
    """(text, data, page, (model, x, y)) of one evaluation."""
    model, x, y = request.param(few)
    model.save("m.safetensors")
    monkeypatch.setitem(NAMED_DATA, "digits", NamedData(lambda: ((x, y), (x, y))))
    text = cli("evaluate", "m.safetensors", "digits")
    assert text.returncode == 0, text.stderr
    data = cli("evaluate", "m.safetensors", "digits", "--json", "--report", "page.html")
    with open("page.html", encoding="utf-8") as file:
        return text.stdout, json.loads(data.stdout), Page(file.read()), (model, x, y)


def says(shown, exact):
    """Whether a shown figure ("9.5%", "<0.1%", "-", "0.8929") is the exact one, but for the digits that it leaves out."""
    if exact is None:
        return shown in ("-", "–")
    number = re.search(r"\d[\d,]*(\.\d+)?", shown)
    value, step = float(number[0].replace(",", "")), 10.0 ** -len((number[1] or ".")[1:])
    if "%" in shown:
        value, step = value / 100, step / 100
    if shown[0] in "<>":
        return exact < value if shown[0] == "<" else exact > value
    return abs(value - exact) <= 0.51 * step or (0.9995 <= exact < 1 and 0 <= exact - value < step)  # never rounded to all


def between(shown, exact):
    """The same of an interval, "10.3% to 20.0%" or "10.3–20.0%"."""
    low, high = re.fullmatch(r"(\S+?)(?: to |–)(\S+)", shown).groups()
    unit = "%" if "%" in high else ""
    return says(low.removesuffix("%") + unit, exact[0]) and says(high, exact[1])


def tables(text):
    """Title -> rows of cells, of the tables in a text."""
    found = re.findall(r"^(.+)\n\n(.+)\n-+\n((?:.+\n)+)", text, flags=re.M)
    return {title: [re.split(r"  +", line.strip()) for line in rows.splitlines()] for title, _, rows in found}


def figures(page):
    """Name -> (figure, note) in the row at the head of the page."""
    rows = re.findall(r"<dt>(.+?)</dt><dd>(.+?)<small>(.+?)</small>", page.source)
    return {name: (figure, note) for name, figure, note in rows}


def table(page, *names):
    return next((table[1:] for table in page.tables if set(names) <= set(table[0])), None)


def test_loss_accuracy_and_probabilities(forms):
    text, data, page, (model, x, y) = forms
    trust = data["trust"]
    assert data["loss"] == pytest.approx(model.network.evaluate(x, y)["loss"], rel=1e-9)
    assert data["accuracy"] == pytest.approx(model.network.evaluate(x, y)["accuracy"], rel=1e-9)
    accuracy, bounds, loss = re.search(r"accuracy (\S+) \((.*) with 95% confidence\)   loss (\S+)", text).groups()
    error, error_bounds, verdict, brier, brier_bounds = re.search(
        r"probabilities (\S+) off on average \((.*?)\): (.*)   Brier score (\S+) \((.*)\)", text
    ).groups()
    shown = figures(page)
    drawn = (*shown["accuracy"], shown["loss"][0], *shown["calibration error"], *shown["Brier score"])
    for form in ((accuracy, bounds, loss, error, error_bounds, brier, brier_bounds), drawn):
        assert says(form[0], data["accuracy"])
        assert between(form[1], data["confidence"])
        assert says(form[2], data["loss"])
        assert says(form[3], trust["calibration_error"])
        assert between(form[4], trust["calibration_error_interval"])
        assert says(form[5], trust["brier_score"])
        assert between(form[6], trust["brier_score_interval"])
    assert verdict == trust["verdict"]
    assert f": {verdict}." in page.text
    assert f"{data['samples']:,} samples" in text
    assert data["samples"] == trust["samples"] == len(y)


def test_sets_and_temperature(forms):
    text, data, page, (model, *_) = forms
    coverage, temperature = data["trust"]["coverage"], data["trust"]["temperature"]
    told = re.search(
        r"contain the true label for (\S+%) of the samples(.*), with (\S+) labels on average; not sure of (\d+)", text
    )
    drawn = re.search(
        r"contain it for (\S+%) of the test pictures(.*), with (\S+) labels on average. It was not sure of (\d+) p",
        page.text,
    )
    if coverage is None:
        assert (told, drawn) == (None, None)
    else:
        words = f" ({coverage['in_words']})" if coverage["in_words"] else ""
        for form in (told, drawn):
            assert says(form[1], coverage["covered"])
            assert form[2] == words
            assert says(form[3], coverage["mean_size"])
            assert int(form[4]) == coverage["unsure"]
    assert (temperature is None) == ("no temperature" in text) == ("No temperature was fitted" in page.text)
    if temperature is not None:
        assert temperature["value"] == model.temperature.value
        assert f"temperature {model.temperature}" in text
        assert f"temperature {model.temperature}" in page.text


def test_the_confusion_matrix(forms):
    text, data, page, (model, x, y) = forms
    labels, matrix = [str(label) for label in data["labels"]], data["confusion"]
    assert matrix == confusion_matrix(y, model.network.predict(x), labels=range(len(labels))).tolist()
    if len(labels) <= 20:
        told = tables(text)["Confusion matrix (row: true, column: predicted)"]
        assert told == [[k, *(str(n or ".") for n in row)] for k, row in zip(labels, matrix, strict=True)]
        drawn = table(page, "true ↓ answer →")
        assert drawn == [[k, *(f"{n or ''}" for n in row)] for k, row in zip(labels, matrix, strict=True)]
    pairs = {(labels[t], labels[p]): n for t, row in enumerate(matrix) for p, n in enumerate(row) if n and t != p}
    drawn = table(page, "true class → answer") or []
    assert len(drawn) == min(len(pairs), 10)
    for name, times, share in drawn:
        true, said = name.split(" → ")
        assert int(times) == pairs[true, said]
        assert says(share, pairs[true, said] / sum(matrix[labels.index(true)]))
    if len(labels) > 25:
        assert tables(text)["Most confused"] == [[*name.split(" → "), times] for name, times, _ in drawn]


def test_each_class(forms):
    text, data, page, _ = forms
    told, drawn = tables(text)["Classes"], table(page, "precision", "recall")
    assert len(told) == len(drawn) == len(data["classes"])
    for row, line, cells in zip(data["classes"], told, drawn, strict=True):
        assert line[0] == cells[0] == str(row["label"])
        assert int(line[4]) == int(cells[1]) == row["samples"]
        for name, short, long in zip(("precision", "recall", "f1"), line[1:4], cells[2:5], strict=True):
            assert says(short, row[name])
            assert says(re.match(r"–|[<>]?\d+\.\d+%", long)[0], row[name])
    recalls = [row["recall"] for row in data["classes"] if row["recall"] is not None]
    assert says(figures(page)["balanced accuracy"][0], sum(recalls) / len(recalls))


def test_the_thresholds(forms):
    text, data, page, _ = forms
    told = next((rows for title, rows in tables(text).items() if "from another probability on" in title), None)
    drawn, thresholds = table(page, "specificity"), data["trust"].get("thresholds")
    if thresholds is None:
        assert (told, drawn) == (None, None)
        return
    for row, *shown in zip(thresholds["rows"], told, drawn, strict=True):
        for line in shown:
            assert says(line[0], row["threshold"])
            for name, cell in zip(("precision", "recall", "specificity", "f1"), line[1:5], strict=True):
                assert says(cell, row[name])
            assert int(line[5]) == row["positive"]


def test_the_worst_mistakes(forms):
    text, data, page, (model, x, y) = forms
    told = tables(text).get("Worst mistakes", [])
    drawn = re.findall(
        r'is <b class="blue">(.+?)</b></span><small>(.+?)</small>.*?said <b class="orange">(.+?)</b></span>'
        r"<small>(.+?)</small>.*?sample ([\d,]+)<",
        page.source.replace("&lt;", "<").replace("&gt;", ">"),
    )
    rows = data["worst_mistakes"]
    assert len(rows) == len(told) == min(10, int((model.network.predict(x) != y).sum()))
    assert len(drawn) >= len(rows)
    for row, line, card in zip(rows, told, drawn, strict=False):
        (index, true, said, claim), (label, of_truth, predicted, claimed, number) = line, card
        assert int(index) == int(number.replace(",", "")) == row["index"]
        assert true == label == str(row["label"])
        assert said == predicted == str(row["predicted"])
        assert says(claim, row["probability"])
        assert says(claimed, row["probability"])
        assert says(of_truth, row["probability_of_label"])


def test_training_says_at_its_end_what_the_evaluation_says(cli):
    done = cli("train", "digits", "--hidden", "8", "--epochs", "2", "--validation", "0.2", "--out", "m.safetensors")
    text = cli("evaluate", "m.safetensors", "digits").stdout
    data = json.loads(cli("evaluate", "m.safetensors", "digits", "--json").stdout)
    accuracy, count, loss = re.search(r": (\S+%) of (\d+) test pictures right \(loss (\S+)\)", done.stdout).groups()
    assert says(accuracy, data["accuracy"])
    assert says(loss, data["loss"])
    assert int(count) == data["samples"]
    of_probabilities = re.search(r"^probabilities .*\n(.*\n)*temperature .*\n", text, flags=re.M)[0]
    assert of_probabilities in done.stdout
