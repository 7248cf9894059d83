"""Nothing compiled for a newer processor may be run by an older one: ``python tools/build/check_objects.py build/strict``.

Each kernel file is compiled once for each instruction set. An inline function of a header, compiled among them, would be
one symbol for all, and the linker could keep the copy with AVX-512; what computes the first value of a variable would run
on every machine. So the objects of an instruction set define symbols in their own namespace only; a file with options of
its own shares none with its neighbors; and no other object has an instruction with registers of more than 128 bits.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WIDE = re.compile(r"%[yz]mm\d|%k[0-7]\b|%xmm(1[6-9]|2\d|3[01])\b")


def main(build: Path) -> int:
    objects = sorted((build / "CMakeFiles").rglob("*.o"))
    kernels = [path for path in objects if target(path).startswith("kernels_")]
    others = [path for path in objects if target(path) not in ("kernels_avx2", "kernels_avx512")]
    if not kernels:
        sys.exit(f"{build}: no objects of kernels")
    faults = [fault for path in kernels for fault in foreign(path)]
    faults += [fault for path in kernels if "bf16" in path.name for fault in shared(path)]
    faults += [fault for path in others for fault in wide(path)]
    print(*faults, f"{build}: {len(objects)} objects, {len(faults)} faults", sep="\n")
    return bool(faults)


def target(path: Path) -> str:
    """The target of CMake that an object belongs to: kernels_avx2 of .../kernels_avx2.dir/kernels/product.cpp.o."""
    return next(part.removesuffix(".dir") for part in path.parts if part.endswith(".dir"))


def symbols(path: Path) -> Iterator[tuple[str, str]]:
    """Kind (a letter of nm) and name of what an object defines."""
    for line in output("nm", "--defined-only", path).splitlines():
        _, kind, name = line.split(maxsplit=2)
        yield kind, name


def foreign(path: Path) -> Iterator[str]:
    """Symbols outside of pellucid::<instruction set>, but for labels and pointers of the compiler's own."""
    isa = target(path).removeprefix("kernels_")
    own = re.compile(rf"_Z(Z|GV|T[VTIS])*NK?8pellucid{len(isa)}{isa}")
    for kind, name in symbols(path):
        if not own.match(name) and not name.startswith((".L", "DW.ref.")):
            yield f"{path}: {demangled(name)} ({kind}) is not in pellucid::{isa}"


def shared(path: Path) -> Iterator[str]:
    """Symbols of a file with options of its own that its neighbors define too."""
    theirs = {name for other in path.parent.glob("*.o") if other != path for kind, name in symbols(other) if kind in "WVu"}
    for _, name in symbols(path):
        if name in theirs:
            yield f"{path}: {demangled(name)} is also in a file compiled with other options"


def wide(path: Path) -> Iterator[str]:
    function = ""
    for line in output("objdump", "-d", "-C", "--no-show-raw-insn", path).splitlines():
        if line.endswith(">:"):
            function = line
        elif WIDE.search(line):
            yield f"{path}: {function} {line.strip()}"


def demangled(name: str) -> str:
    return output("c++filt", name).strip()


def output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
