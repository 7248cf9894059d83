"""The trace: by hand, against ``network.gradients``, against HIPS autograd, and against the steps of ``fit`` itself."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from traced_networks import TABLE, WHOLE, every_case, network, samples

import pellucid as pl
from pellucid.inspection.trace.table import norm
from pellucid.nn.layers.base import Layer

CASES = dict(every_case())


def by_hand():
    """Two inputs, two relu units of which one is off, two classes."""
    arrays = {
        "dense_1.weight": np.array([[1.0, -1.0], [2.0, 1.0]]),
        "dense_1.bias": np.array([0.5, 0.0]),
        "output.weight": np.array([[1.0, 0.0], [3.0, 1.0]]),
        "output.bias": np.array([0.0, 1.0]),
    }
    return pl.Network([pl.Input(2), pl.Dense(2, "relu"), pl.Classification(2)], dtype="float64", arrays=arrays)


class TestByHand:
    def test_forward(self):
        trace = by_hand().trace(np.array([[2.0, 1.0]]))
        first, dense, output = trace.layers
        assert [layer.name for layer in trace.layers] == ["input", "dense_1", "output"]
        assert [layer.kind for layer in trace.layers] == ["input", "dense", "classification"]
        assert first.output.tolist() == dense.input.tolist() == [[2.0, 1.0]]
        assert dense.sums.tolist() == [[4.5, -1.0]]
        assert dense.output.tolist() == output.input.tolist() == [[4.5, 0.0]]
        assert output.sums.tolist() == [[4.5, 1.0]]
        assert trace.answer.kind == "softmax"
        assert trace.answer.predictions.tolist() == [0]
        assert trace.answer.softmax["shifted"].tolist() == [[0.0, -3.5]]
        np.testing.assert_allclose(trace.answer.probabilities, [[1 / (1 + np.exp(-3.5)), 1 / (1 + np.exp(3.5))]])
        assert trace.loss is None
        assert trace.update is None
        assert trace.gradients == {}

    def test_backward_and_update(self):
        trace = by_hand().trace(np.array([[2.0, 1.0]]), [1], pl.GradientDescent(0.5, momentum=0.9))
        p = 1 / (1 + np.exp(-3.5))  # of class 0: the gradient of the scores is (p, -p)
        _, dense, output = trace.layers
        assert trace.loss.value == pytest.approx(-np.log(1 - p))
        np.testing.assert_allclose(trace.loss.terms, [[0.0, -np.log(1 - p)]])
        np.testing.assert_allclose(output.dsums, [[p, -p]])
        np.testing.assert_allclose(output.gradients["weight"], [[4.5 * p, -4.5 * p], [0, 0]])
        np.testing.assert_allclose(dense.doutput, [[p, 2 * p]], rtol=1e-12)  # p * 1 - p * 0, p * 3 - p * 1
        assert dense.slopes.tolist() == [[1.0, 0.0]]
        np.testing.assert_allclose(dense.dsums, [[p, 0.0]])
        np.testing.assert_allclose(dense.gradients["weight"], [[2 * p, 0], [p, 0]])
        np.testing.assert_allclose(dense.dinput, [[p, 2 * p]])
        update = dense.updates["weight"]
        np.testing.assert_allclose(update.slots["velocity"], 0)
        np.testing.assert_allclose(update.new_slots["velocity"], dense.gradients["weight"])
        np.testing.assert_allclose(update.new, [[1 - p, -1], [2 - 0.5 * p, 1]])

    def test_a_neuron_and_its_arithmetic(self):
        trace = by_hand().trace(np.array([[2.0, 1.0]]), [1])
        neuron = trace.neuron("dense_1", 1)
        assert neuron.inputs.tolist() == [2.0, 1.0]
        assert neuron.weights.tolist() == [-1.0, 1.0]
        assert neuron.products.tolist() == [-2.0, 1.0]
        assert (neuron.bias, neuron.sum, neuron.output, neuron.slope) == (0.0, -1.0, 0.0, 0.0)
        assert neuron.arithmetic() == "z = -2*1 + 1*1 + 0 = -1; relu -> 0"
        assert trace.neuron("dense_1", 0).arithmetic(1) == "z = 2*1 + ... (1 more: 2) + 0.5 = 4.5; relu -> 4.5"
        assert trace.neuron("output", 1).arithmetic() == "z = 1"
        data = trace.neuron("output", 0).to_data()
        assert data["products"] == [4.5, 0.0]
        assert data["dweights"] == [data["dsum"] * 4.5, 0.0]
        assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_the_network_to_the_bit(name):
    made = CASES[name]
    x, y = samples(made)
    expected = made.gradients(x, y, regularizer=pl.L2(0.01))
    found = made.trace(x, y, regularizer=pl.L2(0.01)).gradients
    assert found.keys() == expected.keys()
    for parameter, gradient in expected.items():
        np.testing.assert_array_equal(found[parameter], gradient)


@pytest.mark.parametrize("name", CASES)
def test_scores_are_those_of_prediction_and_nothing_is_changed(name):
    made = CASES[name]
    x, y = samples(made)
    before = made.parameters.vector.copy(), made.state.vector.copy()
    trace = made.trace(x)
    logits = trace.layers[-1].output if made.output.members == 1 else trace.answer.logits
    np.testing.assert_array_equal(logits, made.forward(x))
    made.trace(x, y, pl.Adam())
    np.testing.assert_array_equal(made.parameters.vector, before[0])
    np.testing.assert_array_equal(made.state.vector, before[1])


@pytest.mark.parametrize("optimizer", [pl.AdamW(0.1, 0.2), pl.GradientDescent(0.1, 0.9, True)], ids=repr)
def test_the_update_is_the_step_that_fit_then_makes(optimizer):
    made = network(*WHOLE["table"])
    x, y = samples(made, 5)
    for _ in range(2):  # the second time with slots that are not zero
        trace = made.trace(x, y, optimizer)
        made.fit(x, y, optimizer=optimizer, epochs=1, batch_size=5, shuffle=False, progress="none", engine="numpy")
        for layer in trace.every_layer():
            for name, update in layer.updates.items():
                np.testing.assert_array_equal(update.new, made.parameters[f"{layer.name}.{name}"])
            for name, value in layer.new_state.items():
                np.testing.assert_array_equal(value, made.state[f"{layer.name}.{name}"])
        assert trace.loss.value == made.history["loss"][-1]


def test_a_float32_network_is_traced_in_float64_from_its_own_numbers():
    made = network(*WHOLE["digits"], dtype="float32")
    x, y = samples(made)
    trace = made.trace(x, y)
    assert {layer.output.dtype for layer in trace.layers} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(trace.layers[1].parameters["weight"], made.parameters["dense_1.weight"])
    np.testing.assert_allclose(trace.layers[-1].output, made.forward(x), rtol=1e-4, atol=1e-5)


class TestAutograd:
    """Whole networks written once more, forward only; HIPS autograd differentiates them."""

    def compare(self, made, x, y, loss):
        trace = made.trace(x, y)
        arrays = {name: np.array(array) for name, array in made.parameters.items()}
        assert trace.loss.value == pytest.approx(loss(arrays, x), rel=1e-12)
        gradients = grad(loss)(arrays, x)
        for name, gradient in trace.gradients.items():
            np.testing.assert_allclose(gradient, gradients[name], rtol=1e-9, atol=1e-13, err_msg=name)
        np.testing.assert_allclose(trace.layers[0].dinput, grad(loss, 1)(arrays, x), rtol=1e-9, atol=1e-13)

    def test_dense_normalized_classification(self):
        layers = [pl.Dense(6, "tanh"), pl.BatchNormalization(), pl.Dense(5, "softplus"), pl.LayerNormalization()]
        made = network(TABLE, layers, pl.Classification(3, label_smoothing=0.1))
        x, y = samples(made, 5)
        t = 0.9 * np.eye(3)[y] + 0.1 / 3

        def loss(a, x):
            z = anp.tanh(x @ a["dense_1.weight"] + a["dense_1.bias"])
            h = (z - anp.mean(z, axis=0)) / anp.sqrt(anp.var(z, axis=0) + 1e-5)
            z = a["batch_normalization_1.gamma"] * h + a["batch_normalization_1.beta"]
            z = anp.log1p(anp.exp(z @ a["dense_2.weight"] + a["dense_2.bias"]))
            mean, variance = anp.mean(z, axis=1, keepdims=True), anp.var(z, axis=1, keepdims=True)
            h = (z - mean) / anp.sqrt(variance + 1e-5)
            z = a["layer_normalization_1.gamma"] * h + a["layer_normalization_1.beta"]
            z = z @ a["output.weight"] + a["output.bias"]
            return -anp.mean(anp.sum(t * (z - anp.log(anp.sum(anp.exp(z), axis=1, keepdims=True))), axis=1))

        self.compare(made, x, y, loss)

    def test_residual_convolutions_pooled_regression(self):
        block = pl.Residual([pl.Conv2D(3, 3, "tanh")], [pl.Conv2D(3, 1)], "sigmoid")
        made = network((4, 6, 2), [block, pl.AveragePooling2D(2), pl.GlobalAveragePooling2D()], pl.Regression(2))
        x, y = samples(made, 2)

        def loss(a, x):
            padded = anp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "constant")
            weight = a["residual_1.conv2d_1.weight"]
            seen = [padded[:, i : i + 4, j : j + 6] @ weight[i, j] for i in range(3) for j in range(3)]
            main = anp.tanh(sum(seen) + a["residual_1.conv2d_1.bias"])
            shortcut = x @ a["residual_1.shortcut_conv2d_1.weight"][0, 0] + a["residual_1.shortcut_conv2d_1.bias"]
            z = 1 / (1 + anp.exp(-main - shortcut))
            z = sum(z[:, i::2, j::2] for i in range(2) for j in range(2)) / 4
            z = anp.mean(z, axis=(1, 2)) @ a["output.weight"] + a["output.bias"]
            return anp.mean((z - y) ** 2)

        self.compare(made, x, y, loss)

    def test_pooled_maxima_yes_or_no(self):
        made = network((4, 4, 3), [pl.MaxPooling2D(), pl.Dense(3, "silu")], pl.BinaryClassification())
        x, y = samples(made, 4)

        def loss(a, x):
            corners = anp.stack([x[:, i::2, j::2] for i in range(2) for j in range(2)])
            z = anp.max(corners, axis=0).reshape(4, -1) @ a["dense_1.weight"] + a["dense_1.bias"]
            z = (z / (1 + anp.exp(-z))) @ a["output.weight"] + a["output.bias"]
            return anp.mean(anp.log1p(anp.exp(z[:, 0])) - y * z[:, 0])

        self.compare(made, x, y, loss)


class TestNeurons:
    @pytest.mark.parametrize("shape", [(5, 7), (5, 7, 4)], ids=str)
    @pytest.mark.parametrize("dilation", [(1, 2), (2, 1)], ids=str)
    def test_each_window_of_a_convolution_is_its_products(self, shape, dilation):
        layer = pl.Conv2D(4, (3, 2), "tanh", (2, 1), "same", dilation, 2 if len(shape) == 3 else 1)
        made = network(shape, [layer], pl.Regression())
        x, y = samples(made, 2)
        trace = made.trace(x, y)
        traced = trace.layer("conv2d_1")
        for place in np.ndindex(traced.output.shape[1:3]):
            for unit in range(4):
                neuron = trace.neuron("conv2d_1", unit, sample=1, place=place)
                assert neuron.products.sum() + neuron.bias == pytest.approx(neuron.sum, rel=1e-12)
                assert neuron.sum == traced.sums[1, *place, unit]
                for position, value in zip(neuron.positions, neuron.inputs, strict=True):
                    inside = (position[:2] >= 0).all() and (position[:2] < shape[:2]).all()
                    assert value == (x[1, *position] if inside else 0)

    def test_gradients_of_a_layer_are_the_sums_of_those_of_its_neurons(self):
        made = network(TABLE, [pl.Dense(3, "gelu")], pl.Regression(2))
        x, y = samples(made, 4)
        trace = made.trace(x, y)
        for unit in range(3):
            parts = [trace.neuron("dense_1", unit, sample=b) for b in range(4)]
            np.testing.assert_allclose(sum(p.dweights for p in parts), trace.gradients["dense_1.weight"][:, unit])
        sent = sum(trace.neuron("dense_1", unit).dinputs for unit in range(3))
        np.testing.assert_allclose(sent, trace.layers[1].dinput[0])

    @pytest.mark.parametrize(
        ("arguments", "options", "words"),
        [
            (("dense_9", 0), {}, "unknown layer 'dense_9'"),
            (("dense_1", 99), {}, "counted from 0 to 4"),
            (("dense_1", -1), {}, "counted from 0 to 4"),
            (("dense_1", 1.5), {}, "1.5"),
            (("dense_1", True), {}, "True"),
            (("dense_1", 0), {"sample": 7}, "the batch has 2 samples"),
            (("dense_1", 0), {"place": (0, 0)}, "have no place"),
            (("conv2d_1", 0), {}, "say which: conv2d_1"),
            (("conv2d_1", 0), {"place": (9, 0)}, "has 4 rows"),
            (("conv2d_1", 0), {"place": (0, 9)}, "has 4 columns"),
            (("conv2d_1", 2), {"place": (0, 0)}, "has 2 units"),
            (("max_pooling2d_1", 0), {}, "has no neurons"),
            (("input", 0), {}, "has no neurons"),
        ],
    )
    def test_a_neuron_that_is_not_there(self, arguments, options, words):
        made = network((4, 4), [pl.Conv2D(2), pl.MaxPooling2D(), pl.Dense(5)], pl.Classification(3))
        with pytest.raises(pl.ArgumentError, match=words.replace("(", r"\(")):
            made.trace(samples(made, 2)[0]).neuron(*arguments, **options)


class TestInput:
    def test_what_does_not_fit_is_refused(self):
        made = network(*WHOLE["table"])
        x, y = samples(made)
        for arguments in ((x[:, :3],), (x[0],), (x, y[:2]), (x, [0, 1, 2]), ("text",), (x, y, "adm"), (x, y, pl.L2(0.1))):
            with pytest.raises(pl.ArgumentError):
                made.trace(*arguments)
        with pytest.raises(pl.ArgumentError, match="needs y too"):
            made.trace(x, optimizer=pl.Adam())
        with pytest.raises(pl.UnknownNameError, match="Did you mean 'dense_1'"):
            made.trace(x).layer("dense1")
        for pack in (0, -1, "all"):
            with pytest.raises(pl.ArgumentError, match="pack"):
                made.trace(x).to_json(pack=pack)

    def test_a_layer_of_your_own_is_traced_too(self):
        @dataclass(frozen=True)
        class Double(Layer):
            def output_shape(self, input_shape):
                return input_shape

            def forward(self, parameters, x, context):
                return 2 * x, None

            def backward(self, parameters, cache, dy):
                return 2 * dy, {}

        made = network(TABLE, [Double(), pl.Residual([Double()])], pl.Regression())
        x, y = samples(made)
        trace = made.trace(x, y)
        np.testing.assert_array_equal(trace.layer("double_1").output, 2 * x)
        np.testing.assert_array_equal(trace.layer("residual_1.double_1").output, 4 * x)
        np.testing.assert_allclose(trace.layers[0].dinput, 6 * trace.layers[-1].dinput)
        assert json.loads(trace.to_json())["layers"][1]["description"] == {"type": "Double"}

    def test_a_cache_of_your_own_may_name_what_a_trace_shows(self):
        """z counts where a is the output and f is known; what is no number, or has another name, is left out."""

        class Kept(NamedTuple):
            z: object
            a: object
            scale: object
            mean: object
            own: object

        @dataclass(frozen=True)
        class Bent(Layer):
            factor: float
            activation: str = "tanh"

            def output_shape(self, input_shape):
                return input_shape

            def forward(self, parameters, x, context):
                a = np.tanh(x)
                y = a if self.factor == 1 else self.factor * a
                return y, Kept(x, a, self.factor, "none", x)

            def backward(self, parameters, cache, dy):
                return self.factor * dy * (1 - cache.a**2), {}

        made = network(TABLE, [Bent(1.0), Bent(2.0), Bent(1.0, "my own"), Bent(1.0, 7)], pl.Regression())
        x, y = samples(made)
        plain, *others = made.trace(x, y).layers[1:5]
        np.testing.assert_array_equal(plain.sums, x)
        np.testing.assert_allclose(plain.dinput, plain.dsums, rtol=1e-12)
        for layer in others:
            assert (layer.sums, layer.slopes, layer.dsums) == (None, None, None)
            assert layer.numbers.keys() == plain.numbers.keys() == {"scale"}
        json.loads(made.trace(x, y).to_json())

    @pytest.mark.parametrize("cache", [None, 1.5, (1, 2), [1], {"z": 1}, "text", np.ones(3)], ids=repr)
    def test_any_cache_is_traced(self, cache):
        @dataclass(frozen=True)
        class Any(Layer):
            activation: str = "relu"

            def output_shape(self, input_shape):
                return input_shape

            def forward(self, parameters, x, context):
                return 3 * x, cache

            def backward(self, parameters, given, dy):
                assert given is cache
                return 3 * dy, {}

        made = network(TABLE, [Any()], pl.Regression())
        x, y = samples(made)
        traced = made.trace(x, y).layer("any_1")
        np.testing.assert_array_equal(traced.output, 3 * x)
        np.testing.assert_array_equal(traced.dinput, 3 * traced.doutput)
        assert (traced.sums, traced.slopes, traced.dsums, traced.numbers) == (None, None, None, {})

    def test_a_number_that_is_not_finite_is_no_json(self):
        made = network(TABLE, [], pl.Regression())
        made.parameters.vector[...] = 1e308
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            trace = made.trace(np.full((1, 4), 1e3))
        assert "inf" in str(trace)
        with pytest.raises(pl.ArgumentError, match="NaN or infinity"):
            trace.to_json()

    def test_the_norm_of_huge_gradients_is_finite(self):
        """3, 4, 5: the squares of 3e300 and 4e300 would overflow."""
        assert norm(np.array([[3e300], [-4e300]])) == pytest.approx(5e300)
        assert norm(np.array([3.0, -4.0])) == pytest.approx(5)
        assert norm(np.zeros(3)) == 0
        assert norm(np.array([1.0, np.inf])) == np.inf

    def test_what_is_no_place_no_count_and_no_price_is_said(self):
        made = network((5, 5), [pl.Conv2D(2)], pl.Classification(2))
        x, y = samples(made)
        trace = made.trace(x)
        for place in (3, {0, 1}, (1,), "ab"):
            with pytest.raises(pl.ArgumentError, match=r"say which: conv2d_1\[0\]@2,2"):
                trace.neuron("conv2d_1", 0, place=place)
        for count in (0, -1, 1.5, "all"):
            with pytest.raises(pl.ArgumentError, match="count must be a whole number"):
                trace.neuron("conv2d_1", 0, place=(0, 0)).arithmetic(count)
        with pytest.raises(pl.ArgumentError, match=r"regularizer must be of type Regularizer, not 0\.1"):
            made.trace(x, y, regularizer=0.1)
        with pytest.raises(pl.ArgumentError, match="training must be of type bool, not 'yes'"):
            made.trace(x, training="yes")

    def test_the_table_names_every_layer(self):
        made = network(*WHOLE["photos"])
        x, y = samples(made)
        text = str(made.trace(x, y))
        for name in ("input", "residual_1.shortcut_conv2d_1", "output", "norm of gradient", "loss "):
            assert name in text
        assert "gradient" not in str(made.trace(x))

    def test_layers_and_neurons_are_a_line_each(self):
        trace = by_hand().trace(np.array([[2.0, 1.0]]))
        assert repr(trace.layers[1]) == "<LayerTrace dense_1, output (1, 2)>"
        assert repr(trace.neuron("dense_1", 0)) == "<NeuronTrace dense_1[0]: z = 2*1 + 1*2 + 0.5 = 4.5; relu -> 4.5>"

    def test_the_table_ends_with_the_loss_and_the_price_of_the_weights(self):
        made = by_hand()  # its weights have the squares 1 + 1 + 4 + 1 and 1 + 0 + 9 + 1
        text = str(made.trace(np.array([[2.0, 1.0]]), [1], regularizer=pl.L2(0.5)))
        assert text.splitlines()[-1] == f"loss {np.log1p(np.exp(3.5)):.4g} + penalty 9"
