"""tools/check_trace.py finds every number right, for each layer, output, loss and optimizer; and it bites.

It is run as a stranger would: a process of its own, from a file, with a Python that cannot import the package or NumPy.
"""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from trace_checks import BITES, GIVEN, check_trace, run
from traced_networks import LAYERS, OPTIMIZERS, OUTPUTS, WHOLE, every_case, network, samples

import pellucid as pl
from pellucid.nn import catalogue

CASES = dict(every_case())


def faults(trace):
    return check_trace.check_trace(trace).faults


def leaves(path, value):
    """The way to every number that is computed: keys, and one index after another."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in check_trace.DESCRIPTIONS and key not in GIVEN:
                yield from leaves((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves((*path, index), inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def changed(trace, path):
    """The same with one number moved by a millionth of itself."""
    *way, last = path
    spoiled = copy.deepcopy(trace)
    place = spoiled
    for key in way:
        place = place[key]
    place[last] = place[last] * (1 + 1e-6) if place[last] else 1e-6
    return spoiled


def test_the_cases_hold_every_member_of_the_catalogue():
    hidden = {type(layer) for _, layers in LAYERS for layer in layers}
    assert hidden | {pl.Input} == set(catalogue.LAYERS)
    assert {type(output) for output in OUTPUTS} == set(catalogue.OUTPUTS)
    assert {type(optimizer) for optimizer in OPTIMIZERS} == set(catalogue.OPTIMIZERS)
    assert {type(output.loss_function) for output in OUTPUTS} == set(catalogue.LOSSES)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [True, False])
def test_every_number_of_a_trace_is_right(name, training):
    made = CASES[name]
    x, y = samples(made)
    assert faults(json.loads(made.trace(x, training=training).to_json())) == []
    whole = made.trace(x, y, pl.AdamW(), training=training, regularizer=pl.L2(0.01))
    assert faults(json.loads(whole.to_json())) == []
    assert faults(json.loads(whole.to_json(pack=1))) == []


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_every_update_is_right_also_the_second_one(optimizer):
    made = network(*WHOLE["table"])
    x, y = samples(made, 6)
    assert faults(made.trace(x, y, optimizer).to_data()) == []
    made.fit(x, y, optimizer=optimizer, epochs=2, batch_size=2, progress="none", engine="numpy")
    trace = made.trace(x, y, optimizer)
    assert trace.update.update == 7
    assert faults(trace.to_data()) == []


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 3)], ids=str)
def test_pixels_are_right_too(shape):
    made = network(shape, [pl.Conv2D(2)], pl.Classification(3))
    x = np.arange(2 * np.prod(shape)).reshape(2, *shape).astype(np.uint8)
    assert faults(made.trace(x, [0, 2]).to_data()) == []


@pytest.mark.parametrize("gap", [30, 700, 720, 745, 1e5])
@pytest.mark.parametrize("label", [0, 1])
def test_an_answer_as_sure_as_numbers_can_be_is_right_too(gap, label):
    """e^-720 is a number of few digits; so is all that follows from it, down to the update."""
    made = pl.Network([pl.Input(1), pl.Classification(3)], dtype="float64")
    made.parameters["output.weight"] = np.array([[gap, 0.3, -0.1]])
    assert faults(json.loads(made.trace([[1.0]], [label], pl.Adam()).to_json())) == []


@pytest.mark.parametrize("name", BITES)
def test_it_bites_whichever_number_is_changed(name):
    """Every number, one after the other: computed ones and given ones, since nothing else follows from a changed weight."""
    made = BITES[name]
    x, y = samples(made)
    made.fit(x, y, optimizer=pl.Adam(), epochs=1, progress="none", engine="numpy")
    trace = made.trace(x, y, pl.Adam(), regularizer=pl.L2(0.01)).to_data()
    paths = list(leaves((), trace))
    assert len(paths) > 150
    assert [path for path in paths if not faults(changed(trace, path))] == []


def test_it_bites_in_the_program_too(tmp_path):
    made = network(*WHOLE["photos"])
    trace = made.trace(*samples(made), pl.Adam())
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(trace.to_json())
    done = run(good)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every number is right" in done.stdout
    data = trace.to_data()
    data["layers"][2]["sums"][1][0][0][1] += 1e-6
    bad.write_text(json.dumps(data))
    done = run(bad)
    assert done.returncode == 1
    assert "layers[2].sums, number" in done.stdout


def test_it_bites_when_something_is_missing_added_or_unknown():
    made = network(*WHOLE["digits"])
    x, y = samples(made)
    data = made.trace(x, y).to_data()
    for change in (
        lambda d: d["layers"][1]["output"].pop(),
        lambda d: d["layers"][1].update(surprise=[1.0]),
        lambda d: d["layers"][1]["description"].update(type="Cube"),
        lambda d: d["layers"].pop(2),
        lambda d: d["loss"]["description"].update(type="Cube"),
    ):
        spoiled = copy.deepcopy(data)
        change(spoiled)
        assert faults(spoiled)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "3", '{"format": "pellucid-trace", "version": 2}', '{"format": "pellucid-trace", "version": 1}'],
)
def test_what_is_no_trace_is_said_and_is_no_success(text, tmp_path):
    path = tmp_path / "file.json"
    path.write_text(text)
    done = run(path)
    assert done.returncode == 2
    assert "no whole trace" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(tmp_path / "missing.json").returncode == 2


def test_a_file_that_is_not_there_and_the_way_to_use_it_are_said_in_plain_words(tmp_path):
    for path in (tmp_path / "missing.json", tmp_path):
        done = run(path)
        assert done.returncode == 2
        assert f"{path} cannot be read: " in done.stderr
        assert "Error" not in done.stderr
    done = run("--help")
    assert done.returncode == 0
    assert "Compute every number of a trace again" in done.stdout
