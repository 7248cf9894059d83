"""tools/check_trace.py on what is no whole trace: missing arrays, other shapes, numbers that are none, hostile files."""

from __future__ import annotations

import base64
import copy
import json
import math
import struct

import numpy as np
import pytest
from trace_checks import BITES, GIVEN, check_trace, run
from tracecheck.comparing import difference
from traced_networks import samples

import pellucid as pl

NAN = float("nan")


def whole(name):
    made = BITES[name]
    return made.trace(*samples(made), pl.Adam(), regularizer=pl.L2(0.01)).to_data()


def accepted(trace):
    """Whether the checker finds nothing to say, in this process."""
    try:
        return not check_trace.check_trace(trace).faults
    except check_trace.DAMAGE:
        return False


def changed(trace, way, change):
    """A copy in which ``change(place, key)`` was made at the end of the way."""
    spoiled = copy.deepcopy(trace)
    place = spoiled
    for key in way[:-1]:
        place = place[key]
    change(place, way[-1])
    return spoiled


def ways(value, way=()):
    """The way to everything in a trace that is no number: records, arrays, and what is in records."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in check_trace.DESCRIPTIONS:
                yield (*way, key)
                yield from ways(inner, (*way, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield (*way, index)
            yield from ways(inner, (*way, index))


def at(trace, way):
    for key in way:
        trace = trace[key]
    return trace


@pytest.mark.parametrize("name", BITES)
def test_it_bites_whatever_is_missing(name):
    trace = whole(name)
    free = {"format", "version", "pellucid"}  # the program looks at the first two before it checks
    left = [way for way in ways(trace) if way[0] not in free]
    assert len(left) > 40
    assert [way for way in left if accepted(changed(trace, way, lambda place, key: place.pop(key)))] == []


@pytest.mark.parametrize("name", BITES)
def test_it_bites_whichever_array_has_another_shape(name):
    """The same numbers in the same order, as one row, one column, or with an axis more at either end."""
    trace = whole(name)
    count = 0
    for way in ways(trace):
        value = at(trace, way)
        if (
            way[-1] in GIVEN
            or not isinstance(value, list | float)
            or (isinstance(value, list) and isinstance(value[0], dict))
        ):
            continue
        array = np.array(value)
        for shape in {(array.size,), (1, *array.shape), (*array.shape, 1), (array.size, 1), array.shape[::-1]} - {
            array.shape
        }:
            count += 1
            other = array.reshape(shape).tolist()
            assert not accepted(changed(trace, way, lambda place, key, to=other: place.update({key: to}))), (way, shape)
    assert count > 100


@pytest.mark.parametrize("wrong", [NAN, float("inf"), 1e999, True, "1.5", None, []], ids=repr)
def test_what_is_no_finite_number_is_never_right(wrong):
    """A weight that is NaN would make every sum of it NaN, from which no number differs."""
    trace = whole("dense")
    for way in (
        ("layers", 1, "parameters", "weight", 0, 0),
        ("layers", 1, "parameters", "bias", 0),
        ("layers", 0, "input", 0, 1),
        ("loss", "value"),
        ("loss", "targets", 0, 0),
        ("update", "rate"),
        ("loss", "description", "label_smoothing"),
        ("update", "optimizer", "beta1"),
        ("update", "optimizer", "epsilon"),
        ("update", "optimizer", "learning_rate"),
    ):
        assert not accepted(changed(trace, way, lambda place, key: place.__setitem__(key, wrong))), way


def test_from_a_sum_that_overflows_every_number_is_far():
    """What is right is then infinite, or has terms that are: nothing can be said, so nothing is right."""
    for value, size in ((math.inf, math.inf), (NAN, NAN), (1.0, math.inf), (NAN, 1.0)):
        assert difference(5.0, value, size) == math.inf
    assert difference(5.0, 4.0, 8.0) == 1 / 8


def packed(shape, raw):
    return {"shape": shape, "float64": base64.b64encode(raw).decode()}


FLAT = struct.pack("<12d", *range(12))


@pytest.mark.parametrize(
    "array",
    [
        *(packed(shape, FLAT) for shape in ([-3, -4], [3.0, 4.0], [True, 12], ["3", 4], [12], [4, 3], [3, 4, 1], None, 12)),
        packed([10**9, 10**9], FLAT),
        packed([0, 10**12], b""),
        packed([], b""),
        packed([1], b"1234567"),
        packed([3, 4], FLAT[:-8] + struct.pack("<d", NAN)),
        {"shape": [1], "float64": "*"},
        {"shape": [1], "float64": 3},
        {"shape": [3, 4]},
    ],
    ids=lambda array: str(array.get("shape")),
)
@pytest.mark.parametrize("way", [("layers", 0, "input"), ("layers", 1, "parameters", "weight")], ids=str)
def test_packed_arrays_that_lie(array, way):
    assert not accepted(changed(whole("dense"), way, lambda place, key: place.__setitem__(key, array)))


@pytest.mark.parametrize("key", ["size", "stride"])
@pytest.mark.parametrize("wrong", [0, -1, 10**9, 1.5, [1], [10**9, 10**9], "ab", None, True], ids=repr)
def test_windows_that_cannot_be(key, wrong):
    """Without a computation as long as the window is said to be."""
    trace = whole("image")
    trace["layers"][2]["description"].update({key: wrong, "padding": "same"})
    assert not accepted(trace)


HOSTILE = {
    "nested lists": "[" * 5_000_000,
    "nested records": '{"a":' * 2_000_000,
    "deep numbers": '{"format": "pellucid-trace", "version": 1, "layers": ' + "[" * 900 + "]" * 900 + "}",
    "a huge number": '{"format": "pellucid-trace", "version": 1, "layers": [1' + "0" * 5000 + "]}",
    "no layers": '{"format": "pellucid-trace", "version": 1, "layers": [], "answer": {}}',
    "layers of text": '{"format": "pellucid-trace", "version": 1, "layers": "abc", "answer": "abc"}',
    "another alphabet": b"\xff\xfe",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_sentence(name, tmp_path):
    path, content = tmp_path / "trace.json", HOSTILE[name]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = run(path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert len((done.stdout + done.stderr).splitlines()) <= 6


def test_what_is_printed_cannot_command_the_terminal(tmp_path):
    trace = whole("dense")
    trace["answer"]["\x1b[2J\ud800\u202e"] = [1.0]
    path = tmp_path / "new\nline.json"
    path.write_text(json.dumps(trace))
    done = run(path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert r"answer.\x1b[2J\ud800\u202e was not checked" in done.stdout
    assert r"new\nline.json: " in done.stdout


@pytest.mark.parametrize(
    ("name", "way", "value"),
    [
        ("dense", (0, "shape"), [5]),
        ("dense", (1, "units"), 3),
        ("dense", (1, "use_bias"), False),
        ("dense", (2, "num_classes"), 4),
        ("dense", (2, "label_smoothing"), 0.2),
        ("image", (1, "filters"), 3),
        ("means", (-1, "num_values"), 2),
        ("normalized", (1, "layers", 1, "rate"), 0.3),
        ("normalized", (1, "shortcut"), []),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_a_description_that_its_arrays_deny_is_a_fault(name, way, value):
    trace = whole(name)
    index, *way = way
    path = ("layers", index, "description", *way)
    assert at(trace, path) != value
    assert accepted(trace)
    assert not accepted(changed(trace, path, lambda place, key: place.__setitem__(key, value)))
