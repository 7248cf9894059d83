"""The documents are true: links lead somewhere, snippets run, and every number is what the package computes.

Expected numbers: those of ``docs/backprop.md``, which can be checked by hand; the arithmetic on each line is checked too.
"""

from __future__ import annotations

import ast
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pl
from pellucid import activations
from pellucid.activations import ACTIVATIONS
from pellucid.layers.base import Context
from pellucid.losses import LOSSES
from pellucid.optimizers import Optimizer
from pellucid.schedules import Position

ROOT = Path(__file__).parents[2]
BACKPROP = ROOT / "docs" / "backprop.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
NATIVE = ROOT / "docs" / "native.md"
PHOTOS = ROOT / "docs" / "photos.md"
TRACE = ROOT / "docs" / "trace.md"
ATTRIBUTION = ROOT / "docs" / "attribution.md"
PACKAGE = ROOT / "src" / "pellucid"
SIX_DECIMALS = 0.51e-6
FOUR_DECIMALS = 0.51e-4


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def sections(path: Path) -> dict[str, str]:
    """Heading -> the text below it, up to the next heading of any level."""
    parts = re.split(r"^#+ (.+)$", text_of(path), flags=re.M)
    assert len(set(parts[1::2])) == len(parts[1::2]), "two sections have the same heading"
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(path: Path, first_cell: str) -> list[list[str]]:
    """The rows of the table whose head begins with ``first_cell``, without markup."""
    match = re.search(rf"^\| {re.escape(first_cell)} \|.*\n\|[-:| ]+\|\n((?:\|.*\n)+)", text_of(path), flags=re.M)
    assert match, f"{path.name} has no table that begins with {first_cell!r}"
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in match[1].splitlines()]


def equations(text: str) -> Iterator[tuple[str, str, float]]:
    """Lines of the form ``name = arithmetic = number``."""
    for name, expression, number in re.findall(r"^(\w+) = ([^=\n]+) = (-?\d+\.\d+)$", text, flags=re.M):
        yield name, expression, float(number)


def arithmetic(expression: str) -> float:
    """The value of plain arithmetic with exp and log; nothing else is evaluated."""
    tree = ast.parse(expression.replace("^", "**"), mode="eval")
    allowed = (ast.Expression, ast.expr_context, ast.operator, ast.unaryop)
    allowed += (ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant)
    assert all(isinstance(node, allowed) for node in ast.walk(tree)), expression
    return float(eval(compile(tree, "<document>", "eval"), {"__builtins__": {}, "exp": math.exp, "log": math.log}))


# All documents with snippets


@pytest.mark.parametrize("path", [BACKPROP, ARCHITECTURE, NATIVE, TRACE, ATTRIBUTION], ids=lambda path: path.name)
def test_every_link_leads_to_a_file_or_a_heading(path: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", text_of(path))
    assert links
    anchors = {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in sections(path)}
    for link in links:
        if link.startswith("#"):
            assert link[1:] in anchors, link
        else:
            assert (path.parent / link.split("#")[0]).exists(), f"{path.name} links to {link}"


@pytest.mark.parametrize("path", [BACKPROP, ARCHITECTURE, NATIVE, TRACE, ATTRIBUTION], ids=lambda path: path.name)
def test_every_snippet_runs_and_prints_what_the_document_says(path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text_of(path), flags=re.S)
    assert blocks
    for code, expected in blocks:  # each in a process of its own, as a reader would run it
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        if expected:
            assert done.stdout == expected


# photos.md


def test_the_python_about_photos_runs(tmp_path: Path) -> None:
    """On small pictures, for less time; everything else is as it stands there."""
    pictures = np.random.default_rng(0).integers(0, 256, (2, 30, 16, 16, 3), np.uint8)
    for kind, some in zip(("cat", "not-cat"), pictures // np.uint8([1, 2])[:, None, None, None, None], strict=True):
        folder = tmp_path / "photos" / kind
        folder.mkdir(parents=True)
        for number, pixels in enumerate(some):
            Image.fromarray(pixels).save(folder / f"{number}.png")
    Image.fromarray(pictures[0, 0]).save(tmp_path / "holiday.jpg")
    blocks = re.findall(r"```python\n(.*?)```", text_of(PHOTOS), flags=re.S)
    assert len(blocks) == 2
    for code in blocks:
        code = re.sub(r"size=\d+", "size=16", code)
        command = [sys.executable, "-W", "error", "-c", code.replace("pl.train(photos)", "pl.train(photos, epochs=3)")]
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=60, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        assert re.search(r"^(not-)?cat \([\d.]+%\)$", done.stdout, flags=re.M)
    assert {"photos.safetensors", "mine.safetensors"} <= {path.name for path in tmp_path.iterdir()}


# backprop.md


def test_every_section_names_the_file_that_defines_it() -> None:
    for heading, text in sections(BACKPROP).items():
        if heading == "The mathematics, derived":
            continue
        assert re.search(r"^Definition: \[src/pellucid/([\w/]+\.py)\]\(\.\./src/pellucid/\1\)", text, flags=re.M), heading


def test_the_legend_is_that_of_the_code() -> None:
    legend = sections(BACKPROP)["Letters"].split("```text\n")[1].split("```")[0]
    code = text_of(PACKAGE / "shapes.py")
    for line in legend.strip().splitlines():
        assert line.strip() in code


def test_the_arithmetic_of_every_line_is_right() -> None:
    lines = list(equations(text_of(BACKPROP)))
    assert len(lines) > 50
    for name, expression, number in lines:
        # the numbers on a line are rounded to six decimals (or eight, divided by 0.02), so the result may differ a little
        assert arithmetic(expression) == pytest.approx(number, abs=4e-6), f"{name} = {expression}"


def test_every_number_is_carried_from_one_line_to_the_next_as_it_was() -> None:
    stated: set[str] = set()
    carried = 0
    for line in text_of(BACKPROP).splitlines():
        match = re.match(r"\w+ = (.*= )?-?(\d+\.\d{6,})(\s|$)", line)
        if not match:
            continue
        for number in re.findall(r"\d+\.\d{6,}", match[1] or ""):
            assert number in stated, f"{number} in the line {line!r} is no result of a line above"
            carried += 1
        stated.add(match[2])
    assert carried > 90


def test_the_constants_of_the_activations_are_those_of_the_code() -> None:
    text = sections(BACKPROP)["2. The activation: a bend"]
    for number, value in (
        ("0.797885", activations.GELU_ROOT),
        ("0.134145", 3 * activations.GELU_CUBIC),
        ("1.050701", activations.SELU_SCALE),
        ("1.673263", activations.SELU_ALPHA),
    ):
        assert number in text
        assert float(number) == pytest.approx(value, abs=SIX_DECIMALS)


def test_the_network_worked_by_hand_is_what_the_package_computes() -> None:
    text = text_of(BACKPROP)
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
    text = sections(BACKPROP)["10. Trust, but check"]
    said = {name: float(value) for name, value in re.findall(r"^(\w+) = (0\.\d+)", text, flags=re.M)}
    assert set(said) == {"L_above", "L_below", "analytic"}
    snippet = re.search(r"```python\n(.*?x, y = [^\n]*)", sections(BACKPROP)["The same with Pellucid"], flags=re.S)
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
    rows = table(BACKPROP, "name")
    assert {row[0] for row in rows} == activations._BUILT_IN
    z = np.array([-1.0, 2.0])
    for name, _, _, *numbers in rows:
        a = ACTIVATIONS[name].value(z)
        expected = np.stack([a, ACTIVATIONS[name].derivative(z, a)], axis=1).ravel()
        said = [float(number) for number in numbers]
        np.testing.assert_allclose(said, expected, rtol=0, atol=FOUR_DECIMALS, err_msg=name)


def test_the_table_of_losses_is_right() -> None:
    rows = table(BACKPROP, "loss")
    assert [row[0] for row in rows] == ["mse", "mae", "huber"]
    for name, _, _, *numbers in rows:
        for error, (value, slope) in zip((0.5, -2.0), (numbers[:2], numbers[2:]), strict=True):
            loss, gradient = LOSSES[name]()(np.array([[error]]), np.array([[0.0]]))
            assert loss == pytest.approx(float(value), abs=1e-12)
            assert gradient[0, 0] == pytest.approx(float(slope), abs=1e-12)


def test_label_smoothing_and_weights_are_as_said() -> None:
    said = {name: number for name, _, number in equations(text_of(BACKPROP))}
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
    rows = np.array([[float(cell) for cell in row] for row in table(BACKPROP, "x")])
    x, h, y, dy, dx = rows.T
    layer = pl.BatchNormalization()
    parameters = {"gamma": np.ones(1), "beta": np.zeros(1)}
    out, cache = layer.forward(parameters, x[:, None], Context(training=True, dtype=np.dtype(np.float64)))
    back, gradients = layer.backward(parameters, cache, dy[:, None])
    line = re.search(r"^mean = 3 .*$", sections(BACKPROP)["Batch normalization"], flags=re.M)
    assert line
    said = {name: float(value) for name, value in re.findall(r"(\w+) = (-?[\d.]+)", line[0])}
    assert set(said) == {"mean", "v", "s", "dgamma", "dbeta"}
    _, inverse_std, mean, variance, *_ = cache
    computed_values = (mean, variance, 1 / inverse_std, gradients["gamma"], gradients["beta"])
    for name, value in zip(("mean", "v", "s", "dgamma", "dbeta"), computed_values, strict=True):
        assert value[0] == pytest.approx(said[name], abs=FOUR_DECIMALS), name
    for said_column, computed in ((h, cache[0]), (y, out), (dx, back)):
        np.testing.assert_allclose(said_column, computed[:, 0], rtol=0, atol=FOUR_DECIMALS)


def test_the_example_of_layer_normalization_is_that_of_batch_normalization() -> None:
    x, h, _, dy, dx = np.array([[float(cell) for cell in row] for row in table(BACKPROP, "x")]).T
    parameters = {"gamma": np.ones(3), "beta": np.zeros(3)}
    y, cache = pl.LayerNormalization().forward(parameters, x[None], Context(training=True, dtype=np.dtype(np.float64)))
    back, _ = pl.LayerNormalization().backward(parameters, cache, dy[None])
    np.testing.assert_allclose(y[0], h, rtol=0, atol=FOUR_DECIMALS)
    np.testing.assert_allclose(back[0], dx, rtol=0, atol=FOUR_DECIMALS)


def image(cell: str) -> np.ndarray:
    """``1 2 / 3 4`` as a batch of one image with one channel."""
    return np.array([[float(number) for number in row.split()] for row in cell.split("/")])[None, :, :, None]


def test_the_example_of_the_convolution_is_right() -> None:
    ((x, w, z, dz, dw, dx),) = [[image(cell) for cell in row] for row in table(BACKPROP, "image `x`")]
    layer, parameters = pl.Conv2D(1, 2, padding="valid", use_bias=False), {"weight": w[0][..., None]}
    out, cache = layer.forward(parameters, x, Context(training=True, dtype=np.dtype(np.float64)))
    back, gradients = layer.backward(parameters, cache, dz)
    for said, computed in ((z, out), (dx, back), (dw[0], gradients["weight"][..., 0])):
        np.testing.assert_array_equal(said, computed)


def test_the_table_of_poolings_is_right() -> None:
    rows = table(BACKPROP, "pooling")
    assert [row[0] for row in rows] == ["MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D"]
    for name, *cells in rows:
        x, y, dy, dx = (image(cell) for cell in cells)
        layer = getattr(pl, name)(*() if name.startswith("Global") else (2, 1))
        out, cache = layer.forward({}, x, Context(training=True, dtype=np.dtype(np.float64)))
        np.testing.assert_allclose(y.ravel(), out.ravel(), rtol=0, atol=FOUR_DECIMALS)
        np.testing.assert_array_equal(dx, layer.backward({}, cache, dy.reshape(out.shape))[0])


def test_the_size_of_windows_is_as_said() -> None:
    rows = table(BACKPROP, "pixels")
    assert len(rows) == 4
    for pixels, window, stride, *said in rows:
        for padding, windows in zip(("valid", "same"), said, strict=True):
            layer = pl.Conv2D(1, int(window), stride=int(stride), padding=padding)
            assert layer.output_shape((int(pixels), int(pixels), 1)) == (int(windows), int(windows), 1)


def test_what_a_shortcut_does_to_a_derivative_is_as_said() -> None:
    said = re.search(r"0\.1\^20 = (\S+) .*1\.1\^20 = (\S+)", sections(BACKPROP)["Residual blocks"])
    assert said
    assert float(said[1]) == pytest.approx(0.1**20)
    assert float(said[2]) == pytest.approx(1.1**20, abs=0.51e-2)


def test_the_table_of_optimizers_is_complete_and_right() -> None:
    rows = table(BACKPROP, "optimizer")
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
    for call, *numbers in table(BACKPROP, "schedule"):
        schedule = eval(call, names)
        for step, said in zip((0, 10, 30, 60, 99), numbers, strict=True):
            assert schedule.factor(Position(step, 100, 10)) == pytest.approx(float(said), abs=FOUR_DECIMALS), (call, step)


def test_the_prices_and_the_clipping_are_as_said() -> None:
    w = np.array([3.0, -0.5, 0.0])
    rows = re.findall(r"^\| `(L[12])` .*\| ([\d.]+) \| `\((.*?)\)` \|$", text_of(BACKPROP), flags=re.M)
    assert [row[0] for row in rows] == ["L2", "L1"]
    for name, penalty, gradient in rows:
        price = getattr(pl, name)(0.01)
        assert price.penalty(w) == pytest.approx(float(penalty))
        np.testing.assert_allclose(price.gradient(w), [float(number) for number in gradient.split(",")])
    said = re.search(r"`g = \((.*?)\)`.*?gives `\((.*?)\)`, the second `\((.*?)\)`", text_of(BACKPROP), flags=re.S)
    assert said
    for clipping, expected in ((pl.ClipByGlobalNorm(1.0), said[2]), (pl.ClipByValue(1.0), said[3])):
        g = np.array([float(number) for number in said[1].split(",")])
        clipping.clip(g)
        np.testing.assert_allclose(g, [float(number) for number in expected.split(",")])


# architecture.md


def modules() -> set[str]:
    """Every module of the package as a path: ``layers/dense.py``."""
    return {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}


def tiers() -> dict[str, int]:
    """Module -> number of its tier, from the tables of the document."""
    found: dict[str, int] = {}
    for heading, text in sections(ARCHITECTURE).items():
        tier = re.match(r"Tier (\d)", heading)
        if tier:
            for name in re.findall(r"^\| \[`([\w/]+\.py)`\]\(\.\./src/pellucid/\1\) \|", text, flags=re.M):
                assert name not in found, f"{name} stands in two tiers"
                found[name] = int(tier[1])
    return found


def imports_of(name: str) -> Iterator[str]:
    """The modules of the package that a module imports, at the top or later."""
    for node in ast.walk(ast.parse(text_of(PACKAGE / name))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pellucid":
            for alias in node.names:
                for dotted in (f"{node.module}.{alias.name}", node.module):
                    path = "/".join(str(dotted).split(".")[1:])
                    known = [p for p in (f"{path}.py", f"{path}/__init__.py".lstrip("/")) if (PACKAGE / p).is_file()]
                    if known:
                        yield known[0]
                        break


def test_every_module_has_its_line_and_every_line_its_module() -> None:
    assert set(tiers()) == modules()


def test_imports_never_point_to_a_higher_tier() -> None:
    tier = tiers()
    upward = [f"{name} -> {used}" for name in modules() for used in imports_of(name) if tier[used] > tier[name]]
    assert not upward
