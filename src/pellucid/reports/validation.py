"""What a training has measured on its validation samples, in words that say what these samples are."""

from __future__ import annotations

from pellucid.core.display.text import percent
from pellucid.models.model import Model
from pellucid.nn.layers.outputs.regression import Regression
from pellucid.nn.layers.tabular.piecewise_linear_encoding import PiecewiseLinearEncoding
from pellucid.training.history import History
from pellucid.training.progress import metrics_text

CHOSE = "the validation samples also chose this epoch, so their figures flatter"


def measured_in_words(history: History) -> str | None:
    """``96.2% of the validation samples right``: of the parameters that the network has. None if nothing was measured."""
    metrics = history.final
    if "validation_accuracy" in metrics:
        words = f"{percent(metrics['validation_accuracy'])} of the validation samples right"
    elif "validation_mae" in metrics:
        words = f"{metrics['validation_mae']:.4g} off on average on the validation samples"
    else:
        return None
    chose = history.restored is not None and history.restored.is_by_validation
    return f"{words}, which also chose the epoch" if chose else words


def final_in_words(history: History) -> list[str]:
    """The epoch whose parameters the network has, with all its metrics: a line or two; none without a history."""
    if not history.epochs:
        return []
    restored, metrics = history.restored, metrics_text(history.final)
    if restored is None:
        return [f"last finished epoch: {metrics}"]
    best = f"epoch {restored.epoch}, whose parameters early stopping restored for its {restored.monitor.replace('_', ' ')}"
    return [f"{best}: {metrics}", *([CHOSE] if restored.is_by_validation else [])]


def unit_of_epochs(model: Model) -> str:
    """What the losses and errors of epochs are measured in, in a sentence; nothing where it is the target's own unit, as in
    a network without the bins that ``pl.train`` puts in front: scikit-learn's door, which takes targets as they are."""
    output = model.network.output
    if not isinstance(output, Regression) or model.pipeline is None or not model.pipeline.reads_tables:
        return ""
    if not any(isinstance(layer, PiecewiseLinearEncoding) for layer in model.network.layers):
        return ""
    if output.is_of_counts:
        return "The counts were divided by their mean for training: the unit here is that mean."
    return "The target was standardised for training: the unit here is its standard deviation."
