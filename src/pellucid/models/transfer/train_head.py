"""From photos and a pretrained network to a model for other classes: features, a head, and what held-out pictures say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core import random
from pellucid.core.errors import ShapeError
from pellucid.core.shapes import AnyArray
from pellucid.data.photos.folder import PhotoFolder
from pellucid.data.samples import Samples
from pellucid.data.weights import ClassWeight, weights_by_class
from pellucid.evaluation.conformal import ConformalScores, class_scores
from pellucid.evaluation.learning_curve import SIZES, LearningPoint
from pellucid.evaluation.temperature import fit_temperature
from pellucid.models.calibrate import FEWEST_TO_CALIBRATE, calibrate
from pellucid.models.model import Model
from pellucid.models.saving import Calibration
from pellucid.models.transfer.features import PLAIN, VIEWS, FeatureExtractor, Progress
from pellucid.models.transfer.head import USUAL, CrossValidation, HeadProblem
from pellucid.models.transfer.transfer import Transfer
from pellucid.nn.layers.outputs.classification import Classification

UNEVEN = 1.5  # the largest class divided by the smallest: then all classes count the same
DRAWS = 10
LARGEST_CURVE, OF_DRAWS = 500, 1_000  # pictures of one draw, and of all draws together, unless two are more
MIRRORED = 1_000  # pictures, up to which mirrored views pay
LEFT = 0.8  # of the smallest class: at least a fifth judges


@dataclass(frozen=True)
class HeadOptions:
    """flip: also mirrored views; class_weight: as in ``Network.fit``; balance: "balanced" for uneven classes."""

    flip: bool = True
    class_weight: ClassWeight | None = None
    balance: bool = True
    seed: int = 0

    def choices(self, photos: PhotoFolder, training: NDArray[np.int64], *, held_out: bool) -> dict[str, tuple[str, str]]:
        """What the rules choose and why, by the name of the option that decides otherwise; ``held_out``: some are."""
        counts = np.bincount(photos.y[training], minlength=len(photos.labels))
        low, high = int(counts.min()), int(counts.max())
        many = f"{low:,} pictures a class" if low == high else f"{low:,} to {high:,} pictures a class"
        found = {}
        if self.flip and len(training) <= MIRRORED:
            found["flip"] = ("mirrored views", "each picture counts as it is and mirrored; not so for text: --no-flip")
        if not held_out:
            found["validation"] = (
                "in turn",
                "all are learned from, and held out once from a last layer that does not count",
            )
        if self.balance and self.is_uneven(counts):
            found["class_weight"] = ("balanced", f"{many}: all classes get the same weight")
        elif self.balance:
            found["class_weight"] = ("none", f"{many}: even enough")
        return found

    @staticmethod
    def is_uneven(counts: NDArray[np.int64]) -> bool:
        return bool(counts.max() > UNEVEN * counts.min())


def train_head(
    photos: PhotoFolder,
    extractor: FeatureExtractor,
    training: NDArray[np.int64],
    kept_aside: NDArray[np.int64],
    options: HeadOptions,
    progress: Progress | None = None,
) -> Model:
    """A model whose network is that of the ``extractor`` with a new last layer, which has learned from ``training`` rows.

    Without rows that are kept aside, each picture is held out once from a head that does not count, and these heads
    choose the strength of the penalty, and calibrate the model: nothing is lost for learning. Rows that are kept aside
    calibrate it alone.
    """
    if photos.x.shape[1:] != extractor.pipeline.output_shape:
        came, expected = ("x".join(map(str, shape)) for shape in (photos.x.shape[1:], extractor.pipeline.output_shape))
        size = f"size=({extractor.pipeline.height}, {extractor.pipeline.width})"
        raise ShapeError(f"the pictures are {came}; {extractor.name} takes {expected}: pl.datasets.folder(path, {size}).")
    classes, y = len(photos.labels), photos.y[training]
    views = tuple(VIEWS) if options.flip and len(y) <= MIRRORED else (PLAIN,)
    features = extractor.of_folder(photos, photos.x, training, views, progress)
    weights = _weights(photos, training, options)
    problem = HeadProblem(features, y, classes, weights)
    judged = problem.cross_validation(options.seed)
    strength = USUAL if judged is None else judged.strength
    head = problem.head(strength)
    network = extractor.network(Classification(classes), head.weight, head.bias, options.seed)
    network.pipeline = photos.pipeline
    network.engine_choice = extractor.engine
    model = Model(network, photos.pipeline, photos.labels)
    model.transfer = Transfer(
        extractor.name,
        extractor.sha256,
        count=len(y),
        views=len(views),
        strength=strength,
        losses=() if judged is None else judged.losses,
        folds=0 if judged is None else judged.folds,
        judged=0 if judged is None else len(judged.rows),
        accuracy=None if judged is None else _accuracy(judged, y),
        classes=() if judged is None else _of_classes(judged, y, classes),
        curve=learning_curve(features, y, classes, strength, judged, options.seed),
    )
    if len(kept_aside):
        calibrate(model, photos.x, photos.y, kept_aside)
    elif judged is not None:
        model.calibration = _calibration(judged, y)
    return model


def learning_curve(
    features: AnyArray, y: AnyArray, classes: int, strength: float, judged: CrossValidation | None, seed: int
) -> tuple[LearningPoint, ...]:
    """Heads from 1, 2, 5, ... pictures a class, each judged on all others; and at the end what cross-validation says."""
    counts = np.bincount(y, minlength=classes)
    points = []
    for size in SIZES:
        if size > LEFT * counts.min() or size * classes > LARGEST_CURVE:
            break
        found = []
        draws = max(2, min(DRAWS, OF_DRAWS // (size * classes)))
        for draw in range(draws):
            order = random.permutation(random.key(seed, random.Purpose.BOOTSTRAP, size, draw), len(y))
            rows = np.concatenate([order[y[order] == k][:size] for k in range(classes)])
            others = np.setdiff1d(order, rows)
            head = HeadProblem(features[rows], y[rows], classes).head(strength)
            found.append(float((head.logits(features[others, 0]).argmax(axis=1) == y[others]).mean()))
        points.append(LearningPoint(size, float(np.mean(found)), float(np.std(found)), draws, len(others)))
    if judged is not None and judged.folds > 1:
        size = round(len(y) / classes * (1 - 1 / judged.folds))
        if not points or size > points[-1].count:
            points.append(LearningPoint(size, _accuracy(judged, y), 0.0, 1, len(judged.rows)))
    return tuple(points)


def _accuracy(judged: CrossValidation, y: AnyArray) -> float:
    return float((judged.logits.argmax(axis=1) == y[judged.rows]).mean())


def _of_classes(judged: CrossValidation, y: AnyArray, classes: int) -> tuple[tuple[int, int], ...]:
    """(right, judged) of each class."""
    truth = y[judged.rows]
    right = np.bincount(truth[judged.logits.argmax(axis=1) == truth], minlength=classes)
    return tuple(zip(right.tolist(), np.bincount(truth, minlength=classes).tolist(), strict=True))


def _calibration(judged: CrossValidation, y: AnyArray) -> Calibration:
    """From answers about pictures that were held out."""
    truth = y[judged.rows]
    temperature = fit_temperature(judged.logits, truth) if len(truth) >= FEWEST_TO_CALIBRATE else None
    return Calibration(temperature, (ConformalScores.of(class_scores(judged.logits)[np.arange(len(truth)), truth]),))


def _weights(photos: PhotoFolder, rows: NDArray[np.int64], options: HeadOptions) -> AnyArray | None:
    counts = np.bincount(photos.y[rows], minlength=len(photos.labels))
    class_weight: ClassWeight | None = "balanced" if options.balance and options.is_uneven(counts) else options.class_weight
    if class_weight is None:
        return None
    return weights_by_class(class_weight, Samples(photos.x, photos.y, rows), Classification(len(counts)))[rows]
