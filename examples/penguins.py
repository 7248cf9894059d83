"""A table of three species of penguins: every cell accounted for, every answer followed back to the cells of its row."""

import numpy as np

import pellucid as pl

table = pl.datasets.table(pl.datasets.penguins(), target="species")
print("\n".join(table.account.in_words()))
rows = np.random.default_rng(0).permutation(len(table))
test, learn = table.take(rows[:100]), table.take(rows[100:])

model = pl.train(learn, seed=0, progress="none")
print(f"\naccuracy {model.evaluate(test.encode(model.pipeline), test.y)['accuracy']:.1%} on {len(test)} test rows\n")
print(pl.permutation_importance(model, test))

# A bird of which the sex and the year are not known.
bird = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "body_mass_g": 4500}
print(f"\n{model.predict(bird)}")
for line in str(pl.explain(model, bird)).splitlines():
    if line.strip().startswith("bill_depth_mm: "):
        print(line)
