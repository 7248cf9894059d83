"""What the tests of the command line share besides fixtures."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

TINY = (
    *("--hidden", "16", "--dropout", "0", "--epochs", "1", "--batch-size", "512"),
    *("--no-augment", "--learning-rate", "0.003", "--schedule", "cosine"),
)


def environment(**changes):
    """Without what would switch colours on or off."""
    unset = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "TERM", "PYTHONIOENCODING"}
    return {name: value for name, value in os.environ.items() if name not in unset} | {"PYTHONUTF8": "1"} | changes


def read_to_end(master):
    """Everything that a pseudo-terminal gets, until the other side closes it."""
    pieces = []
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux: the other side has closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(master)
    return b"".join(pieces).decode()


def on_a_terminal(*arguments, columns=80):
    """What a terminal of this width gets from a command, without its escape codes."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [sys.executable, "-m", "pellucid", *map(os.fspath, arguments)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=environment(TERM="xterm-256color")
    )
    os.close(slave)
    shown = read_to_end(master)
    process.wait(timeout=30)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
