"""What the tests of the gradient check share."""

from __future__ import annotations

import pytest

from pellucid.mathematics.activations import ACTIVATIONS


@pytest.fixture
def clean_table():
    before = dict(ACTIVATIONS)
    yield
    ACTIVATIONS.clear()
    ACTIVATIONS.update(before)
