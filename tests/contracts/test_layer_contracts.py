"""One contract for every layer of the catalogue, hidden or output: derivatives, shapes, types, and nothing hidden in it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from catalogue_examples import BATCH, EXAMPLES, batch_for

import pellucid as pl
from pellucid.mathematics.activations import activation
from pellucid.nn import catalogue

# Each gets an input of its own kind, and parameters moved off zero.
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
    if isinstance(layer, pl.Embedding | pl.PeriodicEmbedding | pl.GroupedDense):
        return [(4,), (5,)]
    if isinstance(layer, pl.PiecewiseLinearEncoding):
        return [(len(layer.edges),)]
    if isinstance(layer, IMAGES):
        return [(4, 5, 2), (5, 4)] if getattr(layer, "groups", 1) == 1 else [(4, 5, 2)]
    if isinstance(layer, pl.EnsembleDense):
        return [(4,), (layer.members, 4)]
    if getattr(layer, "members", 1) > 1:
        return [(layer.members, 4)]
    return [(4,), (3, 2)]


LAYER_CASES = [
    (layer, shape)
    for cls in (*catalogue.LAYERS, *catalogue.OUTPUTS)
    for layer in EXAMPLES[cls]
    for shape in shapes_for(layer)
]
layers = pytest.mark.parametrize(("layer", "shape"), LAYER_CASES, ids=[f"{layer}-{shape}" for layer, shape in LAYER_CASES])
EPS32 = float(np.finfo(np.float32).eps)


def arrays_for(layer, shape, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {}
    for spec in (*layer.parameter_specs(shape), *layer.state_specs(shape)):
        drawn = rng.normal(size=spec.shape)
        arrays[spec.name] = np.abs(drawn) + 0.5 if "variance" in spec.name else drawn
    return arrays


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
    @pytest.mark.parametrize("training", [False, True])
    def test_a_cache_has_names_or_is_one_thing(self, layer, shape, training):
        """Nobody has to count positions: of several things a NamedTuple, else nothing, or the shape of x."""
        x = batch_for(shape)
        y, cache = layer.forward(arrays_for(layer, shape), x, context(training))
        assert cache is None or hasattr(cache, "_fields") or cache == x.shape
        if hasattr(layer, "activation"):
            assert cache.a is y
            np.testing.assert_array_equal(activation(layer.activation).value(cache.z), y)

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
