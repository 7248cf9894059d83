"""What all tests share: one thread (so that times and bits do not depend on the machine), steady examples, a few real
digits, a table, and a web server with an empty cache."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from web_server import WebServer

import pellucid as pl

# A shell's background jobs ignore Ctrl-C, those of nohup a hangup, and so would all processes that tests start.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (getattr(signal, "SIGHUP", None), signal.SIG_DFL)):
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(scope="session")
def digits():
    """(x, y): 600 digits, uint8 (600, 28, 28); read-only, since all tests share them."""
    (x, y), _ = pl.datasets.digits()
    x, y = x[:600].copy(), y[:600].copy()
    x.flags.writeable = y.flags.writeable = False
    return x, y


@pytest.fixture(scope="session")
def table():
    """(x, y): a regression with four numbers a sample."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(90, 4))
    return x, x @ np.array([1.0, -2.0, 0.5, 3.0]) + 0.1 * rng.normal(size=90)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder `pellucid` inside a fresh cache; nothing of the user's own environment shows through."""
    monkeypatch.delenv("PELLUCID_DATA", raising=False)
    monkeypatch.setattr("pellucid.core.remote.cache_folder", lambda: tmp_path / "cache" / "pellucid")
    return tmp_path / "cache" / "pellucid"
