"""A studio that is killed: the next one has its runs again, and they go on bit for bit."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from pellucid.apps.studio.opening import open_session
from pellucid.apps.studio.session import Session
from pellucid.training.runs import cache

FIELDS = {"data": "spirals", "samples": 60, "epochs": 30, "dropout": 0.2}
KILLED = f"""
import os, signal
from pellucid.apps.studio.session import Session
from pellucid.training.runs import cache
cache.QUIET = 0.0
session = Session()
run = session.runs.create({FIELDS!r})
session.runs.create({{"data": "circles"}}, is_temporary=True).make_step()
for _ in range(17):
    run.make_step()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("pellucid.apps.studio.opening.digits_model", lambda folder, say: None)
    monkeypatch.setattr("pellucid.apps.studio.opening.Session", lambda models, photos, folder: Session({}, photos, folder))


def numbers(run):
    run.wait()
    return run.network.parameters.vector.tobytes()


def test_its_runs_go_on_where_they_were():
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (status,) = cache.in_cache()
    assert (status.state, status.step) == ("killed", 17)
    said = []
    session = open_session(said.append)
    assert said == ["run-1 is that of a studio that was killed, as it was after step 17"]
    run = session.runs.run("run-1")
    assert run.summary()["step"] == 17
    assert run.experiment.to_data()["samples"] == 60
    assert cache.in_cache()[0].state == "running"
    whole = Session().runs.create(FIELDS)
    for one in (run, whole):
        one.resume()
    assert numbers(run) == numbers(whole)
    run.mark_saved(run.model())
    assert cache.in_cache() == []


def test_what_is_deleted_is_forgotten(monkeypatch):
    monkeypatch.setattr(cache, "QUIET", 0.0)
    session = Session()
    run = session.runs.create(FIELDS)
    run.make_step()
    assert [status.step for status in cache.in_cache()] == [1]
    session.runs.delete(run.name)
    assert cache.in_cache() == []


def test_a_run_whose_data_are_gone_is_named_and_left_where_it_is(monkeypatch):
    assert subprocess.run([sys.executable, "-c", KILLED], capture_output=True, timeout=120).returncode < 0
    (status,) = cache.in_cache()
    path = status.folder / "settings.json"
    path.write_text(path.read_text().replace('"data_seed": 0', '"data_seed": 1'))
    said = []
    assert open_session(said.append).runs.names() == []
    assert "cannot be taken up" in said[0]
    assert "data was" in said[0]
    assert [status.state for status in cache.in_cache()] == ["killed"]
