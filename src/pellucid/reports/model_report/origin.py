"""Where the figures come from: the model, and what is needed to reproduce them."""

from __future__ import annotations

import hashlib
import platform

import numpy as np

from pellucid.core.display.markup import Markup, element, section, table
from pellucid.core.display.text import counted
from pellucid.core.shapes import AnyArray
from pellucid.core.version import __version__
from pellucid.models.model import Model
from pellucid.nn.summary import COLUMNS, summary_rows
from pellucid.reports.judgement import Judgement


def architecture(model: Model) -> Markup:
    """The section with the table of layers."""
    network = model.network
    count = f"{counted(network.parameters.layout.size, 'parameter')}, {network.dtype}."
    is_of_table = model.pipeline is not None and model.pipeline.reads_tables
    prepared = f"It reads a {model.pipeline}." if is_of_table else f"Pictures are prepared by {model.pipeline}."
    words = f"{count} {prepared}" if model.pipeline else count
    layers = table("Layers", COLUMNS, summary_rows(network), class_="layers")
    return section("model", "The model", element("p", words), layers)


def origin(model: Model, found: Judgement, command: str) -> Markup:
    """The section with the command, the versions, the seed and the settings."""
    network, state = model.network, model.network.training_state
    began = model.transfer
    steps = f"{counted(state.epoch, 'epoch')}, {counted(state.step, 'step')}"
    facts = {
        "Training": f"{steps if began is None or state.step else 'a computed last layer'}, seed {network.seed}",
        **({} if began is None else {"Begun from": f"{began.network}, SHA-256 {began.sha256[:16]}"}),
        **{name[:1].upper() + name[1:]: value for name, value in state.settings.items()},
        "Engine": network.engine_note,
        "Versions": f"Pellucid {__version__}, Python {platform.python_version()}, NumPy {np.__version__}",
        "Machine": f"{platform.system()}, {platform.machine()}",
        "Parameters": f"SHA-256 {_fingerprint(network.parameters.vector, network.state.vector)}",
        "Test data": f"SHA-256 {_fingerprint(found.samples.x, found.samples.y)}",
    }
    items = (element("div", element("dt", name), element("dd", value)) for name, value in facts.items())
    words = (
        "The same command on the same model and data gives the same report. The fingerprints tell whether model and data "
        "are the same."
    )
    shown = [element("pre", element("code", command))] if command else []
    return section("origin", "How to reproduce these figures", *shown, element("p", words, class_="note"),
                   element("dl", *items, class_="facts"))  # fmt: skip


def _fingerprint(*arrays: AnyArray) -> str:
    """The first 16 digits of the hash of these numbers, of their types and shapes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
