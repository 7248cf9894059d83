"""MNIST as shipped is MNIST as published."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

from pellucid.data.datasets import digits


@pytest.fixture(scope="module")
def mnist():
    return digits()


# The checksums by which torchvision knows the four files.
@pytest.mark.parametrize(
    ("name", "md5"),
    [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ],
)
def test_the_shipped_files_are_the_published_ones(name, md5):
    data = (resources.files("pellucid.data.datasets") / "mnist" / name).read_bytes()
    assert hashlib.md5(data).hexdigest() == md5


def test_the_licence_travels_with_the_files():
    text = (resources.files("pellucid.data.datasets") / "mnist" / "LICENSE.md").read_text(encoding="utf-8")
    assert "CC BY-SA 3.0" in text


def test_shapes_and_types(mnist):
    (x, y), (x_test, y_test) = mnist
    assert (x.shape, x.dtype) == ((60_000, 28, 28), np.uint8)
    assert (y.shape, y.dtype) == ((60_000,), np.int64)
    assert (x_test.shape, x_test.dtype) == ((10_000, 28, 28), np.uint8)
    assert (y_test.shape, y_test.dtype) == ((10_000,), np.int64)


def test_the_classes_are_as_many_as_published(mnist):
    (_, y), (_, y_test) = mnist
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(y).tolist() == train
    assert np.bincount(y_test).tolist() == test
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_brightness_is_as_published(mnist):
    (x, _), _ = mnist  # mean 0.1307 and deviation 0.3081 are the numbers by which PyTorch's examples normalise
    assert x.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert x.std(dtype=np.float64) / 255 == pytest.approx(0.3081, abs=5e-5)


def test_digits_stand_upright_with_their_own_labels(mnist):
    (x, y), _ = mnist
    ink = x.astype(np.float32)
    rows, columns = ink.sum(2) > 0, ink.sum(1) > 0
    ones = y == 1
    assert rows[ones].sum(1).mean() > 2 * columns[ones].sum(1).mean()  # a one is tall; transposed it would be wide
    zero, one = ink[y == 0].mean(0), ink[ones].mean(0)
    assert zero[14, 14] < 20 < 200 < one[14, 14]  # a zero is empty in the middle, a one is not


def test_every_call_gives_fresh_arrays(mnist):
    (x, _), _ = digits()
    x[:] = 0
    (again, _), _ = digits()
    np.testing.assert_array_equal(again, mnist[0][0])


def test_importing_the_collections_brings_no_network_client():
    clients = ("http.client", "ssl", "urllib.request")
    code = f"import sys, pellucid.data.datasets; print([m for m in {clients} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
