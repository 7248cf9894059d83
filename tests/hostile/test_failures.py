"""What holds for failures in general: their classes, questions that never fail, and what a divergence leaves behind."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid as pl


def test_every_error_of_the_package_is_caught_by_one_name_and_by_its_usual_one():
    assert issubclass(pl.ShapeError, pl.ArgumentError)
    for error, usual in (
        (pl.ArgumentError, ValueError),
        (pl.DataError, ValueError),
        (pl.ModelFileError, ValueError),
        (pl.DivergenceError, ArithmeticError),
        (pl.GradientError, ArithmeticError),
        (pl.MissingDependencyError, ImportError),
    ):
        assert issubclass(error, pl.PellucidError)
        assert issubclass(error, usual)


@pytest.mark.parametrize("mapping", ["parameters", "state", "history"])
def test_asking_whether_a_name_is_there_never_raises(kit, mapping):
    """``in`` and ``get`` are questions, not demands: Mapping answers them through KeyError."""
    names = getattr(kit.classifier, mapping)
    assert "no such name" not in names
    assert names.get("no such name") is None
    assert all(name in names for name in names)


@pytest.mark.filterwarnings("ignore:x holds numbers as large as")
def test_divergence_keeps_the_last_good_parameters_and_says_what_helps(kit):
    network = kit.table()
    with pytest.raises(pl.DivergenceError) as caught:
        network.fit(kit.table_x * 1e15, kit.table_y, optimizer=pl.GradientDescent(1e9), epochs=5, progress="none")
    assert np.isfinite(network.parameters.vector).all()
    assert np.isfinite(network.predict(kit.table_x)).all()
    for word in ("diverged", "smaller learning rate", "clipping"):
        assert word in str(caught.value)
    assert network.history.reason == "diverged"
