"""The progress display: on standard error, sparing on a pipe, live on a terminal; nothing on standard output."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import textwrap
from types import SimpleNamespace

import pytest
from running import read_to_end

import pellucid as pl
from pellucid.training import progress
from pellucid.training.events import EpochFinished, TrainingFinished, TrainingStarted
from pellucid.training.progress import ProgressLines, metrics_text, progress_display

METRICS = {
    "loss": 0.25134,
    "accuracy": 0.92639,
    "validation_loss": 0.5,
    "validation_accuracy": 0.962,
    "learning_rate": 0.001,
    "seconds": 2.0,
}


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def epochs_of(text):
    return [int(number) for number in re.findall(r"^epoch (\d+)/", text, re.MULTILINE)]


@pytest.mark.parametrize(
    ("seconds", "count", "shown"),
    [
        (0.1, 100, [1, 21, 41, 61, 81, 100]),
        (1.0, 7, [1, 3, 5, 7]),
        (5.0, 4, [1, 2, 3, 4]),
        (0.0, 1000, [1, 1000]),
        (0.0, 1, [1]),
    ],
)
def test_lines_are_the_first_the_last_and_one_every_two_seconds(clock, seconds, count, shown):
    stream = io.StringIO()
    lines = ProgressLines(stream)
    lines(TrainingStarted(1, count, 10, 600, 60))
    for epoch in range(1, count + 1):
        lines(EpochFinished(epoch, METRICS))
        clock.seconds += seconds * (1 + 1e-9)
    lines(TrainingFinished(count, "completed", METRICS))
    assert epochs_of(stream.getvalue()) == shown


def test_a_line_says_all_that_matters(clock):
    stream = io.StringIO()
    lines = ProgressLines(stream)
    lines(TrainingStarted(11, 10, 10, 60_000, 60))
    lines(EpochFinished(11, METRICS))
    assert stream.getvalue() == (
        "epoch 11/20  loss 0.2513  accuracy 92.64 %  validation loss 0.5  validation accuracy 96.20 %  30,000 samples/s\n"
    )


@pytest.mark.parametrize("reason", ["stopped early", "interrupted", "diverged"])
def test_an_end_before_the_end_is_told(clock, reason):
    stream = io.StringIO()
    lines = ProgressLines(stream)
    lines(TrainingStarted(1, 10, 10, 600, 60))
    lines(TrainingFinished(4, reason, {}))
    assert reason in stream.getvalue()
    assert "epoch 4" in stream.getvalue()


@pytest.mark.parametrize("reason", ["stopped early", "completed"])
def test_the_restored_epoch_is_shown_with_its_figures(clock, reason):
    """The last line of an epoch is not of the network that stayed."""
    stream = io.StringIO()
    lines = ProgressLines(stream)
    lines(TrainingStarted(1, 9, 10, 600, 60))
    lines(TrainingFinished(9, reason, {"loss": 0.25, "validation_accuracy": 0.5}, restored_epoch=4))
    assert stream.getvalue().endswith("restored the parameters of epoch 4  loss 0.25  validation accuracy 50.00 %\n")
    lines(TrainingFinished(9, "completed", {"loss": 0.125}, restored_epoch=9))
    assert "0.125" not in stream.getvalue(), "the line of the last epoch has shown it"


def test_figures_are_percent_or_four_digits():
    assert metrics_text({"loss": 12345.678, "mae": 1e-7, "r2": -0.5, "accuracy": 1.0, "seconds": 3.0}) == (
        "loss 1.235e+04  mae 1e-07  r2 -0.5  accuracy 100.00 %"
    )


@pytest.mark.parametrize(
    ("mode", "lines"), [("auto", True), (True, True), ("lines", True), ("none", False), (False, False)]
)
def test_fit_writes_to_standard_error_only(digits, capfd, mode, lines):
    x, y = digits
    pl.Network([pl.Input(28, 28), pl.Classification(10)]).fit(x, y, epochs=2, validation=0.2, progress=mode)
    written = capfd.readouterr()
    assert written.out == ""
    assert epochs_of(written.err) == ([1, 2] if lines else [])
    assert "\x1b" not in written.err
    if not lines:
        assert written.err == ""


def test_there_is_at_most_one_display():
    assert progress_display("none") == progress_display(False) == ()
    assert len(progress_display("bar")) == len(progress_display("lines")) == len(progress_display(True)) == 1


SCRIPT = textwrap.dedent(
    """
    import time, sys
    import pellucid as pl
    (x, y), _ = pl.datasets.digits()
    x, y = x[:2000], y[:2000]
    network = pl.Network([pl.Input(28, 28), pl.Dense(16, "relu"), pl.Classification(10)])
    options = {"callbacks": [lambda event: time.sleep(0.002)]} | eval(sys.argv[1])
    try:
        network.fit(x, y, epochs=3, batch_size=40, validation=0.2, **options)
    except pl.PellucidError as error:
        print("RAISED", type(error).__name__, file=sys.stderr)
    """
)


def on_a_terminal(options="{}", columns=160, **environment):
    """(what the terminal got, standard output) of a training on a pseudo-terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    unset = {"NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
    clean = {name: value for name, value in os.environ.items() if name not in unset}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=clean | {"TERM": "xterm-256color"} | environment,
    )
    os.close(slave)
    shown = read_to_end(master)
    out = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    return shown, out


def plain(text):
    """Without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_on_a_terminal_a_bar_shows_loss_accuracy_speed_and_time_left():
    shown, out = on_a_terminal()
    assert out == b""
    assert "\x1b[" in shown
    live = [line for line in re.split(r"[\r\n]+", plain(shown)) if "samples/s" in line]
    assert len(live) >= 3
    middle = live[len(live) // 2]
    assert re.search(r"epoch \d/3", middle)
    assert re.search(r"loss \d", middle)
    assert re.search(r"accuracy [\d.]+ %", middle)
    assert re.search(r"[\d,]+ samples/s", middle)
    assert re.search(r"\d+%", middle)
    assert re.search(r"\d:\d\d(:\d\d)?|-:--:--", middle)
    assert any(re.search(r"\d:\d\d:\d\d", line) for line in live), "no time left was ever shown"
    assert any("validation accuracy" in line for line in live)
    whole = re.split(r"[\r\n]+", plain(shown))
    end = r"epoch (\d)  loss [\d.]+  accuracy [\d.]+ %  validation loss [\d.]+  validation accuracy [\d.]+ %$"
    ends = [re.match(end, line) for line in whole]
    assert [match[1] for match in ends if match] == ["1", "2", "3"]
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l"), "the cursor must be shown again"


def test_a_terminal_of_80_columns_still_shows_what_matters():
    shown, _ = on_a_terminal(columns=80)
    lines = [line for line in re.split(r"[\r\n]+", plain(shown)) if "loss" in line]
    assert lines
    assert max(len(line) for line in lines) <= 80
    late = [line for line in lines if not re.search(r"epoch 1/3", line)]  # with the figures of a validation
    assert any(re.search(r"loss \d.*accuracy \d.* samples/s.*\d:\d\d:\d\d", line) for line in late), late


def test_a_dumb_terminal_gets_lines():
    shown, out = on_a_terminal(TERM="dumb")
    assert out == b""
    assert "\x1b" not in shown
    assert epochs_of(shown.replace("\r", ""))[0] == 1


def test_no_color_means_no_colour():
    shown, _ = on_a_terminal(NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m|\x1b\[38", shown)


def test_the_terminal_is_whole_after_a_failure():
    """The cursor comes back, and the bar does not hang about, when training diverges."""
    shown, _ = on_a_terminal('{"optimizer": pl.GradientDescent(1e30)}')
    assert "RAISED DivergenceError" in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")
    assert "training diverged" in plain(shown)
