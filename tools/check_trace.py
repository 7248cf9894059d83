"""Compute every number of a trace again, from its inputs and weights: ``python tools/check_trace.py trace.json``.

A trace is what ``network.trace(...).to_json()`` writes. This program shares nothing with the package and needs nothing but
Python: it knows the formulas of docs/mathematics and the format of docs/reference/formats.md. It reports how many numbers
it computed and the largest difference, and exits with 1 if any is off, if one was left unchecked, if an array is missing or
of another shape, or if the input of a layer is not what the layer before it gave; with 2 if the file is no trace.

Each number is computed from recorded ones one step before it, so errors do not add up. The difference of a sum is measured
against the sum of the sizes of its terms, since that is what its rounding depends on.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracecheck.comparing import LIMIT, Checker, Record
from tracecheck.ends import check_answer, check_loss
from tracecheck.ensembles import answer_logits
from tracecheck.form import form_faults, named_layers
from tracecheck.layers import check_chain
from tracecheck.updates import check_rate, check_update

# What is given, not computed: the first input, the arrays of layers, what the optimizer remembered, targets.
SOURCES = re.compile(
    r"version|seed|step|update\.update|loss\.targets|.*\.(number|(parameters|state)\.\w+|updates\.\w+\.slots\.\w+)"
)
DESCRIPTIONS = {"description", "optimizer", "regularizers"}
SHOWN = 20  # faults
DAMAGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError)


def main(path: Path) -> int:
    try:
        trace = json.loads(path.read_text("utf-8"))
        if not isinstance(trace, dict) or trace.get("format") != "pellucid-trace" or trace.get("version") != 1:
            raise ValueError("it does not say that it is a pellucid-trace of version 1")
        check = check_trace(trace)
    except OSError as error:
        print(printable(f"{path} cannot be read: {error.strerror or error}."), file=sys.stderr)
        return 2
    except DAMAGE as error:
        print(printable(f"{path}: this is no whole trace ({type(error).__name__}: {error})"), file=sys.stderr)
        return 2
    largest, where = check.worst
    print(*map(printable, check.faults[:SHOWN]), sep="\n", end="\n" if check.faults else "")
    print(printable(f"{path}: {check.count:,} numbers computed, largest difference {largest:.1e} ({where})"))
    count = len(check.faults)
    print(f"{count} fault{'' if count == 1 else 's'}" if count else f"every number is right, within {LIMIT:g}")
    return 1 if check.faults else 0


def check_trace(trace: Record) -> Checker:
    """Everything in a trace: its form, and if that is right every number."""
    check = Checker()
    check.faults += form_faults(trace)
    if check.faults:
        return check
    layers = trace["layers"]
    ends = [("the input", layers[0]["input"]), ("the gradient of the loss", layers[-1].get("doutput"))]
    check_chain(check, "layers", layers, ends, trace)
    check_answer(check, trace["answer"], answer_logits(check, trace))
    if "loss" in trace:
        check_loss(check, trace)
    if "update" in trace:
        check_rate(check, trace["update"])
        for path, layer in named_layers("layers", layers):
            check_update(check, path, layer, trace["update"])
    check.faults += [
        f"{path} was not checked" for path in arrays("", trace) if path not in check.done and not is_given(path)
    ]
    return check


def arrays(path: str, value: Any) -> Iterator[str]:
    """The path of every array and every number, apart from those in descriptions."""
    if isinstance(value, dict) and "float64" not in value:
        for name, inner in value.items():
            if name not in DESCRIPTIONS:
                yield from arrays(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and value and isinstance(value[0], dict) and "float64" not in value[0]:
        for index, inner in enumerate(value):
            yield from arrays(f"{path}[{index}]", inner)
    elif not isinstance(value, str | bool):
        yield path


def printable(text: str) -> str:
    """Text that cannot command the terminal: what is no plain letter is spelt out."""
    return "".join(c if c.isascii() and c.isprintable() else ascii(c)[1:-1] for c in text)


def is_given(path: str) -> bool:
    return SOURCES.fullmatch(path) is not None


if __name__ == "__main__":
    words = argparse.ArgumentParser(
        prog="check_trace.py",
        description="Compute every number of a trace again, from its inputs and weights.",
        epilog="Exits with 0 if every number is right, with 1 if one is off, missing or unchecked, with 2 without a trace.",
    )
    words.add_argument("trace", type=Path, help="a file with what network.trace(...).to_json() gives")
    sys.exit(main(words.parse_args().trace))
