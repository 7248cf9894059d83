"""From any picture to what the network was trained on; and the distortions that it is trained with."""

from pellucid.pipeline.augmentation import Distortion
from pellucid.pipeline.digits import DigitPipeline, Prepared
from pellucid.pipeline.picture import read_picture

__all__ = ["DigitPipeline", "Distortion", "Prepared", "read_picture"]
