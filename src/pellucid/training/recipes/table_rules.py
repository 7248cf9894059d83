"""Rules that choose a recipe for tables: dense layers, and how to train them, with reasons."""

from __future__ import annotations

from pellucid.core.checks import positive_integer
from pellucid.core.display.text import counted
from pellucid.training.recipes.recipe import Recipe

HELD_OUT = 0.1  # of the rows, for validation
BATCH = 256  # rows in a step, where there are enough for 40 steps an epoch
FEWEST_IN_BATCH = 16
ENSEMBLE = 8  # members, where an ensemble is asked for without a number


def choose_for_table(rows: int, width: int, classes: int, epochs: int | None = None) -> Recipe:
    """The recipe for so many training rows of ``width`` numbers, and ``classes`` (0 for a regression).

    hidden         three layers of 256 units
    dropout        more for classes, which a network learns by heart much sooner than numbers
    learning_rate  of AdamW with beta2 0.95, at the tops of a rate that rises and falls four times
    epochs         64 for numbers, 24 for classes; the epoch that does best on held-out rows is kept
    batch_size     256, or as many as give 40 steps an epoch

    The constants are those of Holzmüller et al. 2024 (arXiv:2407.04491) where they are the same for all tables, and else
    were chosen on California housing and Adult (benchmarks/RESULTS.md).
    """
    numbers = classes == 0
    by_rule = 64 if numbers else 24
    epochs = by_rule if epochs is None else positive_integer(epochs, "epochs")
    batch_size = min(BATCH, max(FEWEST_IN_BATCH, rows // 40))
    return Recipe(
        hidden=(256, 256, 256),
        activation="silu",
        dropout=0.15 if numbers else 0.4,
        optimizer="adamw",
        learning_rate=2e-3 if numbers else 1e-3,
        beta2=0.95,
        weight_decay=0.02,
        schedule="cosine_log",
        epochs=epochs,
        batch_size=batch_size,
        augment=False,
        validation=HELD_OUT,
        patience=epochs,
        reasons={
            "hidden": f"{counted(width, 'number')} a row, and the bins of those that are no yes or no",
            "dropout": "numbers to predict: a little is enough" if numbers else "classes are soon learned by heart",
            "learning_rate": "of AdamW, at the tops of a schedule that rises and falls four times",
            "epochs": f"{counted(-(-rows // batch_size), 'step')} each; the epoch that does best on held-out rows is kept",
            "validation": f"held out for that, and to calibrate; {counted(rows, 'row')} are left to learn from",
        },
    )
