"""Help, version and start of the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import pellucid as pl
from pellucid.apps.cli.commands import train
from pellucid.training.recipes.words import EXAMPLES

COMMANDS = ("train", "evaluate", "predict", "info", "gradcheck")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(cli, command):
    for option in ("--help", "-h"):
        done = cli(*command.split(), option)
        assert done.returncode == 0
        assert done.stdout.startswith(f"Usage: pellucid {command}".strip())
        assert done.stderr == ""
    assert all(name in done.stdout for name in (COMMANDS if not command else ("--help",)))


def test_every_option_of_train_stands_once_below_a_heading(cli):
    text = cli("train", "--help").stdout
    assert re.findall(r"^(\S.*):$", text, re.MULTILINE)[-5:] == [
        *("Only for a FOLDER", "Only for digits and fashion", "Network and training", "Running", "Other options")
    ]
    options = [option for option in train.command.params if isinstance(option, click.Option)]
    shown = re.findall(r"^  (?:-h, )?(--[\w-]+)", text, re.MULTILINE)
    assert sorted(shown) == sorted([*(option.opts[0] for option in options), "--help"])


def test_the_help_of_train_names_every_word_for_layers(cli):
    words = cli("train", "--help").stdout.split("Words of --layers:")[1].split("Only for")[0]
    assert [word for word in EXAMPLES if word not in re.split(r"[,\s]+", words)] == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal_of_80_columns(cli, command):
    assert [line for line in cli(*command.split(), "--help").stdout.splitlines() if len(line) > 80] == []


def test_every_option_of_train_is_explained(cli):
    """An option whose help is only its name and type does not help."""
    _, text = re.split(r"^Only for a FOLDER:$", cli("train", "--help").stdout, flags=re.MULTILINE)
    options = re.split(r"\n(?=  --)", re.sub(r"^\S.*:\n", "", text, flags=re.MULTILINE).strip("\n"))
    assert len(options) > 25
    bare = [
        " ".join(option.split())
        for option in options
        if not re.search(r"[a-z]{2,} [a-z]", re.sub(r"\[[^]]*\]|--\S+", "", option))
    ]
    assert not bare, bare


def test_version(cli):
    done = cli("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"pellucid, version {pl.__version__}")


def test_the_script_and_the_module_are_one(shell):
    script = Path(sys.executable).with_name("pellucid")
    out = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=60)
    assert out.stdout == shell("--help").stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom pellucid.apps.cli.root import main\nsys.argv = ['pellucid', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'PIL', 'rich', 'safetensors', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"
