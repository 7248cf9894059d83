"""Two moons: few, noisy points invite a large network to learn them by heart. Ways to hold it back."""

import numpy as np

import pellucid as pl


def moons(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles, one upside down and reaching into the other: points (N, 2), classes (N,)."""
    chance = np.random.default_rng(seed)
    y = np.arange(count) % 2
    angle = chance.uniform(0, np.pi, count)
    side = np.where(y == 0, 1, -1)
    x = np.stack([side * np.cos(angle) + y, side * np.sin(angle) + y / 2], axis=1)
    return x + chance.normal(0, 0.4, x.shape), y


x, y = moons(150, seed=5)
validation = moons(100, seed=2)
test = moons(2000, seed=3)
ways = {
    "nothing": {},
    "L2": {"regularizer": pl.L2(3e-3)},
    "early stopping": {"early_stopping": 20},
    "both": {"regularizer": pl.L2(3e-3), "early_stopping": 20},
}
for name, options in ways.items():
    network = pl.Network([pl.Input(2), pl.Dense(64, "relu"), pl.Dense(64, "relu"), pl.BinaryClassification()], seed=0)
    history = network.fit(x, y, validation=validation, epochs=200, optimizer=pl.Adam(0.01), progress="none", **options)
    parts = {"training": network.evaluate(x, y), "test": network.evaluate(*test)}
    figures = "".join(f"   {part}: loss {f['loss']:.3f} accuracy {f['accuracy']:.1%}" for part, f in parts.items())
    print(f"{name:14} {len(history.epochs):3} epochs{figures}")

points = np.array([[0.0, 1.0], [0.5, 0.25], [1.0, -0.5]])
for point, p in zip(points, network.predict_proba(points), strict=True):
    print(f"at ({point[0]:.1f}, {point[1]:5.2f}): {p[0]:5.1%} upper moon, {p[1]:5.1%} lower moon")
