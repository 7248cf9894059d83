"""The networks that come with the package, by name."""

from __future__ import annotations

import numpy as np

from pellucid.core.errors import ModelFileError, ShapeError
from pellucid.core.suggestions import suggests_arguments
from pellucid.data.datasets.imagenet import labels
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.models.pretrained.efficientnet import SIDE, efficientnet_lite0
from pellucid.models.pretrained.weights import cannot_be_read, pretrained_arrays


@suggests_arguments
def pretrained(name: str = "efficientnet-lite0") -> Model:
    """A network that was trained by others, ready to answer: it names what is in a photo, one of 1,000 kinds of things.

    "efficientnet-lite0" has seen the 1.28 million photos of ImageNet (published accuracy: 75.1 %). It is an ordinary
    network of our layers, with 4.7 million weights (`pellucid.models.pretrained.efficientnet`), and the arrays are made
    anew by each call. ``pl.datasets.imagenet_labels`` names the kinds.

    Source: Google, tensorflow/tpu; licence Apache-2.0 (see ``models/pretrained/efficientnet-lite0/LICENSE.md``).

    Example::

        print(pl.pretrained().predict("photo.jpg"))

    Raises `ArgumentError` for an unknown name, `ModelFileError` if the installed file is damaged or missing.
    """
    arrays = pretrained_arrays(name)
    try:
        network = Network(efficientnet_lite0(len(labels)), dtype=np.float32, arrays=arrays)
    except ShapeError as error:
        raise ModelFileError(cannot_be_read(name, error)) from None
    return Model(network, PhotoPipeline(SIDE, SIDE), labels)
