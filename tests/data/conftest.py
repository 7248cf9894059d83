"""Real digits for the pipeline's tests: the first pictures of MNIST's test part, read without the package."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import pellucid.data
from pellucid.data.digits.digit_pipeline import DigitPipeline

MNIST = Path(pellucid.data.__file__).parent / "datasets" / "mnist"


@pytest.fixture(scope="session")
def mnist():
    """400 digits, uint8 (400, 28, 28)."""
    content = gzip.decompress((MNIST / "t10k-images-idx3-ubyte.gz").read_bytes())
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)[:400].copy()


@pytest.fixture(scope="session")
def pipeline(mnist):
    return DigitPipeline.fit(mnist)
