"""Names and labels as people, and attackers, choose them; pipes, disks and terminals as they are."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
from running import environment, on_a_terminal

import pellucid as pl
from pellucid.core.display.text import printable

# Names and labels as people, and attackers, choose them

NAMES = [
    "with space.safetensors",
    "数字 é.safetensors",
    "new\nline",
    "[red]model[",
    "x[/bold]",
    "{0}%s",
    "-dash.safetensors",
    "🙂",
]


@pytest.mark.parametrize("name", NAMES)
def test_odd_file_names(cli, trained, pictures, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(trained[1].read_bytes())
    (tmp_path / f"{name}.png").write_bytes(pictures[0].read_bytes())
    for arguments in (("info",), ("evaluate", "digits"), ("predict", f"{name}.png")):
        command, *rest = arguments
        for flag in ((), ("--json",)):
            done = cli(command, *flag, "--", name, *rest)
            assert done.returncode == 0, done.stderr
            if not flag:
                assert printable(name) in done.stdout
    done = cli("train", "--epochs", "1", "--no-augment", f"--resume={name}", "digits")
    assert done.returncode == 0, done.stderr
    assert name in done.stdout


LABELS = {
    "markup": [f"[red]{k}" for k in range(10)],
    "closing markup": [f"[/b]{k}" for k in range(10)],
    "cjk": [f"数{k}" for k in range(10)],
    "surrogates": [f"\ud800{k}" for k in range(10)],
    "new lines": [f"a\n{k}" for k in range(10)],
    "empty": ["", *range(1, 10)],
}


@pytest.mark.parametrize("name", LABELS)
def test_odd_labels(cli, trained, pictures, name):
    try:
        pl.Model(trained[0], labels=LABELS[name]).save("odd.safetensors")
    except pl.ArgumentError:
        assert name == "surrogates"  # to refuse what cannot be printed is an answer, too
        return
    for arguments in (
        ("info", "odd.safetensors"),
        ("evaluate", "odd.safetensors", "digits"),
        ("predict", "odd.safetensors", pictures[0]),
    ):
        for flag in ((), ("--json",)):
            done = cli(*arguments, *flag)
            assert done.returncode == 0, done.stderr
    if name != "surrogates" and name != "new lines":
        shown = cli("evaluate", "odd.safetensors", "digits").stdout
        assert all(str(label) in shown for label in LABELS[name])


def test_a_label_cannot_command_the_terminal(shell, trained, tmp_path):
    """Escape codes in the labels of a file from elsewhere are not passed on; click alone strips only colours."""
    pl.Model(trained[0], labels=[f"\x1b]0;owned\x07\x1b[31m{k}" for k in range(10)]).save(tmp_path / "m")
    for arguments in (("info", "m"), ("evaluate", "m", "digits")):
        done = shell(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout


def test_a_name_cannot_write_lines_of_its_own(cli, trained, pictures, tmp_path):
    """A file from elsewhere could else answer for another one, and a label make rows of its own in a table."""
    forged = "0.png\nreal.png: 7 (100.0%)"
    pl.Model(trained[0], labels=[f"{k}\n100.00%" for k in range(10)]).save("m")
    album = tmp_path / "album"
    album.mkdir()
    (album / f"{forged}.png").write_bytes(pictures[0].read_bytes())
    (album / f"{forged}.txt").write_text("no picture")
    done = cli("predict", "m", "album", "--quiet", "--top", "3")
    assert len(done.stdout.splitlines()) == 3
    assert done.stdout.startswith(r"album/0.png\nreal.png: 7 (100.0%).png: ")
    assert done.stderr.splitlines()[-1].startswith(r"Skipped: 'album/0.png\nreal.png: 7 (100.0%).txt' is not a picture")
    assert len(cli("predict", "m", f"{forged}.jpg").stderr.splitlines()) == 1
    for arguments in (("info", "m"), ("evaluate", "m", "digits")):
        assert not any(line.startswith("100.00%") for line in cli(*arguments).stdout.splitlines())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_with_a_small_alphabet(shell, trained, pictures, tmp_path, encoding):
    pl.Model(trained[0], labels=[f"数{k}" for k in range(10)]).save(tmp_path / "m.safetensors")
    for arguments in (
        ("info",),
        ("info", "--json"),
        ("evaluate", "digits"),
        ("evaluate", "digits", "--json"),
        ("predict", pictures[1]),
        ("predict", pictures[1], "--json"),
    ):
        command, *rest = arguments
        done = shell(
            command,
            "m.safetensors",
            *rest,
            cwd=tmp_path,
            env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            errors="replace",
        )
        assert "Traceback" not in done.stderr, (arguments, done.stderr[-300:])
        assert done.returncode == 0, arguments


# Pipes and terminals


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1", "TERM": "xterm-256color"}, {"TERM": "dumb"}], ids=str)
def test_no_escape_codes_in_a_pipe(shell, trained, pictures, variables):
    for arguments in (
        ("info", trained[1]),
        ("evaluate", trained[1], "digits"),
        ("predict", trained[1], pictures[0]),
        ("--help",),
    ):
        done = shell(*arguments, env=variables)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr


CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def test_no_number_is_cut_off_on_a_terminal(cli, trained):
    """With the labels of Fashion-MNIST on 80 columns: a count of 1,234 shown as 1… is worse than a wide table."""
    pl.Model(trained[0], labels=CLOTHES).save("clothes.safetensors")
    shown = on_a_terminal("evaluate", "clothes.safetensors", "digits")
    assert "Confusion matrix" in shown
    assert not re.findall(r"\d…", shown)


def commands_that_print(trained, pictures):
    model = str(trained[1])
    return [
        ("--help",),
        ("info", model),
        ("info", model, "--json"),
        ("evaluate", model, "digits"),
        ("evaluate", model, "digits", "--json"),
        ("predict", model, str(pictures[0])),
        ("gradcheck", model),
    ]


def test_a_reader_that_has_gone_is_no_error(shell, trained, pictures):
    """``pellucid ... | head -1``: here the reader is gone before the first byte, the hardest case."""
    for arguments in commands_that_print(trained, pictures):
        read, write = os.pipe()
        os.close(read)
        try:
            done = shell(*arguments, stdout=write)
        finally:
            os.close(write)
        assert done.stderr == "", (arguments, done.stderr[-300:])
        assert done.returncode == 141, arguments  # never 1, which is a wrong gradient


def test_head_gets_its_line(trained):
    for arguments in (f"info {shlex.quote(str(trained[1]))} --json", f"evaluate {shlex.quote(str(trained[1]))} digits"):
        command = f"{shlex.quote(sys.executable)} -m pellucid {arguments} | head -1"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment(), timeout=60)
        assert len(done.stdout.splitlines()) == 1
        assert done.stderr == ""


def test_a_full_disk_behind_stdout_is_one_sentence(shell, trained, pictures):
    """``pellucid info model --json > file`` on a full disk must not look like success, nor like a bug."""
    for arguments in commands_that_print(trained, pictures):
        with open("/dev/full", "w") as full:
            done = shell(*arguments, stdout=full)
        assert done.returncode not in (0, None)
        assert "Traceback" not in done.stderr, (arguments, done.stderr[-300:])
        assert "No space left" in done.stderr


def test_a_closed_stdout_is_no_traceback(trained, pictures):
    """``>&-``: Python then has no sys.stdout at all."""
    for arguments in commands_that_print(trained, pictures):
        command = f"{shlex.quote(sys.executable)} -m pellucid {shlex.join(arguments)} >&-"
        done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60)
        assert "Traceback" not in done.stderr, (arguments, done.stderr[-300:])
