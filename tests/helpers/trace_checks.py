"""How the tests run tools/check_trace.py: in this process, and as a stranger would, by a Python that cannot import the
package or NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from traced_networks import TABLE, network

import pellucid as pl

TOOLS = Path(__file__).parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import check_trace  # noqa: E402

__all__ = ["BITES", "GIVEN", "TOOLS", "check_trace", "run"]

GIVEN = {"version", "seed", "step", "number"}
BITES = {
    "dense": network(TABLE, [pl.Dense(2, "gelu")], pl.Classification(3, 0.1)),
    "normalized": network(
        TABLE, [pl.Residual([pl.BatchNormalization(), pl.Dropout(0.4)], [pl.LayerNormalization()])], pl.Regression(2)
    ),
    "image": network((3, 3), [pl.Conv2D(2, 2), pl.MaxPooling2D(2, 1)], pl.BinaryClassification()),
    "members": network(TABLE, [pl.EnsembleDense(2, 2, "tanh")], pl.Classification(3, 0.1, members=2)),
    "means": network((3, 3, 2), [pl.AveragePooling2D(2, 1), pl.GlobalAveragePooling2D()], pl.Regression(1, "huber")),
}


def run(path):
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


# Without site packages there is neither NumPy nor the package: an import of them would fail.
PROGRAM = f"""
import runpy, sys
sys.path.insert(0, {str(TOOLS)!r})
runpy.run_path({str(TOOLS / "check_trace.py")!r}, run_name="__main__")
"""
