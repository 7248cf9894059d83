"""The server: pages, files, the summary of a session, bodies, and failures as sentences."""

from __future__ import annotations

import numpy as np
import pytest
from asking import ask, post
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import pellucid as pl
from pellucid.apps.server.requests import read_json
from pellucid.apps.studio.application import STATIC, application
from pellucid.apps.studio.session import Session
from pellucid.core.display.text import percent
from pellucid.core.errors import ArgumentError
from pellucid.data.photos.photo_pipeline import PhotoPipeline


@pytest.fixture(scope="module")
def session(reader):
    return Session({"digits": reader})


@pytest.fixture(scope="module")
def app(session):
    return application(session)


@pytest.fixture
def built(tmp_path, session):
    """The studio around a front end of three files, with one beside it that is nobody's business."""
    (tmp_path / "static/assets").mkdir(parents=True)
    (tmp_path / "static/index.html").write_text("the page")
    (tmp_path / "static/assets/index-abc.js").write_text("the script")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static/secret.txt").write_text("secret")
    (tmp_path / "static/assets/link.txt").symlink_to(tmp_path / "secret.txt")
    return application(session, tmp_path / "static")


@pytest.mark.parametrize("path", ["/", "/draw", "/inside", "/train", "/table", "/learn", "/learn/3"])
def test_every_page_is_the_same_file(built, path):
    answer = ask(built, "GET", path)
    assert (answer.status, answer.body) == (200, b"the page")
    assert answer.header("content-type") == "text/html; charset=utf-8"


def test_files_whose_name_is_their_content_may_be_kept(built):
    answer = ask(built, "GET", "/assets/index-abc.js")
    assert (answer.status, answer.body) == (200, b"the script")
    assert answer.header("cache-control") == "public, max-age=31536000, immutable"


def test_what_a_file_is_does_not_depend_on_the_system(built, tmp_path, monkeypatch):
    monkeypatch.setattr("mimetypes.guess_type", lambda *_, **__: ("text/plain", None))
    kinds = {"a.js": "text/javascript", "a.css": "text/css", "a.svg": "image/svg+xml", "a.woff2": "font/woff2"}
    for name, kind in kinds.items():
        (tmp_path / "static/assets" / name).write_text("")
        assert ask(built, "GET", f"/assets/{name}").header("content-type") == kind
    assert {path.suffix for path in (STATIC / "assets").iterdir()} <= {".js", ".css", ".svg", ".woff2"}


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/assets/../secret.txt",
            "/assets/..%2fsecret.txt",
            "/assets/%2e%2e/%2e%2e/secret.txt",
            "/assets/link.txt",
            "/assets/",
        ),
        *(
            "/assets/nothing.js",
            "/secret.txt",
            "/index.html",
            "/static/index.html",
            "/assets/%00",
            "/assets//secret.txt",
            "/x",
        ),
        *("/learn/1/2", "/api", "/api/", "/api/nothing", "/assets/" + "a" * 5000),
    ],
)
def test_nothing_else_is_given_out(built, path):
    answer = ask(built, "GET", path)
    assert answer.status == 404
    assert b"secret" not in answer.body or b"error" in answer.body
    assert answer.json["error"].endswith(".")


def test_the_package_carries_the_front_end(app):
    assert ask(app, "GET", "/").body == (STATIC / "index.html").read_bytes()


def test_another_method_is_refused(app):
    answer = ask(app, "POST", "/api/session")
    assert answer.status == 405
    assert answer.json["error"]


def test_the_summary_of_a_session(app, reader):
    found = ask(app, "GET", "/api/session").json
    assert found["version"] == pl.__version__
    (model,) = found["models"]
    assert model == {
        "name": "digits",
        "title": "digits",
        "reads": "digits",
        "answers": "labels",
        "labels": list(range(10)),
        "input_shape": [28, 28],
        "layers": ["Input(28, 28)", "Dense(32, 'relu')", "Classification(10)"],
        "parameters": 784 * 32 + 32 + 32 * 10 + 10,
        "is_calibrated": True,
        "has_confidence": True,
        "measured": None,
    }


def test_the_summary_of_other_networks():
    photos = pl.Network([pl.Input(8, 8, 3), pl.Classification(2)])
    plane = pl.Network([pl.Input(2), pl.Classification(2)])
    x = np.random.default_rng(0).normal(size=(40, 2))
    plane.fit(x, (x[:, 0] > 0).astype(int), validation=0.5, epochs=2, progress="none")
    models = {
        "photos": pl.Model(photos, PhotoPipeline(8, 8), ["cat", "dog"]),
        "plane": pl.Model(plane),
        "values": pl.Model(pl.Network([pl.Input(5), pl.Regression()])),
        "images": pl.Model(pl.Network([pl.Input(8, 8), pl.Flatten(), pl.Regression()])),
    }
    found = Session(models).summary()["models"]
    assert [one["reads"] for one in found] == ["photos", "points", "values", "images"]
    assert [one["answers"] for one in found] == ["labels", "labels", "values", "values"]
    assert found[0]["labels"] == ["cat", "dog"]
    share = plane.history["validation_accuracy"][-1]
    assert found[1]["measured"] == f"{percent(share)} of the validation samples right"
    assert (found[2]["labels"], found[2]["is_calibrated"], found[2]["has_confidence"]) == ([], False, False)


def test_a_run_is_a_model_too(reader):
    session = Session({"digits": reader})
    app = application(session)
    experiment = {"data": "spirals", "hidden": [5], "samples": 200, "validation": 0.5}
    name = post(app, "/api/runs", {"experiment": experiment}).json["run"]["name"]
    model = ask(app, "GET", "/api/session").json["models"][1]
    assert (model["name"], model["reads"], model["input_shape"]) == (name, "points", [2])
    assert model["parameters"] == 2 * 5 + 5 + 5 * 2 + 2
    own = session.model(name)
    assert (model["is_calibrated"], model["has_confidence"]) == (own.temperature is not None, bool(own.conformal_scores))
    assert ask(app, "GET", f"/api/sample?model={name}&sample=xy.0.1,0.2&confidence=0.9").json["set"] is not None
    with pytest.raises(ArgumentError, match="it has digits, run-1"):
        session.model("run-2")
    run = session.runs.run(name)
    run.set_pace(0.5)
    run.resume()  # while it learns it is not calibrated
    model = ask(app, "GET", "/api/session").json["models"][1]
    assert (model["is_calibrated"], model["has_confidence"]) == (False, False)
    assert session.model(name).temperature is None
    session.runs.close()


@pytest.fixture(scope="module")
def echo():
    """An application that gives back the JSON that it got."""

    async def endpoint(request):
        return JSONResponse(await read_json(request))

    made = application(Session())
    return Starlette(routes=[Route("/", endpoint, methods=["POST"])], exception_handlers=made.exception_handlers)


JSON = {"Content-Type": "application/json"}


def test_json_is_read(echo):
    assert post(echo, "/", {"a": [1, None, "é"]}).json == {"a": [1, None, "é"]}
    parts = [b'{"a"', b": 1", b"}"]
    assert ask(echo, "POST", "/", {"Content-Type": "Application/JSON; charset=utf-8"}, parts).json == {"a": 1}


@pytest.mark.parametrize(
    ("headers", "body", "status", "sentence"),
    [
        ({}, b"{}", 415, "not an unnamed type"),
        ({"Content-Type": "text/plain"}, b"{}", 415, "not text/plain"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"{}", 415, "JSON is expected"),
        ({"Content-Type": "multipart/form-data; boundary=application/json"}, b"{}", 415, "JSON is expected"),
        (JSON, b"", 400, "not valid JSON"),
        (JSON, b"[1]", 400, "not list"),
        (JSON, b"null", 400, "not NoneType"),
        (JSON, b'{"a": NaN}', 400, "NaN is not a number in JSON"),
        (JSON, b'{"a": -Infinity}', 400, "-Infinity"),
        (JSON, b'{"a": 1', 400, "not valid JSON"),
        (JSON, b"\xff\xfe{}", 400, "not valid JSON"),
        (JSON, b"[" * 200_000, 400, "not valid JSON"),
        (JSON, b'{"a": ' * 100_000, 400, "not valid JSON"),
        (JSON, b'{"a": ' + b"9" * 5000 + b"}", 400, "not valid JSON"),
    ],
)
def test_what_is_no_json_is_a_sentence(echo, headers, body, status, sentence):
    answer = ask(echo, "POST", "/", headers, body)
    assert answer.status == status
    assert sentence in answer.json["error"]


def test_a_fault_of_the_studio_is_told_too(monkeypatch, session):
    def fail(*_):
        raise RuntimeError("a wheel is off")

    app = application(session)
    monkeypatch.setattr(Session, "summary", fail)
    with pytest.raises(RuntimeError, match="a wheel is off"):  # it goes on to the terminal, after the answer
        ask(app, "GET", "/api/session")
