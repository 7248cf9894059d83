"""Model files of transfer that were changed by hand: each is refused in a sentence, or means what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from small_backbones import backbone, photos_of

import pellucid as pl
from pellucid.models.transfer.train_head import HeadOptions, train_head


@pytest.fixture
def path(tmp_path):
    photos = photos_of([8, 8])
    model = train_head(photos, backbone(), np.arange(16), np.zeros(0, np.int64), HeadOptions())
    model.save(tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


def forge(path, change):
    with safe_open(path, framework="numpy") as file:
        description = json.loads(file.metadata()["pellucid"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    change(description, tensors)
    save_file(tensors, path, metadata={"pellucid": json.dumps(description)})


def of_transfer(**fields):
    return lambda description, tensors: description["transfer"].update(fields)


WRONG = {
    "transfer, a list": lambda description, tensors: description.update(transfer=[]),
    "transfer, another class": lambda description, tensors: description.update(transfer={"type": "Dense", "units": 3}),
    "transfer, a field less": lambda description, tensors: description["transfer"].pop("sha256"),
    "transfer, a field more": of_transfer(path="/home"),
    "no name": of_transfer(network=3),
    "accuracy": of_transfer(accuracy=7.0),
    "strength": of_transfer(strength=-1.0),
    "count": of_transfer(count=0),
    "classes": of_transfer(classes=[[9, 8], [1, 8]]),
    "curve": of_transfer(curve=[3]),
    "losses": of_transfer(losses=[[0.1, "low"]]),
    "a loss alone": of_transfer(losses=[0.1]),
    "shared, a list": lambda description, tensors: description.update(shared=[]),
    "shared, empty": lambda description, tensors: description.update(shared={}),
    "shared, unknown": lambda description, tensors: description.update(shared={"network": "x", "sha256": "0"}),
    "shared, a path": lambda description, tensors: description.update(shared={"network": "../x", "sha256": ["0"]}),
    "shared, others": lambda description, tensors: description.update(
        shared={"network": "efficientnet-lite0", "sha256": "0" * 64}
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused(path, name):
    forge(path, WRONG[name])
    with pytest.raises(pl.ModelFileError):
        pl.load(path)


def test_numbers_of_float16_are_only_taken_from_a_file_that_says_so(path):
    def narrow(description, tensors):
        tensors["output.bias"] = tensors["output.bias"].astype(np.float16)

    forge(path, narrow)
    with pytest.raises(pl.ModelFileError, match="float32"):
        pl.load(path)
    forge(path, lambda description, tensors: description.update(format=3))
    assert pl.load(path).network.parameters["output.bias"].dtype == np.float32


def test_a_file_without_any_of_it_is_a_model_all_the_same(path):
    before = pl.load(path)
    forge(path, lambda description, tensors: description.pop("transfer"))
    after = pl.load(path)
    assert (after.transfer, before.transfer is None) == (None, False)
    np.testing.assert_array_equal(after.network.parameters.vector, before.network.parameters.vector)
