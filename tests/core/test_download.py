"""The downloader against a server that may be slow, forgetful, wrong, hostile or gone."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pellucid.core.download import fetch
from pellucid.core.errors import ArgumentError, DataError

BODY = bytes(i * i % 251 for i in range(300_000))
HALF = len(BODY) // 2
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "deep" / "folder" / "data.bin"


def visible(target: Path) -> list[str]:
    """What lies beside the file, apart from the lock."""
    return sorted(name for name in os.listdir(target.parent) if not name.endswith(".lock"))


def test_the_file_arrives_and_is_not_fetched_twice(web, target):
    web.answers["/a"] = web.ranged(BODY)
    assert fetch(web.address + "/a", SHA256, target) == target
    assert target.read_bytes() == BODY
    assert visible(target) == ["data.bin"]
    fetch(web.address + "/a", SHA256.upper(), target)
    assert web.requests == [("/a", None)]


def test_progress_ends_at_the_whole_and_never_falls(web, target):
    web.answers["/a"] = web.ranged(BODY)
    seen = []
    fetch(web.address + "/a", SHA256, target, progress=lambda *news: seen.append(news))
    assert {(name, total) for name, _, total in seen} == {("data.bin", len(BODY))}
    received = [count for _, count, _ in seen]
    assert received == sorted(received)
    assert len(received) > 1
    assert received[-1] == len(BODY)


def test_nothing_is_printed(web, target, capfd):
    web.answers["/a"] = web.ranged(BODY)
    fetch(web.address + "/a", SHA256, target)
    assert capfd.readouterr() == ("", "")


def test_a_wrong_file_is_refused_and_the_old_one_stays(web, target):
    web.answers["/a"] = web.whole(b"<html>please log in</html>")
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    found = hashlib.sha256(b"<html>please log in</html>").hexdigest()
    with pytest.raises(DataError, match=f"26 bytes with the SHA-256 {found}; expected {SHA256}"):
        fetch(web.address + "/a", SHA256, target)
    assert visible(target) == ["data.bin"]
    assert target.read_bytes() == b"old"


def test_a_damaged_file_under_the_final_name_is_replaced(web, target):
    web.answers["/a"] = web.ranged(BODY)
    target.parent.mkdir(parents=True)
    target.write_bytes(BODY[:-1])
    fetch(web.address + "/a", SHA256, target)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_a_refusal_is_reported_with_its_number(web, target, status):
    web.answers["/a"] = lambda handler: web.header(handler, status, Content_Length=0)
    with pytest.raises(DataError, match=f"/a answered {status}"):
        fetch(web.address + "/a", SHA256, target)
    assert visible(target) == []


def test_no_connection(web, target):
    web.close()
    with pytest.raises(DataError, match=r"cannot be reached: .*[Rr]efused"):
        fetch(web.address + "/a", SHA256, target)
    assert visible(target) == []


def test_a_server_that_speaks_no_http(web, target):
    web.answers["/a"] = lambda handler: handler.wfile.write(b"220 mail ready\r\n")
    with pytest.raises(DataError, match="cannot be reached"):
        fetch(web.address + "/a", SHA256, target)


class TestBrokenConnections:
    def test_goes_on_within_the_call(self, web, target):
        web.answers["/a"] = web.in_turn(web.ranged(BODY, HALF), web.ranged(BODY))
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY
        assert web.requests == [("/a", None), ("/a", f"bytes={HALF}-")]

    def test_goes_on_in_the_next_call(self, web, target):
        # First half the file, then nothing more: the call gives up and says so; the next one asks for the rest alone.
        web.answers["/a"] = web.in_turn(web.ranged(BODY, HALF), web.ranged(BODY, 0), web.ranged(BODY))
        with pytest.raises(DataError, match=f"broke off after {HALF} bytes .*the next call goes on"):
            fetch(web.address + "/a", SHA256, target)
        assert visible(target) == ["data.bin.part"]
        assert (target.parent / "data.bin.part").read_bytes() == BODY[:HALF]
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY
        assert visible(target) == ["data.bin"]
        assert web.requests[-1] == ("/a", f"bytes={HALF}-")
        assert len(web.requests) == 3

    def test_a_server_that_keeps_breaking_is_given_up(self, web, target):
        web.answers["/a"] = web.ranged(BODY, 1000)
        with pytest.raises(DataError, match="broke off after 4000 bytes"):
            fetch(web.address + "/a", SHA256, target)
        assert len(web.requests) == 4

    def test_a_server_that_ignores_the_range_makes_it_begin_anew(self, web, target):
        web.answers["/a"] = web.in_turn(web.ranged(BODY, HALF), web.whole(BODY))
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY
        assert web.requests[1] == ("/a", f"bytes={HALF}-")

    def test_a_server_that_sends_another_range_makes_it_begin_anew(self, web, target):
        def elsewhere(handler):
            web.header(handler, 206, Content_Length=5, Content_Range=f"bytes 7-11/{len(BODY)}")
            handler.wfile.write(BODY[7:12])

        web.answers["/a"] = web.in_turn(web.ranged(BODY, HALF), elsewhere, web.ranged(BODY))
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY
        web.answers["/b"] = elsewhere
        with pytest.raises(DataError, match="another part of the file than was asked for"):
            fetch(web.address + "/b", "0" * 64, target)

    @pytest.mark.parametrize("left", [b"x" * HALF, b"x" * (len(BODY) + 5)], ids=["shorter", "longer"])
    def test_a_foreign_partial_file_is_thrown_away(self, web, target, left):
        web.answers["/a"] = web.ranged(BODY)
        target.parent.mkdir(parents=True)
        (target.parent / "data.bin.part").write_bytes(left)
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY
        assert web.requests == [("/a", f"bytes={len(left)}-"), ("/a", None)]

    def test_a_complete_partial_file_needs_no_server(self, web, target):
        web.close()
        target.parent.mkdir(parents=True)
        (target.parent / "data.bin.part").write_bytes(BODY)
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY
        assert visible(target) == ["data.bin"]

    def test_a_killed_process_leaves_bytes_to_go_on_from_and_no_lock(self, web, target):
        stopped = threading.Event()

        def stall(handler):
            web.header(handler, 200, Content_Length=len(BODY))
            handler.wfile.write(BODY[:HALF])
            handler.wfile.flush()
            stopped.wait(10)

        web.answers["/a"] = web.in_turn(stall, web.ranged(BODY))
        process = start(web.address + "/a", target)
        part = target.parent / "data.bin.part"
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not (part.exists() and part.stat().st_size > 0):
            time.sleep(0.01)
        process.kill()
        process.communicate()
        stopped.set()
        assert not target.exists()
        kept = part.stat().st_size
        assert 0 < kept <= HALF
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY
        assert web.requests[-1] == ("/a", f"bytes={kept}-")


class TestSilence:
    def test_before_the_answer(self, web, target):
        wake = threading.Event()
        web.answers["/a"] = lambda handler: wake.wait(10)
        begin = time.monotonic()
        with pytest.raises(DataError, match=r"cannot be reached: .*timed out"):
            fetch(web.address + "/a", SHA256, target, timeout=0.2)
        assert time.monotonic() - begin < 3
        wake.set()

    def test_in_the_middle(self, web, target):
        wake = threading.Event()

        def stall(handler):
            web.header(handler, 200, Content_Length=len(BODY))
            handler.wfile.write(BODY[:HALF])
            handler.wfile.flush()
            wake.wait(10)

        web.answers["/a"] = web.in_turn(stall, web.ranged(BODY))
        fetch(web.address + "/a", SHA256, target, timeout=0.3)
        wake.set()
        assert target.read_bytes() == BODY
        assert int(web.requests[1][1].removeprefix("bytes=").removesuffix("-")) > 0


class TestRedirections:
    def test_to_the_same_server_is_followed(self, web, target):
        web.answers["/a"] = lambda handler: web.header(handler, 302, Location="/b")
        web.answers["/b"] = web.ranged(BODY)
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY

    @pytest.mark.parametrize("place", ["file://{}", "ftp://127.0.0.1/{}", "data:text/plain,{}"])
    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_to_anything_but_http_is_refused(self, web, target, tmp_path, place, code):
        secret = tmp_path / "secret"
        secret.write_bytes(BODY)  # even with the right content
        web.answers["/a"] = lambda handler: web.header(handler, code, Location=place.format(secret))
        with pytest.raises(DataError, match=f"answered {code}"):
            fetch(web.address + "/a", SHA256, target)
        assert visible(target) == []

    @pytest.mark.parametrize("place", ["http://[", "http://127.0.0.1:port/", "http://" + "a" * 300 + "/"])
    def test_to_no_address_at_all(self, web, target, place):
        web.answers["/a"] = lambda handler: web.header(handler, 302, Location=place)
        with pytest.raises(DataError, match=r"/a (answered 302: a redirection without an address|cannot be reached)"):
            fetch(web.address + "/a", SHA256, target)

    def test_in_a_circle_ends(self, web, target):
        web.answers["/a"] = lambda handler: web.header(handler, 302, Location="/a")
        with pytest.raises(DataError, match="answered 302"):
            fetch(web.address + "/a", SHA256, target)
        assert len(web.requests) < 20


class TestSize:
    def test_announced_too_large(self, web, target):
        web.answers["/a"] = web.ranged(BODY)
        with pytest.raises(DataError, match="is 300000 bytes, beyond the limit of 299999"):
            fetch(web.address + "/a", SHA256, target, max_bytes=299_999)
        assert visible(target) == []
        fetch(web.address + "/a", SHA256, target, max_bytes=300_000)

    def test_without_end_and_without_announcement(self, web, target):
        sent = []

        def endless(handler):
            web.header(handler, 200)
            while len(sent) < 2000:  # 125 MiB; the client hangs up long before
                handler.wfile.write(bytes(65536))
                sent.append(65536)

        web.answers["/a"] = endless
        with pytest.raises(DataError, match="goes on, beyond the limit of 100000 bytes"):
            fetch(web.address + "/a", SHA256, target, max_bytes=100_000)
        assert visible(target) == []
        assert sum(sent) < 50e6

    @pytest.mark.parametrize("length", ["9" * 5000, "-1", "many", ""])
    def test_announced_nonsense(self, web, target, length):
        def answer(handler):
            web.header(handler, 200, Content_Length=length)
            handler.wfile.write(BODY)

        web.answers["/a"] = answer
        fetch(web.address + "/a", SHA256, target)
        assert target.read_bytes() == BODY


class TestDisk:
    def test_full(self, web, target, monkeypatch):
        web.answers["/a"] = web.ranged(BODY)
        original = Path.open

        def open_on_full_disk(path, mode="r", *args, **keywords):
            file = original(path, mode, *args, **keywords)
            return FullDisk(file) if path.suffix == ".part" and mode != "rb" else file

        monkeypatch.setattr(Path, "open", open_on_full_disk)
        with pytest.raises(DataError, match=r"data\.bin cannot be .*written: No space left"):
            fetch(web.address + "/a", SHA256, target)
        assert visible(target) == []
        assert len(web.requests) == 1  # not mistaken for trouble of the network

    def test_the_folder_is_a_file(self, web, tmp_path):
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(DataError, match="cannot be read or written"):
            fetch(web.address + "/a", SHA256, tmp_path / "file" / "data.bin")
        assert web.requests == []

    def test_the_name_is_taken_by_a_folder(self, web, target):
        web.answers["/a"] = web.ranged(BODY)
        target.mkdir(parents=True)
        with pytest.raises(DataError, match="cannot be read or written"):
            fetch(web.address + "/a", SHA256, target)


class FullDisk:
    """A file on which the first write still fits and no other does."""

    def __init__(self, file):
        self.file = file
        self.writes = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()

    def seek(self, position):
        self.file.seek(position)

    def write(self, data):
        self.writes += 1
        if self.writes > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(data)


def start(url: str, target: Path) -> subprocess.Popen[str]:
    """A process of its own that fetches ``url``."""
    code = "import sys; from pellucid.core.download import fetch; fetch(*sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", code, url, SHA256, str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class TestTogether:
    def test_processes_share_one_download(self, web, target):
        web.answers["/a"] = web.slowly(BODY)
        processes = [start(web.address + "/a", target) for _ in range(2)]
        for process in processes:
            output, _ = process.communicate(timeout=30)
            assert (process.returncode, output) == (0, "")
        assert target.read_bytes() == BODY
        assert visible(target) == ["data.bin"]
        assert web.requests == [("/a", None)]

    def test_threads_share_one_download(self, web, target):
        web.answers["/a"] = web.slowly(BODY)
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(fetch(web.address + "/a", SHA256, target).read_bytes()))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert found == [BODY] * 6
        assert web.requests == [("/a", None)]

    def test_who_waited_in_vain_tries_on_its_own(self, web, target):
        gone = web.in_turn(lambda handler: (time.sleep(0.3), web.header(handler, 503)), web.ranged(BODY))
        web.answers["/a"] = gone
        outcomes = []

        def attempt():
            try:
                outcomes.append(fetch(web.address + "/a", SHA256, target).name)
            except DataError as error:
                outcomes.append("503" in str(error))

        threads = [threading.Thread(target=attempt) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(map(str, outcomes)) == ["True", "data.bin"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data.bin", ""])
def test_other_addresses_are_refused(target, url):
    with pytest.raises(ArgumentError, match="expected an address that begins with http"):
        fetch(url, SHA256, target)


@pytest.mark.parametrize("sha256", ["", SHA256[:-1], SHA256[:-1] + "g", SHA256 + "\n"])
def test_other_hashes_are_refused(target, sha256):
    with pytest.raises(ArgumentError, match="64 hexadecimal digits"):
        fetch("http://127.0.0.1/a", sha256, target)
