"""The model: a pipeline, a network and labels. It answers for pictures; it is what a file holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from pellucid.core.checks import instance_of
from pellucid.core.display.markup import Markup, element
from pellucid.core.display.notebook import framed
from pellucid.core.errors import ArgumentError, ModelFileError
from pellucid.core.files import write_whole
from pellucid.core.shapes import AnyArray, Array, Label
from pellucid.core.suggestions import suggests_arguments, suggests_attributes
from pellucid.data.pipeline import Pipeline
from pellucid.evaluation.conformal import ConformalScores, class_scores, prediction_sets, with_most_probable
from pellucid.evaluation.temperature import Temperature, fit_temperature
from pellucid.executors.logits import answer, sample_logits
from pellucid.models.network import Network, checked_samples
from pellucid.models.prediction import Prediction, in_doubt
from pellucid.models.saving import Calibration, Parts, check_labels, check_pipeline, load_parts, to_bytes
from pellucid.models.transfer.transfer import Transfer
from pellucid.nn.layers.outputs.classification import ClassifyingOutput
from pellucid.nn.layers.outputs.regression import Regression

if TYPE_CHECKING:
    from pellucid.data.tables.table_pipeline import TablePipeline

LABELS_SHOWN = 10


@suggests_attributes
@suggests_arguments
class Model:
    """``pl.load("digits.safetensors")``, or ``Model(network)`` around one that was just trained.

    ``pipeline`` turns pictures into the network's input (a `DigitPipeline` or a `PhotoPipeline`; default: the one that
    ``fit`` measured on its training images); ``labels`` names the classes (default: their numbers).

    ``calibration`` holds what `calibrate` and `conformal` have measured. It belongs to the parameters that the network had
    then: once it has made further steps, ``temperature`` and ``conformal_scores`` are None and () again. ``transfer`` says
    from which network its training began, and how well its head does; None if from nothing.
    """

    def __init__(self, network: Network, pipeline: Pipeline | None = None, labels: Sequence[Label] | None = None) -> None:
        instance_of(network, Network, "the network of a Model")
        self.network = network
        self.pipeline = pipeline or network.pipeline
        check_pipeline(network, self.pipeline)
        self.labels = check_labels(network, labels)
        self.calibration = Calibration()
        self.transfer: Transfer | None = None

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self.labels[:LABELS_SHOWN])) + (", ..." if len(self.labels) > LABELS_SHOWN else "")
        classes = f"{len(self.labels)} classes: {shown}" if self.labels else "a regression"
        return f"Model({classes}; {self.network.parameters.layout.size:,} parameters; {self.pipeline or 'no pipeline'})"

    def _repr_html_(self) -> str:
        """Its network as a table, its pipeline and labels, and whether it is calibrated, as a notebook shows it."""
        shown = ", ".join(map(str, self.labels[:LABELS_SHOWN])) + (", ..." if len(self.labels) > LABELS_SHOWN else "")
        kept = self.conformal_scores[0].count if self.conformal_scores else 0
        words = (
            f"Labels: {shown}." if self.labels else "A regression.",
            f"Pipeline: {self.pipeline or 'none: it takes arrays, not pictures'}.",
            f"Temperature {self.temperature}." if self.temperature else "No temperature.",
            f"Confidences are measured on {kept:,} samples." if kept else "Nothing to measure a confidence by.",
        )
        return framed(Markup(self.network._repr_html_()), *(element("p", text) for text in words))

    @property
    def temperature(self) -> Temperature | None:
        """What divides the logits before they become probabilities; None if it was not fitted for these parameters."""
        return self._calibration_now().temperature

    @property
    def conformal_scores(self) -> tuple[ConformalScores, ...]:
        """One for a classification, one for each value of a regression; () if there are none for these parameters."""
        return self._calibration_now().conformal

    def predict(self, pictures: Any, *, confidence: float | None = None) -> Any:
        """A `Prediction` for one picture, or a list of them for a list (or an array with a first axis more).

        A picture is a path, the bytes of a file, a Pillow image, or a uint8 array (H, W) or (H, W, 3), of any size; each
        goes through the pipeline, which turns it into what the network was trained on. With a ``confidence`` such as 0.9
        each answer has a ``set`` of labels, which holds the true one that often; see `conformal`. Raises `DataError` for
        what cannot be read, `ArgumentError` without a pipeline, or for a confidence that nothing was measured for.
        """
        if self.pipeline is None:
            raise ArgumentError(
                "this model has no pipeline for pictures, since its network was not trained on images like the digits; for "
                "photos pass one, as in pl.Model(network, photos.pipeline, photos.labels); for arrays use "
                "model.network.predict."
            )
        if confidence is not None:
            self.check_confidence(confidence)
        if self.pipeline.reads_tables:
            from pellucid.models.table_answers import answer_table

            return answer_table(self, pictures, confidence)
        several = _are_several(pictures)
        prepared = self.pipeline.batch(pictures) if several else [self.pipeline.prepare(pictures)]
        if not prepared:
            return []
        pixels, doubts = np.stack([one.pixels for one in prepared]), [one.doubt for one in prepared]
        answers = self.predictions(pixels, doubts, confidence=confidence)
        return answers if several else answers[0]

    def predict_proba(self, x: Any) -> Array:
        """The probability of each class (B, K), for arrays that are already in the network's form: softmax(z / T) with the
        fitted `temperature`. Without one it is ``network.predict_proba``, which never knows of a temperature."""
        temperature = self.temperature
        return self.network.predict_proba(x) if temperature is None else temperature.probabilities(self._logits(x))

    def predictions(
        self, x: AnyArray, doubts: Sequence[str | None], *, confidence: float | None = None
    ) -> list[Prediction]:
        """The `Prediction` of each sample x (B, ...) that is already in the network's form: what ``predict`` gives once its
        pictures are prepared. ``doubts`` says what a pipeline doubts in each, or None."""
        probabilities, sets = self.answers(x, confidence)
        found = []
        for p, doubt, seen, held in zip(probabilities, doubts, x, [None] * len(x) if sets is None else sets, strict=True):
            if doubt is not None:
                p = in_doubt(p)
            best, labels = int(p.argmax()), None
            if held is not None:  # a picture in doubt is not of the kind that the scores were measured on
                order = np.argsort(-p, kind="stable") if doubt is None else ()
                labels = tuple(self.labels[k] for k in order if held[k])
            found.append(Prediction(self.labels[best], float(p[best]), p, self.labels, doubt, seen, confidence, labels))
        return found

    def check_confidence(self, confidence: float) -> None:
        """Raise `ArgumentError` if nothing can be said with this confidence: before pictures are read."""
        self._quantiles(confidence)

    def predict_sets(self, x: Any, confidence: float = 0.9) -> NDArray[np.bool_]:
        """(B, K): which classes are possible with this confidence, for arrays in the network's form; see `conformal`. The
        most probable one always is."""
        return self._sets(self._logits(x), confidence)

    def predict_interval(self, x: Any, confidence: float = 0.9) -> tuple[Array, Array]:
        """(low, high) of a regression, each (B,) or (B, V) in float64: with this confidence the true value of a sample lies
        between them, for each of the V values by itself, around the answer (of quantiles the one nearest to 0.5); of counts
        never below 0; see `conformal`. Raises `ArgumentError` for a classification."""
        if isinstance(self.network.output, ClassifyingOutput):
            raise ArgumentError("a classification predicts no interval: use predict_sets, or predict with a confidence.")
        return self._interval(answer(self.network, x), confidence)

    def answers(self, x: Any, confidence: float | None = None) -> tuple[Array, Array | NDArray[np.bool_] | None]:
        """What is said of arrays in the network's form, by one run of it: the probabilities (B, K), or the values of a
        regression (B, ...); and with a ``confidence`` the sets (B, K), or the intervals (B, 2) or (B, V, 2)."""
        output, temperature = self.network.output, self.temperature
        if confidence is None:
            return self.predict_proba(x) if isinstance(output, ClassifyingOutput) else self.network.predict(x), None
        found = answer(self.network, x)
        if not isinstance(output, ClassifyingOutput):
            return output.predict(found), np.stack(self._interval(found, confidence), axis=-1)
        logits = output.class_logits(found)
        p = output.probabilities(found) if temperature is None else temperature.probabilities(logits)
        return p, self._sets(logits, confidence)

    def calibrate(self, x: Any, y: Any, *, rows: AnyArray | None = None) -> Temperature:
        """Fit the temperature on samples that the network has not learned from, such as those held out for validation:
        x (N, ...) in the network's form, class numbers y (N,). Gives it, and keeps it in `temperature`.

        ``rows`` are those of the samples that count (default: all). The most probable class stays what it was. Raises
        `ArgumentError` for a regression, `ShapeError` for other arrays.
        """
        temperature = fit_temperature(*self._class_logits(x, y, rows))
        self.calibration = replace(self._calibration_now(), temperature=temperature)
        return temperature

    def conformal(self, x: Any, y: Any, *, rows: AnyArray | None = None) -> tuple[ConformalScores, ...]:
        """Measure how well the answers fit the truth on samples that the network has not learned from, so that it can name
        labels, or for a regression intervals, with a stated confidence (`pellucid.evaluation.conformal`).

        Arguments as in `calibrate`; for a regression y is (N,) or (N, V). The temperature plays no part in it. Gives the
        scores, and keeps them in `conformal_scores`.
        """
        if isinstance(self.network.output, ClassifyingOutput):
            logits, y = self._class_logits(x, y, rows)
            scores = class_scores(logits)[np.arange(len(y)), y][:, None]
        else:
            samples = checked_samples(self.network, x, y, rows=rows)
            predicted = self.network.output.values(sample_logits(self.network, samples).astype(np.float64))
            scores = np.abs(samples.y[samples.rows] - predicted)
        measured = tuple(ConformalScores.of(column) for column in scores.T)
        self.calibration = replace(self._calibration_now(), conformal=measured)
        return measured

    def evaluate(self, x: Any, y: Any) -> dict[str, float]:
        """Loss and accuracy of the network on arrays that are already in its form; see `Network.evaluate`."""
        return self.network.evaluate(x, y)

    def save(self, path: str | os.PathLike[str], *, optimizer_state: bool = False, slim: bool = False) -> None:
        """Write the model file; with ``optimizer_state`` also what training needs to go on as if uninterrupted.

        ``slim`` leaves out the weights that come with the package, from which a training began, and refers to them by their
        hash. Raises `ModelFileError` if the place cannot be written (what was there then stays), or for ``slim`` if the
        weights are not those of the package.
        """
        write_whole(path, self.to_bytes(optimizer_state=optimizer_state, slim=slim), ModelFileError)

    def to_bytes(self, *, optimizer_state: bool = False, slim: bool = False) -> bytes:
        """What `save` writes."""
        network = self.network
        of_model = self.pipeline, self.labels, self._calibration_now(), self.transfer
        parts = Parts(network.training_state, network.history, *of_model)
        return to_bytes(network, parts, optimizer_state=optimizer_state, slim=slim)

    def _calibration_now(self) -> Calibration:
        """The calibration, if it is that of the parameters as they are now."""
        step = self.network.training_state.step
        return self.calibration if self.calibration.step == step else Calibration(step=step)

    def _quantiles(self, confidence: float) -> list[float]:
        if not self.conformal_scores:
            is_old = bool(self.calibration.conformal)
            why = "it has learned more since" if is_old else "no samples were held out from its training"
            raise ArgumentError(
                f"this model has nothing to measure a confidence by: {why}. Train with --validation 0.1, or call "
                "model.conformal(x, y) with samples that it has not learned from."
            )
        return [scores.quantile(confidence) for scores in self.conformal_scores]

    def _sets(self, logits: Array, confidence: float) -> NDArray[np.bool_]:
        (q,) = self._quantiles(confidence)
        return with_most_probable(prediction_sets(logits, q), logits)

    def _interval(self, found: Array, confidence: float) -> tuple[Array, Array]:
        """Of what the network answers for samples."""
        output = self.network.output
        predicted = output.values(found.astype(np.float64))
        reach = np.array(self._quantiles(confidence))
        low, high = predicted - reach, predicted + reach
        if isinstance(output, Regression) and output.is_of_counts:
            low = np.maximum(low, 0.0)
        return (low[:, 0], high[:, 0]) if low.shape[1] == 1 else (low, high)

    def _logits(self, x: Any) -> Array:
        return self._classifying().class_logits(answer(self.network, x))

    def _classifying(self) -> ClassifyingOutput:
        output = self.network.output
        if not isinstance(output, ClassifyingOutput):
            raise ArgumentError(
                "a regression has no probabilities; for intervals use model.conformal and predict_interval."
            )
        return output

    def _class_logits(self, x: Any, y: Any, rows: AnyArray | None) -> tuple[Array, AnyArray]:
        """The logits (N, K) of the classes, and the class numbers (N,)."""
        output = self._classifying()
        samples = checked_samples(self.network, x, y, rows=rows)
        if samples.y.ndim != 1:
            raise ArgumentError(f"class numbers are expected as y, shape ({len(samples.x)},), not {samples.y.shape}.")
        return output.class_logits(sample_logits(self.network, samples)), samples.y[samples.rows]


def _are_several(pictures: Any) -> bool:
    """Whether this is a list of pictures, or an array of them: (N, H, W), or (N, H, W, C) with colours."""
    if not isinstance(pictures, np.ndarray):
        return isinstance(pictures, list | tuple)
    return pictures.ndim == 4 or (pictures.ndim == 3 and pictures.shape[-1] not in (1, 2, 3, 4))


def table_pipeline_of(model: Model) -> TablePipeline | None:
    """The pipeline, if it turns rows of a table into inputs; known without importing what reads tables."""
    reads_tables = model.pipeline is not None and model.pipeline.reads_tables
    return cast("TablePipeline", model.pipeline) if reads_tables else None


def check_model(model: object) -> None:
    """Raise `ArgumentError` for what is no model, such as a network."""
    if not isinstance(model, Model):
        raise ArgumentError(f"a model is expected, not {type(model).__name__}; around a network: pl.Model(network).")


@suggests_arguments
def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file; its predictions are bit-equal to those of the model that was saved.

    Nothing in a file is ever run. Raises `ModelFileError` for a file that is missing, damaged, foreign or too new.
    """
    network, parts = load_parts(path, Network)
    network.training_state, network.history, network.pipeline = parts.state, parts.history, parts.pipeline
    model = Model(network, parts.pipeline, parts.labels)
    model.calibration, model.transfer = parts.calibration, parts.transfer
    return model
