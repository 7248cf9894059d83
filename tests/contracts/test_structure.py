"""The architecture as a test: who may import whom, how long a file may be, and what ``import pellucid`` loads."""

from __future__ import annotations

import ast
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid as pl

SOURCE = Path(pl.__file__).parent
CEILING, MEDIAN = 400, 120

# The whole architecture. A module belongs to the longest of these names that begins its own. It imports from there or from
# what stands before; never from later, not even inside of a function or for types.
ORDER = (
    "core",
    "core.display",
    "mathematics",
    "nn.layers",
    "nn.layers.tabular",
    "nn.layers.outputs",
    "nn",
    "data",
    "executors",
    "evaluation",
    "training",
    "inspection",
    "models",
    "reports",
    "interop",
    "apps.server",
    "apps.studio",
    "apps.serve",
    "apps.cli",
)
MOST_FILES = {"nn/layers": 18}  # one concept a file; elsewhere 15
NATIVE = Path(__file__).parents[2] / "native"
# the same for folders of C++; "" is bindings.cpp
NATIVE_ORDER = ("simd", "kernels", "runtime", "images", "plan", "tables", "")
OF_SKLEARN = {"sklearn", "scipy", "joblib"}  # only the estimators import these
HEAVY = {"PIL", "rich", "click", "safetensors", "matplotlib", "starlette", "uvicorn", "zstandard", "pyarrow"} | OF_SKLEARN
AT_THE_TOP = {  # of files that are imported only to be run
    "apps.cli": {"rich", "click"},
    "apps.studio": {"starlette", "uvicorn"},
    "apps.server": {"starlette", "uvicorn"},
    "core.display.figure": {"matplotlib"},
    "interop": OF_SKLEARN,
    "sklearn": {"sklearn"},
}

FILES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path != SOURCE / "__init__.py"
} | {"_native": SOURCE / "_native.pyi"}  # the compiled module, by its description


def room(module: str) -> str | None:
    """The name of ORDER that a module belongs to; None for what stands above the list."""
    names = [name for name in ORDER if f"{module}.".startswith(f"{name}.")]
    return max(names, key=len) if names else None


def place(module: str) -> int:
    """The place of its room in ORDER. What stands above the list may import all; the compiled module imports nothing."""
    if module == "_native":
        return -1
    found = room(module)
    return len(ORDER) if found is None else ORDER.index(found)


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


IMPORTS = {module: pellucid_imports(path, typing=True) - {module} for module, path in FILES.items()}
modules = pytest.mark.parametrize("module", FILES)


def test_at_the_top_stand_the_folders_and_the_doors():
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {name.split(".")[0] for name in ORDER}
    files = {path.name for path in SOURCE.iterdir() if path.is_file() and not path.name.endswith(".so")}
    assert files <= {"__init__.py", "__init__.pyi", "__main__.py", "_native.pyi", "py.typed", "sklearn.py"}


def test_imports_point_to_what_stands_before():
    upwards = {(module, name) for module in FILES for name in IMPORTS[module] if place(name) > place(module)}
    assert not upwards


def test_a_folder_has_few_files_and_says_what_it_is_for():
    for folder in {path.parent for path in SOURCE.rglob("*.py")} - {SOURCE}:
        name = folder.relative_to(SOURCE).as_posix()
        assert (folder / "__init__.py").is_file(), name
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= MOST_FILES.get(name, 15), f"{name} has {len(files)} files"


def test_there_is_no_cycle_not_even_through_functions_or_types():
    done: set[str] = set()
    trail: list[str] = []

    def visit(module: str) -> None:
        assert module not in trail, " -> ".join([*trail[trail.index(module) :], module])
        if module in done:
            return
        trail.append(module)
        for name in sorted(IMPORTS[module]):
            visit(name)
        trail.pop()
        done.add(module)

    for module in FILES:
        visit(module)


def test_the_scan_sees_imports(tmp_path):
    """The test tested: an import inside of a function, under TYPE_CHECKING, and of a submodule by either spelling."""
    path = tmp_path / "sample.py"
    path.write_text(
        "import pellucid.core.random\nfrom pellucid.nn import stack\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from pellucid.models.network import Network\n    import rich.table\n"
        "def f():\n    from pellucid.nn.layers.dense import Dense\n    from PIL import Image\n"
    )
    assert pellucid_imports(path) == {"core.random", "nn.stack", "nn.layers.dense"}
    assert pellucid_imports(path, typing=True) == {"core.random", "nn.stack", "nn.layers.dense", "models.network"}
    assert {n.split(".")[0] for n in imported(path, functions=False, typing=False)} == {"pellucid", "typing"}


@modules
def test_heavy_packages_are_imported_where_they_are_used(module):
    """They cost time: at the top of a file only where nothing is done without them."""
    top = {name.split(".")[0] for name in imported(FILES[module], functions=False, typing=False)}
    assert not (top & HEAVY) - AT_THE_TOP.get(room(module) or "", set()) - AT_THE_TOP.get(module, set())


@modules
def test_only_numpy_and_the_declared_packages_are_imported(module):
    known = {"pellucid", "numpy", *HEAVY, *sys.stdlib_module_names}
    if not module.startswith("interop.estimators.") and module != "sklearn":
        known -= OF_SKLEARN
    assert not {name.split(".")[0] for name in imported(FILES[module], functions=True, typing=True)} - known


@modules
def test_no_file_is_longer_than_the_ceiling(module):
    assert len(FILES[module].read_text("utf-8").splitlines()) <= CEILING


def test_no_test_and_no_page_of_the_studio_is_longer_either():
    root = NATIVE.parent
    files = [*(root / "tests").rglob("*.py"), *(root / "web" / "src").rglob("*.ts"), *(root / "web" / "src").rglob("*.tsx")]
    assert len(files) > 250
    lengths = {path.relative_to(root).as_posix(): len(path.read_text("utf-8").splitlines()) for path in files}
    assert not {name: length for name, length in lengths.items() if length > CEILING}


def test_the_median_file_is_short():
    lengths = [len(path.read_text("utf-8").splitlines()) for path in FILES.values()]
    assert statistics.median(length for length in lengths if length > 1) <= MEDIAN


@modules
def test_every_file_says_what_it_is_for(module):
    text = FILES[module].read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{module} has no docstring"


CPP = {path.relative_to(NATIVE).as_posix(): path for path in sorted(NATIVE.rglob("*.?pp"))}
cpp_files = pytest.mark.parametrize("name", CPP)


def included(text: str) -> list[str]:
    """The headers of ours that C++ text includes."""
    return re.findall(r'^\s*#\s*include\s*"(.*)"', text, flags=re.M)


def folder_place(name: str) -> int:
    return NATIVE_ORDER.index(name.rpartition("/")[0])


def test_native_has_the_folders_of_its_order():
    assert {path.name for path in NATIVE.iterdir() if path.is_dir()} | {""} == set(NATIVE_ORDER)
    assert {path.name for path in NATIVE.iterdir() if path.is_file()} == {"CMakeLists.txt", "bindings.cpp"}


def test_the_document_lists_the_folders_in_this_order():
    text = (NATIVE.parent / "docs" / "developing" / "native.md").read_text("utf-8")
    assert re.findall(r"^\| \[`(\w+)/`\]", text, flags=re.M) == list(NATIVE_ORDER[:-1])


@cpp_files
def test_includes_go_by_path_and_point_to_folders_before(name):
    for header in included(CPP[name].read_text("utf-8")):
        assert header in CPP, f"{name} includes {header}: name it by its path from native/"
        assert folder_place(header) <= folder_place(name), f"{name} includes {header}, which stands behind it"


def test_the_scan_sees_includes():
    assert included('#include <vector>\n#include "plan/plan.hpp"\n  # include "a.hpp"\n') == ["plan/plan.hpp", "a.hpp"]
    assert folder_place("simd/simd.hpp") < folder_place("plan/plan.cpp") < folder_place("bindings.cpp")


@cpp_files
def test_a_file_of_native_is_short_and_says_what_it_is_for(name):
    lines = CPP[name].read_text("utf-8").splitlines()
    assert len(lines) <= CEILING
    assert re.match(r"// \w.{20,}", lines[0]), f"{name} begins with {lines[0]!r}"


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
        assert not {name.split(".")[0] for name in fresh(code)} & (HEAVY | {"hashlib"})


def test_every_public_name_can_be_fetched_and_is_listed():
    assert len(set(pl.__all__)) == len(pl.__all__)
    for name in pl.__all__:
        assert getattr(pl, name) is not None
    assert set(pl.__all__) <= set(dir(pl))
    with pytest.raises(AttributeError):
        pl.no_such_name  # noqa: B018 - the access is the test


def test_what_reads_tables_is_loaded_where_there_is_one():
    without = (
        "import pellucid as pl, numpy as np\n"
        "for name in dir(pl): getattr(pl, name)\n"
        "n = pl.Network([pl.Input(3), pl.Dense(3, 'relu'), pl.Classification(3)])\n"
        "n.fit(np.eye(3), [0, 1, 2], epochs=1, progress='none')\n"
        "print(pl.explain(pl.Model(n), np.ones(3)))\n"
        "from pellucid.apps.cli.commands import evaluate, explain, info, inspect, predict, studio, train"
    )
    assert not [name for name in fresh(without) if name.startswith("pellucid.data.tables.")]
    assert "pellucid.data.tables.table" in fresh(
        "import pellucid as pl; pl.datasets.table({'a': [1.5, 2], 'b': [1, 2.5]}, 'a')"
    )
