"""One contract for every member of the catalogue: a new class needs a row here and inherits all checks.

A public concrete class of the package without a row in the catalogue fails, and so does a row without an example.
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
import pkgutil
from dataclasses import FrozenInstanceError, dataclass, fields

import numpy as np
import pytest
from catalogue_examples import BATCH, EXAMPLES, batch_for
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid.inspection.trace.recorder import Recorder
from pellucid.mathematics.clipping import Clipping
from pellucid.mathematics.initializers import Initializer
from pellucid.mathematics.losses import Loss
from pellucid.mathematics.optimizers import Optimizer
from pellucid.mathematics.regularizers import Regularizer
from pellucid.mathematics.schedules import Schedule
from pellucid.nn import catalogue
from pellucid.nn.catalogue import from_dict, to_dict
from pellucid.nn.layers.base import Layer

BASES = (Layer, Loss, Optimizer, Initializer, Regularizer, Clipping, Schedule)
ROWS = (
    *catalogue.LAYERS,
    *catalogue.OUTPUTS,
    *catalogue.LOSSES,
    *catalogue.OPTIMIZERS,
    *catalogue.INITIALIZERS,
    *catalogue.REGULARIZERS,
    *catalogue.CLIPPINGS,
    *catalogue.SCHEDULES,
)
THINGS = [thing for things in EXAMPLES.values() for thing in things]
things = pytest.mark.parametrize("thing", THINGS, ids=repr)


def concrete_classes() -> set[type]:
    """Every public class of the package that is a layer, a loss, ... and not abstract.

    A `Recorder` watches a layer of any kind while a trace is taken; no network that is saved or described holds one.
    """
    found: set[type] = set()
    for info in pkgutil.walk_packages(pl.__path__, "pellucid."):
        if info.name.split(".")[1] in ("cli", "__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            ours = inspect.isclass(thing) and issubclass(thing, BASES) and thing.__module__.startswith("pellucid")
            if ours and not name.startswith("_") and not inspect.isabstract(thing) and thing is not Recorder:
                found.add(thing)
    return found


class TestCompleteness:
    def test_every_concrete_class_has_a_row_and_every_row_is_one(self):
        assert concrete_classes() == set(ROWS)
        assert len(set(ROWS)) == len(ROWS)

    def test_every_row_has_an_example_and_every_example_a_row(self):
        assert set(EXAMPLES) == set(ROWS)
        for cls, examples in EXAMPLES.items():
            assert examples
            assert all(type(example) is cls for example in examples)

    def test_every_field_leaves_its_default_in_some_example(self):
        for cls, examples in EXAMPLES.items():
            for field in fields(cls):
                assert any(getattr(example, field.name) != field.default for example in examples), f"{cls}.{field.name}"

    def test_every_row_is_public(self):
        """All but the sum, which ``L1(...) + L2(...)`` makes."""
        assert {cls.__name__ for cls in ROWS if getattr(pl, cls.__name__, None) is not cls} == {"Sum"}

    @pytest.mark.parametrize("cls", ROWS)
    def test_every_class_says_what_it_is_and_takes_at_most_seven_arguments(self, cls):
        """Those that every layer with a weighted sum shares are learned once, and do not count (decision 0012)."""
        assert cls.__doc__
        assert not cls.__doc__.startswith(f"{cls.__name__}(") or cls is pl.Input
        assert len({field.name for field in fields(cls)} - {"initializer", "use_bias", "regularizer"}) <= 7


class TestDescriptions:
    @things
    def test_round_trip_also_through_json(self, thing):
        description = to_dict(thing)
        assert description["type"] == type(thing).__name__
        assert from_dict(description) == thing
        again = from_dict(json.loads(json.dumps(description, allow_nan=False)))
        assert again == thing
        assert type(again) is type(thing)
        assert hash(again) == hash(thing)
        assert to_dict(again) == description

    @things
    def test_it_is_frozen_and_differs_from_the_others(self, thing):
        assert sum(thing == other for other in THINGS) == 1
        with pytest.raises((FrozenInstanceError, TypeError)):
            thing.some_name = 1
        for field in fields(thing):
            with pytest.raises(FrozenInstanceError):
                setattr(thing, field.name, None)

    @things
    def test_unknown_fields_are_refused(self, thing):
        for extra in ("surprise", "__class__", "self", "path"):
            with pytest.raises(pl.ArgumentError):
                from_dict(to_dict(thing) | {extra: 1})

    @pytest.mark.parametrize(
        ("cls", "name"),
        [(cls, f.name) for cls in ROWS for f in fields(cls) if to_dict(EXAMPLES[cls][0]).get(f.name) is not None],
    )
    @pytest.mark.parametrize(
        "junk",
        [
            math.nan,
            math.inf,
            -1,
            "",
            "no such thing",
            [],
            [[1]],
            {"type": "ClipByValue", "maximum": 1.0},
            {"type": "os.system"},
            {"type": ["Dense"]},
            {"no": "type"},
        ],
        ids=str,
    )
    def test_a_wrong_value_of_any_field_is_refused(self, cls, name, junk):
        """None is taken by any field, but that a constant, a mean, a scale and an offset may be negative, a shortcut empty,
        and a group one column."""
        description = to_dict(EXAMPLES[cls][0]) | {name: junk}
        negative = ((pl.Constant, "value"), (pl.Normal, "mean"), (pl.Rescale, "scale"), (pl.Rescale, "offset"))
        lists = (([], pl.Residual, "shortcut"), ([[1]], pl.GroupedDense, "groups"))
        if (junk == -1 and (cls, name) in negative) or (junk, cls, name) in lists:
            assert to_dict(from_dict(description)) == description
            return
        with pytest.raises(pl.ArgumentError):
            from_dict(description)

    @pytest.mark.parametrize("cls", [cls for cls in ROWS if cls not in (pl.Input,)])
    def test_fields_without_a_default_are_asked_for(self, cls):
        needed = [p for p in inspect.signature(cls).parameters.values() if p.default is inspect.Parameter.empty]
        if needed:
            with pytest.raises(pl.ArgumentError, match=needed[0].name):
                from_dict({"type": cls.__name__})
        else:
            assert from_dict({"type": cls.__name__}) == cls()

    @pytest.mark.parametrize(
        "description",
        [
            None,
            3,
            "Dense",
            [],
            {},
            {"type": None},
            {"type": "Input"},
            {"type": "dense", "units": 3},
            {"type": "Layer"},
            {"type": "Network", "layers": []},
            {"type": "__import__"},
            {"type": "Dense", "units": 3, 5: 6},
            {"type": "Sum", "first": {"type": "L1", "strength": 1.0}, "second": {"type": "Dense", "units": 3}},
            {"type": "Warmup", "steps": 3, "then": {"type": "Warmup", "steps": 3, "then": {"type": "L1", "strength": 1.0}}},
        ],
        ids=str,
    )
    def test_junk_is_refused(self, description):
        with pytest.raises(pl.ArgumentError):
            from_dict(description)

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.floats()
            | st.integers()
            | st.text(max_size=5)
            | st.sampled_from(ROWS).map(lambda c: c.__name__),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["type", "type", "units", "rate", "first", "second", "then", "steps", "strength", "shape"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_anything_else_is_refused_or_is_one_of_the_catalogue(self, junk):
        try:
            thing = from_dict(junk)
        except pl.ArgumentError:
            return
        assert type(thing) in ROWS

    def test_a_whole_number_beyond_floating_point_is_refused(self):
        """JSON can hold one; float(10**400) raises OverflowError, which no reader of descriptions expects."""
        with pytest.raises(pl.ArgumentError):
            from_dict(json.loads('{"type": "L2", "strength": 1' + "0" * 400 + "}"))

    def test_a_regression_takes_no_loss_of_classification(self):
        """Decision 1 of the design: a one-column cross-entropy cannot be written, not even in a file."""
        for name in ("CrossEntropy", "BinaryCrossEntropy"):
            with pytest.raises(pl.ArgumentError):
                from_dict({"type": "Regression", "loss": {"type": name}})

    def test_only_the_expected_kind_is_taken(self):
        with pytest.raises(pl.ArgumentError):
            from_dict({"type": "Adam"}, Layer)
        assert from_dict({"type": "Flatten"}, Layer) == pl.Flatten()

    def test_what_is_not_in_the_catalogue_cannot_be_described(self):
        @dataclass(frozen=True)
        class Dense:
            units: int = 3

        for stranger in (Dense(), object(), 3, pl.Dense, pl.Network([pl.Input(1), pl.Regression()])):
            with pytest.raises(pl.ArgumentError):
                to_dict(stranger)
        with pytest.raises(pl.ArgumentError, match="taken"):
            pl.register(Dense)
        for no_dataclass in (int, object(), lambda: None):
            with pytest.raises(pl.ArgumentError):
                pl.register(no_dataclass)


SAVED = {
    "every hidden layer": [
        pl.Input(3, 2),
        pl.Rescale((2.0, 0.5), (-0.1, 0.1)),
        pl.Conv2D(4, 2, "relu", regularizer=pl.L2(1e-3)),
        pl.MaxPooling2D(2, 1),
        pl.Residual(
            [pl.Conv2D(6, (2, 1), groups=2), pl.BatchNormalization(0.6, activation="relu"), pl.Dropout(0.2)],
            [pl.Conv2D(6, 1)],
            "tanh",
        ),
        pl.LayerNormalization(1e-4),
        pl.Dropout2D(0.2),
        pl.AveragePooling2D(2, 1, "same"),
        pl.Residual([pl.Conv2D(6), pl.GlobalAveragePooling2D()], [pl.GlobalAveragePooling2D()]),
        pl.Flatten(),
        pl.Dense(5, "relu", pl.Orthogonal(), regularizer=pl.L1(1e-3) + pl.L2(1e-3)),
        pl.BatchNormalization(0.7, 1e-3),
        pl.Dropout(0.2),
        pl.Dense(4, "selu"),
    ],
    "of a table": [
        pl.Input(3),
        pl.PiecewiseLinearEncoding(((-0.5, 0.25, 1 / 3), (), (-1.0, 1.0)), 0.3),
        pl.ScaleFeatures(6.0),
        pl.Embedding(((1, 2, 3), (0, 4, 2))),
        pl.PeriodicEmbedding(4, (0, 2), 0.5),
        pl.GroupedDense(((0, 5, 4), (2,)), 3),
        pl.Dense(4, "relu"),
    ],
    "none": [pl.Input(3, 2)],
}


@pytest.mark.parametrize("output", [thing for cls in catalogue.OUTPUTS for thing in EXAMPLES[cls]], ids=repr)
@pytest.mark.parametrize("hidden", SAVED.values(), ids=SAVED.keys())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_saved_network_answers_with_the_same_bits(hidden, output, dtype, tmp_path):
    x = batch_for(hidden[0].shape)
    y = np.zeros((BATCH, output.num_values)) if isinstance(output, pl.Regression) else np.arange(BATCH) % 2
    of_members = [pl.Flatten(), pl.EnsembleDense(4, output.members, "relu")] if output.members > 1 else []
    network = pl.Network([*hidden, *of_members, output], seed=3, dtype=dtype)
    network.fit(x, y, epochs=2, batch_size=3, optimizer=pl.Adam(0.05), progress="none")
    network.save(tmp_path / "model.safetensors")
    restored = pl.load(tmp_path / "model.safetensors").network
    assert restored.layers == network.layers
    assert restored.dtype == network.dtype
    np.testing.assert_array_equal(restored.parameters.vector, network.parameters.vector)
    np.testing.assert_array_equal(restored.state.vector, network.state.vector)
    np.testing.assert_array_equal(restored.forward(x), network.forward(x))


@pytest.mark.parametrize("optimizer", [thing for cls in catalogue.OPTIMIZERS for thing in EXAMPLES[cls]], ids=repr)
def test_training_goes_on_from_a_file_as_if_it_had_never_stopped(optimizer, tmp_path):
    x, y = batch_for((4,)), np.arange(BATCH) % 3
    options = {"batch_size": 4, "optimizer": optimizer, "progress": "none"}
    layers = [pl.Input(4), pl.Dense(5, "tanh"), pl.Dropout(0.3), pl.Classification(3)]
    straight, first = pl.Network(layers), pl.Network(layers)
    straight.fit(x, y, epochs=5, **options)
    first.fit(x, y, epochs=2, **options)
    first.save(tmp_path / "model.safetensors", optimizer_state=True)
    second = pl.load(tmp_path / "model.safetensors").network
    second.fit(x, y, epochs=3, **options)
    np.testing.assert_array_equal(second.parameters.vector, straight.parameters.vector)
    assert second.history["loss"] == straight.history["loss"]
