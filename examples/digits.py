"""Handwritten digits: learn from a part of MNIST, judge on pictures never seen, and look at some answers."""

import numpy as np

import pellucid as pl

(x, y), (x_test, y_test) = pl.datasets.digits()
x, y = x[:20_000], y[:20_000]

network = pl.Network([pl.Input(28, 28), pl.Dense(128, "relu"), pl.Classification(10)], seed=0)
print(network)
network.fit(x, y, validation=0.1, epochs=5, batch_size=64, schedule="one_cycle", optimizer=pl.Adam(3e-3))

figures = network.evaluate(x_test, y_test)
print(f"accuracy {figures['accuracy']:.2%} on {len(x_test):,} test pictures, loss {figures['loss']:.4f}")

model = pl.Model(network)  # a network, and the pipeline that turns any picture into its input
answers = model.predict(x_test[:200])
doubtful = min(range(200), key=lambda i: answers[i].probability)
for index in (0, doubtful):
    answer = answers[index]
    pairs = answer.seen.reshape(14, 2, 28).mean(axis=1)  # a character is twice as high as it is wide
    print("\n" + "\n".join("".join(" .:+#"[int(v / 52)] for v in row) for row in pairs if row.any()))
    others = ", ".join(f"{label} {p:.1%}" for label, p in answer.top(3))
    print(f"test picture {index} is a {y_test[index]}; predicted {answer.label} ({others})")

wrong = np.flatnonzero(network.predict(x_test) != y_test)
print(f"\n{len(wrong)} of {len(x_test):,} wrong, the first ones: {wrong[:8].tolist()}")
