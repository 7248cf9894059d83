"""Every equation that is printed holds: a reader who computes the left side gets the right one, to the digits shown."""

from __future__ import annotations

import re

import numpy as np
import pytest
from documents import ROOT, TRACE, text_of
from looking import ask
from printed_equations import equations, of_data, of_page
from report_pages import linear, pixels, written

import pellucid as pl
from pellucid.apps.studio.sample_words import word_of
from pellucid.apps.studio.session import Session
from pellucid.core.display.document_text import as_text
from pellucid.core.display.drawing import as_shades
from pellucid.training.recipes.recipe import OPTIMIZERS, optimizer_of

CONVOLUTIONS = (
    *(pl.Rescale((0.3, 2.0), (-0.1, 0.4)), pl.Conv2D(3, activation="relu"), pl.MaxPooling2D(2)),
    pl.Residual([pl.Conv2D(3), pl.BatchNormalization()], [pl.Conv2D(3, 1)], "tanh"),
    *(pl.BatchNormalization(activation="relu"), pl.Dropout2D(0.2), pl.AveragePooling2D(2), pl.LayerNormalization()),
)
BOTH = pl.L1(0.01) + pl.L2(0.003)
LAYERS = {
    "dense": (6, pl.Dense(9, "relu"), pl.Dropout(0.2), pl.Dense(5, "gelu"), pl.Classification(4)),
    "penalties": (6, pl.Dense(5, "selu", regularizer=BOTH), pl.Classification(3, regularizer=pl.L2(0.1))),
    "smoothed": (6, pl.Dense(5, "leaky_relu", use_bias=False), pl.Classification(3, label_smoothing=0.1)),
    "yes or no": (6, pl.Dense(5, "tanh", regularizer=pl.L1(0.01)), pl.BinaryClassification()),
    "value": (6, pl.Dense(5, "softplus"), pl.BatchNormalization(), pl.Regression()),
    "embedded": (6, pl.Embedding(((1, 3, 2), (4, 2, 1))), pl.Dense(5, "relu"), pl.Classification(3)),
    "waves": (6, pl.PeriodicEmbedding(3, (1, 4), 0.5), pl.Dense(5, "relu"), pl.Regression()),
    "grouped": (6, pl.GroupedDense(((1, 4, 0, 2, 3), (5,)), 3), pl.Dense(5, "relu"), pl.Regression()),
    "scaled": (6, pl.ScaleFeatures(6.0), pl.Dense(5, "relu"), pl.Regression()),
    "values": (6, pl.Dense(5, "elu"), pl.Regression(3, "huber", use_bias=False)),
    "flat": ((8, 8, 2), *CONVOLUTIONS, pl.Flatten(), pl.Dense(6, "hard_sigmoid"), pl.Classification(3)),
    "average": ((8, 8, 2), *CONVOLUTIONS, pl.GlobalAveragePooling2D(), pl.Classification(3)),
}


def fresh(name, dtype):
    shape, *layers = LAYERS[name]
    return pl.Network([pl.Input(*np.atleast_1d(shape).tolist()), *layers], dtype=dtype, seed=3)


def moved(name, dtype):
    """With all parameters and averages off their first values."""
    network, rng = fresh(name, dtype), np.random.default_rng(len(name))
    for holder in (network.parameters, network.state):
        holder.vector[...] += rng.uniform(0.05, 0.4, holder.vector.shape)
    return network


def samples(network, count):
    x = np.random.default_rng(count).normal(size=(count, *network.input.shape)).astype(network.dtype)
    if isinstance(network.output, pl.Regression):
        y = x.reshape(count, -1)[:, : network.output.num_outputs] - 0.1
        return x, y[:, 0] if y.shape[1] == 1 else y
    return x, np.arange(1, count + 1) % 2


def explained(model, x):
    """The equations of an explanation in all its forms, of one neuron of each layer, and of the walk."""
    found = pl.explain(model, x)
    read = equations(found.to_text())
    assert read == equations(found.to_markdown().replace("\\", "")) == equations(of_page(found.to_html()))
    assert read == equations(of_page(found._repr_html_()))
    for name in [layer.neurons[0].name for layer in found.layers if layer.neurons]:
        page = equations(found.to_text(address=name))
        assert page == equations(of_page(found.to_html(name)))
        read += page
    return read + equations(as_text("", found.steps(), as_shades))


def traced(network, x, y):
    """Those of a trace and of its neurons, in text and in a notebook; in training, with dropout."""
    trace = network.trace(x, y, pl.Adam())
    layers = [layer for layer in trace.every_layer() if layer.has_neurons]
    neurons = [trace.neuron(layer.name, 0, place=(0, 0) if layer.kind == "conv2d" else None) for layer in layers]
    read = [equations(str(shown)) for shown in (trace, *neurons)]
    assert read == [equations(of_page(shown._repr_html_())) for shown in (trace, *neurons)]
    return [one for some in read for one in some]


def looked_at(model, x, target, optimizer):
    """Those that the studio sends: all layers, one number of each, and the step of each kind of parameter."""
    session = Session(models={"m": model})
    pixels = x if x.dtype == np.uint8 else (97 * abs(x)).astype(np.uint8)
    word = word_of(session, pixels) if x.ndim > 1 else "xy." + ",".join(f"{one:f}" for one in x)
    query = {"sample": word, "target": target, "optimizer": optimizer}
    data, _ = ask(session, "/api/inside", **query)
    answers = [data, ask(session, "/api/inside", sample=word)[0]]
    for layer in data["layers"]:
        *place, unit = (size // 2 for size in layer["shape"] + [1] * (len(layer["shape"]) == 2))
        where = {"layer": layer["name"], "neuron": unit} | ({"place": f"{place[0]},{place[1]}"} if place else {})
        number, _ = ask(session, "/api/inside/neuron", **where, **query)
        names = [one["name"] for one in number["parameters"]] + ["0"] * ("weight" in layer["parameters"])
        answers += [number, *(ask(session, "/api/inside/step", weight=name, **where, **query) for name in names)]
    return equations(of_data(answers))


def printed(network, x, y, optimizer="adam"):
    """All equations about one sample."""
    model, target = pl.Model(network), ",".join(str(one) for one in np.atleast_1d(y))
    return explained(model, x) + traced(network, x[None], y[None]) + looked_at(model, x, target, optimizer)


def check(found, *, fewest=20):
    assert len(found) >= fewest
    assert [one for one in found if one.is_about] == []
    assert [one for one in found if not one.holds()] == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_of_an_untrained_network(name, dtype):
    network = fresh(name, dtype)
    x, y = samples(network, 1)
    check(printed(network, x[0], y[0]))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("name", "dtype"), [("dense", "float32"), ("penalties", "float64"), ("average", "float32")])
def test_of_a_trained_network_that_learns_on(name, dtype, optimizer):
    network = fresh(name, dtype)
    x, y = samples(network, 40)
    network.fit(x, y, epochs=2, batch_size=8, optimizer=optimizer_of(optimizer, None), progress="none")
    check(printed(network, x[7], y[7], optimizer), fewest=60)


@pytest.mark.parametrize("size", [1e-9, 30.0, 1e5, 1e8])
@pytest.mark.parametrize("name", LAYERS)
def test_of_tiny_and_large_numbers(name, size):
    """At the input, then at the output: scores, values, gradients and updates of that size."""
    network = moved(name, "float32")
    x, y = samples(network, 1)
    check(explained(pl.Model(network), size * x[0]), fewest=8)
    scaled(network, size)
    check(printed(network, x[0], y[0]))


def scaled(network, factor):
    """The scores of a network times a factor."""
    for key in network.parameters:
        if key.startswith("output."):
            network.parameters[key] = factor * network.parameters[key].astype(np.float64)


@pytest.mark.parametrize("margin", [7.0, 13.0, 20.7, 25.0, 40.0, 100.0, 700.0, 800.0])
@pytest.mark.parametrize(("name", "dtype"), [("dense", "float32"), ("smoothed", "float64"), ("yes or no", "float32")])
def test_of_sure_answers_right_and_wrong(name, dtype, margin):
    """From 0.999 over 1 - 1e-9, which float32 rounds to 1, to what float64 rounds to 1. There the loss is about -log(1)."""
    network = moved(name, dtype)
    x, _ = samples(network, 1)
    logits = np.sort(network.output.class_logits(network.forward(x))[0])
    scaled(network, margin / float(logits[-1] - logits[-2]))
    for y in (0, 1):
        found = printed(network, x[0], np.int64(y))
        rounded = [one for one in found if one.is_about]
        assert all(re.fullmatch(r"-log\((1|0\.9{12,}\d*)\)", one.left) for one in rounded)
        check([one for one in found if one not in rounded])


@pytest.mark.parametrize(
    ("z", "p"), [(4.0, "0.982"), (13.0, "0.999998"), (20.7, "0.999999999"), (30.0, "0.9999999999999"), (40.0, "1")]
)
@pytest.mark.parametrize("output", [pl.Classification(2), pl.BinaryClassification()], ids=["softmax", "sigmoid"])
def test_only_what_is_certain_is_1(output, z, p):
    """1 / (1 + e^-z) to four digits, or to the first that is no 9. ``p(7) = 1 / 1 = 1`` was printed once."""
    network = pl.Network([pl.Input(1), output], dtype="float64")
    network.parameters["output.weight"] = np.array([[0.0, z][-output.num_outputs :]])
    (one,) = [one for one in equations(str(pl.explain(pl.Model(network), np.array([1.0])))) if one.left.startswith("1 / ")]
    assert one.right == p
    assert one.holds(len(p) - 2)


@pytest.mark.parametrize("calibrated", [False, True])
def test_of_digits_also_of_an_empty_picture(calibrated):
    (x, y), _ = pl.datasets.digits()
    network = pl.Network([pl.Input(28, 28), pl.Dense(16, "relu"), pl.Classification(10)], seed=0)
    network.fit(x[:2000], y[:2000], epochs=6, progress="none")
    model = pl.Model(network, pl.DigitPipeline())
    if calibrated:
        model.calibrate(x[2000:3000], y[2000:3000])
    for picture, doubts in ((x[0], 0), (np.full((40, 40), 9, np.uint8), 2)):  # on the page, and in the walk
        found = explained(model, picture)
        check(found)
        assert sum(one.left.startswith("0.1 * ") for one in found) == doubts
    check(looked_at(model, x[0], 3, "adam"))


def test_a_report_has_none(tmp_path):
    x, y = pixels(100, (4, 4)), np.arange(100) % 3
    page = written(tmp_path / "classes.html", linear((4, 4), ["a", "b", "c"]), x, y)
    values = written(tmp_path / "values.html", pl.Model(fresh("value", "float32")), *samples(fresh("value", "float32"), 60))
    assert equations(of_page(page.source)) == equations(of_page(values.source)) == []


@pytest.mark.parametrize(("page", "begins"), [(ROOT / "README.md", "examples/pictures/eight.png: 8"), (TRACE, "layer ")])
def test_of_the_documents(page, begins):
    (block,) = [
        block for block in re.split(r"^```.*\n", text_of(page), flags=re.MULTILINE)[1::2] if block.startswith(begins)
    ]
    assert [one.holds() for one in equations(block)] in ([True], [True, True])


@pytest.mark.parametrize(
    "line",
    ["p(7) = 1 / 1.01 = 1", "loss = -log(1) = 2.952e-06", "z = 2*0.8728 - 0.5 = 1.245", "w = 0.5 - 0.1 * 0.25 = 0.4751"],
)
def test_what_does_not_hold_is_found(line):
    assert [one.holds() for one in equations(line)] == [False]


@pytest.mark.parametrize("line", ["z = 2*x = 3", "z = 2 * 0.5 = one", "z = 2 0.5 = 1", "z = 0.5 = 0.5 more"])
def test_what_cannot_be_read_is_no_success(line):
    with pytest.raises((AssertionError, SyntaxError, NameError)):
        equations(line)
