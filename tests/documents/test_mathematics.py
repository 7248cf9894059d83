"""docs/mathematics: each line of its arithmetic is right, and every number is that of the package."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np
import pytest
from documents import (
    FOUR_DECIMALS,
    MATHEMATICS,
    PACKAGE,
    SIX_DECIMALS,
    arithmetic,
    equations,
    sections,
    table,
    text_of,
)

import pellucid as pl
from pellucid.mathematics import activations
from pellucid.mathematics.activations import ACTIVATIONS
from pellucid.mathematics.losses import LOSSES
from pellucid.mathematics.optimizers import Optimizer
from pellucid.mathematics.schedules import Position
from pellucid.nn.layers.base import Context


def test_every_section_names_the_file_that_defines_it() -> None:
    for heading, text in sections(MATHEMATICS).items():
        if heading == "The mathematics, derived":
            continue
        link = r"^Definition: \[src/pellucid/([\w/]+\.py)\]\(\.\./\.\./src/pellucid/\1\)"
        assert re.search(link, text, flags=re.M), heading


def test_the_legend_is_that_of_the_code() -> None:
    legend = sections(MATHEMATICS)["Letters"].split("```text\n")[1].split("```")[0]
    code = text_of(PACKAGE / "core" / "shapes.py")
    for line in legend.strip().splitlines():
        assert line.strip() in code


def test_the_arithmetic_of_every_line_is_right() -> None:
    lines = list(equations(text_of(MATHEMATICS)))
    assert len(lines) > 50
    for name, expression, number in lines:
        # the numbers on a line are rounded to six decimals (or eight, divided by 0.02), so the result may differ a little
        assert arithmetic(expression) == pytest.approx(number, abs=4e-6), f"{name} = {expression}"


def test_every_number_is_carried_from_one_line_to_the_next_as_it_was() -> None:
    stated: set[str] = set()
    carried = 0
    for line in text_of(MATHEMATICS).splitlines():
        match = re.match(r"\w+ = (.*= )?-?(\d+\.\d{6,})(\s|$)", line)
        if not match:
            continue
        for number in re.findall(r"\d+\.\d{6,}", match[1] or ""):
            assert number in stated, f"{number} in the line {line!r} is no result of a line above"
            carried += 1
        stated.add(match[2])
    assert carried > 90


def test_the_constants_of_the_activations_are_those_of_the_code() -> None:
    text = sections(MATHEMATICS)["2. The activation: a bend"]
    for number, value in (
        ("0.797885", activations.GELU_ROOT),
        ("0.134145", 3 * activations.GELU_CUBIC),
        ("1.050701", activations.SELU_SCALE),
        ("1.673263", activations.SELU_ALPHA),
    ):
        assert number in text
        assert float(number) == pytest.approx(value, abs=SIX_DECIMALS)


def test_the_network_worked_by_hand_is_what_the_package_computes() -> None:
    text = text_of(MATHEMATICS)
    given = re.search(r"```text\n(x1 = .*?)```", text, flags=re.S)
    assert given
    n = {name: float(value) for name, value in re.findall(r"(\w+) = (-?[\d.]+)", given[1])}
    said = {name: number for name, _, number in equations(text)}

    arrays = {
        "dense_1.weight": np.array([[n["h11"], n["h12"]], [n["h21"], n["h22"]]]),
        "dense_1.bias": np.array([n["hb1"], n["hb2"]]),
        "output.weight": np.array([[n["o11"], n["o12"]], [n["o21"], n["o22"]]]),
        "output.bias": np.array([n["ob1"], n["ob2"]]),
    }
    network = pl.Network([pl.Input(2), pl.Dense(2, "sigmoid"), pl.Classification(2)], dtype="float64", arrays=arrays)
    x, y = np.array([[n["x1"], n["x2"]]]), np.array([n["t2"]])
    computed = dict(_forward(network, x, ""))
    computed |= dict(_backward(network, x, y))
    loss = network.evaluate(x, y)["loss"]
    network.fit(x, y, optimizer=pl.GradientDescent(n["r"]), epochs=1, batch_size=1, progress="none")
    computed |= dict(_forward(network, x, "_new"))
    for stem, name in (("h", "dense_1.weight"), ("hb", "dense_1.bias"), ("o", "output.weight"), ("ob", "output.bias")):
        computed |= _numbered(f"{stem}{{}}_new", network.parameters[name])
    new_loss = network.evaluate(x, y)["loss"]
    computed |= {"L": loss, "L_new": new_loss, "achieved": loss - new_loss}
    computed["squares_output"] = sum(v * v for k, v in computed.items() if re.fullmatch(r"do(b?\d|\d\d)", k))
    computed["squares_hidden"] = sum(v * v for k, v in computed.items() if re.fullmatch(r"dh(b?\d|\d\d)", k))
    computed["promised"] = n["r"] * (computed["squares_output"] + computed["squares_hidden"])
    elsewhere = {"smooth_right", "smooth_other", "smooth_distance", "weighted", "share1", "share2", "numeric"}
    elsewhere |= {"poisson_loss", "poisson_slope", "pinball_small", "pinball_large"}
    assert set(said) - elsewhere <= set(computed)
    assert len(set(said) - elsewhere) == 53
    for name in set(said) - elsewhere:
        assert computed[name] == pytest.approx(said[name], abs=SIX_DECIMALS), name


def _numbered(pattern: str, array: np.ndarray) -> dict[str, float]:
    """``pattern`` with the indices from 1 of each element."""
    return {pattern.format("".join(str(i + 1) for i in index)): float(v) for index, v in np.ndenumerate(array)}


def _forward(network: pl.Network, x: np.ndarray, suffix: str) -> Iterator[tuple[str, float]]:
    done = network.propagate(x, training=True)
    _, z, a, _ = done.caches[1]
    for stem, row in (("z", z[0]), ("a", a[0]), ("s", done.logits[0]), ("p", network.predict_proba(x)[0])):
        yield from _numbered(f"{stem}{{}}{suffix}", row).items()


def _backward(network: pl.Network, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, float]]:
    output, arrays = network.output, network.arrays()
    done = network.propagate(x, training=True, needs_dx=True)
    _, ds = output.loss_function(done.logits, output.targets(output.check_targets(y, 1), network.dtype))
    da, of_output = output.backward(arrays[2], done.caches[2], ds.copy())
    dx, of_hidden = network.layers[1].backward(arrays[1], done.caches[1], da)
    yield from _numbered("ds{}", ds[0]).items()
    yield from _numbered("da{}", da[0]).items()
    yield from _numbered("dz{}", of_hidden["bias"]).items()  # one sample: the gradient of a bias is that of its sum
    yield from _numbered("dx{}", dx[0]).items()
    for stem, gradients in (("o", of_output), ("h", of_hidden)):
        yield from _numbered(f"d{stem}{{}}", gradients["weight"]).items()
        yield from _numbered(f"d{stem}b{{}}", gradients["bias"]).items()


def test_the_numeric_derivative_is_that_of_the_package() -> None:
    text = sections(MATHEMATICS)["10. Trust, but verify"]
    said = {name: float(value) for name, value in re.findall(r"^(\w+) = (0\.\d+)", text, flags=re.M)}
    assert set(said) == {"L_above", "L_below", "analytic"}
    snippet = re.search(r"```python\n(.*?x, y = [^\n]*)", sections(MATHEMATICS)["The same with Pellucid"], flags=re.S)
    assert snippet
    names: dict[str, object] = {}
    exec(snippet[1], names)
    network, x, y = names["network"], names["x"], names["y"]
    assert isinstance(network, pl.Network)
    for name, weight in (("L_above", 0.11), ("L_below", 0.09)):
        network.parameters["dense_1.weight"][0, 0] = weight
        assert network.evaluate(x, y)["loss"] == pytest.approx(said[name], abs=0.51e-8)
    numeric = next(number for name, _, number in equations(text) if name == "numeric")
    assert numeric == pytest.approx(said["analytic"], abs=1e-5)


def test_the_table_of_activations_is_complete_and_right() -> None:
    rows = table(MATHEMATICS, "name")
    assert {row[0] for row in rows} == activations._BUILT_IN
    z = np.array([-1.0, 2.0])
    for name, _, _, *numbers in rows:
        a = ACTIVATIONS[name].value(z)
        expected = np.stack([a, ACTIVATIONS[name].derivative(z, a)], axis=1).ravel()
        said = [float(number) for number in numbers]
        np.testing.assert_allclose(said, expected, rtol=0, atol=FOUR_DECIMALS, err_msg=name)


def test_the_table_of_losses_is_right() -> None:
    rows = table(MATHEMATICS, "loss")
    assert [row[0] for row in rows] == ["mse", "mae", "huber"]
    for name, _, _, *numbers in rows:
        for error, (value, slope) in zip((0.5, -2.0), (numbers[:2], numbers[2:]), strict=True):
            loss, gradient = LOSSES[name]()(np.array([[error]]), np.array([[0.0]]))
            assert loss == pytest.approx(float(value), abs=1e-12)
            assert gradient[0, 0] == pytest.approx(float(slope), abs=1e-12)


def test_the_losses_of_a_count_and_of_quantiles_are_as_said() -> None:
    said = {name: number for name, _, number in equations(text_of(MATHEMATICS))}
    loss, gradient = pl.PoissonLoss()(np.array([[math.log(2)]]), np.array([[1.0]]))
    assert loss == pytest.approx(said["poisson_loss"], abs=SIX_DECIMALS)
    assert gradient[0, 0] == pytest.approx(said["poisson_slope"])
    for name, target in (("pinball_small", 2.0), ("pinball_large", -2.0)):
        loss, _ = pl.PinballLoss((0.9,))(np.zeros((1, 1)), np.array([[target]]))
        assert loss == pytest.approx(said[name])


def test_label_smoothing_and_weights_are_as_said() -> None:
    said = {name: number for name, _, number in equations(text_of(MATHEMATICS))}
    logits = np.zeros((1, 10))
    logits[0, 0] = math.log(0.91 / 0.01)
    _, gradient = pl.CrossEntropy(label_smoothing=0.1)(logits, np.eye(10)[:1])
    np.testing.assert_allclose(gradient, 0, atol=1e-12)  # at the distance of the document the gradient vanishes
    assert logits[0, 0] == pytest.approx(said["smooth_distance"], abs=SIX_DECIMALS)
    _, gradient = pl.CrossEntropy(label_smoothing=0.1)(np.zeros((1, 10)), np.eye(10)[:1])
    targets = 0.1 - gradient[0]  # p - t, and p is 0.1 for ten equal scores
    assert targets[0] == pytest.approx(said["smooth_right"])
    assert targets[1] == pytest.approx(said["smooth_other"])
    loss, gradient = pl.MeanAbsoluteError()(np.array([[0.2], [1.0]]), np.zeros((2, 1)), np.array([3.0, 1.0]))
    assert loss == pytest.approx(said["weighted"])
    np.testing.assert_allclose(gradient[:, 0], [said["share1"], said["share2"]])


def test_the_example_of_batch_normalization_is_right() -> None:
    rows = np.array([[float(cell) for cell in row] for row in table(MATHEMATICS, "x")])
    x, h, y, dy, dx = rows.T
    layer = pl.BatchNormalization()
    parameters = {"gamma": np.ones(1), "beta": np.zeros(1)}
    out, cache = layer.forward(parameters, x[:, None], Context(training=True, dtype=np.dtype(np.float64)))
    back, gradients = layer.backward(parameters, cache, dy[:, None])
    line = re.search(r"^mean = 3 .*$", sections(MATHEMATICS)["Batch normalization"], flags=re.M)
    assert line
    said = {name: float(value) for name, value in re.findall(r"(\w+) = (-?[\d.]+)", line[0])}
    assert set(said) == {"mean", "v", "s", "dgamma", "dbeta"}
    computed_values = (cache.mean, cache.variance, 1 / cache.inverse_std, gradients["gamma"], gradients["beta"])
    for name, value in zip(("mean", "v", "s", "dgamma", "dbeta"), computed_values, strict=True):
        assert value[0] == pytest.approx(said[name], abs=FOUR_DECIMALS), name
    for said_column, computed in ((h, cache.normalized), (y, out), (dx, back)):
        np.testing.assert_allclose(said_column, computed[:, 0], rtol=0, atol=FOUR_DECIMALS)


def test_the_example_of_layer_normalization_is_that_of_batch_normalization() -> None:
    x, h, _, dy, dx = np.array([[float(cell) for cell in row] for row in table(MATHEMATICS, "x")]).T
    parameters = {"gamma": np.ones(3), "beta": np.zeros(3)}
    y, cache = pl.LayerNormalization().forward(parameters, x[None], Context(training=True, dtype=np.dtype(np.float64)))
    back, _ = pl.LayerNormalization().backward(parameters, cache, dy[None])
    np.testing.assert_allclose(y[0], h, rtol=0, atol=FOUR_DECIMALS)
    np.testing.assert_allclose(back[0], dx, rtol=0, atol=FOUR_DECIMALS)


def image(cell: str) -> np.ndarray:
    """``1 2 / 3 4`` as a batch of one image with one channel."""
    return np.array([[float(number) for number in row.split()] for row in cell.split("/")])[None, :, :, None]


def test_the_example_of_the_convolution_is_right() -> None:
    ((x, w, z, dz, dw, dx),) = [[image(cell) for cell in row] for row in table(MATHEMATICS, "image `x`")]
    layer, parameters = pl.Conv2D(1, 2, padding="valid", use_bias=False), {"weight": w[0][..., None]}
    out, cache = layer.forward(parameters, x, Context(training=True, dtype=np.dtype(np.float64)))
    back, gradients = layer.backward(parameters, cache, dz)
    for said, computed in ((z, out), (dx, back), (dw[0], gradients["weight"][..., 0])):
        np.testing.assert_array_equal(said, computed)


def test_the_table_of_poolings_is_right() -> None:
    rows = table(MATHEMATICS, "pooling")
    assert [row[0] for row in rows] == ["MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D"]
    for name, *cells in rows:
        x, y, dy, dx = (image(cell) for cell in cells)
        layer = getattr(pl, name)(*() if name.startswith("Global") else (2, 1))
        out, cache = layer.forward({}, x, Context(training=True, dtype=np.dtype(np.float64)))
        np.testing.assert_allclose(y.ravel(), out.ravel(), rtol=0, atol=FOUR_DECIMALS)
        np.testing.assert_array_equal(dx, layer.backward({}, cache, dy.reshape(out.shape))[0])


def test_the_table_of_bins_is_right() -> None:
    layer = pl.PiecewiseLinearEncoding(((0.0, 2.0, 3.0),), 0.5)
    rows = table(MATHEMATICS, "number")
    assert len(rows) == 4
    for *cells, _ in rows:
        x, y, dy, dx = (np.array([cell.split()], np.float64) for cell in cells)
        out, cache = layer.forward({}, x, Context(training=True, dtype=np.dtype(np.float64)))
        np.testing.assert_array_equal(out, y)
        np.testing.assert_array_equal(layer.backward({}, cache, dy)[0], dx)


def test_the_example_of_the_ensemble_is_right() -> None:
    ((x, r, w, s, b, z, dz, dr, dw, ds, dx),) = [
        [np.array([row.split() for row in cell.split("/")], np.float64) for cell in row]
        for row in table(MATHEMATICS, "sample `x`")
    ]
    layer, parameters = pl.EnsembleDense(2, 2), {"input_scales": r, "weight": w, "output_scales": s, "bias": b}
    out, cache = layer.forward(parameters, x, Context(dtype=np.dtype(np.float64)))
    back, gradients = layer.backward(parameters, cache, dz[None])
    for said, computed in ((z, out[0]), (dx, back), (dr, gradients["input_scales"]), (ds, gradients["output_scales"])):
        np.testing.assert_array_equal(said, computed)
    np.testing.assert_array_equal(dw, gradients["weight"])


def test_what_an_ensemble_adds_is_as_said() -> None:
    said = re.search(r"behind 400 inputs have with 8 members only\s(\d+) % more", sections(MATHEMATICS)["EnsembleDense"])
    assert said
    counts = []
    for members in (1, 8):
        dense = pl.Dense(256) if members == 1 else pl.EnsembleDense(256, 8)
        counts.append(pl.Network([pl.Input(400), *[dense] * 3, pl.Regression(members=members)]).parameters.layout.size)
    assert round(100 * (counts[1] / counts[0] - 1)) == int(said[1])


def rows_of(cell: str) -> np.ndarray:
    """Rows of numbers, ``1 2 / 3 4``."""
    return np.array([row.split() for row in cell.split("/")], np.float64)


def test_the_table_of_vectors_is_right() -> None:
    layer, vectors = pl.Embedding(((0, 2, 2),)), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    rows = table(MATHEMATICS, "category")
    assert len(rows) == 2
    for categories, y, dy, *said in rows:
        x = rows_of(categories).T
        out, cache = layer.forward({"vectors_0": vectors}, x, Context(training=True, dtype=np.dtype(np.float64)))
        np.testing.assert_array_equal(out, rows_of(y))
        _, gradients = layer.backward({"vectors_0": vectors}, cache, rows_of(dy))
        np.testing.assert_array_equal(gradients["vectors_0"], np.concatenate([rows_of(cell) for cell in said]))


def test_the_table_of_groups_is_right() -> None:
    layer = pl.GroupedDense(((2, 0),), 2)
    own = {"weight": np.array([[1.0, 10.0], [2.0, -1.0]]), "bias": np.array([[0.5, 0.0]])}
    (row,) = table(MATHEMATICS, "row")
    x, y, dy, dx, dw, db = map(rows_of, row)
    out, cache = layer.forward(own, x, Context(training=True, dtype=np.dtype(np.float64)))
    back, gradients = layer.backward(own, cache, dy)
    computed = (out, back, gradients["weight"], gradients["bias"])
    for claim, one in zip((y, dx, dw, db), computed, strict=True):
        np.testing.assert_array_equal(claim.ravel(), one.ravel())


def test_the_table_of_waves_is_right() -> None:
    layer, own = pl.PeriodicEmbedding(1), {"frequency": np.array([[0.25]]), "phase": np.array([[0.0]])}
    rows = table(MATHEMATICS, "wave at")
    assert len(rows) == 2
    for x, t, *said in rows:
        y, dy, dt, dx, dw = (np.array([cell.split()], np.float64) for cell in said)
        out, cache = layer.forward(own, rows_of(x), Context(training=True, dtype=np.dtype(np.float64)))
        back, gradients = layer.backward(own, cache, dy)
        np.testing.assert_array_equal(0.25 * rows_of(x), rows_of(t))
        for claim, computed in ((y, out), (dx, back), (dt, gradients["phase"]), (dw, gradients["frequency"])):
            np.testing.assert_allclose(claim, computed, rtol=0, atol=FOUR_DECIMALS)


def test_the_size_of_windows_is_as_said() -> None:
    rows = table(MATHEMATICS, "pixels")
    assert len(rows) == 4
    for pixels, window, stride, *said in rows:
        for padding, windows in zip(("valid", "same"), said, strict=True):
            layer = pl.Conv2D(1, int(window), stride=int(stride), padding=padding)
            assert layer.output_shape((int(pixels), int(pixels), 1)) == (int(windows), int(windows), 1)


def test_what_a_shortcut_does_to_a_derivative_is_as_said() -> None:
    said = re.search(r"0\.1\^20 = (\S+) .*1\.1\^20 = (\S+)", sections(MATHEMATICS)["Residual blocks"])
    assert said
    assert float(said[1]) == pytest.approx(0.1**20)
    assert float(said[2]) == pytest.approx(1.1**20, abs=0.51e-2)


def test_the_table_of_optimizers_is_complete_and_right() -> None:
    rows = table(MATHEMATICS, "optimizer")
    kinds = set()
    for call, *numbers in rows:
        optimizer = eval(f"pl.{call}", {"pl": pl})
        kinds.add(type(optimizer))
        p = np.array([1.0])
        slots = {name: np.zeros(1) for name in optimizer.needed_slots()}
        for update, (gradient, said) in enumerate(zip((0.5, 0.25), numbers, strict=True), start=1):
            optimizer.step(p, np.array([gradient]), slots, update, 0.1)
            assert p[0] == pytest.approx(float(said), abs=SIX_DECIMALS), call
    assert kinds == {kind for kind in Optimizer.__subclasses__() if kind.__module__.startswith("pellucid.")}


def test_the_table_of_schedules_is_right() -> None:
    names = {name: getattr(pl, name) for name in dir(pl) if name[0].isupper()}
    for call, *numbers in table(MATHEMATICS, "schedule"):
        schedule = eval(call, names)
        for step, said in zip((0, 10, 30, 60, 99), numbers, strict=True):
            assert schedule.factor(Position(step, 100, 10)) == pytest.approx(float(said), abs=FOUR_DECIMALS), (call, step)


def test_the_penalties_and_the_clipping_are_as_said() -> None:
    w = np.array([3.0, -0.5, 0.0])
    rows = re.findall(r"^\| `(L[12])` .*\| ([\d.]+) \| `\((.*?)\)` \|$", text_of(MATHEMATICS), flags=re.M)
    assert [row[0] for row in rows] == ["L2", "L1"]
    for name, penalty, gradient in rows:
        regularizer = getattr(pl, name)(0.01)
        assert regularizer.penalty(w) == pytest.approx(float(penalty))
        np.testing.assert_allclose(regularizer.gradient(w), [float(number) for number in gradient.split(",")])
    said = re.search(r"`g = \((.*?)\)`.*?gives `\((.*?)\)`, the second `\((.*?)\)`", text_of(MATHEMATICS), flags=re.S)
    assert said
    for clipping, expected in ((pl.ClipByGlobalNorm(1.0), said[2]), (pl.ClipByValue(1.0), said[3])):
        g = np.array([float(number) for number in said[1].split(",")])
        clipping.clip(g)
        np.testing.assert_allclose(g, [float(number) for number in expected.split(",")])
