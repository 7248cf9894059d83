"""What it was measured on, and with."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

PEERS = ("torch", "jax", "keras", "scikit-learn", "onnxruntime", "numpy")


def describe(peers_python: str | None) -> dict[str, str]:
    """The machine, how busy it was before, and the versions of everything that took part."""
    import numpy

    import pellucid as pl

    network = pl.Network([pl.Input(2), pl.Classification(2)])
    about = {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": platform.platform(terse=True),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "pellucid": pl.__version__,
        "engine": network.engine_note,
    }
    return about | {"peers": ", ".join(versions(peers_python))} if peers_python else about


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions(python: str) -> list[str]:
    """Of the peers, in their own environment."""
    code = f"import json, importlib.metadata as m; print(json.dumps([n + ' ' + m.version(n) for n in {PEERS}]))"
    return list(json.loads(subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout))
