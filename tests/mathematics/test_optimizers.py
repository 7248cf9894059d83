"""Every optimizer against its paper, written once more for plain Python floats; on a quadratic and on Rosenbrock."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import rosen_der

import pellucid as pl
from pellucid.data.samples import Batch
from pellucid.executors.base import OptimizerState, Rules
from pellucid.executors.numpy import BLOCK, NumpyExecutor
from pellucid.nn.catalogue import OPTIMIZERS

# The references: generators of one scalar parameter; send the gradient, get the next value.


def reference_descent(p, r, momentum=0.0, nesterov=False):
    """Sutskever et al. (2013) in the form of PyTorch's documentation of SGD (2.x): v = mu v + g; g = g + mu v or v."""
    v = None
    while True:
        g = yield p
        v = g if v is None else momentum * v + g
        p -= r * (g + momentum * v if nesterov else v)


def reference_adam(p, r, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.0):
    """Kingma and Ba (2015), algorithm 1; with decay: Loshchilov and Hutter (2019), algorithm 2, as in PyTorch's AdamW."""
    m = v = 0.0
    t = 0
    while True:
        g = yield p
        t += 1
        p -= r * decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        p -= r * m_hat / (math.sqrt(v_hat) + epsilon)


def reference_rmsprop(p, r, decay=0.9, epsilon=1e-8):
    """Tieleman and Hinton (2012), slide 29: MeanSquare = 0.9 MeanSquare + 0.1 g^2; divide by its root."""
    v = 0.0
    while True:
        g = yield p
        v = decay * v + (1 - decay) * g**2
        p -= r * g / (math.sqrt(v) + epsilon)


def reference_adagrad(p, r, epsilon=1e-10):
    """Duchi et al. (2011), the diagonal update."""
    total = 0.0
    while True:
        g = yield p
        total += g**2
        p -= r * g / (math.sqrt(total) + epsilon)


CASES = {
    "descent": (pl.GradientDescent(0.1), lambda p: reference_descent(p, 0.1)),
    "momentum": (pl.GradientDescent(0.1, 0.9), lambda p: reference_descent(p, 0.1, 0.9)),
    "nesterov": (pl.GradientDescent(0.1, 0.8, True), lambda p: reference_descent(p, 0.1, 0.8, True)),
    "adam": (pl.Adam(0.02), lambda p: reference_adam(p, 0.02)),
    "adam, other settings": (pl.Adam(0.5, 0.5, 0.7, 0.1), lambda p: reference_adam(p, 0.5, 0.5, 0.7, 0.1)),
    "adamw": (pl.AdamW(0.02, 0.3), lambda p: reference_adam(p, 0.02, decay=0.3)),
    "rmsprop": (pl.RMSProp(0.03), lambda p: reference_rmsprop(p, 0.03)),
    "rmsprop, other settings": (pl.RMSProp(0.03, 0.5, 0.1), lambda p: reference_rmsprop(p, 0.03, 0.5, 0.1)),
    "adagrad": (pl.Adagrad(0.4), lambda p: reference_adagrad(p, 0.4)),
    "adagrad, other epsilon": (pl.Adagrad(0.4, 0.5), lambda p: reference_adagrad(p, 0.4, 0.5)),
}
cases = pytest.mark.parametrize(("optimizer", "reference"), CASES.values(), ids=CASES.keys())


def slots_of(optimizer, p):
    return OptimizerState.fresh(optimizer, p).slots


def test_every_optimizer_is_among_the_cases():
    assert {type(case[0]) for case in CASES.values()} == set(OPTIMIZERS)


@cases
def test_ten_steps_equal_the_published_algorithm(optimizer, reference):
    """Gradients of every size and sign, as a fixed table; three parameters at once, each against its own scalar twin."""
    gradients = np.random.default_rng(7).normal(size=(10, 3)) * [1.0, 1e-3, 50.0]
    gradients[4] = 0.0
    p = np.array([1.0, -2.0, 0.5])
    slots = slots_of(optimizer, p)
    twins = [reference(float(start)) for start in p]
    for twin in twins:
        next(twin)
    for t, g in enumerate(gradients, start=1):
        optimizer.step(p, g.copy(), slots, t, optimizer.learning_rate)
        expected = [twin.send(float(each)) for twin, each in zip(twins, g, strict=True)]
        np.testing.assert_allclose(p, expected, rtol=1e-13)


def test_first_steps_by_hand():
    """From p = 1 with g = 4, then g = -2, r = 0.1."""
    expected = {
        "descent": (pl.GradientDescent(0.1), 0.6, 0.8),
        "momentum": (pl.GradientDescent(0.1, 0.5), 0.6, 0.6),  # v = 4, then 2 - 2 = 0
        "nesterov": (pl.GradientDescent(0.1, 0.5, True), 1 - 0.1 * (4 + 2), 0.4 - 0.1 * (-2 + 0)),
        "adam": (pl.Adam(0.1), 0.9, 0.9 - 0.1 * (0.9 * 0.4 - 0.2) / 0.19 / math.sqrt((0.999 * 0.016 + 0.004) / 0.001999)),
        "rmsprop": (pl.RMSProp(0.1), 1 - 0.4 / math.sqrt(1.6), 1 - 0.4 / math.sqrt(1.6) + 0.2 / math.sqrt(1.44 + 0.4)),
        "adagrad": (pl.Adagrad(0.1), 0.9, 0.9 + 0.2 / math.sqrt(20)),
        "adamw": (pl.AdamW(0.1, 0.5), 0.95 - 0.1, None),
    }
    for optimizer, after_one, after_two in expected.values():
        p = np.array([1.0])
        slots = slots_of(optimizer, p)
        optimizer.step(p, np.array([4.0]), slots, 1, 0.1)
        assert p[0] == pytest.approx(after_one, rel=1e-7)
        if after_two is not None:
            optimizer.step(p, np.array([-2.0]), slots, 2, 0.1)
            assert p[0] == pytest.approx(after_two, rel=1e-7)


@cases
def test_the_rate_of_the_step_counts_not_that_of_the_object_and_the_gradient_is_left_alone(optimizer, reference):
    slow, fast, g = np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([0.3, -0.7])
    optimizer.step(slow, g, slots_of(optimizer, slow), 1, 0.001)
    optimizer.step(fast, g, slots_of(optimizer, fast), 1, 0.003)
    np.testing.assert_allclose(fast - [1.0, 2.0], 3 * (slow - [1.0, 2.0]), rtol=1e-11)
    assert (slow != [1.0, 2.0]).all()
    np.testing.assert_array_equal(g, [0.3, -0.7])


@cases
def test_a_step_on_parts_equals_a_step_on_the_whole_bit_for_bit(optimizer, reference):
    rng = np.random.default_rng(3)
    whole, cut = rng.normal(size=1000), 337
    parts = whole.copy()
    slots, part_slots = slots_of(optimizer, whole), slots_of(optimizer, parts)
    for t in range(1, 6):
        g = rng.normal(size=1000)
        optimizer.step(whole, g, slots, t, 0.05)
        for piece in (slice(0, cut), slice(cut, 1000)):
            optimizer.step(parts[piece], g[piece], {n: s[piece] for n, s in part_slots.items()}, t, 0.05)
    np.testing.assert_array_equal(parts, whole)


@cases
def test_float32_follows_float64(optimizer, reference):
    rng = np.random.default_rng(4)
    p64 = rng.normal(size=50)
    p32 = p64.astype(np.float32)
    slots64, slots32 = slots_of(optimizer, p64), slots_of(optimizer, p32)
    travelled = 0.0
    for t in range(1, 11):
        g = rng.normal(size=50)
        before = p64.copy()
        optimizer.step(p64, g, slots64, t, optimizer.learning_rate)
        optimizer.step(p32, g.astype(np.float32), slots32, t, optimizer.learning_rate)
        travelled += np.abs(p64 - before).max()
    assert p32.dtype == np.float32
    np.testing.assert_allclose(p32, p64, rtol=0, atol=32 * np.finfo(np.float32).eps * (travelled + np.abs(p64).max()))
    assert travelled > 0.1


# A quadratic with curvatures 1 and 20 and its least value at (3, -2); Rosenbrock's valley with its least value at (1, 1).
MINIMUM = np.array([3.0, -2.0])
CURVATURE = np.array([1.0, 20.0])
DESCENTS = {
    "descent": (pl.GradientDescent(0.08), 400, pl.GradientDescent(0.0015), 40000),
    "momentum": (pl.GradientDescent(0.02, 0.9), 600, pl.GradientDescent(0.0005, 0.95), 12000),
    "nesterov": (pl.GradientDescent(0.02, 0.9, True), 600, pl.GradientDescent(0.0005, 0.95, True), 12000),
    "adam": (pl.Adam(0.1), 1500, pl.Adam(0.02), 8000),
    "adamw": (pl.AdamW(0.1, 0.0), 1500, pl.AdamW(0.02, 0.0), 8000),
    "rmsprop": (pl.RMSProp(0.05), 1500, pl.RMSProp(0.01), 12000),
    "adagrad": (pl.Adagrad(1.0), 1500, pl.Adagrad(0.5), 30000),
}


def descend(optimizer, start, gradient, steps):
    """The rate falls along a line to 0, so that those with steps of fixed size settle too."""
    p = np.array(start)
    slots = slots_of(optimizer, p)
    for t in range(1, steps + 1):
        optimizer.step(p, gradient(p), slots, t, optimizer.learning_rate * (1 - (t - 1) / steps))
    return p


def rosenbrock_gradient(p):
    x, y = p.tolist()
    return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


def test_the_gradient_of_rosenbrock_is_that_of_scipy():
    np.testing.assert_allclose(rosenbrock_gradient(np.array([-1.2, 1.0])), rosen_der([-1.2, 1.0]), rtol=1e-14)


def test_every_optimizer_descends():
    assert {type(row[0]) for row in DESCENTS.values()} == set(OPTIMIZERS)


@pytest.mark.parametrize("name", DESCENTS)
def test_finds_the_minimum_of_a_quadratic(name):
    optimizer, steps, _, _ = DESCENTS[name]
    p = descend(optimizer, [-1.0, 1.0], lambda p: CURVATURE * (p - MINIMUM), steps)
    np.testing.assert_allclose(p, MINIMUM, atol=2e-3)


@pytest.mark.parametrize("name", DESCENTS)
def test_finds_the_minimum_of_rosenbrock(name):
    _, _, optimizer, steps = DESCENTS[name]
    p = descend(optimizer, [-1.2, 1.0], rosenbrock_gradient, steps)
    np.testing.assert_allclose(p, [1.0, 1.0], atol=0.02)


def test_adamw_shrinks_a_weight_without_gradient_by_the_rate_times_the_decay_and_nothing_else():
    p = np.array([2.0, -4.0])
    slots = slots_of(pl.AdamW(), p)
    for t in (1, 2):
        pl.AdamW(weight_decay=0.1).step(p, np.zeros(2), slots, t, 0.5)
    np.testing.assert_allclose(p, [2 * 0.95**2, -4 * 0.95**2], rtol=1e-15)
    pl.AdamW(weight_decay=0.1).step(p, np.zeros(2), slots, 3, 0.5, decays=False)
    np.testing.assert_allclose(p, [2 * 0.95**2, -4 * 0.95**2], rtol=1e-15)


class TestInANetwork:
    @staticmethod
    def network():
        layers = [pl.Input(5), pl.Dense(6, "tanh"), pl.BatchNormalization(), pl.Classification(3)]
        network = pl.Network(layers, dtype="float64", seed=2)
        for array in network.parameters.values():
            array += 0.5
        return network

    def batch(self):
        rng = np.random.default_rng(0)
        return Batch(rng.normal(size=(8, 5)), rng.integers(0, 3, 8))

    def run(self, rules, steps=3):
        network = self.network()
        state = OptimizerState.fresh(rules.optimizer, network.parameters.vector)
        executor = NumpyExecutor(network, rules, state)
        gradients = []
        for step in range(steps):
            executor.train_step(self.batch(), step, rules.optimizer.learning_rate)
            gradients.append(executor.gradient.copy())
        return network, gradients, state

    def test_the_decay_of_adamw_leaves_biases_scales_and_shifts_alone(self):
        """One step: AdamW differs from Adam by exactly -r * decay * w in weights, and not at all elsewhere."""
        start = self.network().parameters  # all moved by 1/2, so that a decay of a bias would show
        plain, _, _ = self.run(Rules(pl.Adam(0.01)), 1)
        decayed, _, _ = self.run(Rules(pl.AdamW(0.01, 0.2)), 1)
        for name in start:
            difference = decayed.parameters[name] - plain.parameters[name]
            expected = -0.01 * 0.2 * start[name] if name.endswith("weight") else np.zeros_like(start[name])
            np.testing.assert_allclose(difference, expected, atol=1e-15)

    @pytest.mark.parametrize("name", CASES)
    def test_blocks_of_a_long_vector_give_what_the_whole_gives(self, name):
        """More parameters than fit a block, so that weights are cut in the middle: the twin steps on whole arrays."""
        optimizer = CASES[name][0]
        units = 2 * BLOCK // 300 + 30
        layers = [pl.Input(300), pl.Dense(units, "tanh"), pl.Regression()]
        network, twin = (pl.Network(layers, dtype="float64") for _ in range(2))
        assert network.parameters["dense_1.weight"].size > 2 * BLOCK
        x, y = np.random.default_rng(1).normal(size=(4, 300)), np.arange(4.0)[:, None]
        state = OptimizerState.fresh(optimizer, network.parameters.vector)
        executor = NumpyExecutor(network, Rules(optimizer), state)
        slots = {key: slots_of(optimizer, array.ravel()) for key, array in twin.parameters.items()}
        for t in (1, 2, 3):
            executor.train_step(Batch(x, y), t - 1, 0.01)
            for key, array in twin.parameters.items():
                g = network.parameters.layout.view(executor.gradient, key).ravel()
                optimizer.step(array.reshape(-1), g, slots[key], t, 0.01, decays=key.endswith("weight"))
        np.testing.assert_array_equal(network.parameters.vector, twin.parameters.vector)
        assert state.updates == 3

    def test_clipping_bounds_the_gradient_of_loss_and_penalty_before_the_optimizer_sees_it(self):
        free, free_gradients, _ = self.run(Rules(pl.GradientDescent(0.1), pl.L2(0.5)), 1)
        norm = np.linalg.norm(free_gradients[0])
        bound = norm / 3
        clipped, _, _ = self.run(Rules(pl.GradientDescent(0.1), pl.L2(0.5), pl.ClipByGlobalNorm(bound)), 1)
        start = self.network().parameters.vector
        np.testing.assert_allclose(
            clipped.parameters.vector - start, (free.parameters.vector - start) / 3, rtol=1e-9, atol=1e-15
        )
        limited, _, _ = self.run(Rules(pl.GradientDescent(0.1), pl.L2(0.5), pl.ClipByValue(0.05)), 1)
        expected = -0.1 * np.clip(free_gradients[0], -0.05, 0.05)
        np.testing.assert_allclose(limited.parameters.vector - start, expected, rtol=1e-9, atol=1e-15)
        assert np.abs(free_gradients[0]).max() > 0.05


class TestClipping:
    def test_by_hand(self):
        g = np.array([3.0, -4.0])
        pl.ClipByGlobalNorm(1.0).clip(g)
        np.testing.assert_allclose(g, [0.6, -0.8], rtol=1e-15)
        g = np.array([0.3, -0.4])
        pl.ClipByGlobalNorm(1.0).clip(g)
        np.testing.assert_array_equal(g, [0.3, -0.4])
        g = np.array([3.0, -4.0, 0.5])
        pl.ClipByValue(2.0).clip(g)
        np.testing.assert_array_equal(g, [2.0, -2.0, 0.5])

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("size", [1e30, 3e38, 1e-30])
    def test_huge_and_tiny_numbers_whose_squares_leave_the_range(self, dtype, size):
        """(3, 4) / 5 times any size: the squares of 1e30 overflow in float32, those of 1e-30 vanish."""
        g = (np.array([0.6, -0.8]) * size).astype(dtype)
        bound = size / 2
        with np.errstate(over="raise", invalid="raise"):
            pl.ClipByGlobalNorm(bound).clip(g)
        np.testing.assert_allclose(g / dtype(size), [0.3, -0.4], rtol=4 * np.finfo(dtype).eps)
        g = (np.array([0.6, -0.8]) * size).astype(dtype)
        pl.ClipByValue(size * 0.7).clip(g)
        np.testing.assert_allclose(g / dtype(size), [0.6, -0.7], rtol=4 * np.finfo(dtype).eps)

    def test_zeros_stay_zeros(self):
        for clipping in (pl.ClipByGlobalNorm(), pl.ClipByValue()):
            g = np.zeros(5, np.float32)
            clipping.clip(g)
            assert not g.any()

    @given(
        st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=20),
        st.floats(1e-3, 1e3),
        st.sampled_from([np.float32, np.float64]),
    )
    def test_the_norm_is_bounded_the_direction_kept_and_nothing_grows(self, numbers, bound, dtype):
        before = np.array(numbers, dtype)
        g = before.copy()
        pl.ClipByGlobalNorm(bound).clip(g)
        norm, was = math.hypot(*g.tolist()), math.hypot(*before.tolist())
        eps = float(np.finfo(dtype).eps)
        assert norm <= bound * (1 + 8 * eps) or was <= bound * (1 + 8 * eps)
        assert norm == pytest.approx(min(was, bound), rel=1e-5)
        assert (np.abs(g) <= np.abs(before)).all()
        assert (g * np.sign(before) >= 0).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: pl.GradientDescent(0.0),
        lambda: pl.GradientDescent(-1.0),
        lambda: pl.GradientDescent(math.nan),
        lambda: pl.GradientDescent(math.inf),
        lambda: pl.GradientDescent(0.1, 1.0),
        lambda: pl.GradientDescent(0.1, nesterov=True),
        lambda: pl.GradientDescent(0.1, 0.9, nesterov="yes"),
        lambda: pl.Adam(beta1=1.0),
        lambda: pl.Adam(beta2=-0.1),
        lambda: pl.Adam(epsilon=0.0),
        lambda: pl.Adam("0.001"),
        lambda: pl.AdamW(weight_decay=-0.1),
        lambda: pl.RMSProp(decay=1.0),
        lambda: pl.Adagrad(epsilon=0.0),
        lambda: pl.ClipByGlobalNorm(0.0),
        lambda: pl.ClipByValue(-1.0),
    ],
)
def test_what_cannot_work_is_refused(make):
    with pytest.raises(pl.ArgumentError):
        make()
