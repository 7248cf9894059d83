"""Small networks and data for wrong calls, a kit for wrong files, and the command line."""

from __future__ import annotations

import json
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import pellucid as pl
from pellucid.apps.cli.root import main


def image_network(**options):
    return pl.Network([pl.Input(28, 28), pl.Dense(4, "relu"), pl.Classification(10)], **options)


@pytest.fixture(scope="session")
def kit(tmp_path_factory):
    """Data, networks and a valid model file, which no test changes; ``begun`` says whether the last fit took a step."""
    (x, y), _ = pl.datasets.digits()
    x, y = x[:60].copy(), y[:60].copy()
    x.flags.writeable = y.flags.writeable = False
    rng = np.random.default_rng(7)
    table_x = rng.normal(size=(40, 4)).astype(np.float32)
    table_y = table_x @ np.array([1.0, -2.0, 0.5, 3.0]) + 1.0

    def fit(network=None, x=x, y=y, **options):
        network = network or image_network()
        before = network.parameters.vector.copy()
        try:
            network.fit(x, y, **{"epochs": 1, "progress": "none"} | options)
        finally:
            space.begun = bool(network.training_state.step) or not np.array_equal(network.parameters.vector, before)

    trained = pl.Network([pl.Input(4), pl.Dense(3, "tanh"), pl.Regression(2)], seed=3)
    trained.fit(table_x, np.stack([table_y, -table_y], 1), epochs=1, progress="none")
    classifier = image_network()
    classifier.fit(x, y, epochs=1, progress="none")
    file = tmp_path_factory.mktemp("kit") / "small.safetensors"
    trained.save(file, optimizer_state=True)
    space = SimpleNamespace(
        begun=False,
        x=x,
        y=y,
        table_x=table_x,
        table_y=table_y,
        fit=fit,
        images=image_network,
        table=lambda: pl.Network([pl.Input(4), pl.Regression()]),
        yes_no=lambda: pl.Network([pl.Input(4), pl.BinaryClassification()]),
        file=file,
        regression=trained,
        classifier=classifier,
    )
    return space


@pytest.fixture(scope="session")
def content(kit):
    """(description, tensors) of the valid file, read with plain safetensors."""
    with safe_open(kit.file, framework="numpy") as file:
        return json.loads(file.metadata()["pellucid"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


@pytest.fixture
def forge(content, tmp_path):
    """Write a file like the valid one, but changed: ``forge(lambda description, tensors: ...)`` gives its path."""

    def make(change=None, text=None):
        description, tensors = json.loads(json.dumps(content[0])), {k: v.copy() for k, v in content[1].items()}
        if change is not None:
            change(description, tensors)
        path = tmp_path / "forged.safetensors"
        save_file(tensors, path, metadata={"pellucid": json.dumps(description) if text is None else text})
        return path

    return make


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """``command("inspect", "table.csv")``: exit code, output and messages. No traceback, and nothing that could control a
    terminal, is among them."""
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["pellucid", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        signal.signal(signal.SIGINT, handler)
        written = capsys.readouterr()
        assert "Traceback" not in written.err
        for line in (written.out + written.err).split("\n"):
            assert line.isprintable(), ascii(line)
        return end.value.code or 0, written.out, " ".join(written.err.split())

    return run
