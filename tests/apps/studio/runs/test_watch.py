"""What is shown of a network while it learns, and that training waits for nobody who watches."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

import pellucid as pl
from pellucid.apps.server import watch
from pellucid.apps.server.watch import Mailbox, Watch
from pellucid.apps.studio.runs import pace
from pellucid.apps.studio.runs.experiment import experiment
from pellucid.apps.studio.runs.looks import BINS, MOST_PICTURES, Looks, histogram, plane
from pellucid.apps.studio.runs.material import material, network_of
from pellucid.apps.studio.runs.pace import Budget
from pellucid.apps.studio.runs.runs import Runs

POINTS = {"data": "moons", "samples": 300, "hidden": [6, 5]}
DIGITS = {"data": "digits", "samples": 300, "hidden": [20, 8]}
CONVOLUTIONS = {"data": "digits", "samples": 300, "layers": "conv5 pool res6 average dense7 norm"}


def unpack(packed):
    kind = "uint8" if "uint8" in packed else "float32"
    return np.frombuffer(base64.b64decode(packed[kind]), kind).reshape(packed["shape"])


def seen(fields, change=lambda network: None):
    chosen = experiment(fields)
    data = material(chosen)
    network = network_of(chosen, data)
    x, y = data.training.x[data.training.rows], data.training.y[data.training.rows]
    network.fit(x, y, epochs=2, progress="none")
    change(network)
    looks = Looks(network, data)
    return network, data, looks, looks.look()


def spread(values, shown):
    """Whether a histogram counts these numbers, up to some that rounding puts on the other side of an edge."""
    assert shown["low"] == pytest.approx(values.min(), rel=1e-5, abs=1e-9)
    assert shown["high"] == pytest.approx(values.max(), rel=1e-5, abs=1e-9)
    expected, _ = np.histogram(values, BINS)
    assert sum(shown["counts"]) == values.size
    assert np.abs(np.cumsum(shown["counts"]) - np.cumsum(expected)).max() <= max(2, values.size // 500)


@pytest.mark.parametrize("fields", [POINTS, DIGITS, CONVOLUTIONS], ids=["points", "digits", "convolutions"])
def test_the_histograms_are_those_of_the_trace(fields):
    network, data, looks, look = seen(fields)
    assert 4 <= len(looks.rows) <= 128
    assert set(looks.rows) <= set(data.training.rows)
    trace = network.trace(data.training.x[looks.rows], data.training.y[looks.rows], training=False)
    layers = [layer for layer in trace.layers if any(name.startswith(f"{layer.name}.") for name in network.parameters)]
    assert [layer["name"] for layer in look["layers"]] == [layer.name for layer in layers]
    for layer, shown in zip(layers, look["layers"], strict=True):
        slots = network.parameters.layout.slots
        own = [name for name in slots if name.startswith(f"{layer.name}.")]
        own = [name for name in own if slots[name].spec.is_weight] or own
        assert shown["units"] == layer.output.shape[-1]
        spread(layer.output, shown["histograms"]["activations"])
        spread(np.concatenate([network.parameters[name].ravel() for name in own]), shown["histograms"]["weights"])
        spread(np.concatenate([trace.gradients[name].ravel() for name in own]), shown["histograms"]["gradients"])
    assert look["step"] == network.training_state.step


def test_dead_units_are_those_that_gave_zero_for_every_sample():
    def kill(network):
        network.parameters["dense_1.bias"][[1, 4]] = -100

    network, data, looks, look = seen(POINTS | {"activation": "relu"}, kill)
    hidden = network.trace(data.training.x[looks.rows]).layer("dense_1").output
    assert look["layers"][0]["dead"] == int((hidden == 0).all(axis=0).sum()) >= 2
    assert look["layers"][-1]["dead"] is None  # an output has no relu
    assert seen(POINTS | {"activation": "tanh"})[-1]["layers"][0]["dead"] is None


def test_the_boundary_is_what_the_network_answers_with_x2_up():
    network, data, _, look = seen(POINTS)
    boundary = unpack(look["boundary"])
    rows, columns, classes = boundary.shape
    assert (rows, columns, classes) == (64, 64, 2)
    extent = data.points.extent
    for row, column in ((0, 0), (0, 63), (63, 0), (20, 40)):
        x1, x2 = -extent + (column + 0.5) * 2 * extent / 64, extent - (row + 0.5) * 2 * extent / 64
        expected = 255 * network.predict_proba(np.array([[x1, x2]], np.float32))[0]
        assert boundary[row, column] == pytest.approx(expected, abs=0.51)
    assert boundary.astype(int).sum(axis=-1) == pytest.approx(np.full((64, 64), 255), abs=1)


def test_a_map_shows_a_neuron_over_the_plane_with_zero_in_the_middle():
    network, data, _, look = seen(POINTS)
    maps = unpack(look["layers"][0]["neurons"])
    places = plane(data.points.extent, 24)
    a = np.tanh(places @ network.parameters["dense_1.weight"] + network.parameters["dense_1.bias"])
    expected = 128 + 127 * (a / np.abs(a).max(axis=0))
    assert maps.shape == (6, 24, 24)
    assert np.abs(maps.reshape(6, -1).T - expected).max() <= 0.51
    assert "neurons" not in look["layers"][-1]
    wide = seen(POINTS | {"hidden": [MOST_PICTURES + 1, 3]})[-1]
    assert ["neurons" in layer for layer in wide["layers"]] == [False, True, False]


def test_weights_on_the_plane_are_shown_whole():
    network, _, _, look = seen(POINTS)
    for layer in look["layers"]:
        assert np.array_equal(unpack(layer["weights"]), network.parameters[f"{layer['name']}.weight"])


def test_weights_on_pixels_are_pictures():
    network, _, _, look = seen(DIGITS)
    pictures = unpack(look["layers"][0]["weights"])
    assert pictures.shape == (20, 28, 28)
    assert np.array_equal(pictures[3], network.parameters["dense_1.weight"][:, 3].reshape(28, 28))
    assert ["weights" in layer for layer in look["layers"]] == [True, False, False]
    network, _, _, look = seen(CONVOLUTIONS)
    pictures = unpack(look["layers"][0]["weights"])
    assert pictures.shape == (5, 3, 3)
    assert np.array_equal(pictures[2], network.parameters["conv2d_1.weight"][:, :, 0, 2])
    assert unpack(seen(DIGITS | {"hidden": [40]})[-1]["layers"][0]["weights"]).shape == (MOST_PICTURES, 28, 28)


def test_numbers_beyond_all_bounds_are_looked_at_too():
    def blow_up(network):
        for array in network.parameters.values():
            array *= np.float32(1e25)

    look = seen(POINTS | {"activation": "relu"}, blow_up)[-1]
    json.loads(json.dumps(look, allow_nan=False))


def test_a_histogram_of_one_value_or_none():
    flat = histogram([np.full(7, 2.5, np.float32)])
    assert (flat["low"], flat["high"], sum(flat["counts"])) == (2.5, 2.5, 7)
    far = np.linspace(5, 6, 100, dtype=np.float32)
    spread(far, histogram([far[:40], far[40:]]))
    assert sum(histogram([np.zeros(3, np.float32)])["counts"]) == 3
    assert sum(histogram([np.array([np.nan, np.inf], np.float32)])["counts"]) == 0


@pytest.mark.parametrize(("low", "high"), [(0, 1e-45), (-1e-40, 1e-38), (-3e38, 3e38), (1, 1 + 2**-23)])
def test_a_histogram_of_the_smallest_and_the_largest_spread(low, high):
    values = np.array([low, low, high], np.float32)
    shown = histogram([values])
    assert shown["counts"] == [2, *[0] * 28, 1]
    assert (shown["low"], shown["high"]) == (values[0], values[2])


def test_the_newest_state_and_look_take_the_place_of_older_ones():
    box = Mailbox(lambda: None)
    for number in range(500):
        for name in ("state", "look", "kept", "figures"):
            box.put(name, str(number))
    taken = box.take()
    assert [pair for pair in taken if pair[0] != "figures"] == [("state", "499"), ("look", "499"), ("kept", "499")]
    figures = [int(data) for name, data in taken if name == "figures"]
    assert figures == list(range(500 - watch.MOST_WAITING, 500))  # a slow reader loses the oldest
    assert box.take() == []


def test_everybody_who_listens_is_told_and_woken():
    events, woken = [("state", {"step": 3}), ("figures", {"loss": None})], []
    of_a_run = Watch()
    of_a_run.tell(events)  # nobody is there
    boxes = [Mailbox(lambda: woken.append(1)), Mailbox(lambda: woken.append(2))]
    for box in boxes:
        of_a_run.join(box)
    of_a_run.tell(events)
    of_a_run.leave(boxes[0])
    assert of_a_run.has_listeners
    of_a_run.tell(events[:1])
    assert woken == [1, 2]  # the second is woken once until it has fetched
    assert boxes[0].take() == boxes[1].take() == [("state", '{"step": 3}'), ("figures", '{"loss": null}')]
    of_a_run.tell(events)
    assert woken == [1, 2, 2]
    of_a_run.close()  # which wakes whatever was fetched
    assert woken == [1, 2, 2, 2]
    assert boxes[1].is_closed
    assert not boxes[0].is_closed


def test_looks_cost_less_than_a_fiftieth(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    budget, spent, start = Budget(), 0.0, now[0]
    for cost in (0.001, 0.1, 0.02, 0.5):
        while not budget.allows():
            now[0] += 0.001
        with budget.spend():
            now[0] += cost
        spent += cost
        assert not budget.allows()
        now[0] += max(pace.SHARE * cost, 0.08) - 0.002
        assert not budget.allows()
    assert spent / (now[0] - start) < 1 / 50


def test_a_budget_knows_for_how_long_it_was_not_used(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    budget = Budget(0, 0.5)
    with budget.spend():
        pass
    now[0] += 1.0
    assert budget.allows()
    assert not budget.idle_for(1.0)
    now[0] += 0.75
    assert budget.idle_for(1.0)


def test_figures_are_measured_within_a_long_epoch_for_who_watches(monkeypatch):
    monkeypatch.setattr("pellucid.apps.studio.runs.within_turn.SECONDS_WITHOUT_FIGURES", 0.0)
    monkeypatch.setattr(pace.Budget, "allows", lambda self: True)
    run = Runs().create({"data": "moons", "samples": 20_000, "batch_size": 1, "epochs": 1})
    box = Mailbox(lambda: None)
    run.watch.join(box)
    run.resume()
    run.wait()
    within = [figures for figures in run.summary()["history"] if 0 < figures["epoch"] < 1]
    assert within
    assert all(figures["validation_loss"] is None and figures["loss"] > 0 for figures in within)


def test_a_failing_look_is_paid_for_too():
    budget = Budget(0, 1000)
    with pytest.raises(ZeroDivisionError), budget.spend():
        raise ZeroDivisionError
    assert not budget.allows()


def test_nothing_is_looked_at_without_a_listener(monkeypatch):
    looked = []
    monkeypatch.setattr(Looks, "look", lambda self: looked.append(1) or {"step": 0, "layers": []})
    run = Runs().create(POINTS | {"epochs": 30})
    run.resume()
    run.wait()
    run.rewind(0)
    run.make_step()
    assert looked == []
    box = Mailbox(lambda: None)
    run.watch.join(box)
    run.make_step()
    assert looked == [1]
    assert [name for name, _ in box.take()] == ["state", "look", "kept", "figures"]


def test_a_watched_run_learns_the_same_bits_and_shows_its_last_step():
    quiet, watched = (Runs().create(POINTS | {"epochs": 300, "dropout": 0.1}) for _ in range(2))
    box = Mailbox(lambda: None)
    watched.watch.join(box)
    for run in (quiet, watched):
        run.resume()
        run.wait()
    assert np.array_equal(quiet.network.parameters.vector, watched.network.parameters.vector)
    told = dict(box.take())
    assert json.loads(told["state"])["state"] == "finished"
    assert json.loads(told["look"])["step"] == json.loads(told["state"])["step"] == watched.loop.step
    assert json.loads(told["kept"])["kept"] == watched.summary()["kept"]
    assert json.loads(told["figures"]) == watched.summary()["history"][-1]


def test_a_look_disturbs_nothing():
    network, _, looks, first = seen(CONVOLUTIONS)
    before = network.parameters.vector.copy(), network.state.vector.copy()
    assert looks.look() == first
    assert np.array_equal(before[0], network.parameters.vector)
    assert np.array_equal(before[1], network.state.vector)
    assert isinstance(network, pl.Network)
