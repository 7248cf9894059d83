"""Look inside: each number that the page gets, against the trace of the same network."""

from __future__ import annotations

import re

import numpy as np
import pytest
from looking import RNG, SAMPLES, WORDS, ask, model, moved, trace_of
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

import pellucid as pl
from pellucid.apps.studio.pages.inside import routes
from pellucid.apps.studio.pages.inside.traces import KEPT, Question, Traces, version_of
from pellucid.apps.studio.session import Session
from pellucid.core.display.numbers import written
from pellucid.inspection.trace.layer_trace import in_order
from pellucid.reports.explanation.findings import Score
from pellucid.reports.explanation.scores import softmax_line


@pytest.fixture(scope="module")
def session():
    return Session(models={kind: model(kind) for kind in WORDS})


class TestOverview:
    @pytest.mark.parametrize("kind", list(WORDS))
    def test_every_number_is_that_of_the_trace(self, session, kind):
        target = {"regression": "1.5,-2"}.get(kind, "1")
        data, arrays = ask(session, "/api/inside", model=kind, sample=WORDS[kind], target=target)
        truth = [1.5, -2] if kind == "regression" else 1
        trace = trace_of(session, kind, truth, pl.GradientDescent())
        compared = 0
        for layer in trace.every_layer():
            for name in ("output", "sums", "doutput", "slopes", "dsums"):
                expected, sent = getattr(layer, name), arrays.get(f"{layer.name}.{name}")
                if sent is not None:
                    assert sent.dtype == np.float64
                    assert sent.tolist() == expected[0].tolist()
                    compared += 1
                else:  # sums that are the output are not sent twice
                    assert expected is None or (name == "sums" and expected.tolist() == layer.output.tolist())
        assert compared >= 3 * len(trace.layers)
        assert [layer["name"] for layer in data["layers"]] == [layer.name for layer in in_order(trace.layers)]
        assert data["loss"]["value"] == trace.loss.value
        assert data["loss"]["terms"] == trace.loss.terms[0].tolist()

    def test_softmax_term_by_term(self, session):
        data, _ = ask(session, "/api/inside", model="dense", sample=WORDS["dense"])
        trace = trace_of(session, "dense")
        z = trace.layers[-1].output[0]
        assert [row["score"] for row in data["answer"]["rows"]] == z.tolist()
        np.testing.assert_allclose([row["probability"] for row in data["answer"]["rows"]], np.exp(z) / np.exp(z).sum())
        assert data["answer"]["total"] == pytest.approx(np.exp(z - z.max()).sum(), rel=1e-12)
        assert data["answer"]["best"] == z.argmax()
        row = data["answer"]["rows"][1]
        score = Score(1, row["score"], **{name: row[name] for name in ("shifted", "exponential", "probability")})
        assert row["line"] == softmax_line(score, data["answer"]["total"])
        assert data["loss"] is None

    def test_yes_or_no(self, session):
        data, _ = ask(session, "/api/inside", model="binary", sample=WORDS["binary"], target="0")
        z = trace_of(session, "binary").layers[-1].output[0, 0]
        no, yes = data["answer"]["rows"]
        assert yes["probability"] == pytest.approx(1 / (1 + np.exp(-z)), rel=1e-12)
        assert no["probability"] + yes["probability"] == pytest.approx(1, rel=1e-12)
        assert (no["score"], yes["score"]) == (-z, z)
        assert data["loss"]["value"] == pytest.approx(-np.log(no["probability"]), rel=1e-12)

    def test_the_steps_are_those_of_the_temperature(self, session):
        one = model("dense")
        x = RNG.normal(size=(60, 6)).astype(np.float32)
        temperature = one.calibrate(x, RNG.integers(0, 3, 60)).value
        data, _ = ask(Session(models={"dense": one}), "/api/inside", sample=WORDS["dense"])
        scores = one.network.trace(SAMPLES["dense"][None]).layers[-1].output[0]
        z = scores / temperature
        assert data["answer"]["temperature"] == temperature
        rows = data["answer"]["rows"]
        np.testing.assert_allclose([row["probability"] for row in rows], np.exp(z) / np.exp(z).sum(), rtol=1e-6)
        np.testing.assert_allclose([row["untempered"] for row in rows], np.exp(scores) / np.exp(scores).sum(), rtol=1e-6)
        assert data["answer"]["total"] == pytest.approx(np.exp(z - z.max()).sum(), rel=1e-6)

    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    def test_the_line_of_the_loss(self, smoothing):
        one = pl.Model(moved([pl.Input(2), pl.Classification(3, label_smoothing=smoothing)]))
        data, _ = ask(Session(models={"m": one}), "/api/inside", sample="xy.0.5,-1", target="2")
        value, p = data["loss"]["value"], data["answer"]["rows"][2]["probability"]
        if smoothing:
            assert data["loss"]["line"] == f"loss = {written(value)}, with label smoothing 0.1"
        else:
            assert value == pytest.approx(-np.log(p), rel=1e-12)
            shown = re.fullmatch(rf"loss = -log\((.+)\) = {written(value)}", data["loss"]["line"])[1]
            assert shown in [written(p, digits) for digits in range(4, 8)]

    def test_large_layers_are_sent_in_float32_with_what_is_drawn(self, session, monkeypatch):
        monkeypatch.setattr("pellucid.apps.studio.pages.inside.overview.IN_FULL", 100)
        _, arrays = ask(session, "/api/inside", model="conv", target="1")
        assert arrays["conv2d_1.output"].dtype == np.float32  # 12 x 12 x 4
        assert "conv2d_1.sums" not in arrays
        assert arrays["output.output"].dtype == np.float64
        layer = trace_of(session, "conv", 1).layer("conv2d_1")
        assert arrays["conv2d_1.dsums"].tolist() == layer.dsums[0].astype(np.float32).tolist()


class TestNeuron:
    @pytest.mark.parametrize("kind", ["dense", "conv"])
    def test_neurons_are_those_of_the_trace(self, session, kind):
        rule = pl.Adam(0.1)
        trace = trace_of(session, kind, 2, rule)
        query = {"model": kind, "sample": WORDS[kind], "target": 2, "optimizer": "adam", "learning_rate": 0.1}
        for layer in trace.every_layer():
            if layer.kind not in ("dense", "conv2d", "classification"):
                continue
            place = (1, 2) if layer.kind == "conv2d" else None
            where = {"place": "1,2"} if place else {}
            data, arrays = ask(session, "/api/inside/neuron", layer=layer.name, neuron=1, **where, **query)
            neuron = trace.neuron(layer.name, 1, place=place)
            for name in ("inputs", "weights", "products", "positions", "dweights"):
                assert arrays[name].tolist() == getattr(neuron, name).tolist(), name
            assert [data[name] for name in ("address", "sum", "output", "doutput", "dsum", "slope")] == [
                *(neuron.name, neuron.sum, neuron.output, neuron.doutput, neuron.dsum, neuron.slope)
            ]
            assert data["line"] == neuron.arithmetic(5)
            assert arrays["gradients"].tolist() == layer.gradients["weight"][..., 1].ravel().tolist()
            assert arrays["new"].tolist() == layer.updates["weight"].new[..., 1].ravel().tolist()
            if neuron.bias is not None:
                (bias,) = data["parameters"]
                assert (bias["value"], bias["gradient"]) == (neuron.bias, layer.gradients["bias"][1])
                assert bias["new"] == layer.updates["bias"].new[1]

    def test_a_bin_of_a_table(self):
        """x = (0.5, -1.5), the bins of the second column from -2 to 0 and 0 to 1: half of (-1.5 + 2) / 2, and nothing."""
        encoding = pl.PiecewiseLinearEncoding(((), (-2.0, 0.0, 1.0)))
        one = pl.Model(pl.Network([pl.Input(2), encoding, pl.BinaryClassification()]))
        session, asked = Session(models={"m": one}), {"sample": "xy.0.5,-1.5", "target": 1}
        overview, arrays = ask(session, "/api/inside", **asked)
        assert arrays["piecewise_linear_encoding_1.output"].tolist() == [0.5, -1.5, 0.125, 0]
        (layer,) = (layer for layer in overview["layers"] if layer["kind"] == "piecewise_linear_encoding")
        assert layer["description"] == "PiecewiseLinearEncoding(2 bins of 2 columns)"
        assert layer["formula"].startswith("y = each x, then for each bin gain (x - low) / (high - low)")
        data, arrays = ask(session, "/api/inside/neuron", layer=layer["name"], neuron=2, **asked)
        assert data["line"] == "y = 0.5 * (-1.5 + 2) / 2 = 0.125"
        assert arrays["positions"].tolist() == [[1]]
        assert (arrays["inputs"].tolist(), arrays["weights"].tolist()) == ([-1.5], [0.25])


class TestWeights:
    def test_pictures_of_weights(self, session):
        _, arrays = ask(session, "/api/inside/weights", model="conv", layer="residual_1.conv2d_1", first=1, count=2)
        weight = session.models["conv"].network.parameters["residual_1.conv2d_1.weight"]  # (3, 3, 4, 4)
        assert arrays["weights"].shape == (2, 3, 3, 4)
        for n in range(2):
            assert (arrays["weights"][n] == weight[..., 1 + n]).all()

    def test_a_dense_layer_sees_the_picture_through_what_keeps_its_order(self):
        layers = [pl.Input(3, 4), pl.Rescale(2.0), pl.Flatten(), pl.Dropout(0.5), pl.Dense(5), pl.Classification(2)]
        session = Session(models={"m": pl.Model(pl.Network(layers))})
        data, _ = ask(session, "/api/inside")
        assert {layer["name"]: layer["pictures"] for layer in data["layers"]}["dense_1"] == [3, 4, 1]
        _, arrays = ask(session, "/api/inside/weights", layer="dense_1", target=1, of="gradient")
        trace = session.models["m"].network.trace(np.zeros((1, 3, 4), np.uint8), [1], training=False)
        assert arrays["weights"].shape == (5, 3, 4, 1)
        assert arrays["weights"][4, 2, 1, 0] == trace.layer("dense_1").gradients["weight"][2 * 4 + 1, 4]


class TestTraces:
    def test_the_same_trace_answers_until_the_network_has_learned_on(self):
        session = Session(models={"m": model("dense")})
        traces = Traces(session)
        look = traces.look(Question("m", WORDS["dense"]))
        assert traces.look(Question("m", WORDS["dense"]), look.version) is look
        session.models["m"].network.parameters.vector[3] += 1
        assert traces.look(Question("m", WORDS["dense"]), look.version) is look  # it is still kept
        now = traces.look(Question("m", WORDS["dense"]))
        assert now.version != look.version
        for value in range(KEPT):
            traces.look(Question("m", f"xy.{value},1,1,1,1,1"))
        with pytest.raises(pl.ArgumentError, match="m has learned on since this was drawn: look again"):
            traces.look(Question("m", WORDS["dense"]), look.version)

    def test_that_is_a_conflict(self, session):
        with pytest.raises(HTTPException, match="look again") as caught:
            ask(session, "/api/inside/paths", model="dense", sample=WORDS["dense"], version="of another day")
        assert caught.value.status_code == 409

    def test_averages_are_part_of_what_the_network_is(self):
        network = moved([pl.Input(2), pl.Dense(3), pl.BatchNormalization(), pl.Classification(2)])
        before = version_of(network)
        network.state.vector[-1] += 0.5
        assert version_of(network) != before

    def test_what_the_optimizer_remembers_is_too(self):
        """As when early stopping gives back parameters that were looked at before: the slots are those of later."""
        session = Session(models={"m": model("dense")})
        network, traces = session.models["m"].network, Traces(session)
        network.training_state.use(pl.Adam(), network)
        question = Question("m", WORDS["dense"], "1", "adam")
        memory = network.training_state.optimizer_state
        assert traces.look(question).trace.layer("dense_1").updates["bias"].slots["v"][0] == 0.0
        memory.slots["v"][...] = 0.25
        assert traces.look(question).trace.layer("dense_1").updates["bias"].slots["v"][0] == 0.25
        memory.updates = 7
        assert traces.look(question).trace.update.update == 8
        network.training_state.step = 9
        assert traces.look(question).trace.step == 9

    def test_large_traces_are_not_kept_beside_each_other(self, monkeypatch):
        session = Session(models={"m": model("dense")})
        monkeypatch.setattr(
            "pellucid.apps.studio.pages.inside.traces.MOST_PARAMETERS", 100
        )  # one of 74 parameters, not two
        traces = Traces(session)
        looks = [traces.look(Question("m", f"xy.{value},1,1,1,1,1")) for value in range(2)]
        assert traces.look(looks[1].question, looks[1].version) is looks[1]
        assert traces.look(looks[0].question, looks[0].version) is not looks[0]

    def test_nothing_is_changed(self):
        session = Session(models={"m": model("dense")})
        before = session.models["m"].network.parameters.vector.copy()
        ask(session, "/api/inside", target=1, optimizer="adam", sample=WORDS["dense"])
        assert (session.models["m"].network.parameters.vector == before).all()

    def test_networks_that_are_too_large(self, session, monkeypatch):
        monkeypatch.setattr("pellucid.apps.studio.pages.inside.traces.MOST_PARAMETERS", 10)
        with pytest.raises(pl.ArgumentError, match="dense has 74 parameters; the studio looks into networks of 10 at most"):
            ask(session, "/api/inside", model="dense")


def test_paths_lead_to_the_answer_if_nothing_else_is_asked_for(session):
    found = ask(session, "/api/inside/paths", model="dense", sample=WORDS["dense"], count=2)
    z = trace_of(session, "dense").layers[-1].output[0]
    assert found["edges"][0]["end"] == [int(z.argmax())]
    assert all(set(edge) == {"source", "start", "layer", "end", "value", "share"} for edge in found["edges"])


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("/api/inside", {"model": "nobody"}, "there is no model 'nobody'"),
        ("/api/inside", {"sample": "xy.1"}, "has 1 number; this network takes 6"),
        ("/api/inside", {"target": "3"}, "holds the class 3"),
        ("/api/inside", {"target": "cat"}, "target is the number of a class, 0 to 2, not 'cat'"),
        ("/api/inside", {"model": "regression", "target": "much"}, "target is the values that should come out"),
        ("/api/inside", {"target": "1", "optimizer": "sdg"}, "optimizer"),
        (
            "/api/inside",
            {"target": "1", "learning_rate": "-1"},
            "learning_rate is a number above 0 and at most 100, not '-1'",
        ),
        ("/api/inside", {"target": "1", "learning_rate": "1e308"}, "at most 100, not '1e308'"),
        ("/api/inside/neuron", {"layer": "dense_9"}, "dense_9"),
        ("/api/inside/neuron", {"layer": "dense_1", "neuron": "5"}, "dense_1 has 5 units, counted from 0 to 4; 5 is none"),
        ("/api/inside/neuron", {"layer": "dense_1", "neuron": "-1"}, "neuron is a whole number from 0"),
        ("/api/inside/neuron", {"layer": "dense_1", "place": "1,1"}, "its units have no place"),
        ("/api/inside/neuron", {"layer": "dense_1", "place": "1;1"}, "place is a row and a column, such as 5,7, not '1;1'"),
        ("/api/inside/neuron", {"model": "conv", "layer": "conv2d_1"}, "gives an image of 12x12: say which place"),
        ("/api/inside/neuron", {"model": "conv", "layer": "conv2d_1", "place": "12,0"}, "12,0 is outside"),
        ("/api/inside/weights", {"layer": "dense_2"}, "the weights of dense_2 are no pictures"),
        ("/api/inside/weights", {"model": "conv", "layer": "conv2d_1", "of": "gradient"}, "add target="),
        ("/api/inside/weights", {"model": "conv", "layer": "conv2d_1", "first": "4"}, "first=4 is none of them"),
        ("/api/inside/paths", {"count": "99"}, "count is a whole number from 1 to 12, not '99'"),
    ],
)
def test_wrong_words_are_sentences(session, path, query, sentence):
    with pytest.raises(pl.ArgumentError, match=sentence):
        ask(session, path, **{"model": "dense", **query})


def test_the_routes_are_part_of_an_application(session):
    paths = [route.path for route in Starlette(routes=routes.routes(session)).routes]
    assert paths == ["/api/inside", "/api/inside/neuron", "/api/inside/step", "/api/inside/weights", "/api/inside/paths"]
