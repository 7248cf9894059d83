"""The step of a weight: each line is true arithmetic, and leads to the number of the trace."""

from __future__ import annotations

import re
from math import sqrt

import numpy as np
import pytest
from looking import WORDS, ask, model, trace_of
from small_runs import new

import pellucid as pl
from pellucid.apps.studio.session import Session
from pellucid.training.recipes.recipe import OPTIMIZERS, optimizer_of


def computed(filled):
    """(what the arithmetic of a line gives, what the line says that it gives)."""
    _, *arithmetic, result = filled.split(" = ")
    if not arithmetic:
        return float(result), float(result)
    return eval(arithmetic[0].replace("^", "**"), {"sqrt": sqrt, "sign": np.sign}), float(result)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize("weight", ["2", "bias"])
def test_every_line_is_true(name, weight):
    session = Session(models={"dense": model("dense")})
    query = {"sample": WORDS["dense"], "target": 1, "layer": "dense_2", "neuron": 3}
    data = ask(session, "/api/inside/step", optimizer=name, learning_rate=0.01, weight=weight, **query)
    for line in data["lines"]:
        given, said = computed(line["filled"])
        assert given == pytest.approx(said, rel=3e-3, abs=1e-6), line
    layer = trace_of(session, "dense", 1, optimizer_of(name, 0.01)).layer("dense_2")
    own, at = ("weight", (2, 3)) if weight == "2" else ("bias", (3,))
    update = layer.updates[own]
    assert (data["gradient"], data["after"]) == (layer.gradients[own][at], update.new[at])
    slots = [{"name": slot, "before": 0.0, "after": array[at]} for slot, array in update.new_slots.items()]
    assert data["slots"] == slots
    assert float(data["lines"][-1]["filled"].split(" = ")[-1]) == pytest.approx(update.new[at], rel=1e-5)
    assert ("weight_decay" in data["lines"][1]["rule"]) == (name == "adamw" and weight == "2")


def test_a_filter_has_its_index_and_a_scale_its_name():
    session = Session(models={"conv": model("conv")})
    asked = {"target": 1, "layer": "conv2d_1", "place": "2,3", "neuron": 1}
    trace = trace_of(session, "conv", 1, pl.GradientDescent())
    data = ask(session, "/api/inside/step", weight=5, **asked)
    assert data["parameter"] == "conv2d_1.weight[1, 2, 0, 1]"
    assert data["gradient"] == trace.layer("conv2d_1").gradients["weight"][1, 2, 0, 1]
    data = ask(session, "/api/inside/step", weight="gamma", **{**asked, "layer": "batch_normalization_1"})
    assert data["after"] == trace.layer("batch_normalization_1").updates["gamma"].new[1]


def test_a_run_has_its_own_slots():
    session = Session()
    run = session.runs.create({**new().experiment.to_data(), "optimizer": "adam"})
    run.make_step()
    run.make_step()
    slots = run.network.training_state.optimizer_state.slots
    layout = run.network.parameters.layout
    query = {"model": run.name, "sample": "xy.0.5,-1", "target": 1, "layer": "dense_1", "weight": 1, "neuron": 2}
    data = ask(session, "/api/inside/step", optimizer="adam", **query)
    assert [slot["before"] for slot in data["slots"]] == [
        float(layout.view(slots[name], "dense_1.weight")[1, 2]) for name in ("m", "v")
    ]
    assert any(slot["before"] for slot in data["slots"])
    assert "2 updates" in data["memory"]
    data = ask(session, "/api/inside/step", optimizer="rmsprop", **query)
    assert data["memory"].startswith("The first step")
    assert data["memory"].endswith(f"{run.name} itself learns by adam.")


class TestPrice:
    """A penalty on weights is part of what training descends, and so of g."""

    @pytest.mark.parametrize(("l1", "l2"), [(0, 0.3), (0.2, 0), (0.2, 0.3)])
    @pytest.mark.parametrize("unit", range(6))
    def test_a_run_pays_its_own(self, l1, l2, unit):
        session = Session()
        run = session.runs.create({**new().experiment.to_data(), "l1": l1, "l2": l2})
        query = {"model": run.name, "sample": "xy.0.5,-1", "target": 1, "layer": "dense_1", "neuron": unit}
        data = ask(session, "/api/inside/step", weight=1, **query)
        x, w = np.array([[0.5, -1]], np.float32), float(run.network.parameters["dense_1.weight"][1, unit])
        alone = run.network.trace(x, [1], training=False).layer("dense_1").gradients["weight"][1, unit]
        assert data["gradient"] == pytest.approx(alone + l1 * np.sign(w) + 2 * l2 * w, rel=1e-12)
        _, arrays = ask(session, "/api/inside/neuron", **query)
        assert arrays["gradients"][1] == data["gradient"]
        rules = {(0, 0.3): "2 l2 w", (0.2, 0): "l1 sign(w)", (0.2, 0.3): "l1 sign(w) + 2 l2 w"}
        line = data["lines"][0]
        assert line["rule"] == f"g = dz x + {rules[l1, l2]}"
        given, said = computed(line["filled"])
        assert given == pytest.approx(said, rel=3e-3, abs=1e-6)
        assert "had the penalty" not in data["memory"]
        bias = ask(session, "/api/inside/step", weight="bias", **query)
        assert bias["lines"][0]["rule"] == "g = dL/db = dz"

    def test_a_filter_pays_too(self):
        layer = pl.Conv2D(3, 3, regularizer=pl.L2(0.1))
        network = pl.Network([pl.Input(5, 5), layer, pl.Flatten(), pl.Classification(3)], seed=1)
        session = Session(models={"m": pl.Model(network)})
        data = ask(session, "/api/inside/step", target=1, layer="conv2d_1", place="1,1", neuron=2, weight=4)
        assert data["lines"][0]["rule"] == "g = dL/dw over every window + 2 l2 w"
        given, said = computed(data["lines"][0]["filled"])
        assert given == pytest.approx(said, rel=3e-3) == pytest.approx(data["gradient"], rel=1e-3)

    def test_that_of_a_finished_training_is_named(self):
        opened = model("dense")
        opened.network.training_state.settings["regularizer"] = repr(pl.L2(0.01))
        asked = {"sample": WORDS["dense"], "target": 1, "layer": "dense_1", "neuron": 0, "weight": 1}
        data = ask(Session(models={"dense": opened}), "/api/inside/step", **asked)
        assert "the weights had the penalty L2(strength=0.01), which is not in g" in data["memory"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"weight": "6"}, "weight is a whole number from 0 to 5, not '6'"),
        ({"weight": "gamma"}, re.escape("weight is one of those of dense_1: 0 to 5, bias; not 'gamma'")),
        ({"weight": "1", "target": ""}, "add target="),
        ({"weight": "1", "layer": "input"}, "input learns nothing"),
    ],
)
def test_wrong_weights_are_sentences(query, sentence):
    session = Session(models={"dense": model("dense")})
    asked = {"sample": WORDS["dense"], "target": 1, "layer": "dense_1", "neuron": 0, **query}
    with pytest.raises(pl.ArgumentError, match=sentence):
        ask(session, "/api/inside/step", **asked)


def test_a_step_that_is_not_finite():
    session = Session(models={"regression": model("regression")})
    session.models["regression"].network.parameters.vector[...] = 1e38
    query = {"sample": "xy.1e38,1e38", "target": "1,1", "optimizer": "adam", "layer": "output", "weight": "1"}
    with pytest.raises(pl.ArgumentError, match="larger than float64 can hold"):
        ask(session, "/api/inside/step", **query)
