"""The folder of attributions: why the network answers as it does."""

from pellucid.attribution.choose import attribute
from pellucid.attribution.curves import WhatIf, what_if
from pellucid.attribution.deletion import deletion_curve
from pellucid.attribution.maps import gradient_map, occlusion
from pellucid.attribution.result import Attribution

__all__ = ["Attribution", "WhatIf", "attribute", "deletion_curve", "gradient_map", "occlusion", "what_if"]
