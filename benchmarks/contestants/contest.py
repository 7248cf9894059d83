"""A contest in turns: contestants are processes of their own, in environments of their own, and one works at a time.

Machines drift, and shared ones drift a lot. So everyone works in every round, in the same minutes, and what counts is the
median over rounds of the ratio of two contestants in the same round.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from jobs.dense import THREADS

BENCHMARKS = Path(__file__).parents[1]
WARM_UP = 2
PAUSE = 0.05  # seconds, in which the threads of the one before go to sleep
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Contestant:
    """A module of `contestants`, run by ``python``; ``with`` ends it."""

    def __init__(self, module: str, *arguments: str, python: str = sys.executable) -> None:
        environment = os.environ | {name: str(THREADS) for name in VARIABLES} | {"PYTHONPATH": str(BENCHMARKS)}
        self._process = subprocess.Popen(
            [python, "-m", f"contestants.{module}", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.about: dict[str, str] = self._answer()

    def ask(self, question: str) -> Any:
        """The answer to a question; to "round" it is the seconds that the work took."""
        assert self._process.stdin
        print(question, file=self._process.stdin, flush=True)
        answer = self._answer()
        return answer["seconds"] if question == "round" else answer[question]

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the contestant {self._process.args!r} ended: see its error above.")
        return dict(json.loads(line))

    def __enter__(self) -> Contestant:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def hold(contestants: dict[str, Contestant], rounds: int, questions: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Name -> answer, for each round; the first ones warm up and are not told. Who was first in one round is last in the
    next. ``questions`` holds what is asked of those who are asked for something else than "round"."""
    results = []
    for number in range(-WARM_UP, rounds):
        answers = {}
        for name in sorted(contestants, reverse=number % 2 == 1):
            time.sleep(PAUSE)
            answers[name] = contestants[name].ask((questions or {}).get(name, "round"))
        if number >= 0:
            results.append(answers)
    return results


def median(rounds: Sequence[dict[str, float]], name: str) -> float:
    return statistics.median(answers[name] for answers in rounds)


def median_ratio(rounds: Sequence[dict[str, float]], name: str, peer: str) -> float:
    """The median of the ratios, one a round: not the ratio of the medians."""
    return statistics.median(answers[name] / answers[peer] for answers in rounds)
