"""The lock: one holder at a time, released whatever happens."""

from __future__ import annotations

import errno
import threading
import time

import pytest

from pellucid.core import locks
from pellucid.core.errors import DataError
from pellucid.core.locks import file_lock


def test_one_holder_at_a_time(tmp_path):
    inside, most, entries = 0, 0, 0

    def work():
        nonlocal inside, most, entries
        with file_lock(tmp_path / "lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1
            entries += 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (most, entries) == (1, 5)


def test_patience_ends_with_the_name_of_the_lock(tmp_path):
    with file_lock(tmp_path / "lock"):
        begin = time.monotonic()
        with pytest.raises(DataError, match=r"lock for 0\.15 s"), file_lock(tmp_path / "lock", patience=0.15):
            pytest.fail("entered while held")
        assert 0.1 < time.monotonic() - begin < 2


def test_released_after_an_error(tmp_path):
    with pytest.raises(KeyError), file_lock(tmp_path / "lock"):
        raise KeyError
    with file_lock(tmp_path / "lock", patience=0):
        pass


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "_try_lock", refuse)
    entered = False
    with file_lock(tmp_path / "lock"):
        entered = True
    assert entered
