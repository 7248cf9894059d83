"""XOR, "one or the other, but not both": one layer cannot learn it, two layers can."""

import numpy as np

import pellucid as pl

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])

for hidden in ([], [pl.Dense(8, "tanh")]):
    network = pl.Network([pl.Input(2), *hidden, pl.BinaryClassification()], seed=0)
    network.fit(x, y, optimizer=pl.Adam(0.05), epochs=300, batch_size=4, progress="none")
    print(f"{len(hidden)} hidden layers, {network.parameters.vector.size} parameters")
    for (a, b), (_, p) in zip(x, network.predict_proba(x), strict=True):
        print(f"  {a} xor {b}: {p:6.1%} yes")
