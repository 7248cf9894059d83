"""The errors of Pellucid. Every message says what was given, what was expected and what to do."""


class PellucidError(Exception):
    """The base of every error that Pellucid raises on purpose: ``except pl.PellucidError`` catches them all."""


class ArgumentError(PellucidError, ValueError):
    """An argument has a value that cannot work (a negative rate, an unknown name, layers in a wrong order)."""


class UnknownNameError(ArgumentError, KeyError):
    """An unknown name; the message lists the known ones, and the nearest."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


class UnknownArgumentError(UnknownNameError, TypeError):
    """An argument that a function or a class does not have; a TypeError too, as Python itself would raise."""


class ShapeError(ArgumentError):
    """An array has a shape or a type that does not fit the network."""


class DataError(PellucidError, ValueError):
    """A picture, a data file or a download cannot be read, or does not hold what it should."""


class ModelFileError(PellucidError, ValueError):
    """A model file is damaged, not from Pellucid, from a newer version, or cannot be written."""


class OutputError(PellucidError, ValueError):
    """A file other than a model, such as a report, cannot be written."""


class RunError(PellucidError, ValueError):
    """The directory of a run is in use, of another training, damaged, or cannot be written."""


class DivergenceError(PellucidError, ArithmeticError):
    """Training met a number that is not finite; the last good parameters were kept.

    ``what`` is what happened; the message adds the ``advice``, which is for Python: commands and pages give their own.
    """

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"{what} {advice}".rstrip())
        self.what = what


class GradientError(PellucidError, ArithmeticError):
    """A gradient check failed, or compared nothing."""


class MissingDependencyError(PellucidError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""
