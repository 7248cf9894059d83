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
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pl
from pellucid import catalogue
from pellucid.catalogue import from_dict, to_dict
from pellucid.clipping import Clipping
from pellucid.initializers import Initializer
from pellucid.layers.base import Layer
from pellucid.losses import Loss
from pellucid.optimizers import Optimizer
from pellucid.regularizers import Regularizer, Sum
from pellucid.schedules import Schedule
from pellucid.trace.recording import Recorder

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

# Objects that between them leave the default of every field.
EXAMPLES: dict[type, list[object]] = {
    pl.Input: [pl.Input(4), pl.Input(5, 3), pl.Input(2, 3, 2)],
    pl.Dense: [
        pl.Dense(3),
        pl.Dense(4, "tanh", pl.Orthogonal(0.5), False, pl.L1(0.1) + pl.L2(0.2)),
        pl.Dense(2, "gelu", "he_uniform"),
    ],
    pl.Rescale: [pl.Rescale(0.5), pl.Rescale((2.0, -0.5), (0.25, 3.0))],
    pl.Conv2D: [
        pl.Conv2D(3),
        pl.Conv2D(4, (2, 3), "tanh", 2, "valid", (1, 2), 2, pl.Orthogonal(0.5), False, pl.L1(0.1) + pl.L2(0.2)),
        pl.Conv2D(2, 2, "gelu", (1, 2), "same", 1, 2, "he_uniform"),
    ],
    pl.MaxPooling2D: [pl.MaxPooling2D(), pl.MaxPooling2D((3, 2), (1, 2), "same")],
    pl.AveragePooling2D: [pl.AveragePooling2D(), pl.AveragePooling2D((3, 2), (1, 2), "same")],
    pl.GlobalAveragePooling2D: [pl.GlobalAveragePooling2D()],
    pl.Dropout: [pl.Dropout(0.0), pl.Dropout(0.4)],
    pl.Dropout2D: [pl.Dropout2D(0.0), pl.Dropout2D(0.4)],
    pl.BatchNormalization: [pl.BatchNormalization(), pl.BatchNormalization(0.5, 0.1, "tanh")],
    pl.LayerNormalization: [pl.LayerNormalization(), pl.LayerNormalization(0.1)],
    pl.Residual: [
        pl.Residual((pl.LayerNormalization(),)),
        pl.Residual(
            (pl.Conv2D(4, 3, "tanh", regularizer=pl.L2(0.1)), pl.BatchNormalization(activation="gelu"), pl.Dropout(0.3)),
            (pl.Conv2D(4, 1), pl.Residual((pl.Dropout2D(0.2), pl.Conv2D(4)))),
            "tanh",
        ),
    ],
    pl.Flatten: [pl.Flatten()],
    pl.Classification: [pl.Classification(3), pl.Classification(2, 0.1, "he_normal", False, pl.L2(0.3))],
    pl.BinaryClassification: [pl.BinaryClassification(), pl.BinaryClassification(0.2, pl.Constant(0.5), False, pl.L1(0.3))],
    pl.Regression: [
        pl.Regression(),
        pl.Regression(3, "huber", "lecun_normal", False, pl.L2(0.3)),
        pl.Regression(2, pl.Huber(2.5)),
    ],
    pl.CrossEntropy: [pl.CrossEntropy(), pl.CrossEntropy(0.1)],
    pl.BinaryCrossEntropy: [pl.BinaryCrossEntropy(), pl.BinaryCrossEntropy(0.1)],
    pl.MeanSquaredError: [pl.MeanSquaredError()],
    pl.MeanAbsoluteError: [pl.MeanAbsoluteError()],
    pl.Huber: [pl.Huber(), pl.Huber(0.3)],
    pl.GradientDescent: [pl.GradientDescent(), pl.GradientDescent(0.3, 0.8, True)],
    pl.Adam: [pl.Adam(), pl.Adam(0.1, 0.8, 0.99, 1e-6)],
    pl.AdamW: [pl.AdamW(), pl.AdamW(0.1, 0.2, 0.8, 0.99, 1e-6)],
    pl.RMSProp: [pl.RMSProp(), pl.RMSProp(0.1, 0.8, 1e-6)],
    pl.Adagrad: [pl.Adagrad(), pl.Adagrad(0.1, 1e-6)],
    pl.VarianceScaling: [pl.VarianceScaling(3.0, "fan_in", "uniform"), pl.VarianceScaling(1.0, "fan_average", "normal")],
    pl.Constant: [pl.Constant(), pl.Constant(-0.5)],
    pl.Orthogonal: [pl.Orthogonal(), pl.Orthogonal(1.4)],
    pl.L1: [pl.L1(0.1)],
    pl.L2: [pl.L2(0.1)],
    Sum: [pl.L1(0.1) + pl.L2(0.2) + pl.L1(0.3)],
    pl.ClipByGlobalNorm: [pl.ClipByGlobalNorm(), pl.ClipByGlobalNorm(0.2)],
    pl.ClipByValue: [pl.ClipByValue(), pl.ClipByValue(0.2)],
    pl.ConstantRate: [pl.ConstantRate()],
    pl.StepDecay: [pl.StepDecay(), pl.StepDecay(3, 0.5)],
    pl.ExponentialDecay: [pl.ExponentialDecay(), pl.ExponentialDecay(0.5)],
    pl.Cosine: [pl.Cosine(), pl.Cosine(0.5)],
    pl.Warmup: [pl.Warmup(3), pl.Warmup(4, pl.Warmup(2, pl.Cosine(0.1)))],
    pl.OneCycle: [pl.OneCycle(), pl.OneCycle(0.2, 0.1, 0.01)],
    pl.ReduceOnPlateau: [pl.ReduceOnPlateau(), pl.ReduceOnPlateau(0.2, 2, 0.1, 0.01)],
}
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
        """None is taken by any field, but that a constant, a scale and an offset may be negative, and a shortcut empty."""
        description = to_dict(EXAMPLES[cls][0]) | {name: junk}
        negative = ((pl.Constant, "value"), (pl.Rescale, "scale"), (pl.Rescale, "offset"))
        if (junk == -1 and (cls, name) in negative) or (junk == [] and (cls, name) == (pl.Residual, "shortcut")):
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


# The contract of layers. Each gets an input of its own kind, and parameters moved off zero.
IMAGES = (pl.Conv2D, pl.MaxPooling2D, pl.AveragePooling2D, pl.GlobalAveragePooling2D, pl.Dropout2D)


def shapes_for(layer):
    """Samples that a layer can take. Two values normalized by themselves are 1 and -1, which nothing can change."""
    if isinstance(layer, pl.Input):
        return [layer.shape]
    if isinstance(layer, pl.LayerNormalization):
        return [(4,), (2, 5)]
    if isinstance(layer, pl.Residual):
        return [(3, 4, 2)] if layer.shortcut else [(4,), (2, 5)]
    if isinstance(layer, pl.Rescale):
        return [(2,), (3, 2)]
    if isinstance(layer, IMAGES):
        return [(4, 5, 2), (5, 4)] if getattr(layer, "groups", 1) == 1 else [(4, 5, 2)]
    return [(4,), (3, 2)]


LAYER_CASES = [
    (layer, shape)
    for cls in (*catalogue.LAYERS, *catalogue.OUTPUTS)
    for layer in EXAMPLES[cls]
    for shape in shapes_for(layer)
]
layers = pytest.mark.parametrize(("layer", "shape"), LAYER_CASES, ids=[f"{layer}-{shape}" for layer, shape in LAYER_CASES])
BATCH = 6
EPS32 = float(np.finfo(np.float32).eps)


def arrays_for(layer, shape, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {}
    for spec in (*layer.parameter_specs(shape), *layer.state_specs(shape)):
        drawn = rng.normal(size=spec.shape)
        arrays[spec.name] = np.abs(drawn) + 0.5 if "variance" in spec.name else drawn
    return arrays


def batch_for(shape, seed=1):
    return np.random.default_rng(seed).normal(size=(BATCH, *shape))


def context(training=False, dtype=np.float64):
    return pl.Context(training=training, seed=5, step=7, layer=2, dtype=np.dtype(dtype))


def differs_in_training(layer):
    if isinstance(layer, pl.Residual):
        return any(map(differs_in_training, (*layer.layers, *layer.shortcut)))
    return isinstance(layer, pl.BatchNormalization) or (isinstance(layer, pl.Dropout) and layer.rate > 0)


class TestLayers:
    @layers
    def test_gradcheck_of_dx_and_of_every_parameter(self, layer, shape):
        report = pl.gradcheck(layer, batch_for(shape), tolerance=1e-6)
        assert {row.name for row in report.rows} == {"x", *(spec.name for spec in layer.parameter_specs(shape))}
        assert {row.verdict for row in report.rows} == {"right"}

    @layers
    def test_shapes_and_types_are_as_announced(self, layer, shape):
        for dtype in (np.float32, np.float64):
            arrays = {name: array.astype(dtype) for name, array in arrays_for(layer, shape).items()}
            x = batch_for(shape).astype(dtype)
            y, cache = layer.forward(arrays, x, context(True, dtype))
            assert y.shape == (BATCH, *layer.output_shape(shape))
            dx, gradients = layer.backward(arrays, cache, np.ones_like(y))
            assert dx.shape == x.shape
            for array in (y, dx, *gradients.values(), *layer.next_state(arrays, cache).values()):
                assert array.dtype == dtype
            assert set(gradients) == {spec.name for spec in layer.parameter_specs(shape)}
            assert all(gradients[spec.name].shape == spec.shape for spec in layer.parameter_specs(shape))

    @layers
    def test_a_batch_is_its_samples_one_by_one_in_prediction(self, layer, shape):
        arrays, x = arrays_for(layer, shape), batch_for(shape)
        together = layer.forward(arrays, x, context())[0]
        alone = np.concatenate([layer.forward(arrays, x[i : i + 1], context())[0] for i in range(BATCH)])
        np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-14)
        order = np.array([3, 1, 5, 0, 2, 4])
        np.testing.assert_allclose(layer.forward(arrays, x[order], context())[0], together[order], rtol=1e-12, atol=1e-14)

    @layers
    @pytest.mark.parametrize("training", [False, True])
    def test_float32_is_close_to_float64(self, layer, shape, training):
        """Each number is a chain of at most n = D + B rounded operations on numbers of size s: n eps s^2 bounds it well."""
        exact_arrays = {name: array.astype(np.float32) for name, array in arrays_for(layer, shape).items()}
        exact_x = batch_for(shape).astype(np.float32)
        results = []
        for dtype in (np.float32, np.float64):
            arrays = {name: array.astype(dtype) for name, array in exact_arrays.items()}
            y, cache = layer.forward(arrays, exact_x.astype(dtype), context(training, dtype))
            dx, gradients = layer.backward(arrays, cache, np.cos(np.arange(y.size)).reshape(y.shape).astype(dtype))
            results.append([y, dx, *gradients.values()])
        largest = max(np.abs(exact_x).max(), *(np.abs(array).max() for array in exact_arrays.values()), 1.0)
        bound = 4 * (math.prod(shape) + BATCH) * EPS32 * float(largest) ** 2
        assert bound < 2e-4
        for single, double in zip(*results, strict=True):
            np.testing.assert_allclose(single, double, rtol=0, atol=bound * max(1.0, np.abs(double).max()))

    @layers
    def test_nothing_that_is_given_is_changed(self, layer, shape):
        arrays, x = arrays_for(layer, shape), batch_for(shape)
        for training in (False, True):
            given_arrays = {name: array.copy() for name, array in arrays.items()}
            given_x = x.copy()
            y, cache = layer.forward(given_arrays, given_x, context(training))
            dy = np.ones_like(y)
            layer.backward(given_arrays, cache, dy)
            layer.next_state(given_arrays, cache)
            np.testing.assert_array_equal(given_x, x)
            np.testing.assert_array_equal(dy, 1)
            for name, array in arrays.items():
                np.testing.assert_array_equal(given_arrays[name], array)

    @layers
    def test_a_layer_can_be_used_twice_at_once(self, layer, shape):
        """Forward, forward on other data, and only then backward of the first: everything is in the cache."""
        arrays, first, second = arrays_for(layer, shape), batch_for(shape, 1), batch_for(shape, 2)[:4]
        y, cache = layer.forward(arrays, first, context(True))
        dy = np.cos(np.arange(y.size)).reshape(y.shape)
        expected_dx, expected = layer.backward(arrays, cache, dy)
        expected_dx, expected = expected_dx.copy(), {name: g.copy() for name, g in expected.items()}

        y, cache = layer.forward(arrays, first, context(True))
        y2, cache2 = layer.forward(arrays, second, context(True))
        layer.backward(arrays, cache2, np.ones_like(y2))
        layer.forward(arrays, second, context(False))
        dx, gradients = layer.backward(arrays, cache, dy)
        np.testing.assert_array_equal(dx, expected_dx)
        for name, gradient in expected.items():
            np.testing.assert_array_equal(gradients[name], gradient)

    @layers
    def test_the_chain_rule_is_linear_in_dy(self, layer, shape):
        arrays, x = arrays_for(layer, shape), batch_for(shape)
        y, cache = layer.forward(arrays, x, context(True))
        dy = np.cos(np.arange(y.size)).reshape(y.shape)
        dx, gradients = layer.backward(arrays, cache, dy)
        dx3, gradients3 = layer.backward(arrays, cache, -3 * dy)
        np.testing.assert_allclose(dx3, -3 * dx, rtol=1e-11, atol=1e-13)
        for name, gradient in gradients.items():
            np.testing.assert_allclose(gradients3[name], -3 * gradient, rtol=1e-11, atol=1e-13)

    @layers
    def test_training_and_prediction_differ_where_they_should_and_nowhere_else(self, layer, shape):
        arrays, x = arrays_for(layer, shape), batch_for(shape)
        training, prediction = (layer.forward(arrays, x, context(mode))[0] for mode in (True, False))
        assert (not np.array_equal(training, prediction)) == differs_in_training(layer)

    @layers
    def test_kinds_are_snake_case(self, layer, shape):
        """Read back: each word with a capital, and a digit takes the capital after it along."""
        words = layer.kind.replace("2d", "2D").split("_")
        assert "".join(word[0].upper() + word[1:] for word in words) == type(layer).__name__


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
    "none": [pl.Input(3, 2)],
}


@pytest.mark.parametrize("output", [thing for cls in catalogue.OUTPUTS for thing in EXAMPLES[cls]], ids=repr)
@pytest.mark.parametrize("hidden", SAVED.values(), ids=SAVED.keys())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_saved_network_answers_with_the_same_bits(hidden, output, dtype, tmp_path):
    x = batch_for((3, 2))
    y = np.zeros((BATCH, output.num_outputs)) if isinstance(output, pl.Regression) else np.arange(BATCH) % 2
    network = pl.Network([*hidden, output], seed=3, dtype=dtype)
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
