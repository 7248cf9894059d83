"""The report: one page that needs nothing, shows what is true, and lets nothing in that could run."""

from __future__ import annotations

import base64
import io
import os
import re

import numpy as np
import pytest
from PIL import Image
from report_pages import linear, pixels, written
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

import pellucid as pl
from pellucid.data.photos.folder_report import FolderReport, Problem
from pellucid.reports.model_report.page import write_report

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "$headline ${x} {y} %s", "новый\nкот 猫\u202e"]

CASES = {
    "ten classes": lambda: (linear((6, 6), list(range(10))), pixels(200, (6, 6)), np.arange(200) % 10),
    "a hundred classes": lambda: (
        linear((4, 4, 3), [f"c{i}" for i in range(100)]),
        pixels(300, (4, 4, 3)),
        np.arange(300) % 100,
    ),
    "one sample": lambda: (linear((6, 6, 1), ["a", "b"]), pixels(1, (6, 6, 1)), np.array([1])),
    "one class tested": lambda: (linear((6, 6), ["a", "b", "c"]), pixels(9, (6, 6)), np.zeros(9, int)),
    "no history": lambda: (linear((6, 6), ["a", "b"], history=0), pixels(9, (6, 6)), np.arange(9) % 2),
    "floats": lambda: (linear((6, 6), ["a", "b"]), pixels(9, (6, 6)) / 255, np.arange(9) % 2),
    "no pictures": lambda: (linear((5,), ["a", "b"]), pixels(9, (5,)) / 255 - 0.5, np.arange(9) % 2),
    "yes or no": lambda: (
        pl.Model(pl.Network([pl.Input(6, 6), pl.BinaryClassification()]), labels=["no", "yes"]),
        pixels(30, (6, 6)),
        np.arange(30) % 2,
    ),
}


@pytest.fixture(params=CASES, scope="module")
def page(request, tmp_path_factory):
    return written(tmp_path_factory.mktemp("report") / "report.html", *CASES[request.param]())


def test_nothing_is_fetched_and_nothing_runs(page):
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base", "use")
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "src" or value.startswith("data:image/png;base64,")
            assert name != "href" or value.startswith("#")
            assert "http" not in (value or "") or name == "http-equiv"
    assert not re.search(r"url\(|@import|https?:", page.text)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_links_lead_somewhere_and_everything_has_words(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)
    assert all(image["alt"] for image in page.all("img"))
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") for drawing in page.all("svg"))
    assert all(head.get("scope") in ("row", "col") for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert page.all("html") == [{"lang": "en"}]
    assert all(len({len(row) for row in table}) == 1 for table in page.tables)


def test_no_number_is_missing(page):
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    for _, attributes in page.elements:
        assert not re.search(r"nan|inf\b", " ".join(str(attributes.get(name)) for name in ("points", "cx", "cy", "x", "y")))


def test_names_cannot_become_markup(tmp_path):
    x, y = pixels(40, (5, 5)), np.arange(40) % 4
    report = FolderReport("<folder>", {HOSTILE[0]: (3, 1)}, (Problem(HOSTILE[1] + ".png", "empty", HOSTILE[0]),))
    page = written(
        tmp_path / "report.html",
        *(linear((5, 5), HOSTILE), x, y),
        data=HOSTILE[0],
        files=[f"a/{HOSTILE[i % 4]}\udc80.png" for i in range(40)],
        folder_report=report,
        command=HOSTILE[1],
    )
    assert not page.all("script")
    assert not [image for image in page.all("img") if "onerror" in image]
    for name in HOSTILE[:3]:
        assert name in page.text
    assert "новый\\x0aкот 猫\\x202e" in page.text
    assert "\\xdc80" in page.text


def test_figures_are_those_of_scikit_learn(tmp_path):
    model, x, y = linear((6, 6), ["a", "b", "c"]), pixels(300, (6, 6)), np.arange(300) % 3
    page = written(tmp_path / "report.html", model, x, y)
    predicted = model.network.predict(x)
    matrix = next(table for table in page.tables if table[0][0].startswith("true"))
    assert [[int(cell or 0) for cell in row[1:]] for row in matrix[1:]] == confusion_matrix(y, predicted).tolist()
    precision, recall, f1, support = precision_recall_fscore_support(y, predicted)
    rows = next(table for table in page.tables if table[0][2:3] == ["precision"])[1:]
    for k, row in enumerate(rows):
        assert row[:2] == ["abc"[k], str(support[k])]
        assert row[2].startswith(f"{precision[k]:.1%}")
        assert row[3].startswith(f"{recall[k]:.1%}")
        assert row[4] == f"{f1[k]:.1%}"
    assert f"{(predicted == y).mean():.1%} right: {(predicted == y).sum()} of 300 pictures" in page.text


def sure(count):
    """A model that reads the class off the only bright pixel, and calls pixel 1 class 2."""
    weight = np.zeros((4, 3))
    weight[0, 0], weight[1, 2], weight[2, 2] = 9.0, 5.0, 7.0
    x = np.zeros((count, 2, 2), np.uint8)
    x.reshape(count, 4)[np.arange(count), np.arange(count) % 3] = 255
    return linear((2, 2), ["zero", "one", "two"], weight), x, np.arange(count) % 3


def test_mistakes_are_shown_as_the_network_saw_them(tmp_path):
    """By hand: every sample of class one is called two, with p = e^5 / (e^5 + 2) = 98.7 %."""
    page = written(tmp_path / "report.html", *sure(9), files=[f"photos/{i}.png" for i in range(9)])
    images = [image for image in page.all("img") if image["alt"] == "one, taken for two"]
    assert len(images) == 3
    content = base64.b64decode(images[0]["src"].removeprefix("data:image/png;base64,"))
    assert np.asarray(Image.open(io.BytesIO(content))).tolist() == [[0, 255], [0, 0]]
    assert "3 answers are wrong. These are all of them" in page.text
    assert "photos/1.png" in page.text
    assert "98.7%" in page.text
    assert "Most often it takes “one” for “two”: 3 times." in page.text


def test_no_mistakes_are_said_too(tmp_path):
    model, x, y = sure(90)
    page = written(tmp_path / "report.html", model, x[y != 1], y[y != 1])
    assert "All 60 pictures right" in page.text
    assert "It made none on these 60 pictures." in page.text
    assert "Nothing was confused." in page.text


def test_few_pictures_are_called_few_and_guessing_is_compared(tmp_path):
    model, x, y = sure(6)
    few = written(tmp_path / "report.html", model, x, y).text
    assert "Only 6 pictures were tested" in few
    assert "3 classes have fewer than 30 test pictures" in few
    assert "would be right for 33.3%; the network is not clearly better than that." in few
    many = written(tmp_path / "report.html", *sure(900)).text
    assert "Only" not in many
    assert "fewer than 30" not in many
    assert "the network is clearly better." in many
    assert "only one class was tested" in written(tmp_path / "report.html", model, x[:1], y[:1]).text


def test_the_calibration_error_is_shown(tmp_path):
    """By hand: claims of e^9 / (e^9 + 2), e^5 / (e^5 + 2), e^7 / (e^7 + 2), a third each; the second third is wrong."""
    claims = np.exp([9, 5, 7]) / (np.exp([9, 5, 7]) + 2)
    error = abs(claims.mean() - 2 / 3)
    assert f"{error:.1%} apart (the expected calibration error" in written(tmp_path / "report.html", *sure(90)).text


def test_probabilities_that_fit_on_average_alone_are_not_called_believable(tmp_path):
    """By hand: of 480 answers that claim 58 % 278 are right: believable; of 24 such 14: too few to tell. 320 that claim
    99.9 % (270 right) and 160 that claim 34 % (105 right): 78 % on average, as many are right, but 20 % apart."""
    believable, single = "on the whole, its probabilities can be trusted", "a single probability may be far off"
    x, y = np.zeros((480, 2, 2), np.uint8), np.zeros(480, np.int64)
    x[:, 0, 0], y[278:] = 255, 1
    weight = np.zeros((4, 3))
    weight[0, 0] = 1.0  # e / (e + 2) = 58 %
    model = linear((2, 2), ["a", "b", "c"], weight)
    text = written(tmp_path / "report.html", model, x, y).text
    assert believable in text
    assert single not in text
    text = written(tmp_path / "report.html", model, x[::20], y[::20]).text
    assert "too few pictures to tell" in text
    assert "too few samples to tell" in text
    assert believable not in text
    weight[0, 0], weight[1, 0] = 8.0, 0.01
    x[:160, 0], x[:160, 0, 1] = 0, 255  # dim pictures
    y[:] = [0] * 105 + [1] * 55 + [0] * 270 + [1] * 50
    text = written(tmp_path / "report.html", linear((2, 2), ["a", "b", "c"], weight), x, y).text
    assert f"{single}: it is overconfident where it claims 90% to 100%, underconfident where it claims 30% to 40%" in text
    assert believable not in text


def test_the_folder_and_the_way_to_repeat_it_are_shown(tmp_path):
    problems = (Problem("cat/7.png", "empty", "it has no bytes"), Problem("cat/8.png", "misnamed", "it is a JPEG", False))
    report = FolderReport("photos", {"cat": (20, 3), "dog": (10, 6)}, problems)
    page = written(tmp_path / "report.html", *sure(9), folder_report=report, command="pellucid evaluate m photos")
    assert "The folder has 30 pictures to learn from and 9 to test with." in page.text
    assert ["cat/7.png", "it has no bytes", "left out"] in [row for table in page.tables for row in table]
    assert ["cat/8.png", "it is a JPEG", "used"] in [row for table in page.tables for row in table]
    assert "pellucid evaluate m photos" in page.text
    plain = FolderReport("photos", {"cat": (20, 0), "dog": (10, 0)}, ())
    page = written(tmp_path / "report.html", *sure(9), folder_report=plain, command="pellucid evaluate m photos")
    assert "The folder has 30 pictures. Every file" in page.text
    assert f"Pellucid {pl.__version__}" in page.text
    assert "seed 1" in page.text
    assert (
        "Every file in it could be used."
        in written(tmp_path / "report.html", *sure(9), folder_report=FolderReport("photos", {"cat": (1, 1)}, ())).text
    )


def test_the_curves_pass_through_the_figures_of_the_history(tmp_path):
    model, x, y = sure(9)
    page = written(tmp_path / "report.html", model, x, y)
    table = next(table for table in page.tables if table[0][0] == "epoch")
    assert table == [["epoch", "loss", "validation loss", "accuracy"], ["1", "1.0000", "0.4000", "0.5000"],
                     ["2", "0.5000", "0.4000", "0.5000"]]  # fmt: skip
    lines = [line["points"].split() for line in page.all("polyline") if line["class"] == "line first"]
    (x1, y1), (x2, y2) = (tuple(map(float, point.split(","))) for point in lines[0])
    assert x1 < x2
    assert y1 < y2  # downwards on the page: the loss fell


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_flat_curves_and_a_single_epoch_are_drawn_inside_of_the_frame(tmp_path, value):
    model, x, y = sure(9)
    for count in (1, 3):
        model.network.history.epochs[:] = [{"loss": value, "accuracy": value, "validation_accuracy": value}] * count
        page = written(tmp_path / "report.html", model, x, y)
        points = [point for line in page.all("polyline") for point in line["points"].split()]
        points += [f"{dot['cx']},{dot['cy']}" for dot in page.all("circle") if "dot" in dot["class"]]
        for point in points:
            across, down = map(float, point.split(","))
            assert 0 <= across <= 360
            assert 0 <= down <= 240


def test_ten_thousand_pictures_make_a_page_of_a_few_megabytes(tmp_path):
    model = linear((64, 64, 3), [f"class {i}" for i in range(10)])
    path = tmp_path / "report.html"
    write_report(path, model, pixels(10_000, (64, 64, 3)), np.arange(10_000) % 10, data="noise, which packs worst")
    assert path.stat().st_size < 3_000_000


def test_a_history_that_cannot_be_true_does_not_keep_the_page_away(tmp_path):
    model, x, y = sure(9)
    model.network.history.epochs[:] = [
        {"loss": -1e300, "accuracy": 7.0},
        {"loss": 1e300, "accuracy": -7.0, "validation_loss": 0},
    ]
    assert "66.7% right" in written(tmp_path / "report.html", model, x, y).text


def test_equal_calls_give_equal_bytes(tmp_path):
    for name in ("one.html", "two.html"):
        write_report(tmp_path / name, *sure(30), data="things")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_what_cannot_be_is_explained_and_writes_nothing(tmp_path):
    model, x, y = sure(9)
    regression = pl.Model(pl.Network([pl.Input(2, 2), pl.Regression()]))
    with pytest.raises(pl.ArgumentError, match="names no samples"):
        write_report(tmp_path / "report.html", regression, x, y, data="things", files=["a"] * 9)
    with pytest.raises(pl.ArgumentError, match="files names 2 files; there are 9 samples"):
        write_report(tmp_path / "report.html", model, x, y, data="things", files=["a", "b"])
    with pytest.raises(pl.ShapeError):
        write_report(tmp_path / "report.html", model, x[:, :1], y, data="things")
    with pytest.raises(pl.ArgumentError, match="class numbers"):
        write_report(tmp_path / "report.html", model, x, np.eye(3)[y], data="things")
    with pytest.raises(pl.OutputError, match="does not exist"):
        write_report(tmp_path / "nowhere" / "report.html", model, x, y, data="things")
    assert os.listdir(tmp_path) == []


# Regression


@pytest.mark.parametrize("values", [1, 2])
def test_a_regression_gets_its_residuals(tmp_path, values):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 3)), rng.normal(size=(120, values))
    model = pl.Model(pl.Network([pl.Input(3), pl.Regression(values)], seed=1))
    bare = written(tmp_path / "bare.html", model, x[20:], y[20:])
    assert "model.conformal(x, y) measures it" in bare.text
    model.conformal(x[:20], y[:20])
    page = written(tmp_path / "report.html", model, x[20:], y[20:])
    errors = y[20:] - model.network.predict(x[20:]).reshape(100, values)
    assert f"{np.abs(errors).mean():.4g} off on average, on 100 samples" in page.text
    assert f"{np.sqrt((errors**2).mean()):.4g}" in page.text
    assert f"{model.network.evaluate(x[20:], y[20:])['r2']:.4f}" in page.text
    assert len(page.all("circle")) == 2 * values * 100
    assert len([line for line in page.all("polyline") if line["class"] == "line first"]) == 2 * values
    for value, scores in enumerate(model.conformal_scores):
        reach = scores.quantile(0.9)
        assert f"reaches {reach:.4g} to each side" in page.text
        assert f"{(np.abs(errors[:, value]) <= reach).mean():.1%} of the test samples lie in it" in page.text
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {link["href"][1:] for link in page.all("a")} <= ids
    heights = [float(dot["cy"]) for dot in page.all("circle")]
    assert 0 < min(heights) < max(heights) < 240


def test_what_the_report_says_of_a_temperature_is_what_the_model_has(tmp_path):
    model, x, y = sure(90)
    assert "No temperature was fitted" in written(tmp_path / "report.html", model, x, y).text
    temperature = model.calibrate(x[:60], y[:60])
    model.conformal(x[:60], y[:60])
    page = written(tmp_path / "report.html", model, x[60:], y[60:])
    assert f"divided by the temperature {temperature} that were held out" in page.text
    p = model.predict_proba(x[60:])
    assert f"{((p - np.eye(3)[y[60:]]) ** 2).sum(axis=1).mean():.4f}" in page.text
    sets = model.predict_sets(x[60:], 0.9)
    assert f"{sets[np.arange(30), y[60:]].mean():.1%} of the test pictures" in page.text
    assert f"{p.max(axis=1)[p.argmax(axis=1) != y[60:]].max():.1%}" in page.text  # the surest mistake, with the temperature


def test_what_is_no_model_or_no_path_is_said(tmp_path):
    network, x, y = pl.Network([pl.Input(2), pl.Classification(2)]), np.zeros((3, 2)), [0, 1, 0]
    with pytest.raises(pl.ArgumentError, match=r"a model is expected, not Network; around a network: pl.Model\(network\)"):
        pl.write_report(tmp_path / "report.html", network, x, y, data="rows")
    with pytest.raises(pl.OutputError, match="a file name is expected, not Model"):
        pl.write_report(pl.Model(network), x, y, "report.html", data="rows")
    with pytest.raises(pl.ModelFileError, match="a file name is expected, not NoneType"):
        pl.load(None)
