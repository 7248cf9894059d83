"""The networks that come with the package, by name."""

from __future__ import annotations

from importlib import resources

import numpy as np

from pellucid.core.checks import one_of
from pellucid.core.errors import ModelFileError, ShapeError
from pellucid.core.suggestions import suggests_arguments
from pellucid.data.datasets.imagenet import labels
from pellucid.data.photos.photo_pipeline import PhotoPipeline
from pellucid.models.model import Model
from pellucid.models.network import Network
from pellucid.models.pretrained.efficientnet import SIDE, efficientnet_lite0

NAMES = ("efficientnet-lite0",)
WEIGHTS = resources.files("pellucid.models.pretrained") / "efficientnet-lite0" / "weights.safetensors"


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
    one_of(name, NAMES, "pretrained network")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        with resources.as_file(WEIGHTS) as path:
            network = Network(efficientnet_lite0(len(labels)), dtype=np.float32, arrays=load_file(path))
    except (OSError, SafetensorError, ShapeError) as error:
        raise ModelFileError(
            f"the weights of {name}, which come with Pellucid, cannot be read ({error}); install Pellucid again."
        ) from None
    return Model(network, PhotoPipeline(SIDE, SIDE), labels)
