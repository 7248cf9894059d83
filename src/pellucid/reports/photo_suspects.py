"""Photos to look at again: labels that disagree with what looks alike, and near duplicates across training and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.core.display.text import counted, printable
from pellucid.core.shapes import Label
from pellucid.data.photos.folder import PhotoFolder
from pellucid.evaluation.neighbours import Disagreement, NearDuplicate, disagreements, near_duplicates
from pellucid.models.model import Model
from pellucid.models.transfer.features import features_of_model

MOST_COMPARED = 20_000  # photos, each with each other


@dataclass(frozen=True)
class PhotoSuspects:
    """What the features of a network, which has never seen these labels, say of the photos of a folder. Rows go through
    those to learn from, then through those to test with; of a near duplicate each row is of its own part."""

    photos: PhotoFolder
    labelled: tuple[Disagreement, ...]
    duplicates: tuple[NearDuplicate, ...]

    def file(self, row: int) -> str:
        files = self.photos.files
        return files[row] if row < len(files) else self.photos.test_files[row - len(files)]

    def label(self, row: int) -> Label:
        x, test = self.photos, self.photos.test
        number = x.y[row] if row < len(x.y) or test is None else test[1][row - len(x.y)]
        return x.labels[number]

    def pixels(self, row: int) -> NDArray[np.uint8]:
        x, test = self.photos.x, self.photos.test
        return x[row] if row < len(x) or test is None else test[0][row - len(x)]

    def in_words(self, each: Disagreement) -> str:
        """What speaks against a label."""
        near = counted(len(each.nearest), "photo")
        other = printable(str(self.photos.labels[each.other]))
        return (
            f"{printable(self.file(each.row))} is labelled {printable(str(self.label(each.row)))}; of the {near} most like "
            f"it {each.votes} are {other}"
        )


def find_suspects(model: Model, photos: PhotoFolder, *, test: bool = True) -> PhotoSuspects | None:
    """By the features of a model that begins from another network; None for one from nothing, whose features have learned
    the labels, and for very many photos. Without ``test`` only the photos to learn from are looked at."""
    if model.transfer is None or sum(photos.report.count) > MOST_COMPARED:
        return None
    extractor = features_of_model(model.transfer.network, model)
    features, y = extractor.of_folder(photos, photos.x)[:, 0], photos.y
    if not test or photos.test is None:
        return PhotoSuspects(photos, tuple(disagreements(features, y)), ())
    of_test = extractor.of_folder(photos, photos.test[0])[:, 0]
    labelled = disagreements(np.concatenate([features, of_test]), np.concatenate([y, photos.test[1]]))
    return PhotoSuspects(photos, tuple(labelled), tuple(near_duplicates(features, of_test)))
