"""Two ways to run a command: as users do (`shell`, a process), and inside of this process on a few digits (`cli`)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from drawn_photos import COLORS, make_folder
from running import environment
from small_tables import learned, write_houses

import pellucid as pl
from pellucid.apps.cli.named_data import NAMED_DATA, NamedData
from pellucid.apps.cli.root import main


@pytest.fixture(scope="session")
def shell(tmp_path_factory):
    """``shell("info", path)`` runs ``python -m pellucid info path`` in a folder of its own."""
    home = tmp_path_factory.mktemp("shell")

    def run(*arguments, cwd=home, timeout=120, **options):
        env = environment(**{"XDG_CACHE_HOME": str(home / "cache"), **options.pop("env", {})})
        command = [sys.executable, "-m", "pellucid", *map(os.fspath, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.run(
            command, cwd=cwd, env=env, timeout=timeout, encoding="utf-8", stdin=subprocess.DEVNULL, **pipes
        )

    return run


@pytest.fixture(scope="session")
def few():
    """((x, y), (x_test, y_test)): 500 and 200 real digits."""
    (x, y), (x_test, y_test) = pl.datasets.digits()
    return (x[:500].copy(), y[:500].copy()), (x_test[:200].copy(), y_test[:200].copy())


@pytest.fixture
def cli(monkeypatch, capsys, tmp_path, tmp_path_factory, few):
    """``cli("train", "digits")`` calls the entry point in this process, in a folder of its own, on a few digits."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(NAMED_DATA, "digits", NamedData(lambda: few))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["pellucid", *map(os.fspath, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        signal.signal(signal.SIGINT, handler)  # a command ends its process; this one goes on
        written = capsys.readouterr()
        return SimpleNamespace(returncode=end.value.code or 0, stdout=written.out, stderr=written.err)

    return run


@pytest.fixture(scope="session")
def trained(few, tmp_path_factory):
    """A network that learned a few digits, and its file: (network, path)."""
    (x, y), _ = few
    network = pl.Network([pl.Input(28, 28), pl.Dense(16, "relu"), pl.Classification(10)], seed=5)
    network.fit(x, y, epochs=3, progress="none")
    path = tmp_path_factory.mktemp("trained") / "few digits é.safetensors"
    network.save(path, optimizer_state=True)
    return network, path


@pytest.fixture(scope="session")
def regression(tmp_path_factory):
    """The file of a regression."""
    path = tmp_path_factory.mktemp("regression") / "regression.safetensors"
    pl.Network([pl.Input(4), pl.Dense(3, "tanh"), pl.Regression()]).save(path)
    return path


@pytest.fixture(scope="session")
def pictures(few, tmp_path_factory):
    """Three pictures of digits, one with an odd name."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / "one.png", folder / "two words 数.png", folder / "new\nline.bmp"]
    for index, path in enumerate(paths):
        Image.fromarray(few[1][0][index]).save(path)
    return paths


@pytest.fixture
def photo_cache(monkeypatch, tmp_path_factory):
    """Prepared pictures go to a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def shapes(tmp_path_factory):
    """30 pictures of each of two classes, without a part to test with."""
    return make_folder(tmp_path_factory.mktemp("photos") / "my shapes", ("red disc", "blue box"), 30)


@pytest.fixture(scope="session")
def divided(tmp_path_factory):
    """train/ with three classes of uneven size, and test/; a broken file, and one that is no picture."""
    root = tmp_path_factory.mktemp("divided") / "divided"
    for label, count in zip(COLORS, (30, 20, 10), strict=True):
        make_folder(root / "train", (label,), count)
        make_folder(root / "test", (label,), 4, first=100)
    whole = (root / "train" / "red disc" / "0.png").read_bytes()
    (root / "train" / "red disc" / "broken.png").write_bytes(whole[:60])
    (root / "train" / "red disc" / "notes.txt").write_text("remember the milk")
    return root


@pytest.fixture(scope="session")
def model(divided, tmp_path_factory):
    """The path of a model that knows the three classes of `divided`, by the Python API."""
    photos = pl.datasets.folder(divided, 16, cache=tmp_path_factory.mktemp("cache"))
    made = pl.train(photos, layers="conv8 pool conv8 average", epochs=30, batch_size=8, validation=None, progress="none")
    path = tmp_path_factory.mktemp("model") / "three.safetensors"
    made.save(path)
    return path


@pytest.fixture(scope="session")
def houses(tmp_path_factory):
    """target -> (model, its file, a table that it has not seen), for `price`, `sold` (no, yes) and `class` (three)."""
    folder = tmp_path_factory.mktemp("houses")
    made = {}
    for target in ("price", "sold", "class"):
        learn, file = write_houses(folder / f"learn {target}.csv", target), folder / f"{target}.safetensors"
        made[target] = learned(learn, target, file), file, write_houses(folder / f"new {target}.csv", target, 90, 7)
    return made
