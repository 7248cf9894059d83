"""Pellucid's answers for photos: the network that comes with it. The arguments are the name of a job and a folder."""

from __future__ import annotations

import sys

import numpy as np
from jobs.photos import JOBS, pictures

import pellucid as pl
from contestants.protocol import serve
from pellucid.executors.native.inference import native_inference


def main() -> None:
    count, calls, threads = JOBS[sys.argv[1]]
    network, x = pl.pretrained().network, pictures(count)
    native = native_inference(network)
    assert native is not None
    native.threads = threads

    def work() -> None:
        for _ in range(calls):
            network.predict_proba(x)

    about = {"pellucid": pl.__version__, "numpy": np.__version__, "engine": network.engine_note}
    serve(work, about, answer=lambda: network.predict_proba(x[:1]).tolist())


if __name__ == "__main__":
    main()
