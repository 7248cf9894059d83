"""Run tests on a native module that was built with sanitizers, and fail if one of them reports anything.

``python tools/build/sanitize.py address tests/executors/native`` from the environment that holds the build; `make sanitize`
does all of it. Reports go to files, since a test may hide what a process that it starts prints, or how it ends. Only the
sanitizer for undefined behavior cannot write to them beside that for addresses: it prints, and ends the process at once.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {
    # CPython itself leaks at its end: tests/executors/native/test_leaks.py counts what is allocated instead.
    "address": {"ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1"},
    "thread": {"TSAN_OPTIONS": "die_after_fork=0:exitcode=0"},
}
LIBRARIES = {"address": "libasan.so", "thread": "libtsan.so"}
NO_RANDOM_ADDRESSES = 0x0040000  # some versions of ThreadSanitizer cannot live with them


def main(sanitizer: str, *arguments: str) -> int:
    reports = ROOT / "build" / sanitizer / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    ctypes.CDLL(None).personality(NO_RANDOM_ADDRESSES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--capture=sys", *arguments], env=environment(sanitizer, reports)
    )
    found = sorted(reports.iterdir())
    for report in found:
        print(report.read_text(errors="replace"), file=sys.stderr)
    print(f"{sanitizer}: pytest ended with {done.returncode}, {len(found)} reports", file=sys.stderr)
    return done.returncode or len(found) > 0


def environment(sanitizer: str, reports: Path) -> dict[str, str]:
    """The sanitizer's library comes first in every process, and that of C++ with it: it watches over exceptions."""
    preload = " ".join(map(library, (LIBRARIES[sanitizer], "libstdc++.so")))
    options = {name: f"{text}:log_path={reports / 'report'}" for name, text in OPTIONS[sanitizer].items()}
    return {**os.environ, "LD_PRELOAD": preload, "PYTHONMALLOC": "malloc", "OPENBLAS_NUM_THREADS": "1", **options}


def library(name: str) -> str:
    """The path of a library of the compiler that built the module."""
    command = [os.environ.get("CXX", "c++"), f"-print-file-name={name}"]
    return os.path.realpath(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
