"""The interface of pipelines, which turn any picture into the input of a network and are saved with the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pellucid.core.errors import DataError
from pellucid.core.shapes import Shape
from pellucid.data.pictures.image_file import Picture


@dataclass(frozen=True)
class Prepared:
    """A picture as the network's input, and whether it may show nothing that the network knows.

    pixels  uint8, of the pipeline's ``output_shape``
    doubt   None, or a sentence that says why not, such as "the picture is empty: it has one colour"
    """

    pixels: NDArray[np.uint8]
    doubt: str | None = None


class Pipeline(ABC):
    """Turns any picture into an input. A pipeline is a frozen dataclass, so that a model file can hold it.

    ``reads_tables`` says that it turns rows of a table into inputs, and no pictures.
    """

    reads_tables: ClassVar[bool] = False

    @property
    @abstractmethod
    def output_shape(self) -> Shape:
        """The shape of every prepared picture, as in ``Input(*shape)``."""

    @abstractmethod
    def prepare(self, source: Picture) -> Prepared:
        """The picture as the network's input; raises `DataError` for what cannot be read."""

    def __call__(self, source: Picture) -> NDArray[np.uint8]:
        """The pixels alone, uint8 of ``output_shape``; raises `DataError` where ``prepare`` does."""
        return self.prepare(source).pixels

    def batch(self, sources: Iterable[Picture]) -> list[Prepared]:
        """Prepare several pictures: anything that ``prepare`` reads, or an array (N, H, W) or (N, H, W, C).

        Raises `DataError` naming the picture that cannot be read.
        """
        prepared = []
        for index, source in enumerate(sources):
            try:
                prepared.append(self.prepare(source))
            except DataError as error:
                raise DataError(f"picture {index}: {error}") from error
        return prepared
