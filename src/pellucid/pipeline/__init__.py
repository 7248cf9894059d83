"""From any picture to what the network was trained on; and the distortions that it is trained with."""

from pellucid.pipeline.augmentation import Distortion
from pellucid.pipeline.base import Pipeline, Prepared
from pellucid.pipeline.digits import DigitPipeline
from pellucid.pipeline.photos import PhotoPipeline
from pellucid.pipeline.picture import read_picture

__all__ = ["DigitPipeline", "Distortion", "PhotoPipeline", "Pipeline", "Prepared", "read_picture"]
