"""The step of a weight: each line is true arithmetic, and leads to the number of the trace."""

from __future__ import annotations

import re
from math import sqrt

import pytest
from looking import WORDS, ask, model, trace_of
from small_runs import new

import pellucid as pl
from pellucid.recipes import OPTIMIZERS, optimizer_of
from pellucid.studio.session import Session


def computed(filled):
    """(what the arithmetic of a line gives, what the line says that it gives)."""
    _, *arithmetic, result = filled.split(" = ")
    if not arithmetic:
        return float(result), float(result)
    return eval(arithmetic[0].replace("^", "**"), {"sqrt": sqrt}), float(result)


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
