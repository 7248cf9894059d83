"""Wrong command lines, and a world that does not cooperate: one sentence, exit code 2, never a traceback."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
from running import TINY, environment

import pellucid as pl
from pellucid.apps.cli.named_data import NAMED_DATA, NamedData

# name -> (arguments, words of the message); M is a good model, R a regression, P a picture, T a text file, D a folder
WRONG = {
    "no command": ("", "Usage"),
    "misspelt command": ("trian digits", "No such command 'trian'.* Did you mean 'train'.$"),
    "unknown command": ("learn digits", "No such command 'learn'"),
    "unknown option": ("train digits --speed 9", "--speed"),
    "no data": ("train", "digits"),
    "unknown data": ("train letters", "'letters'"),
    "two data": ("train digits fashion", "fashion"),
    "unknown recipe": ("train digits --recipe worst", "'worst'"),
    "layers nonsense": ("train digits --layers 'conv8 cnov8'", "word 2, 'cnov8'"),
    "layers empty": ("train digits --layers ''", "layers are words"),
    "layers too small": ("train digits --layers 'pool pool pool pool pool'", "word 5, 'pool'"),
    "layers and hidden": ("train digits --layers pool --hidden 5 --dropout 0", "leave --hidden, --dropout out"),
    "dropout beside layers of words": ("train digits --recipe conv --dropout 0.5", "by words.*leave --dropout out"),
    "size of digits": ("train digits --size 64 --grey", "digits is no folder.*leave --size, --grey out"),
    "unknown activation": ("train digits --activation rleu", "'rleu'"),
    "unknown optimizer": ("train digits --optimizer lion", "'lion'"),
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
    "validation negative": ("train digits --validation -0.1", "validation"),
    "validation NaN": ("train digits --validation nan", "validation"),
    "patience 0": ("train digits --validation 0.1 --early-stopping 0", "early_stopping"),
    "early stopping alone": ("train digits --early-stopping 3", "validation"),
    "unknown engine": ("train digits --engine fast", "'fast'"),
    "threads 0": ("train digits --threads 0", "threads"),
    "threads too many": ("train digits --threads 257", "at most 256"),
    "threads text": ("train digits --threads all", "'all'"),
    "unknown precision": ("train digits --precision int8", "'int8'"),
    "bf16 by NumPy": ("train digits --engine numpy --precision bf16", "needs the native engine"),
    "resume with a wrong engine": ("train digits --resume M --threads -1", "threads"),
    "out folder missing": ("train digits --out nowhere/m.safetensors", "nowhere.*does not exist"),
    "out is a folder": ("train digits --out D", "folder"),
    "out is a device": ("train digits --out /dev/full", "/dev/full"),
    "out under a file": ("train digits --out T/m.safetensors", "T/m|written"),
    "optimizer misspelt": ("train digits --optimizer adm", "Did you mean 'adam'"),
    "activation of the output": ("train digits --activation softmax", "the output layer Classification"),
    "schedule misspelt": ("train digits --schedule Cosin", "Did you mean 'cosine'"),
    "out empty": ("train digits --out=", "an empty name is no file name"),
    "out of spaces": ("train digits --out '  '", "an empty name is no file name"),
    "out empty, of photos": ("train D --out ''", "an empty name is no file name"),
    "report empty": ("evaluate M digits --report ''", "an empty name is no file name"),
    "page empty": ("explain M P --html ''", "an empty name is no file name"),
    "resume empty": ("train digits --resume ''", "an empty name is no file name"),
    "train on nothing": ("train ''", "no folder or CSV file ''"),
    "evaluate on nothing": ("evaluate M ''", "no folder or CSV file ''"),
    "evaluate on itself": ("evaluate M M", "is a model, not data.*digits, fashion"),
    "predict an empty name": ("predict M ''", "an empty name is no picture"),
    "info of an empty name": ("info ''", "'' does not exist"),
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
    "evaluate text": ("evaluate T digits", "not a model file"),
    "evaluate picture": ("evaluate P digits", "not a model file"),
    "evaluate regression": ("evaluate R digits", "regression"),
    "evaluate other data": ("evaluate M letters", "'letters'"),
    "predict no picture": ("predict M", "PICTURES"),
    "predict missing": ("predict M gone.png", "gone.png.*does not exist"),
    "predict folder": ("predict M D", "folder"),
    "predict text": ("predict M T", "not a picture"),
    "predict by a regression": ("predict R P", "pipeline"),
    "predict top 0": ("predict --top 0 M P", "--top"),
    "predict model and picture swapped": ("predict P M", "not a model file"),
    "info nothing": ("info", "MODEL"),
    "info missing": ("info gone", "gone does not exist"),
    "info two": ("info M M", "argument"),
    "gradcheck text": ("gradcheck T", "not a model file"),
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
    [
        "train digits --out nowhere/m",
        "train digits --out D",
        "train digits --resume gone",
        "train digits --epochs 0",
        "train digits --threads 0",
        "train digits --engine numpy --precision bf16",
    ],
)
def test_what_cannot_work_fails_before_the_data_are_read(cli, places, monkeypatch, line):
    def never():
        raise AssertionError("the data were read before the mistake was found")

    monkeypatch.setitem(NAMED_DATA, "digits", NamedData(never))
    done = cli(*line.split())
    assert done.returncode == 2, done.stderr


def test_an_engine_that_cannot_run_this(cli, few):
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)], dtype="float64")
    network.save("double.safetensors")
    done = cli("train", "digits", "--resume", "double.safetensors", "--engine", "native")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('Error: engine="native" cannot run this: float64 is computed by NumPy.')
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("isa", "options", "words"),
    [("baseline", ("--precision", "bf16"), "AVX512_BF16"), ("quantum", (), 'PELLUCID_ISA is "quantum"')],
)
def test_what_this_machine_cannot_run(cli, monkeypatch, isa, options, words):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    done = cli("train", "digits", *TINY, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"Error: .*{words}.*\n", done.stderr), done.stderr


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


def test_a_model_is_no_data(cli, trained, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(trained[1].read_bytes())
    done = cli("train", "mine.safetensors")
    assert done.returncode == 2
    assert "cannot be learned from" in done.stderr
    assert "--resume mine.safetensors" in done.stderr


def test_a_file_of_another_program_is_no_model(cli, tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04" + bytes(100))
    done = cli("info", "model.pkl")
    assert done.returncode == 2
    assert "model.pkl is not a model file" in done.stderr
    assert "expected one written by pellucid train or Model.save" in done.stderr
