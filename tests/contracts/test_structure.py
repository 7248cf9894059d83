"""The architecture as a test: who may import whom, how long a file may be, and what ``import pellucid`` loads."""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid as pl

SOURCE = Path(pl.__file__).parent
CEILING, MEDIAN = 400, 150

# Every module, lowest first. A module may import from lower tiers, and from modules that stand before it in its own tier.
# "*" stands for all modules of a folder that is open to new members; within it, there may be no cycle.
TIERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("0 ground", ("_native", "version", "errors", "writing", "shapes", "random", "events")),
    (
        "1 mathematics",
        (
            "activations",
            "losses",
            "initializers",
            "regularizers",
            "clipping",
            "optimizers",
            "schedules",
            "metrics",
            "bootstrap",
            "calibration",
            "temperature",
            "conformal",
            "thresholds",
        ),
    ),
    (
        "2 structure",
        (
            "parameters",
            "layers",
            "layers.base",
            "layers.affine",
            "layers.windows",
            "layers.joining",
            "layers.input",
            "layers.rescale",
            "layers.dense",
            "layers.convolution",
            "layers.pooling",
            "layers.dropout",
            "layers.flatten",
            "layers.normalization",
            "layers.layer_normalization",
            "layers.output",
            "layers.classification",
            "layers.regression",
            "layers.residual",
            "stack",
            "catalogue",
        ),
    ),
    (
        "3 process",
        (
            "html",
            "html.markup",
            "html.chart",
            "html.pictures",
            "html.curves",
            "html.page",
            "html.notebook",
            "interrupt",
            "history",
            "summary",
            "progress",
            "mixup",
            "batches",
            "executors",
            "executors.base",
            "executors.numpy",
            "executors.image_compilation",
            "executors.compilation",
            "executors.native",
            "executors.inference",
            "executors.choose",
            "weights",
            "evaluation",
            "trust",
            "callbacks",
            "trainer",
            "gradient_check",
            "attribution.case",
            "attribution.exact",
            "attribution.integrated_gradients",
            "attribution.colors",
            "attribution.result",
            "attribution.choose",
            "attribution.maps",
            "attribution.curves",
            "attribution.deletion",
            "attribution",
            "trace",
            "trace.recording",
            "trace.reading",
            "trace.layer_trace",
            "trace.answer",
            "trace.step",
            "trace.arithmetic",
            "trace.neuron",
            "trace.table",
            "trace.data",
            "trace.trace",
            "pipeline.resample",
            "pipeline.stroke",
            "pipeline.ink",
            "pipeline.components",
            "pipeline.redraw",
            "pipeline.doubt",
            "pipeline.image_file",
            "pipeline.base",
            "pipeline.picture",
            "pipeline.photos",
            "pipeline.bilinear",
            "pipeline.augmentation",
            "pipeline.photo_augmentation",
            "pipeline.digits",
            "pipeline.choose",
            "pipeline",
            "architectures",
            "recipes",
            "photo_rules",
            "datasets.checksum",
            "datasets.lock",
            "datasets.download",
            "datasets.remote",
            "datasets.idx",
            "datasets.digits",
            "datasets.fashion",
            "datasets.folder_report",
            "datasets.listing",
            "datasets.csv_listing",
            "datasets.photo_reader",
            "datasets.duplicates",
            "datasets.picture_cache",
            "datasets.decoding",
            "datasets.folder",
            "datasets",
        ),
    ),
    ("4 borders", ("model_file", "saving", "network", "prediction", "model", "training")),
    ("5 faces", ("report.*", "explanation.*", "studio.*", "cli.*", "__main__")),
)
PLACES = {name: (tier, row) for tier, (_, names) in enumerate(TIERS) for row, name in enumerate(names)}
HEAVY = {"PIL", "rich", "click", "safetensors", "matplotlib", "starlette", "uvicorn"}
AT_THE_TOP = {"cli": {"rich", "click"}, "studio": {"starlette", "uvicorn"}}  # of files that are imported only to be run

FILES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path != SOURCE / "__init__.py"
} | {"_native": SOURCE / "_native.pyi"}  # the compiled module, by its description


def place(module: str) -> tuple[int, int]:
    return PLACES[module] if module in PLACES else PLACES[f"{module.split('.')[0]}.*"]


def open_folder(module: str) -> bool:
    return module not in PLACES


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def statements(tree: ast.AST, *, functions: bool, typing: bool):
    """All statements; with those inside of functions, and of ``if TYPE_CHECKING``, or without."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not functions:
            continue
        if is_type_checking(node) and not typing:
            continue
        yield node
        yield from statements(node, functions=functions, typing=typing)


def imported(path: Path, *, functions: bool, typing: bool) -> set[str]:
    """Full names of what a file imports: ``from pellucid import random`` and ``import pellucid.random`` alike."""
    names: set[str] = set()
    for node in statements(ast.parse(path.read_text("utf-8")), functions=functions, typing=typing):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def pellucid_imports(path: Path, *, typing: bool = False) -> set[str]:
    """The modules of the package that a file imports anywhere, also inside of functions."""
    found = set()
    for name in imported(path, functions=True, typing=typing):
        parts = name.split(".")
        if parts[0] != "pellucid":
            continue
        inner = ".".join(parts[1:])
        while inner and inner not in FILES:
            inner = inner.rpartition(".")[0]
        assert inner, f"{path.name} imports {name} from the package itself: name the module where it lives"
        found.add(inner)
    return found


IMPORTS = {module: pellucid_imports(path) for module, path in FILES.items()}
modules = pytest.mark.parametrize("module", FILES)


def test_the_table_and_the_folder_name_the_same_modules():
    missing = [module for module in FILES if module not in PLACES and f"{module.split('.')[0]}.*" not in PLACES]
    gone = [name for name in PLACES if not name.endswith(".*") and name not in FILES]
    assert not missing, f"give these modules a place in TIERS: {missing}"
    assert not gone, f"take these out of TIERS: {gone}"


@modules
def test_imports_point_downwards(module):
    upwards = [
        name
        for name in IMPORTS[module]
        if place(name) > place(module) or (place(name) == place(module) and not open_folder(module))
    ]
    assert not upwards, f"{module} imports {upwards}, which stand above it"


def test_there_is_no_cycle_not_even_through_functions_or_types():
    graph = {module: pellucid_imports(path, typing=True) - {module} for module, path in FILES.items()}
    done: set[str] = set()
    trail: list[str] = []

    def visit(module: str) -> None:
        assert module not in trail, " -> ".join([*trail[trail.index(module) :], module])
        if module in done:
            return
        trail.append(module)
        for name in sorted(graph[module]):
            visit(name)
        trail.pop()
        done.add(module)

    for module in FILES:
        visit(module)


def test_the_scan_sees_imports(tmp_path):
    """The test tested: an import inside of a function, under TYPE_CHECKING, and of a submodule by either spelling."""
    path = tmp_path / "sample.py"
    path.write_text(
        "import pellucid.random\nfrom pellucid import stack\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from pellucid.network import Network\n    import rich.table\n"
        "def f():\n    from pellucid.layers.dense import Dense\n    from PIL import Image\n"
    )
    assert pellucid_imports(path) == {"random", "stack", "layers.dense"}
    assert pellucid_imports(path, typing=True) == {"random", "stack", "layers.dense", "network"}
    assert {n.split(".")[0] for n in imported(path, functions=False, typing=False)} == {"pellucid", "typing"}


@modules
def test_heavy_packages_are_imported_where_they_are_used(module):
    """They cost time: at the top of a file only where nothing is done without them."""
    top = {name.split(".")[0] for name in imported(FILES[module], functions=False, typing=False)}
    assert not (top & HEAVY) - AT_THE_TOP.get(module.split(".")[0], set())


@modules
def test_only_numpy_and_the_declared_packages_are_imported(module):
    known = {"pellucid", "numpy", *HEAVY, *sys.stdlib_module_names}
    assert not {name.split(".")[0] for name in imported(FILES[module], functions=True, typing=True)} - known


@modules
def test_no_file_is_longer_than_the_ceiling(module):
    assert len(FILES[module].read_text("utf-8").splitlines()) <= CEILING


def test_the_median_file_is_short():
    lengths = [len(path.read_text("utf-8").splitlines()) for path in FILES.values()]
    assert statistics.median(length for length in lengths if length > 1) <= MEDIAN


@modules
def test_every_file_says_what_it_is_for(module):
    text = FILES[module].read_text("utf-8")
    assert not text or ast.get_docstring(ast.parse(text)), f"{module} has no docstring"


def fresh(code: str) -> list[str]:
    """The modules that a new process has loaded after this code."""
    program = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_pellucid_loads_nothing_heavy_and_neither_does_training():
    training = (
        "import pellucid as pl, numpy as np\n"
        "n = pl.Network([pl.Input(2), pl.BatchNormalization(), pl.Dense(3, 'relu'), pl.Classification(2)])\n"
        "n.fit(np.eye(2), [0, 1], epochs=1, progress='none'); n.predict(np.eye(2)); str(n)\n"
        "pl.gradcheck(pl.Dense(2), np.eye(3))"
    )
    for code in ("import pellucid", training):
        assert not {name.split(".")[0] for name in fresh(code)} & HEAVY


def test_every_public_name_can_be_fetched_and_is_listed():
    assert len(set(pl.__all__)) == len(pl.__all__)
    for name in pl.__all__:
        assert getattr(pl, name) is not None
    assert set(pl.__all__) <= set(dir(pl))
    with pytest.raises(AttributeError):
        pl.no_such_name  # noqa: B018 - the access is the test
