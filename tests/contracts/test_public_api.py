"""The public names: each is there, is explained, and is typed; nothing else is promised."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid as pl

STUB = Path(pl.__file__).with_suffix(".pyi")


def every_module():
    return [
        module.name for module in pkgutil.walk_packages(pl.__path__, "pellucid.") if not module.name.endswith("__main__")
    ]


@pytest.mark.parametrize("name", pl.__all__)
def test_a_public_name_is_there_and_explained(name):
    thing = getattr(pl, name)
    assert getattr(pl, name) is thing
    assert name in dir(pl)
    if name == "__version__":
        assert thing.count(".") == 2
        return
    text = inspect.getdoc(thing) or ""
    own = thing.__doc__ or ""
    assert len(own.split()) >= 3, f"{name} has no docstring that explains it: {own!r}"
    assert not own.startswith(f"{name}("), f"{name} has only the docstring that dataclasses write"
    assert "TODO" not in text
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert thing.__module__.startswith("pellucid.")


@pytest.mark.parametrize("name", [name for name in pl.__all__ if inspect.isclass(getattr(pl, name))])
def test_the_public_methods_of_a_public_class_are_explained(name):
    for method, value in vars(getattr(pl, name)).items():
        if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property | classmethod)):
            assert inspect.getdoc(getattr(getattr(pl, name), method)), f"{name}.{method}"


def test_names_and_types_are_the_same():
    tree = ast.parse(STUB.read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    listed = next(ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    assert imported == set(listed) == set(pl.__all__)
    assert len(listed) == len(set(listed))
    for node in tree.body:  # each comes from where the stub says
        if isinstance(node, ast.ImportFrom) and node.module != "pellucid":
            for alias in node.names:
                assert getattr(importlib.import_module(node.module), alias.name) is getattr(pl, alias.name)


def fresh(code):
    """Run code in a new interpreter, where nothing has been imported."""
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)


def test_import_star():
    result = fresh("from pellucid import *\nimport pellucid as pl\nassert set(pl.__all__) <= set(globals())")
    assert result.returncode == 0, result.stderr


def test_importing_the_package_alone_loads_nothing_heavy():
    heavy = {"numpy", "PIL", "rich", "click", "safetensors", "matplotlib"}
    result = fresh(f"import sys, pellucid; print(sorted({heavy} & set(sys.modules)))")
    assert result.stdout.strip() == "[]", result.stderr


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'Densee'"):
        pl.Densee  # noqa: B018 - the access is the test
    with pytest.raises(ImportError):
        from pellucid import Densee  # noqa: F401
    assert not hasattr(pl, "fit")
    assert not hasattr(pl, "__wrapped__")


def test_no_module_hides_a_name_once_everything_is_imported():
    """``import pellucid.x`` binds x in the package: a module called like a function would replace it."""
    code = (
        "import importlib, pellucid as pl\n"
        f"for name in {every_module()!r}: importlib.import_module(name)\n"
        "import inspect\n"
        "modules = [n for n in pl.__all__ if inspect.ismodule(getattr(pl, n))]\n"
        "assert modules == ['datasets', 'events', 'random'], modules\n"
        "assert callable(pl.gradcheck) and callable(pl.load) and callable(pl.register)\n"
        "assert pl.gradcheck.__module__ == 'pellucid.inspection.gradcheck'\n"
        "assert pl.datasets.digits.__module__ == 'pellucid.data.datasets.mnist', pl.datasets.digits\n"
        "assert callable(pl.datasets.digits) and callable(pl.datasets.fashion)\n"
    )
    result = fresh(code)
    assert result.returncode == 0, result.stderr


def test_the_order_of_imports_does_not_matter():
    """Each public home, imported first of all, in an interpreter of its own thread of modules."""
    for name in (
        "pellucid.models.saving",
        "pellucid.data.digits.digit_pipeline",
        "pellucid.nn.catalogue",
        "pellucid.training.trainer",
        "pellucid.apps.cli.commands.train",
    ):
        result = fresh(f"import {name}, pellucid as pl; pl.Network([pl.Input(2), pl.Regression()])")
        assert result.returncode == 0, result.stderr


def test_the_version_is_everywhere_the_same():
    from importlib.metadata import version

    assert pl.__version__ == version("pellucid")


def test_everything_that_a_file_can_name_can_be_made_by_users():
    """A public class of the catalogue is in ``__all__``: otherwise a loaded model holds things one cannot write."""
    from pellucid.nn import catalogue

    rows = (
        catalogue.LAYERS,
        catalogue.OUTPUTS,
        catalogue.LOSSES,
        catalogue.OPTIMIZERS,
        catalogue.INITIALIZERS,
        catalogue.CLIPPINGS,
        catalogue.SCHEDULES,
    )
    assert {cls.__name__ for row in rows for cls in row} <= set(pl.__all__)


def test_two_predictions_can_be_compared_and_counted(digits):
    """`Prediction` is a frozen dataclass, so people will write ``==`` and put them into sets."""
    x, y = digits
    network = pl.Network([pl.Input(28, 28), pl.Classification(10)])
    network.fit(x, y, epochs=1, progress="none")
    model = pl.Model(network)
    one, again, other = model.predict(x[0]), model.predict(x[0]), model.predict(x[1])
    assert one == again
    assert one != other
    assert len({one, again, other}) == 2
