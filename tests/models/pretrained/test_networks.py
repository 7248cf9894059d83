"""EfficientNet-Lite0 as it comes with the package: the numbers of another program, and an ordinary network of ours."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from trace_checks import check_trace

import pellucid as pl
from pellucid.models.pretrained import weights
from pellucid.models.pretrained.efficientnet import efficientnet_lite0

ROOT = Path(__file__).parents[3]
ROW, COLUMN, CHANNEL = np.indices((224, 224, 3))
PICTURE = ((3 * ROW + 5 * COLUMN + 40 * CHANNEL + ROW * COLUMN // 16) % 256).astype(np.uint8)

# The logits of classes 0, 50, 100, ... for this picture, their sum and the sum of their squares over all 1,000 classes. By
# PyTorch 2.13 in float64 (conv2d, batch_norm and relu6 as functions) from the published .pth file, rounded to float16.
LOGITS = [
    *(1.881147850228, -0.182305978259, -0.336436497275, -0.44902858176, 1.252563272501, -0.995936725648, -0.023620108844),
    *(-0.310456726562, -0.168286197571, -0.467205487062, 0.218881701403, -0.95679504507, 3.432093001196, 4.275135517273),
    *(0.80324744047, -0.384083771601, 1.750074988012, -1.309452560496, -0.751602594241, -0.042166543929),
]
SUM, SQUARES = -95.8774678450821, 2109.2748451573857
BEST, PROBABILITY = 506, 0.9007021135823075


@pytest.fixture(scope="module")
def model():
    return pl.pretrained("efficientnet-lite0")


def sized(network, side, dtype):
    """The same layers and weights for smaller pictures: the mean over all places takes any number of them."""
    layers = [pl.Input(side, side, 3), *network.layers[1:]]
    return pl.Network(layers, dtype=dtype, arrays={**network.parameters, **network.state})


def test_the_logits_are_those_of_another_program(model):
    logits = model.network.twin("float64").forward(PICTURE[None])[0]
    np.testing.assert_allclose(logits[::50], LOGITS, rtol=0, atol=1e-9)
    assert logits.sum() == pytest.approx(SUM, abs=1e-9)
    assert np.square(logits).sum() == pytest.approx(SQUARES, abs=1e-8)
    assert logits.argmax() == BEST


def test_the_native_answer_is_the_same_to_the_rounding_of_float32(model):
    assert model.network.engine == "native"
    found = model.predict(PICTURE)
    assert found.label == pl.datasets.imagenet_labels[BEST] == "coil, spiral, volute, whorl, helix"
    assert found.probability == pytest.approx(PROBABILITY, abs=2e-5)
    np.testing.assert_array_equal(found.seen, PICTURE)


def test_a_picture_of_any_size_is_brought_to_that_of_the_network(model):
    wide = np.repeat(np.repeat(PICTURE, 3, axis=0), 3, axis=1)
    found = model.predict([np.pad(wide, ((0, 0), (100, 100), (0, 0))), PICTURE])
    assert [one.label for one in found] == [pl.datasets.imagenet_labels[BEST]] * 2


def test_it_is_a_network_like_any_other(model, tmp_path):
    """Saved and loaded with nothing but the catalogue, with equal bits."""
    model.save(tmp_path / "photos.safetensors")
    again = pl.load(tmp_path / "photos.safetensors")
    assert (again.labels, again.pipeline, again.network.layers) == (model.labels, model.pipeline, model.network.layers)
    np.testing.assert_array_equal(again.predict(PICTURE).probabilities, model.predict(PICTURE).probabilities)


def test_the_exact_contributions_of_a_small_picture_add_up(model):
    small = sized(model.network, 32, "float64")
    found = pl.attribute(small, PICTURE[None, :32, :32], target=BEST)
    assert found.method == "exact"
    assert abs(found.gap[0]) < 1e-9 * abs(found.score[0])


@pytest.fixture(scope="module")
def front(model):
    """Its first parts (stem, two blocks, a residual block) for small pictures, with the weights that they have in it."""
    layers = [pl.Input(12, 12, 3), *model.network.layers[1:15]]
    assert isinstance(layers[-1], pl.Residual)
    network = pl.Network([*layers, pl.GlobalAveragePooling2D(), pl.Classification(3)], dtype="float64")
    for holder, whole in ((network.parameters, model.network.parameters), (network.state, model.network.state)):
        for name in holder:
            if not name.startswith("output."):
                holder[name] = whole[name]
    return network


SMALL = np.stack([PICTURE[k : k + 12, 3 * k : 3 * k + 12] for k in range(0, 40, 10)])


def test_its_gradients_are_right(front):
    """The shift behind the first block goes through a 1x1 convolution into a batch normalization, which takes it out again:
    its gradient is 0, and what differences give there is rounding."""
    report = pl.gradcheck(front, SMALL, np.arange(4) % 3, directions=2, raise_error=False)
    rows = {row.name: row for row in report.rows}
    shift = rows.pop("batch_normalization_3.beta")
    assert abs(shift.analytic) < 1e-12
    assert abs(shift.numeric) < 1e-6
    assert {row.verdict for row in rows.values()} == {"right"}
    assert max(row.error for row in rows.values()) < 1e-6


def test_every_number_of_a_trace_through_it_is_right(front):
    """Computed again in plain Python, by a program that knows neither NumPy nor the package."""
    trace = front.trace(SMALL[:1], [2], pl.Adam(), training=False).to_json()
    assert check_trace.check_trace(json.loads(trace)).faults == []


def test_another_number_of_classes_changes_only_the_last_layer():
    ours, theirs = efficientnet_lite0(5), efficientnet_lite0()
    assert ours[:-1] == theirs[:-1]
    assert ours[-1] == pl.Classification(5)


def test_an_unknown_name_is_answered_with_the_known_one():
    with pytest.raises(pl.ArgumentError, match=r"unknown pretrained network 'resnet'.*efficientnet-lite0"):
        pl.pretrained("resnet")


@pytest.mark.parametrize("fault", ["missing", "cut", "an array less", "an array of another shape", "no number"])
def test_a_damaged_file_is_told_in_a_sentence(fault, tmp_path, monkeypatch):
    file = tmp_path / "weights.safetensors"
    shutil.copy(weights.WEIGHTS, file)
    arrays = load_file(file)
    if fault == "missing":
        file.unlink()
    elif fault == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    elif fault == "an array less":
        save_file({name: array for name, array in arrays.items() if name != "output.bias"}, file)
    elif fault == "an array of another shape":
        save_file(arrays | {"output.bias": arrays["output.bias"][:999]}, file)
    else:
        save_file(arrays | {"output.bias": arrays["output.bias"] * np.float16(np.nan)}, file)
    monkeypatch.setattr(weights, "WEIGHTS", file)
    with pytest.raises(pl.ModelFileError, match=r"weights of efficientnet-lite0, .* cannot be read \(.*install Pellucid"):
        pl.pretrained()


def test_the_files_are_small_and_their_licences_are_in_the_package():
    assert all(array.dtype == np.float16 for array in load_file(weights.WEIGHTS).values())
    assert Path(str(weights.WEIGHTS)).stat().st_size < 9_500_000
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license-files"]
    for folder in ("models/pretrained/efficientnet-lite0", "data/datasets/imagenet"):
        assert f"src/pellucid/{folder}/LICENSE.md" in listed
        assert (ROOT / f"src/pellucid/{folder}/LICENSE.md").is_file()
