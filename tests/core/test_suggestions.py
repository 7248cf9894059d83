"""No typo in an argument is answered by Python's own sentence alone, in no public class, function or method."""

from __future__ import annotations

import inspect

import pytest

import pellucid as pl


def test_every_public_class_names_the_argument_that_is_meant():
    """Also one that will be added."""
    classes = [thing for thing in (getattr(pl, name) for name in pl.__all__) if inspect.isclass(thing)]
    assert len(classes) > 40
    tried = 0
    for cls in classes:
        if issubclass(cls, Exception) or inspect.isabstract(cls):
            continue
        names = [name for name, one in inspect.signature(cls).parameters.items() if one.kind is not one.VAR_POSITIONAL]
        for name in names:
            tried += 1
            with pytest.raises(TypeError, match=rf"{cls.__name__} has no argument '{name}_'.*Did you mean '{name}'"):
                cls(**{f"{name}_": None})
    assert tried > 80


def test_every_public_function_and_method_names_the_argument_that_is_meant():
    named = [getattr(place, name) for place in (pl, pl.datasets) for name in place.__all__]
    functions = [thing for thing in named if inspect.isfunction(thing)]
    methods = [
        getattr(cls, name)
        for cls in (pl.Network, pl.Model, pl.History)
        for name, method in vars(cls).items()
        if inspect.isfunction(method) and not name.startswith("_")
    ]
    tried = 0
    for function in (*functions, *methods):
        takes = inspect.signature(function).parameters.values()
        if function.__name__.startswith("_") or any(one.kind is one.VAR_KEYWORD for one in takes):
            continue
        for name in (one.name for one in takes if one.kind is not one.VAR_POSITIONAL and one.name != "self"):
            tried += 1
            with pytest.raises(TypeError, match=f"{function.__name__} has no argument '{name}_'.*Did you mean '{name}'"):
                function(**{f"{name}_": None})
    assert tried > 80
