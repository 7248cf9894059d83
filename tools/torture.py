"""Kills trainings at random instants, a thousand times, interrupts others, and lets their disk fail: ``make torture``.

Each training is taken up again after each death, by another process, until it ends; all must end at one hash, that of a
training which nothing has disturbed, and never lose more than what was done since the snapshot before the last. Children
are forked from a process that has not trained, so that a thousand of them take minutes.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "helpers"))

from cut_runs import CASES, digest, train
from faults import KINDS, Disk

import pellucid as pl
from pellucid.training import interrupt
from pellucid.training.events import StepFinished
from pellucid.training.runs.folder import snapshot_steps

EPOCHS = 40
MOST_SECONDS = 0.25  # of a child's life


class Child:
    """A forked process that trains a case in a folder; ``step`` is the last that it has made, by shared memory."""

    def __init__(self, case: str, folder: Path, prepare: Callable[[], object] = lambda: None, **options: object) -> None:
        self._step = mmap.mmap(-1, 8)
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                prepare()
                warnings.simplefilter("ignore")
                train(case, folder, [self._hear], epochs=EPOCHS, **options)
                code = 0
            except KeyboardInterrupt:
                code = 130
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
            finally:
                os._exit(code)

    def _hear(self, event: object) -> None:
        if isinstance(event, StepFinished):
            self._step[:] = struct.pack("q", event.step)

    @property
    def step(self) -> int:
        return struct.unpack("q", self._step[:])[0]

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code; that of a killed one is negative."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def digest_of(case: str, folder: Path | None = None) -> str:
    """The digest of the training that is in a folder, taken up to its end, or of an undisturbed one without a folder; by a
    child: this process keeps no threads."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        more = {} if folder is None else {"snapshot_every": "1 epoch"}
        os.write(writer, digest(train(case, folder, epochs=EPOCHS, **more)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = pipe.read()
    os.waitpid(pid, 0)
    return found


def kill(place: Path, count: int, chance: random.Random) -> str:
    """``kill -9`` at random instants; "1 epoch" between two snapshots, so that what is lost can be counted in steps."""
    cases, killed, trainings, lost_most = list(CASES), 0, 0, 0
    expected = {case: digest_of(case) for case in cases}
    while killed < count:
        case, folder = cases[trainings % len(cases)], place / f"kill-{trainings}"
        trainings += 1
        while killed < count:
            before = (snapshot_steps(folder) or [0])[-1]
            child = Child(case, folder, snapshot_every="1 epoch")
            time.sleep(chance.uniform(0.0, MOST_SECONDS))
            child.send(signal.SIGKILL)
            if child.wait() == 0:  # it was faster
                break
            killed += 1
            kept, made = (snapshot_steps(folder) or [0])[-1], max(child.step, before)
            lost, epoch = made - kept, 9
            assert kept >= before, f"{folder} has lost a snapshot: {kept} after {before}"
            assert lost <= epoch, f"{folder} has lost {lost} steps"
            lost_most = max(lost_most, lost)
        assert digest_of(case, folder) == expected[case], f"{folder} ended at another hash"
        shutil.rmtree(folder)
    lost_words = f"at most {lost_most} steps lost, of 8 or 9 between two snapshots"
    return f"{killed:,} kill -9 in {trainings:,} trainings: the same hashes; {lost_words}"


def press(place: Path, count: int, chance: random.Random) -> str:
    """Ctrl-C or SIGTERM at random instants, twice in a row: the second does not wait for the end of the step."""

    def impatient() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupt.INSIST = 0.001

    case, pressed, trainings = "early stopping", 0, 0
    expected = digest_of(case)
    while pressed < count:
        folder = place / f"press-{trainings}"
        trainings += 1
        while pressed < count:
            child = Child(case, folder, impatient, snapshot_every=0.05)
            time.sleep(chance.uniform(0.0, MOST_SECONDS))
            for _ in range(2):
                child.send(chance.choice([signal.SIGINT, signal.SIGTERM]))
                time.sleep(chance.uniform(0.0, 0.004))
            code = child.wait()
            if code == 0:
                break
            pressed += 1
            assert code in (130, -signal.SIGTERM, -signal.SIGINT), f"an exit code of {code}"
        assert digest_of(case, folder) == expected, f"{folder} ended at another hash"
        shutil.rmtree(folder)
    return f"{pressed:,} times Ctrl-C or SIGTERM, twice in a row, in {trainings:,} trainings: the same hash"


def fail(place: Path) -> str:
    """Each call that opens, writes, synchronizes or renames fails, once or from then on, in each case."""
    tried = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in CASES:
            expected = digest(train(case, epochs=2))
            for kind in KINDS:
                counting = Disk(place, kind)
                with counting.mounted():
                    train(case, place / f"count {case} {kind}", epochs=2)
                for number in range(1, counting.calls + 1):
                    folder = place / f"fail {case} {kind} {number}"
                    with Disk(place, kind, number, stays=number % 2 == 0).mounted():
                        try:
                            assert digest(train(case, folder, epochs=2)) == expected
                        except pl.RunError:
                            assert (snapshot_steps(folder) or [0])[-1] == 0
                    assert digest(train(case, folder, epochs=2)) == expected
                    shutil.rmtree(folder)
                    tried += 1
    return f"{tried:,} failures of the disk, each call once: no snapshot lost, the same hashes"


def limit(place: Path) -> str:
    """Files that cannot grow over some size, as on a small disk that is full; the limit is swept upwards."""
    case, tried = "dense, dropout", 0
    expected = digest_of(case)
    for size in [*range(0, 4096, 64), *range(4096, 65536, 2048)]:
        folder = place / f"limit-{size}"

        def small(size: int = size) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            os.close(2)

        code = Child(case, folder, small, snapshot_every="1 epoch").wait()
        assert code in (0, 1), f"an exit code of {code}"
        assert digest_of(case, folder) == expected, f"{folder} ended at another hash"
        shutil.rmtree(folder)
        tried += 1
    return f"{tried:,} sizes at which the disk was full: the same hash"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    pl.Network  # noqa: B018 - imported once, here: a signal amid an import is an odd error
    place, chance = Path(tempfile.mkdtemp(prefix="pellucid-torture-")), random.Random(given.seed)
    for what in (
        lambda: kill(place, given.kills, chance),
        lambda: press(place, given.presses, chance),
        lambda: limit(place),
        lambda: fail(place),  # last: this process trains from here on
    ):
        began = time.perf_counter()
        print(f"{what()} ({time.perf_counter() - began:.0f} s)", flush=True)
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
