"""What a contestant says: one line of JSON for each line that it is asked, and silence, without work, in between.

``round``: work for one round; the answer holds "seconds". Other questions (``loss``, ``answer``) are not timed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jobs.data import Samples, samples
from jobs.dense import Job
from numpy.typing import NDArray


def training() -> tuple[Job, Samples]:
    """What the command line of a trainer names: a job as JSON, and the folder of the digits."""
    job = Job.from_json(sys.argv[1])
    return job, samples(job, Path(sys.argv[2]))


def prediction() -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32], int]:
    """What that of a predictor names: a file of parameters (w1, b1, w2, b2), a file of rows, and the calls of a round."""
    with np.load(sys.argv[1]) as arrays:
        return dict(arrays), np.load(sys.argv[2]), int(sys.argv[3])


def serve(work: Callable[[], object], about: Mapping[str, Any], **answers: Callable[[], Any]) -> None:
    """Say ``about`` when ready, then answer until the input ends. ``work`` returns when all of its numbers are computed."""
    out, sys.stdout = sys.stdout, sys.stderr  # a library that prints does not disturb
    print(json.dumps(about), file=out, flush=True)
    for question in map(str.strip, sys.stdin):
        if question == "round":
            start = time.perf_counter()
            work()
            answer = {"seconds": time.perf_counter() - start}
        else:
            answer = {question: answers[question]()}
        print(json.dumps(answer), file=out, flush=True)
