"""What watching costs: ``Network.fit`` alone against the same training in the studio while a page takes every event.

For the digits and for points in the plane it finds the seconds of both and the median of the ratios of pairs that follow
one another; and the same for a run that nobody watches. The page is another process, which reads the stream over a socket
as a browser does.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn

from pellucid.apps.studio.application import application
from pellucid.apps.studio.runs.experiment import experiment
from pellucid.apps.studio.runs.material import material, network_of
from pellucid.apps.studio.runs.run import Run
from pellucid.apps.studio.session import Session

ROUNDS = 9
EXPERIMENTS: dict[str, dict[str, Any]] = {
    "digits 784-256-128-10, batch 256": {"data": "digits", "hidden": [256, 128], "batch_size": 256, "epochs": 8},
    "spirals 2-32-32-2, batch 32": {
        "data": "spirals",
        "samples": 20_000,
        "validation": 0.1,
        "hidden": [32, 32],
        "batch_size": 32,
        "epochs": 150,
    },
}
PAGE = """
import sys, urllib.request
looks = 0
with urllib.request.urlopen(sys.argv[1]) as stream:
    print(next(stream), flush=True)
    for line in stream:
        looks += line == b"event: look\\n"
print(looks)
"""


def main() -> None:
    session = Session()
    server = uvicorn.Server(uvicorn.Config(application(session), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    json.dump({name: measure(session, port, fields) for name, fields in EXPERIMENTS.items()}, sys.stdout)
    server.should_exit = True
    thread.join()


def measure(session: Session, port: int, fields: dict[str, Any]) -> dict[str, float]:
    """Seconds of each way of training, medians of the rounds; and how much longer watching makes it."""
    looks: list[float] = []
    ways: dict[str, Callable[[], float]] = {
        "fit": lambda: by_fit(fields),
        "alone": lambda: by_run(session, fields),
        "watched": lambda: watched(session, fields, port, looks),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(ROUNDS + 1):
        for name, way in ways.items():
            seconds = way()
            if round_:  # the first one warms up
                times[name].append(seconds)
    return {f"{name}_seconds": statistics.median(values) for name, values in times.items()} | {
        "watched_to_fit": ratio(times["watched"], times["fit"]),
        "watched_to_alone": ratio(times["watched"], times["alone"]),
        "looks_a_second": statistics.median(looks),
    }


def ratio(of: list[float], to: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def by_fit(fields: dict[str, Any]) -> float:
    chosen = experiment(fields)
    data = material(chosen)
    network = network_of(chosen, data)
    assert data.validation is not None
    (x, y), aside = ((part.x[part.rows], part.y[part.rows]) for part in (data.training, data.validation))
    start = time.perf_counter()
    network.fit(x, y, progress="none", **chosen.recipe.fit_options() | {"validation": aside})
    return time.perf_counter() - start


def by_run(session: Session, fields: dict[str, Any]) -> float:
    run = session.runs.create(fields)
    seconds = trained(run)
    session.runs.delete(run.name)
    return seconds


def watched(session: Session, fields: dict[str, Any], port: int, looks: list[float]) -> float:
    run = session.runs.create(fields)
    command = [sys.executable, "-c", PAGE, f"http://127.0.0.1:{port}/api/runs/{run.name}/events"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        assert page.stdout is not None
        page.stdout.readline()
        seconds = trained(run)
        session.runs.delete(run.name)  # ends the stream
        looks.append(int(page.stdout.readline()) / seconds)
    return seconds


def trained(run: Run) -> float:
    """Seconds from the start to the end, which the thread of the run knows best."""
    start = time.perf_counter()
    run.resume()
    run.wait()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
