"""Regression: a curve through noisy points, some of which are plain wrong. Huber's loss does not mind them."""

import numpy as np

import pellucid as pl

chance = np.random.default_rng(0)
x = chance.uniform(-3, 3, (600, 1))
y = np.sin(2 * x[:, 0]) + chance.normal(0, 0.15, 600)
y[::20] += 5  # one measurement in twenty is spoilt

grid = np.linspace(-3, 3, 25)[:, None]
truth = np.sin(2 * grid[:, 0])
curves = {}
for loss in ("mse", "huber"):
    network = pl.Network([pl.Input(1), pl.Dense(32, "silu"), pl.Dense(32, "silu"), pl.Regression(loss=loss)], seed=0)
    network.fit(x, y, epochs=200, optimizer=pl.Adam(0.01), schedule="cosine", progress="none")
    curves[loss] = network.predict(grid)
    print(f"{loss:5}  r2 against the true curve {network.evaluate(grid, truth)['r2']:.3f}")

print("\n    x   truth     mse   huber")
for i in range(len(grid)):
    row = [" "] * 45
    row[round(20 * (truth[i] + 1))], row[round(20 * (curves["huber"][i] + 1))] = "o", "*"
    print(f"{grid[i, 0]:5.2f}  {truth[i]:6.3f}  {curves['mse'][i]:6.3f}  {curves['huber'][i]:6.3f}   {''.join(row)}")
print("o truth, * network with Huber's loss")
