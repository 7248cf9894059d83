"""The exponentials and their kin in float32: every activation and its derivative, on a sweep of numbers, against float64.

A network of one weight 1 gives f(z) for any z; the gradient of a bias behind a layer of many units gives f'(z).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from twins import ISAS, fitted

import pellucid as pl
from pellucid.executors.native.inference import native_inference

TINY = np.finfo(np.float32).tiny  # results below the normal numbers may be 0
ROOT = np.sqrt(2 / np.pi)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def gelu(z):
    return 0.5 * z * (1 + np.tanh(ROOT * (z + 0.044715 * z**3)))


def gelu_derivative(z):
    u = ROOT * (z + 0.044715 * z**3)
    return 0.5 * (1 + np.tanh(u)) + 0.5 * z * ROOT * (1 + 3 * 0.044715 * z * z) / np.cosh(np.clip(u, -300, 300)) ** 2


def sigmoid_derivative(z):
    return special.expit(z) * special.expit(-z)


# name -> (f, f'), in float64 and by other formulas than those of the package where there are some
TRUE = {
    "identity": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z: ((z > 0) & (z < 6)) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z: np.exp(np.minimum(z, 0))),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
        lambda z: SELU_SCALE * np.where(z > 0, 1, SELU_ALPHA * np.exp(np.minimum(z, 0))),
    ),
    "gelu": (gelu, gelu_derivative),
    "silu": (lambda z: z * special.expit(z), lambda z: special.expit(z) * (1 + z * special.expit(-z))),
    "softplus": (lambda z: np.logaddexp(0, z), special.expit),
    "sigmoid": (special.expit, sigmoid_derivative),
    "hard_sigmoid": (lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda z: (np.abs(z) < 3) / 6),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
}

# name -> (bound in units in the last place of f(z) itself, and of the numbers that f is a sum of, as far as these cancel)
VALUE_BOUNDS = {
    "identity": (0, 0),
    "relu": (0, 0),
    "relu6": (0, 0),
    "leaky_relu": (1, 0),  # one rounded product with the rounded 0.01
    "elu": (4, 0),
    "selu": (4, 0),
    "gelu": (4, 4),  # 1 + tanh cancels for z < 0
    "silu": (4, 0),
    "softplus": (4, 0),
    "sigmoid": (4, 0),
    "hard_sigmoid": (1, 1),  # z / 6 + 1 / 2 cancels near -3
    "tanh": (4, 0),
}


def sweep():
    """About 100,000 numbers: even and random ones in [-100, 100], many near 0, and powers of two down to the smallest."""
    rng = np.random.default_rng(1)
    near = np.ldexp(rng.uniform(1, 2, 20_000), rng.integers(-60, 4, 20_000)) * rng.choice([-1, 1], 20_000)
    powers = np.ldexp(1.0, np.arange(-126, 7))
    special_ones = [0.0, 3.0, -3.0, 6.0, 0.7, -0.7, 88.72, 88.73, -87.33, -87.34, 16.6355, 9.01]
    parts = [np.linspace(-100, 100, 50_001), rng.uniform(-20, 20, 30_000), near, powers, -powers, special_ones]
    return np.concatenate(parts).astype(np.float32)


Z = sweep()
EVERY_ISA = pytest.mark.parametrize("isa", ISAS)
every_activation = pytest.mark.parametrize("name", TRUE)


def ulps(found, true):
    """The distance in units in the last place of float32 at the true result, where that is a normal number."""
    return np.abs(np.float64(found) - true) / np.spacing(np.maximum(np.abs(true), TINY).astype(np.float32))


@EVERY_ISA
@every_activation
def test_values(isa, name, monkeypatch):
    monkeypatch.setenv("PELLUCID_ISA", isa)
    layers = [pl.Input(1), pl.Dense(1, name, "ones", use_bias=False), pl.Regression(initializer="ones", use_bias=False)]
    network = pl.Network(layers)
    assert native_inference(network) is not None
    found = network.predict(Z[:, None])
    z = Z.astype(np.float64)
    relative, absolute = VALUE_BOUNDS[name]
    scale = np.abs(z) if name == "gelu" else np.ones_like(z)
    true = TRUE[name][0](z)
    allowed = relative * np.spacing(np.maximum(np.abs(true), TINY).astype(np.float32)) + absolute * scale * 2.0**-23
    distance = np.abs(found - true)
    smallest = TINY * np.maximum(np.abs(z), 1) if name == "silu" else TINY  # z times a sigmoid that is 0 below TINY
    beyond = (distance > allowed) & ~((np.abs(true) < smallest) & (found == 0))
    assert not beyond.any(), (Z[beyond][:5], found[beyond][:5], true[beyond][:5])
    assert not np.signbit(found[(z > 0)]).any()


@EVERY_ISA
@every_activation
def test_derivatives(isa, name, monkeypatch):
    """The gradient of the bias of unit i, whose weight is z_i and whose only input is 1, under the loss |y - t|."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    z = Z[np.abs(Z) > 1e-20]  # smaller ones vanish in z + 0
    layers = [pl.Input(1), pl.Dense(len(z), name, "zeros"), pl.Regression(1, "mae", "ones", use_bias=False)]
    network = pl.Network(layers)
    network.parameters["dense_1.weight"] = z[None]
    trained = fitted(network, np.ones((1, 1), np.float32), np.array([-1e9]), optimizer=pl.GradientDescent(1.0, 0.5))
    velocity = trained.training_state.optimizer_state.slots["velocity"]
    found = network.parameters.layout.view(velocity, "dense_1.bias")
    true = TRUE[name][1](z.astype(np.float64))
    # each is a sum of a few terms of about 1 (gelu, silu: of up to |z| times a factor that falls faster), 4 ulp each
    np.testing.assert_allclose(found, true, rtol=0, atol=4 * 2.0**-23 * (4 if name == "gelu" else 1.1))


@EVERY_ISA
def test_probabilities(isa, monkeypatch):
    """Of two classes by softmax and by sigmoid: small ones keep their digits, and none is below 0 or above 1."""
    monkeypatch.setenv("PELLUCID_ISA", isa)
    z = Z.astype(np.float64)
    softmax = pl.Network([pl.Input(2), pl.Classification(2, use_bias=False)])
    softmax.parameters["output.weight"] = np.eye(2)
    sigmoid = pl.Network([pl.Input(1), pl.BinaryClassification(initializer="ones", use_bias=False)])
    true = np.stack([special.expit(-z), special.expit(z)], axis=1)
    for found in (softmax.predict_proba(np.stack([np.zeros_like(Z), Z], axis=1)), sigmoid.predict_proba(Z[:, None])):
        assert ((found >= 0) & (found <= 1)).all()
        normal = true > TINY
        assert (ulps(found, true)[normal] <= 4).all()
        assert (found[~normal] <= 2 * TINY).all()


def test_the_sweep_and_the_bounds_see_a_fault():
    """NumPy's own exponential in float16 is no match, and 5 ulp of 1 are beyond every bound near 1."""
    assert len(Z) > 100_000
    true = np.tanh(Z.astype(np.float64))
    assert ulps(np.tanh(Z.astype(np.float16)), true).max() > 100
    assert ulps(np.tanh(Z), true).max() <= 4
    assert max(relative + absolute for relative, absolute in VALUE_BOUNDS.values()) <= 8
