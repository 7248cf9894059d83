"""The published schema: every trace keeps to it, and it refuses what is none."""

from __future__ import annotations

import base64
import copy
import json
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
from traced_networks import TABLE, every_case, network, samples

import pellucid as pl

SCHEMA = json.loads(files("pellucid.inspection.trace").joinpath("schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SMALL = [(name, made) for name, made in every_case() if np.prod(made.input.shape) < 100]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("name", "made"), SMALL, ids=[name for name, _ in SMALL])
def test_every_trace_keeps_to_it(name, made):
    x, y = samples(made, 2)
    VALIDATOR.validate(json.loads(made.trace(x).to_json()))
    data = made.trace(x, y, pl.Adam(), regularizer=pl.L2(0.1)).to_data()
    VALIDATOR.validate(data)
    assert json.loads(json.dumps(data)) == data


def test_json_gives_the_bits_of_python_packed_or_not():
    made = network(TABLE, [pl.Dense(300, "gelu"), pl.Dense(200)], pl.Regression())
    x, y = samples(made, 2)
    trace = made.trace(x, y)
    lists, packed = json.loads(trace.to_json(pack=None)), json.loads(trace.to_json())
    assert lists == trace.to_data()
    np.testing.assert_array_equal(
        np.array(lists["layers"][2]["parameters"]["weight"]), trace.layers[2].parameters["weight"]
    )
    weight = packed["layers"][2]["parameters"]["weight"]
    assert weight["shape"] == [300, 200]
    numbers = np.frombuffer(base64.b64decode(weight["float64"]), "<f8").reshape(300, 200)
    np.testing.assert_array_equal(numbers, trace.layers[2].parameters["weight"])
    assert isinstance(packed["layers"][1]["parameters"]["weight"], list)
    VALIDATOR.validate(packed)


def test_it_refuses_what_is_no_trace():
    made = network(TABLE, [pl.Dense(2, "relu")], pl.Classification(3))
    data = made.trace(*samples(made, 2), pl.Adam()).to_data()
    for change in (
        lambda d: d.pop("answer"),
        lambda d: d.pop("loss"),
        lambda d: d.update(version=2),
        lambda d: d["layers"][1].update(surprise=1),
        lambda d: d["layers"][1].update(output=["one"]),
        lambda d: d["layers"][1].pop("name"),
        lambda d: d["answer"].update(kind="argmax"),
        lambda d: d["layers"][1]["updates"]["weight"].pop("new"),
    ):
        spoiled = copy.deepcopy(data)
        change(spoiled)
        assert not VALIDATOR.is_valid(spoiled)
