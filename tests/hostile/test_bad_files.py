"""Files that are no model, or a damaged or hostile one: refused with `ModelFileError`, quickly, and nothing is run.

The vectors are those of published holes in other packages: pickles (CVE-2019-6446, CVE-2025-32434), code, paths and
addresses named in a description (CVE-2025-1550, CVE-2025-12058), declared shapes that allocate everything (CVE-2026-0897).
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

import pellucid as pl

HUGE = 10**9


def first_layer(**fields):
    """A change of the description: fields of the dense layer."""
    return lambda description, tensors: description["network"]["layers"][1].update(fields)


def put(*path, value):
    def change(description, tensors):
        place = description
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def drop(*path):
    def change(description, tensors):
        place = description
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


def tensor(name, make):
    return lambda description, tensors: tensors.__setitem__(name, make(tensors.get(name)))


def without(name):
    return lambda description, tensors: tensors.pop(name)


def spoiled(value):
    def make(array):
        array = array.copy()
        array.flat[0] = value
        return array

    return make


def nested_regularizer(depth):
    penalty = {"type": "L2", "strength": 0.1}
    for _ in range(depth):
        penalty = {"type": "Sum", "first": penalty, "second": {"type": "L1", "strength": 0.1}}
    return penalty


def row(name, change, *words):
    return pytest.param(change, words, id=name)


HOSTILE = [
    row("newer format", put("format", value=4), "format 4", "up to format 3", "pip install --upgrade pellucid"),
    row("no format", drop("format"), "damaged", "format"),
    row("format text", put("format", value="1"), "damaged", "format"),
    row("no network", drop("network"), "network"),
    row("network a list", put("network", value=[]), "damaged"),
    row("network text", put("network", value="sequential"), "damaged"),
    row("no layers", put("network", "layers", value=[]), "first layer must be Input"),
    row("layers a text", put("network", "layers", value="dense"), "description"),
    row("layers a number", put("network", "layers", value=5), "damaged"),
    row("layer a path", put("network", "layers", 1, value="/etc/passwd"), "/etc/passwd", "description"),
    row("unknown layer", first_layer(type="Conv9D"), "'Conv9D'", "not a known type", "pl.register"),
    row("layer os.system", first_layer(type="os.system"), "'os.system'", "not a known type"),
    row("layer a lambda", first_layer(type="Lambda", function="exec"), "'Lambda'", "not a known type"),
    row("layer a dotted class", first_layer(type="pellucid.nn.layers.dense.Dense"), "not a known type"),
    row("layer a dunder", first_layer(type="__class__"), "not a known type"),
    row("layer an optimizer", first_layer(type="Adam"), "'Adam'", "not a known type here"),
    row("layer an address", first_layer(type="http://169.254.169.254/latest"), "not a known type"),
    row("layer type a list", first_layer(type=["Dense"]), "type"),
    row("activation a module", first_layer(activation="os.system"), "unknown activation 'os.system'"),
    row("activation a file", first_layer(activation="file:///etc/passwd"), "unknown activation"),
    row("activation an object", first_layer(activation={"type": "Adam"}), "activation"),
    row("initializer a path", first_layer(initializer="/tmp/x.npy"), "unknown initializer"),
    row("initializer a layer", first_layer(initializer={"type": "Dense", "units": 3}), "Initializer"),
    row("regularizer text", first_layer(regularizer="__import__('os')"), "unknown regularizer"),
    row("regularizer nested deeply", first_layer(regularizer=nested_regularizer(400)), "forged"),
    row("unknown field", first_layer(kernel_path="/etc/passwd"), "kernel_path"),
    row("field __class__", first_layer(__class__="x"), "__class__"),
    row("missing field", drop("network", "layers", 1, "units"), "units"),
    row("units text", first_layer(units="3"), "Dense(units)"),
    row("units negative", first_layer(units=-3), "Dense(units)"),
    row("units list", first_layer(units=[3]), "Dense(units)"),
    row("units do not fit", first_layer(units=4), "dense_1.weight", "(4, 3)", "(4, 4)"),
    row("units huge", first_layer(units=HUGE), "forged"),
    row("units astronomical", first_layer(units=10**30), "forged"),
    row("units of 4,000 digits", first_layer(units=10**4000), "forged"),
    row("input huge", put("network", "layers", 0, "shape", value=[HUGE]), "forged"),
    row("input astronomical", put("network", "layers", 0, "shape", value=[10**400]), "forged"),
    row("input many axes", put("network", "layers", 0, "shape", value=[1] * 70), "forged"),
    row("input text", put("network", "layers", 0, "shape", value="4"), "Input"),
    row("classes huge", put("network", "layers", 2, "num_values", value=1 << 24), "forged"),
    row("dtype half", put("network", "dtype", value="float16"), "float32", "float16"),
    row("dtype other", put("network", "dtype", value="float64"), "float64"),
    row("dtype object", put("network", "dtype", value="O"), "dtype"),
    row("dtype none", put("network", "dtype", value=None), "forged"),
    row("seed text", put("network", "seed", value="0"), "seed"),
    row("seed float", put("network", "seed", value=0.5), "seed"),
    row("labels for a regression", put("labels", value=["a", "b"]), "labels"),
    row("labels a number", put("labels", value=3), "forged"),
    row("labels objects", put("labels", value=[{"a": 1}]), "labels"),
    row("pipeline a layer", put("pipeline", value={"type": "Dense", "units": 3}), "'Dense'"),
    row("pipeline an address", put("pipeline", value="http://localhost/"), "description"),
    row("pipeline of another size", put("pipeline", value={"type": "DigitPipeline"}), "28x28", "(4,)"),
    row("pipeline huge", put("pipeline", value={"type": "DigitPipeline", "size": HUGE}), "DigitPipeline"),
    row("optimizer a layer", put("progress", "optimizer", value={"type": "Flatten"}), "'Flatten'"),
    row("optimizer rate", put("progress", "optimizer", "learning_rate", value=-1), "learning_rate"),
    row("optimizer other slots", put("progress", "optimizer", value={"type": "RMSProp"}), "optimizer"),
    row("optimizer gone, slots there", put("progress", "optimizer", value=None), "optimizer"),
    row("epoch negative", put("progress", "epoch", value=-1), "-1"),
    row("step fraction", put("progress", "step", value=1.5), "1.5"),
    row("updates True", put("progress", "updates", value=True), "True"),
    row("progress gone", drop("progress"), "progress"),
    row("settings a list", put("progress", "settings", value=[1]), "damaged"),
    row("history a number", put("history", value=7), "damaged"),
    row("history of texts", put("history", value=[{"loss": "low"}]), "damaged"),
    row("tensor missing", without("dense_1.bias"), "dense_1.bias", "missing"),
    row("tensor extra", tensor("dense_9.weight", lambda _: np.zeros(3, np.float32)), "dense_9.weight"),
    row("tensor a path", tensor("../../etc/passwd", lambda _: np.zeros(3, np.float32)), "../../etc/passwd"),
    row("tensor NaN", tensor("dense_1.weight", spoiled(np.nan)), "dense_1.weight", "finite"),
    row("tensor infinite", tensor("output.bias", spoiled(np.inf)), "output.bias", "finite"),
    row(
        "tensor transposed",
        tensor("dense_1.weight", lambda a: np.ascontiguousarray(a.T)),
        "dense_1.weight",
        "(3, 4)",
        "(4, 3)",
    ),
    row("tensor flat", tensor("dense_1.weight", np.ravel), "dense_1.weight", "(12,)"),
    row("tensor float16", tensor("dense_1.weight", lambda a: a.astype(np.float16)), "float32"),
    row("tensor float64", tensor("dense_1.weight", lambda a: a.astype(np.float64)), "float32"),
    row("tensor int", tensor("dense_1.weight", lambda a: a.astype(np.int32)), "float32"),
    row("tensor bool", tensor("output.bias", lambda a: a > 0), "float32"),
    row("slot missing", without("optimizer.m"), "optimizer"),
    row("slot extra", tensor("optimizer.velocity", lambda _: np.zeros(23, np.float32)), "optimizer"),
    row("slot too short", tensor("optimizer.v", lambda a: a[:-1]), "optimizer"),
    row("slot of another type", tensor("optimizer.v", lambda a: a.astype(np.float64)), "optimizer"),
    row("slot NaN", tensor("optimizer.m", spoiled(np.nan)), "optimizer"),
    row("slot of squares negative", tensor("optimizer.v", spoiled(-1.0)), "optimizer"),
]


@pytest.mark.parametrize(("change", "words"), HOSTILE)
def test_a_hostile_description_is_refused_quickly_and_without_memory(forge, change, words):
    path = forge(change)
    start = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(pl.ModelFileError) as caught:
            pl.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    missing = [word for word in ("forged.safetensors", *words) if word not in message]
    assert not missing, f"{missing} not in: {message}"
    assert len(message) < 10_000
    assert "Traceback" not in message
    assert peak < 20 << 20, f"{peak:,} bytes were allocated for a file of {path.stat().st_size:,}"
    assert time.monotonic() - start < 5


def test_the_forged_file_loads_when_nothing_is_changed(kit, forge):
    """Else every row above could pass for the wrong reason."""
    loaded = pl.load(forge()).network
    np.testing.assert_array_equal(loaded.predict(kit.table_x), kit.regression.predict(kit.table_x))


def test_a_negative_moving_variance_is_refused(kit, tmp_path):
    """Its square root is NaN: every answer would be NaN, without a word."""
    network = pl.Network([pl.Input(4), pl.BatchNormalization(), pl.Classification(3)])
    path = tmp_path / "normal.safetensors"
    network.save(path)
    assert np.isfinite(pl.load(path).network.predict_proba(kit.table_x)).all()
    network.state.vector[...] = -1.0
    network.save(path)
    with pytest.raises(pl.ModelFileError, match="moving_variance"):
        pl.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        '"format"',
        "{'format': 1}",
        "[" * 100_000,
        '{"format": 1, "network": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
        '{"format": ' + "9" * 5000 + "}",
        '{"format": 1e999}',
        '{"format": NaN}',
        " " * (17 << 20),
    ],
    ids=lambda text: text[:24].strip() or f"{len(text)} spaces",
)
def test_a_damaged_description_is_refused(forge, text):
    with pytest.raises(pl.ModelFileError, match=r"forged\.safetensors"):
        pl.load(forge(text=text))


def bfloat16(path):
    """A file by hand, in a type that NumPy does not have."""
    header = json.dumps(
        {"__metadata__": {"pellucid": '{"format": 1}'}, "a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")


def foreign(path):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, path)


def foreign_with_metadata(path):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, path, metadata={"format": "pt"})


class Bomb:
    """A pickle that would leave a trace if anybody unpickled it."""

    def __reduce__(self):
        return (os.mkdir, ("unpickled",))


def npz(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"module": "os", "class_name": "system"}')
        archive.writestr("../../evil.py", "import os")


def claims_a_huge_header(path):
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")


def claims_a_huge_tensor(path):
    header = json.dumps(
        {
            "__metadata__": {"pellucid": '{"format": 1}'},
            "a": {"dtype": "F32", "shape": [HUGE, HUGE], "data_offsets": [0, 4]},
        }
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")


FILES = {
    "missing": (lambda path: None, "does not exist"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "empty": (lambda path: path.write_bytes(b""), "not a model file"),
    "text": (lambda path: path.write_text("hello, I am a model " * 50), "not a model file"),
    "json": (lambda path: path.write_text('{"format": 1}'), "not a model file"),
    "pickle": (lambda path: path.write_bytes(pickle.dumps(Bomb())), "not a model file"),
    "npz": (npz, "not a model file"),
    "zip": (zipped, "not a model file"),
    "picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)), "not a model file"),
    "foreign safetensors": (foreign, "not one that Pellucid wrote"),
    "foreign with metadata": (foreign_with_metadata, "not one that Pellucid wrote"),
    "bfloat16": (bfloat16, "type"),
    "huge header": (claims_a_huge_header, "not a model file"),
    "huge tensor": (claims_a_huge_tensor, "not a model file"),
    "dangling link": (lambda path: path.symlink_to(path.parent / "gone"), "does not exist"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_model_file_is_refused(tmp_path, monkeypatch, name):
    make, words = FILES[name]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "thing.safetensors"
    make(path)
    with pytest.raises(pl.ModelFileError) as caught:
        pl.load(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "unpickled").exists()


def test_a_device_is_not_called_missing():
    with pytest.raises(pl.ModelFileError) as caught:
        pl.load("/dev/null")
    assert "does not exist" not in str(caught.value)


def test_a_file_cut_off_anywhere_is_refused(kit, tmp_path):
    whole = kit.file.read_bytes()
    path = tmp_path / "cut.safetensors"
    for length in sorted(
        {*range(24), *range(24, len(whole), max(1, len(whole) // 150)), *range(len(whole) - 24, len(whole))}
    ):
        path.write_bytes(whole[:length])
        with pytest.raises(pl.ModelFileError, match=r"cut\.safetensors"):
            pl.load(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(pl.ModelFileError):
        pl.load(path)
    path.write_bytes(whole)
    pl.load(path)
