"""``pellucid info``: what is in a model file?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from pellucid.apps.cli.named_models import open_model
from pellucid.apps.cli.terminal import say, write_json
from pellucid.core.display.text import aligned, printable
from pellucid.models.model import Model, table_pipeline_of
from pellucid.nn import catalogue
from pellucid.reports.validation import final_in_words, unit_of_epochs

LABELS_SHOWN = 100


@click.command("info")
@click.argument("model", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
def command(model: str, as_json: bool) -> None:
    """Show the layers, shapes and parameters of MODEL, how it was trained, its labels and its pipeline."""
    loaded = open_model(model)
    if as_json:
        write_json(_as_data(model, loaded))
        return
    network = loaded.network
    say(f"{printable(model)}\n\n{network}\n")
    shown = ", ".join(map(str, loaded.labels[:LABELS_SHOWN])) or "none (regression)"
    more = f" ... {len(loaded.labels):,} in all" if len(loaded.labels) > LABELS_SHOWN else ""
    say(printable(f"labels    {shown}{more}"))
    say(f"pipeline  {loaded.pipeline or 'none: it takes arrays, not pictures'}")
    if (pipeline := table_pipeline_of(loaded)) is not None:
        columns = [(one.name, one.kind, str(one.width), one.learned) for one in pipeline.columns]
        lines = aligned([("column", "kind", "numbers", "learned from the training rows"), *columns], left=4)
        say("\n".join(["", lines[0], "-" * max(map(len, lines)), *lines[1:], ""]))
    if loaded.temperature is not None:
        say(f"temperature {loaded.temperature}")
    if loaded.conformal_scores:
        say(f"confidence  measured on {loaded.conformal_scores[0].count:,} samples (predict --confidence)")
    state = network.training_state
    steps = f"{state.epoch} epochs, {state.step:,} steps, " if loaded.transfer is None or state.step else ""
    say(f"trained   {steps}seed {network.seed}")
    for line in [] if loaded.transfer is None else loaded.transfer.in_words():
        say(printable(f"          {line}"))
    for name, value in state.settings.items():
        say(printable(f"          {name}: {value}"))
    unit = unit_of_epochs(loaded)
    for line in [*final_in_words(network.history), *([unit] if unit else [])]:
        say(printable(f"          {line}"))


def _as_data(path: str, model: Model) -> dict[str, Any]:
    network = model.network
    return {
        "model": path,
        "layers": [
            {"name": node.name, "output_shape": node.output_shape, **catalogue.to_dict(node.layer)}
            for node in network.nodes
        ],
        "parameters": {name: array.shape for name, array in network.parameters.items()},
        "number_of_parameters": network.parameters.layout.size,
        "dtype": str(network.dtype),
        "engine": network.engine,
        "engine_note": network.engine_note,
        "labels": list(model.labels),
        "pipeline": None if model.pipeline is None else catalogue.to_dict(model.pipeline),
        "temperature": None if model.temperature is None else catalogue.to_dict(model.temperature),
        "conformal_samples": model.conformal_scores[0].count if model.conformal_scores else 0,
        "transfer": None if model.transfer is None else catalogue.to_dict(model.transfer),
        "seed": network.seed,
        "epochs": network.training_state.epoch,
        "steps": network.training_state.step,
        "settings": network.training_state.settings,
        "history": network.history.epochs,
        "restored": None if network.history.restored is None else asdict(network.history.restored),
    }
