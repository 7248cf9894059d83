"""Suggestions: an argument or an attribute that is not there is answered with the one that is meant.

The words for it, `pellucid.core.vocabulary`, are only read where something is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, isfunction, signature
from typing import Any, TypeVar, cast

from pellucid.core.errors import UnknownArgumentError

Class = TypeVar("Class", bound=type)
CallableThing = TypeVar("CallableThing", bound=Callable[..., Any])  # a function, or a class with methods

CATCHING = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)  # *values and **named


def refuse_arguments(unknown: Sequence[str], function: Callable[..., Any], owner: str, more: Sequence[str] = ()) -> None:
    """Raise an `UnknownArgumentError` for the first of the ``unknown`` arguments, if there is one.

    It suggests one of those that ``function`` takes, or of ``more``; ``owner`` is what people call it.
    """
    if unknown:
        from pellucid.core.vocabulary import explained

        takes = signature(function).parameters.values()
        names = [one.name for one in takes if one.kind not in CATCHING and one.name != "self"]
        hint = explained(unknown[0], [*names, *more], f"{owner}, argument")
        raise UnknownArgumentError(f"{owner} has no argument {unknown[0]!r}{hint}")


def suggest_arguments(cls: Any) -> None:
    """Let a class, and those derived from it, suggest an argument in place of one that they lack."""
    if cls.__new__ is not object.__new__:  # an exception, a named tuple, or a class whose base has been here
        return

    @wraps(cls.__init__)  # so that `inspect` and `help` show the arguments
    def new(kind: Any, /, *values: object, **named: object) -> Any:
        if kind.__init__ is object.__init__ and (values or named):  # beside a __new__, Python would let them pass
            raise TypeError(f"{kind.__name__}() takes no arguments")
        takes = signature(kind.__init__).parameters if named else {}
        if not any(one.kind is Parameter.VAR_KEYWORD for one in takes.values()):
            refuse_arguments([name for name in named if name not in takes], kind.__init__, kind.__name__)
        return object.__new__(kind)

    cls.__new__ = staticmethod(new)


def suggests_arguments(thing: CallableThing) -> CallableThing:
    """A decorator: this function, or every public method of this class, suggests an argument in place of one it lacks."""
    if isinstance(thing, type):
        for name, method in list(vars(thing).items()):
            if isfunction(method) and not name.startswith("_") and not _catches(method):
                setattr(thing, name, suggests_arguments(method))
        return cast(CallableThing, thing)
    takes = signature(thing).parameters

    @wraps(thing)
    def call(*values: Any, **named: Any) -> Any:
        if named and not named.keys() <= takes.keys():
            refuse_arguments([name for name in named if name not in takes], thing, thing.__name__)
        return thing(*values, **named)

    return cast(CallableThing, call)


def _catches(function: Callable[..., Any]) -> bool:
    """Whether it catches unknown arguments itself: calling through another function costs a short one its speed."""
    return any(one.kind is Parameter.VAR_KEYWORD for one in signature(function).parameters.values())


def suggests_attributes(cls: Class) -> Class:
    """A decorator: the objects of this class suggest an attribute in place of one that they lack."""

    def missing(self: object, name: str) -> object:
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # a property that fails: its own error says why
        from pellucid.core.vocabulary import unknown_attribute

        raise unknown_attribute(name, dir(self), cls.__name__)

    setattr(cls, "__getattr__", missing)  # noqa: B010 - type checkers find wrong attributes by themselves
    return cls
