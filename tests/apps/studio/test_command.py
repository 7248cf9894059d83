"""``pellucid studio`` as a process: its link, its port, and an end that loses nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid as pl
from pellucid.apps.cli.root import main
from pellucid.apps.server.listen import listening_socket
from pellucid.core.errors import ArgumentError

SECONDS = 60  # at most, for anything that is waited for


class Running:
    """A studio that was started, and a browser without a window for it."""

    def __init__(self, folder: Path, *arguments: object, **environment: str) -> None:
        command = [sys.executable, "-m", "pellucid", "studio", *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONUTF8": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.connections: list[http.client.HTTPConnection] = []
        line = self.process.stdout.readline()
        assert line.startswith("The studio is open at http://127.0.0.1:"), line + self.process.stderr.read()
        self.link = line.split()[-1]
        self.port = int(self.link.split(":")[2].split("/")[0])
        self.cookie = f"pellucid-{self.port}={self.link.split('token=')[1]}"

    def ask(self, method: str, path: str, value: object = None, **headers: str):
        """(status, content) of a request as the page makes it."""
        response = self.open(method, path, value, **headers)
        status, content = response.status, response.read()
        self.connections.pop().close()
        return status, content

    def open(self, method: str, path: str, value: object = None, **headers: str) -> http.client.HTTPResponse:
        """The response as far as its headers."""
        own = {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        self.connections.append(connection)
        connection.request(method, path, None if value is None else json.dumps(value), {**own, **headers})
        return connection.getresponse()

    def leave(self) -> None:
        """Close all that is open, as a tab does."""
        while self.connections:
            self.connections.pop().close()

    def train(self) -> str:
        """The name of a run that is training and has made steps."""
        experiment = {"data": "spirals", "hidden": [16], "epochs": 1000}
        status, content = self.ask("POST", "/api/runs", {"experiment": experiment, "start": True})
        assert status == 200, content
        name = json.loads(content)["run"]["name"]
        while json.loads(self.ask("GET", "/api/runs")[1])["runs"][-1]["step"] == 0:
            pass
        return name

    def end(self, *signals: int) -> tuple[int, str, str]:
        """(exit code, output, messages) after these signals."""
        for number in signals:
            self.process.send_signal(number)
        output, messages = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, output, messages


@pytest.fixture
def start(tmp_path, reader):
    """``start(...)`` starts a studio on a free port, with a file to open; all are ended afterwards."""
    reader.save(tmp_path / "mine.safetensors")
    started = []

    def run(*arguments, opened="mine.safetensors", port="0", **environment):
        options = [*([opened] if opened else []), *(["--port", port] if port else [])]
        arguments = arguments if "BROWSER" in environment else ("--no-open", *arguments)
        started.append(Running(tmp_path, *options, *arguments, **environment))
        return started[-1]

    yield run
    for one in started:
        one.process.kill()
        one.process.communicate()
        one.leave()


def test_the_link_lets_a_browser_in_and_nothing_else_does(start):
    studio = start()
    response = studio.open("GET", studio.link.removeprefix(f"http://127.0.0.1:{studio.port}"), Cookie="")
    assert (response.status, response.headers["Location"]) == (303, "/")
    assert response.headers["Set-Cookie"].startswith(studio.cookie)
    assert studio.ask("GET", "/")[1].startswith(b"<!doctype html>")
    status, content = studio.ask("GET", "/api/session")
    assert (status, json.loads(content)["models"][0]["name"]) == (200, "mine")
    assert studio.ask("GET", "/api/session", Cookie="")[0] == 403
    assert studio.ask("GET", "/api/session", Host="evil.example")[0] == 403
    assert studio.ask("POST", "/api/runs", {}, Origin="http://evil.example")[0] == 403
    assert studio.ask("GET", "/api/session")[0] == 200
    assert studio.end(signal.SIGINT) == (0, "", "Ctrl-C stops it.\n")


@pytest.mark.parametrize("signals", [["SIGINT"], ["SIGTERM"], ["SIGHUP"], ["SIGINT"] * 4, ["SIGTERM", "SIGINT", "SIGHUP"]])
def test_the_end_saves_what_was_trained_though_streams_are_open(start, tmp_path, signals):
    studio = start()
    name = studio.train()
    streams = [studio.open("GET", f"/api/runs/{name}/events") for _ in range(3)]
    assert all(stream.readline() for stream in streams)
    (tmp_path / f"{name}.safetensors").write_text("of yesterday")
    code, output, messages = studio.end(*(getattr(signal, each) for each in signals))
    assert (code, output) == (0, "")
    assert messages == f"Ctrl-C stops it.\n{name} is saved in {name}-2.safetensors\n"
    assert (tmp_path / f"{name}.safetensors").read_text() == "of yesterday"
    saved = pl.load(tmp_path / f"{name}-2.safetensors")
    assert saved.network.training_state.step > 0
    for stream in streams:
        stream.read()  # they ended


def test_a_page_that_goes_away_changes_nothing(start):
    studio = start()
    name = studio.train()
    for _ in range(3):
        assert studio.open("GET", f"/api/runs/{name}/events").readline()
        studio.leave()
    step = json.loads(studio.ask("GET", "/api/runs")[1])["runs"][0]["step"]
    while json.loads(studio.ask("GET", "/api/runs")[1])["runs"][0]["step"] <= step:
        assert studio.process.poll() is None  # it trains on
    assert studio.end(signal.SIGINT)[0] == 0


def test_the_browser_gets_the_link(start, tmp_path):
    browser = tmp_path / "browser"
    browser.write_text(
        '#!/bin/sh\necho "$1" > "$(dirname "$0")/opened.part"\nmv "$(dirname "$0")/opened.part" "$(dirname "$0")/opened"\n'
    )
    browser.chmod(0o755)
    studio = start(BROWSER=f"{browser} %s")
    while not (tmp_path / "opened").exists():
        assert studio.process.poll() is None
    assert (tmp_path / "opened").read_text().strip() == studio.link


def test_two_studios_do_not_share_a_port_or_a_token(start, tmp_path):
    one, other = start(), start()
    assert one.port != other.port
    status, content = one.ask("GET", "/api/session", Cookie=other.cookie)
    assert (status, "Open the link" in content.decode()) == (403, True)
    taken = subprocess.run(
        [sys.executable, "-m", "pellucid", "studio", "mine.safetensors", "--no-open", "--port", str(one.port)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (taken.returncode, taken.stdout) == (2, "")
    assert taken.stderr.startswith(f"Error: port {one.port} cannot be used (")


def test_the_next_free_port_is_taken(monkeypatch):
    with listening_socket(0) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("pellucid.apps.server.listen.PORT", port)
        with listening_socket() as free:
            assert free.getsockname()[0] == "127.0.0.1"
            assert free.getsockname()[1] != port
        with pytest.raises(ArgumentError, match=f"port {port} cannot be used"):
            listening_socket(port)
    with listening_socket() as again:
        assert again.getsockname()[1] == port


def test_answers_are_sent_without_delay():
    """asyncio turns Nagle's algorithm off, which costs 40 ms an answer, only for sockets that say that they are TCP."""
    with listening_socket(0) as listener, socket.create_connection(listener.getsockname()[:2], timeout=SECONDS):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_only_this_machine_can_reach_it(start):
    studio = start()
    others = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in [*others, "127.0.0.2"]:
        with pytest.raises(OSError), socket.create_connection((address, studio.port), timeout=SECONDS):
            pass


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """``command("x")``: exit code and messages of ``pellucid studio x``, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["pellucid", "studio", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "Error: there is no model file or folder 'nothing'."),
        (["nothing.csv"], "Error: there is no model file or folder 'nothing.csv'."),
        (["text.safetensors"], "Error: text.safetensors is not a model file, or was cut off"),
        ([".", "--model", "nothing.safetensors"], "Error: nothing.safetensors does not exist"),
        (["text.safetensors", "--model", "a"], "Error: text.safetensors and --model a are two models; name one."),
        (["empty"], "has no class folders"),
        (["--port", "70000"], "Error: Invalid value for '--port'"),
        (["--port", "x"], "Error: Invalid value for '--port'"),
        (["a", "b"], "unexpected extra argument"),
    ],
)
def test_what_cannot_be_opened_is_a_sentence(command, tmp_path, arguments, sentence):
    (tmp_path / "text.safetensors").write_text("a text")
    (tmp_path / "empty").mkdir()
    code, messages = command(*arguments)
    assert code == 2
    assert sentence in messages
    assert "Traceback" not in messages


def test_without_the_extra_one_sentence_says_how_to_get_it(command, monkeypatch):
    monkeypatch.setattr("pellucid.apps.cli.commands.studio.find_spec", lambda name: None)
    code, messages = command()
    assert (code, messages) == (2, 'Error: the studio needs two more packages: pip install "pellucid[studio]".\n')


def test_a_table_is_opened(start, tmp_path, reader):
    (tmp_path / "houses.csv").write_text("rooms,price\n" + "".join(f"{k % 7},{k}\n" for k in range(60)))
    studio = start("--model", "mine.safetensors", opened="houses.csv")
    assert json.loads(studio.ask("GET", "/api/session")[1])["table"] == "houses.csv"
    found = json.loads(studio.ask("GET", "/api/table/overview?table=houses.csv")[1])
    assert (found["rows"]["used"], [one["name"] for one in found["columns"]]) == (60, ["rooms", "price"])


def test_a_list_of_pictures_is_no_table(command, tmp_path):
    (tmp_path / "list.csv").write_text("file,label\nnothing.png,cat\n")
    code, messages = command("list.csv")
    assert code == 2
    assert "list.csv has only one class" in messages


def test_a_folder_of_pictures_is_opened(start, tmp_path, reader):
    from PIL import Image

    for number, label in enumerate(("cat", "dog")):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for shade in range(3):
            Image.new("RGB", (30, 30), (80 * shade, 100 * number, 50)).save(tmp_path / "pets" / label / f"{shade}.png")
    studio = start("--model", "mine.safetensors", opened="pets")
    summary = json.loads(studio.ask("GET", "/api/session")[1])
    assert [one["name"] for one in summary["models"]] == ["mine"]
    assert json.loads(studio.ask("GET", "/api/defaults")[1])["defaults"]["folder"]["samples"] == 6
    assert "6 pictures" in studio.end(signal.SIGINT)[2]
