"""Model files with any byte flipped, and any value in their description changed: valid, or refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid as pl


@pytest.fixture(scope="module")
def valid(table, tmp_path_factory):
    """The bytes of a small valid file: about a third is the description."""
    x, y = table
    network = pl.Network([pl.Input(4), pl.Dense(3, "relu"), pl.Dropout(0.1), pl.Regression()], seed=1)
    network.fit(x, y, epochs=1, progress="none")
    path = tmp_path_factory.mktemp("valid") / "m.safetensors"
    network.save(path, optimizer_state=True)
    return path.read_bytes()


def load_or_refuse(data, folder):
    """The network if the bytes still are a model, None if they were refused; any other error fails the test."""
    path = folder / "damaged.safetensors"
    path.write_bytes(data)
    try:
        model = pl.load(path)
    except pl.ModelFileError:
        return None
    network = model.network
    assert np.isfinite(network.parameters.vector).all()
    for vector in network.training_state.optimizer_state.slots.values():
        assert np.isfinite(vector).all()
    str(network), repr(network), repr(model.network.history)
    with np.errstate(all="ignore"):  # a flipped exponent is a valid, if huge, number
        assert network.predict(np.ones((2, 4))).shape == (2,)
    return network


@settings(max_examples=400)
@given(st.data())
def test_flipped_bytes_are_a_valid_model_or_a_model_file_error(valid, tmp_path_factory, data):
    header = 8 + struct.unpack("<Q", valid[:8])[0]
    where = st.one_of(st.integers(0, 7), st.integers(8, header - 1), st.integers(header, len(valid) - 1))
    flips = data.draw(st.lists(st.tuples(where, st.integers(1, 255)), min_size=1, max_size=4))
    damaged = bytearray(valid)
    for place, mask in flips:
        damaged[place] ^= mask
    load_or_refuse(bytes(damaged), tmp_path_factory.getbasetemp())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["Dense", "Input", "L2", "os.system", "relu", "float64", ""])
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "units", "shape", "rate", "a"]), inner)
    ),
    max_leaves=6,
)


def places(value, path=()):
    """The paths of everything inside plain data."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@settings(max_examples=400)
@given(st.data())
def test_any_other_value_anywhere_in_the_description_is_valid_or_refused(valid, tmp_path_factory, data):
    length = struct.unpack("<Q", valid[:8])[0]
    header, tensors = json.loads(valid[8 : 8 + length]), valid[8 + length :]
    description = json.loads(header["__metadata__"]["pellucid"])
    path = data.draw(st.sampled_from([p for p in places(description) if p]))
    holder = description
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = data.draw(JSON)
    header["__metadata__"]["pellucid"] = json.dumps(description)
    text = json.dumps(header).encode()
    load_or_refuse(struct.pack("<Q", len(text)) + text + tensors, tmp_path_factory.getbasetemp())
