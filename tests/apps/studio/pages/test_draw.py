"""What a model says of a picture: the numbers of `Model.predict`, through its own pipeline."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from asking import ask

import pellucid as pl
from pellucid.apps.studio.application import application
from pellucid.apps.studio.sample_words import word_of
from pellucid.apps.studio.session import Session


@pytest.fixture(scope="module")
def app(reader):
    plain = pl.Network([pl.Input(2), pl.Classification(3)], seed=3)
    values = pl.Network([pl.Input(4), pl.Regression()], seed=3)
    return application(Session({"digits": reader, "plane": pl.Model(plain), "regression": pl.Model(values)}))


def file_of(pixels, kind="PNG", size=(300, 300)):
    from PIL import Image

    to = io.BytesIO()
    Image.fromarray(255 - pixels).resize(size).save(to, kind)
    return to.getvalue()


@pytest.fixture(scope="module")
def eight():
    _, (x, y) = pl.datasets.digits()
    return file_of(x[np.flatnonzero(y == 8)[0]])


def numbers(packed):
    kind = "uint8" if "uint8" in packed else "float32"
    return np.frombuffer(base64.b64decode(packed[kind]), "u1" if kind == "uint8" else "<f4").reshape(packed["shape"])


def test_a_picture_is_read_as_predict_reads_it(app, reader, eight):
    answer = ask(app, "POST", "/api/read?model=digits&confidence=0.9", body=[eight[:100], eight[100:]]).json
    prediction = reader.predict(eight, confidence=0.9)
    assert answer["label"] == prediction.label == 8
    assert answer["probability"] == prediction.probability
    assert answer["probabilities"] == prediction.probabilities.tolist()
    assert (answer["doubt"], answer["set"], answer["is_sure"]) == (None, list(prediction.set), True)
    assert answer["set_in_words"] == "8, with 90% confidence"
    np.testing.assert_array_equal(numbers(answer["seen"]), prediction.seen)
    assert answer["milliseconds"] > 0


def test_what_the_temperature_changed_can_be_seen(app, reader, eight):
    answer = ask(app, "POST", "/api/read", body=eight).json
    logits = np.array(reader.network.forward(numbers(answer["seen"])[None])[0], np.float64)

    def softmax(z):
        e = np.exp(z - z.max())
        return e / e.sum()

    assert answer["temperature"] == reader.temperature.value != 1
    np.testing.assert_allclose(answer["uncalibrated"], softmax(logits), rtol=1e-5)
    np.testing.assert_allclose(answer["probabilities"], softmax(logits / answer["temperature"]), rtol=1e-5)
    assert (answer["set"], answer["set_in_words"], answer["is_sure"]) == (None, None, None)


def test_the_word_of_a_reading_leads_to_the_same_reading(app, eight):
    from PIL import Image

    chance = np.random.default_rng(0)
    blot = np.zeros((100, 100), np.uint8)
    blot[20:80, 20:80] = 255
    dot = np.zeros((200, 200), np.uint8)
    dot[50:52, 50:52] = 255
    noise = chance.integers(0, 256, (64, 64), np.uint8)
    photograph = np.asarray(Image.fromarray(noise).resize((256, 256)))
    for content in (eight, *map(file_of, (blot, dot, noise, photograph, np.zeros((30, 30), np.uint8)))):
        first = ask(app, "POST", "/api/read?confidence=0.8", body=content).json
        again = ask(app, "GET", f"/api/sample?confidence=0.8&sample={first['sample']}").json
        assert (first["doubt"] is None) == (again["doubt"] is None) == (content is eight)
        assert again["truth"] is None
        changing = ("milliseconds", "doubt", "truth")
        assert {k: v for k, v in again.items() if k not in changing} == {
            k: v for k, v in first.items() if k not in changing
        }


def test_a_doubtful_picture_is_not_sure(app):
    answer = ask(app, "POST", "/api/read?confidence=0.9", body=file_of(np.zeros((50, 50), np.uint8))).json
    assert answer["doubt"] == "the picture is empty: it has one colour"
    assert answer["probability"] < 0.2
    assert (answer["set"], answer["is_sure"]) == ([], False)
    assert answer["set_in_words"].startswith("not sure")


def test_what_was_made_from_a_doubtful_picture_stays_in_doubt(app):
    """Its pixels alone, of a digit here, would show nothing to doubt."""
    session = Session()
    x = pl.datasets.digits()[1][0][0]
    sure, unsure = (ask(app, "GET", f"/api/sample?sample={word_of(session, x, doubt)}").json for doubt in (None, "why"))
    assert (sure["doubt"], unsure["doubt"]) == (None, "the original picture shows nothing to read")
    assert unsure["probability"] < 0.2 < sure["probability"]


def test_a_test_digit_knows_its_truth(app, reader):
    _, (x, y) = pl.datasets.digits()
    answer = ask(app, "GET", "/api/sample?model=digits&sample=test-17").json
    assert answer["truth"] == y[17]
    np.testing.assert_allclose(answer["probabilities"], reader.predict_proba(x[17:18])[0], rtol=1e-12)
    np.testing.assert_array_equal(numbers(answer["seen"]), x[17])
    assert ask(app, "GET", "/api/sample").json["sample"] == "test-0"
    assert ask(app, "GET", "/api/sample?model=&sample=").json["sample"] == "test-0"


def test_points_of_the_plane_are_read_too(app):
    answer = ask(app, "GET", "/api/sample?model=plane&sample=xy.0.25,-1.5").json
    assert numbers(answer["seen"]).tolist() == [0.25, -1.5]
    assert sum(answer["probabilities"]) == pytest.approx(1)
    assert (answer["label"], answer["temperature"]) == (int(np.argmax(answer["probabilities"])), None)


def test_a_regression_answers_with_its_value(app):
    network = pl.Network([pl.Input(4), pl.Regression()], seed=3)
    answer = ask(app, "GET", "/api/sample?model=regression&sample=xy.1,-2,0.5,0.25").json
    assert answer["answers"] == "values"
    assert answer["values"] == network.predict(np.array([[1, -2, 0.5, 0.25]], np.float32)).tolist()
    assert (answer["low"], answer["high"], answer["doubt"], answer["truth"]) == (None, None, None, None)
    assert not {"label", "probabilities", "set"} & set(answer)


def test_several_values_come_with_their_intervals():
    x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    y = np.stack([x[:, 0], 3 * x[:, 1]], axis=1)
    model = pl.Model(pl.Network([pl.Input(2), pl.Regression(2)], seed=0))
    model.conformal(x, y)
    session = Session({"two": model})
    assert session.summary()["models"][0]["answers"] == "values"
    assert session.summary()["models"][0]["has_confidence"]
    answer = ask(application(session), "GET", "/api/sample?sample=xy.0.5,-1&confidence=0.9").json
    values = model.network.predict(np.array([[0.5, -1]], np.float32))[0]
    assert answer["values"] == values.tolist()
    for value, scores in enumerate(np.abs(y - model.network.predict(x)).T):
        reach = np.sort(scores)[int(np.ceil(201 * 0.9)) - 1]  # the rank that split conformal prediction takes
        assert answer["values"][value] - answer["low"][value] == pytest.approx(reach, rel=1e-5)
        assert answer["high"][value] - answer["values"][value] == pytest.approx(reach, rel=1e-5)


def test_a_regression_on_digits_reads_what_is_drawn(reader, eight):
    """Through its pipeline, whose doubt it keeps."""
    network = pl.Network([pl.Input(28, 28), pl.Flatten(), pl.Regression()], seed=0)
    app = application(Session({"ink": pl.Model(network, reader.pipeline)}))
    answer = ask(app, "POST", "/api/read", body=eight).json
    assert answer["values"] == network.predict(reader.pipeline.prepare(eight).pixels[None]).tolist()
    assert answer["doubt"] is None
    empty = ask(app, "POST", "/api/read", body=file_of(np.zeros((50, 50), np.uint8))).json
    assert empty["doubt"] == "the picture is empty: it has one colour"
    assert ask(app, "GET", "/api/sample?sample=test-17").json["truth"] is None
    tried = ask(app, "GET", "/api/digits?count=3").json["samples"]
    assert [one["label"] for one in tried] == [None] * 3


def test_a_few_digits_to_try(app):
    tried = ask(app, "GET", "/api/digits?count=12").json["samples"]
    assert [one["label"] for one in tried] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    _, (x, _) = pl.datasets.digits()
    for one in tried:
        np.testing.assert_array_equal(numbers(one["seen"]), x[int(one["sample"].removeprefix("test-"))])
    assert ask(app, "GET", "/api/digits?model=plane").json == {"samples": []}


@pytest.mark.parametrize(
    ("method", "address", "body", "sentence"),
    [
        ("POST", "/api/read", b"", "is empty"),
        ("POST", "/api/read", b"\x89PNG\r\n\x1a\n", "not a picture"),
        ("POST", "/api/read", b"<svg onload=alert(1)>", "not a picture"),
        ("POST", "/api/read", bytes(1000), "not a picture"),
        ("POST", "/api/read?model=plane", b"x", "reads no pictures"),
        (
            "POST",
            "/api/read?model=run-1",
            b"x",
            "there is no model 'run-1' in this studio; it has digits, plane, regression",
        ),
        ("GET", "/api/sample?model=<b>", b"", "there is no model"),
        ("GET", "/api/sample?sample=px.x", b"", "damaged"),
        ("GET", "/api/sample?confidence=2", b"", "confidence"),
        ("GET", "/api/sample?confidence=nan", b"", "confidence"),
        ("GET", "/api/sample?confidence=much", b"", "'much'"),
        ("GET", "/api/sample?confidence=0.99999", b"", "too few"),
        ("GET", "/api/sample?model=plane&confidence=0.9", b"", "nothing to measure a confidence by"),
        ("GET", "/api/sample?model=regression&confidence=0.9", b"", "nothing to measure a confidence by"),
        ("GET", "/api/digits?count=0", b"", "1 to 100"),
        ("GET", "/api/digits?count=%C2%B2", b"", "1 to 100"),
        ("GET", "/api/digits?count=99999999999999999999", b"", "1 to 100"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(app, method, address, body, sentence):
    answer = ask(app, method, address, body=body)
    assert answer.status == 400
    assert sentence in answer.json["error"]


def test_a_picture_that_claims_to_be_huge_is_refused_by_its_header(app):
    bomb = b"P6 60000 60000 255\n" + bytes(100)
    answer = ask(app, "POST", "/api/read", body=bomb)
    assert answer.status == 400
    assert "more than 50,331,648" in answer.json["error"]
