"""Wrong command lines, and a world that does not cooperate: one sentence, exit code 2, never a traceback."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import TINY, environment, on_a_terminal

import pellucid as pl
from pellucid.cli.data import NAMED_DATA, NamedData

# name -> (arguments, words of the message); M is a good model, R a regression, P a picture, T a text file, D a folder
WRONG = {
    "no command": ("", "Usage"),
    "unknown command": ("learn digits", "No such command 'learn'"),
    "unknown option": ("train digits --speed 9", "--speed"),
    "no data": ("train", "digits"),
    "unknown data": ("train letters", "'letters'"),
    "two data": ("train digits fashion", "fashion"),
    "unknown recipe": ("train digits --recipe worst", "'worst'"),
    "unknown activation": ("train digits --activation rleu", "'rleu'"),
    "unknown optimizer": ("train digits --optimizer sgd", "'sgd'"),
    "unknown schedule": ("train digits --schedule fast", "'fast'"),
    "epochs text": ("train digits --epochs many", "'many'"),
    "epochs 0": ("train digits --epochs 0", "epochs"),
    "epochs negative": ("train digits --epochs -3", "epochs"),
    "batch size 0": ("train digits --batch-size 0", "batch_size"),
    "units negative": ("train digits --hidden -5", "-5"),
    "units 0 among others": ("train digits --hidden 0 --hidden 5", "0"),
    "units too many": ("train digits --hidden 99999999999", "99,999,999,999|at most"),
    "dropout 1": ("train digits --dropout 1", "Dropout"),
    "dropout NaN": ("train digits --dropout nan", "Dropout"),
    "rate 0": ("train digits --learning-rate 0", "learning_rate"),
    "rate NaN": ("train digits --learning-rate nan", "learning_rate"),
    "rate infinite": ("train digits --learning-rate inf", "learning_rate"),
    "l1 negative": ("train digits --l1 -1", "L1"),
    "l2 NaN": ("train digits --l2 nan", "L2"),
    "validation 1": ("train digits --validation 1", "validation"),
    "validation 0": ("train digits --validation 0", "validation"),
    "patience 0": ("train digits --validation 0.1 --early-stopping 0", "early_stopping"),
    "early stopping alone": ("train digits --early-stopping 3", "validation"),
    "out folder missing": ("train digits --out nowhere/m.safetensors", "nowhere.*does not exist"),
    "out is a folder": ("train digits --out D", "folder"),
    "out is a device": ("train digits --out /dev/full", "/dev/full"),
    "out under a file": ("train digits --out T/m.safetensors", "T/m|written"),
    "out empty": ("train digits --out=", "folder|name"),
    "resume nothing": ("train digits --resume gone.safetensors", "gone.safetensors does not exist"),
    "resume a text": ("train digits --resume T", "no model file"),
    "resume a regression": ("train digits --resume R", "regression"),
    "resume with hidden": ("train digits --resume M --hidden 9", "--hidden"),
    "resume with more": (
        "train digits --resume M --activation tanh --dropout 0.5 --batch-norm",
        "--activation, --dropout, --batch-norm",
    ),
    "evaluate nothing": ("evaluate", "MODEL"),
    "evaluate missing": ("evaluate gone.safetensors digits", "does not exist"),
    "evaluate folder": ("evaluate D digits", "folder"),
    "evaluate text": ("evaluate T digits", "no model file"),
    "evaluate picture": ("evaluate P digits", "no model file"),
    "evaluate regression": ("evaluate R digits", "regression"),
    "evaluate other data": ("evaluate M letters", "'letters'"),
    "predict no picture": ("predict M", "PICTURES"),
    "predict missing": ("predict M gone.png", "gone.png.*does not exist"),
    "predict folder": ("predict M D", "folder"),
    "predict text": ("predict M T", "not a picture"),
    "predict by a regression": ("predict R P", "pipeline"),
    "predict top 0": ("predict --top 0 M P", "--top"),
    "predict model and picture swapped": ("predict P M", "no model file"),
    "info nothing": ("info", "MODEL"),
    "info missing": ("info gone", "gone does not exist"),
    "info two": ("info M M", "argument"),
    "gradcheck text": ("gradcheck T", "no model file"),
    "gradcheck seed": ("gradcheck M --seed x", "'x'"),
}


@pytest.fixture
def places(trained, regression, pictures, tmp_path):
    (tmp_path / "T").write_text("hello\n")
    (tmp_path / "D").mkdir()
    return {"M": str(trained[1]), "R": str(regression), "P": str(pictures[0]), "T": "T", "D": "D"}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(cli, places, tmp_path, name):
    line, words = WRONG[name]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = cli(*(places.get(word, word) for word in shlex.split(line)))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert re.search(words, done.stderr), done.stderr
    if name != "no command":
        assert len(re.findall(r"^Error: ", done.stderr, re.MULTILINE)) == 1, done.stderr
        assert done.stderr.rstrip()[-1] in ".?':;\",)" or "Choose from" in done.stderr or name.startswith("predict"), (
            done.stderr
        )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "line",
    ["train digits --out nowhere/m", "train digits --out D", "train digits --resume gone", "train digits --epochs 0"],
)
def test_what_cannot_work_fails_before_the_data_are_read(cli, places, monkeypatch, line):
    def never():
        raise AssertionError("the data were read before the mistake was found")

    monkeypatch.setitem(NAMED_DATA, "digits", NamedData(never))
    done = cli(*line.split())
    assert done.returncode == 2, done.stderr


def test_the_data_cannot_be_had(cli, monkeypatch):
    def offline():
        raise pl.DataError("train-images-idx3-ubyte.gz cannot be downloaded: no network; put it into /somewhere.")

    monkeypatch.setitem(NAMED_DATA, "fashion", NamedData(offline))
    done = cli("train", "fashion")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: train-images-idx3-ubyte.gz cannot be downloaded: no network; put it into /somewhere.\n"


def test_ctrl_c_before_training_has_begun(cli, monkeypatch):
    def press():
        raise KeyboardInterrupt

    monkeypatch.setitem(NAMED_DATA, "digits", NamedData(press))
    done = cli("train", "digits")
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr
    assert not os.path.exists("digits.safetensors")


def test_divergence_is_one_sentence(cli):
    done = cli(
        "train",
        "digits",
        *TINY,
        "--optimizer",
        "gradient_descent",
        "--learning-rate",
        "1e30",
        "--schedule",
        "constant",
        "--epochs",
        "5",
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: training diverged at step" in done.stderr
    assert "smaller learning rate" in done.stderr


def test_too_little_memory_is_one_sentence(cli, monkeypatch):
    def greedy():
        raise MemoryError

    monkeypatch.setitem(NAMED_DATA, "digits", NamedData(greedy))
    done = cli("train", "digits")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: not enough memory")


def test_the_disk_is_full_at_the_end_of_training(cli, monkeypatch, tmp_path):
    assert cli("train", "digits", *TINY).returncode == 0
    before = (tmp_path / "digits.safetensors").read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = cli("train", "digits", *TINY)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert "No space left on device" in done.stderr
    assert (tmp_path / "digits.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["digits.safetensors"]


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
                assert name in done.stdout
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
        assert done.returncode != 0


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


# Ctrl-C


def interrupted(folder, out, *options):
    """A real training on all digits that is interrupted while it runs: (exit code, stdout, stderr)."""
    command = [
        sys.executable,
        "-m",
        "pellucid",
        "train",
        "digits",
        "--hidden",
        "16",
        "--epochs",
        "5000",
        "--no-augment",
        "--batch-size",
        "512",
        "--out",
        out,
        *options,
    ]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        seen = ""
        while "epoch 1/" not in seen:
            line = process.stderr.readline()
            assert line, f"it ended before the first epoch: {seen}"
            seen += line
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    return process.returncode, out, seen + err


def command_to_go_on(text):
    """The arguments of the command that the message names, split as a shell does."""
    return shlex.split(re.search(r"Go on with: pellucid (.*)", text)[1])


def test_ctrl_c_saves_and_names_a_command_that_works(shell, tmp_path):
    code, out, err = interrupted(tmp_path, "run.safetensors")
    assert (code, out) == (130, "")
    assert "Traceback" not in err
    assert "run.safetensors" in err
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    stopped = pl.load(tmp_path / "run.safetensors").network
    assert stopped.training_state.step >= 118
    assert stopped.history.epochs
    assert stopped.training_state.optimizer_state.slots, "it must be possible to go on exactly"
    done = shell(*command_to_go_on(err), "--epochs", "1", "--no-augment", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    resumed = pl.load(tmp_path / "run.safetensors").network
    assert resumed.training_state.epoch == stopped.training_state.epoch + 1
    assert resumed.history["loss"][0] == stopped.history["loss"][0]


@pytest.mark.parametrize("name", ["my digits.safetensors", "it's $HOME.safetensors", "-model.safetensors"])
def test_the_command_to_go_on_can_be_pasted_whatever_the_name(cli, tmp_path, monkeypatch, name):
    def press(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.network.Trainer.run", press)
    done = cli("train", "digits", *TINY, f"--out={name}")
    assert done.returncode == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    pl.load(tmp_path / name)
    arguments = command_to_go_on(done.stderr)
    assert arguments[:2] == ["train", "digits"]
    from pellucid.cli.train import command

    context = command.make_context("train", arguments[1:])
    assert context.params["resume"] == name
    again = {"epochs": 1, "batch_size": 512, "augment": False, "learning_rate": 0.003, "schedule": "cosine"}
    assert {option: context.params[option] for option in again} == again
    assert context.params["hidden"] == ()


def test_two_ctrl_c_in_a_row_still_leave_a_whole_file_or_none(tmp_path):
    code, _, err = interrupted(tmp_path, "run.safetensors")
    before = (tmp_path / "run.safetensors").read_bytes()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pellucid",
            "train",
            "digits",
            "--resume",
            "run.safetensors",
            "--epochs",
            "5000",
            "--no-augment",
        ],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        while not process.stderr.readline().startswith("epoch"):
            pass
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.003)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
    assert code == process.returncode == 130
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    pl.load(tmp_path / "run.safetensors")
    assert Path(tmp_path / "run.safetensors").read_bytes() != before or "Interrupted" in err


def test_what_is_no_model_is_not_overwritten(cli, tmp_path):
    (tmp_path / "notes.txt").write_text("my notes")
    done = cli("train", "digits", *TINY, "--out", "notes.txt")
    assert done.returncode == 2
    assert "notes.txt exists and is no model file" in done.stderr
    assert (tmp_path / "notes.txt").read_text() == "my notes"


def test_a_model_is_saved_when_nobody_reads_the_progress(tmp_path):
    """``pellucid train digits 2>&1 | head -1``: the reader is gone long before the end."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "pellucid", "train", "digits", *TINY],
            cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=gone, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0
    assert b"test pictures right" in done.stdout
    pl.load(tmp_path / "digits.safetensors")


def test_resume_keeps_its_seed(cli):
    assert cli("train", "digits", *TINY, "--seed", "5").returncode == 0
    done = cli("train", "digits", "--resume", "digits.safetensors", "--seed", "77")
    assert done.returncode == 2
    assert "leave --seed out" in done.stderr


def test_a_gradient_that_is_zero_for_a_good_reason_is_no_failure(cli):
    """The bias before batch normalization is taken away again by the mean."""
    network = pl.Network([pl.Input(4), pl.Dense(5), pl.BatchNormalization(), pl.Classification(3)])
    network.save("normal.safetensors")
    done = cli("gradcheck", "normal.safetensors")
    assert done.returncode == 0
    assert "nothing was compared for dense_1.bias" in done.stdout
    assert "all other gradients are right" in done.stdout
