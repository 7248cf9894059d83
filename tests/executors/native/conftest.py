"""Fixtures of the tests of the native executor."""

from __future__ import annotations

import pytest
from twins import ISAS


@pytest.fixture(params=ISAS)
def every_isa(request, monkeypatch):
    """The test runs with every instruction set of this machine."""
    monkeypatch.setenv("PELLUCID_ISA", request.param)
    return request.param
