"""The names of ImageNet's classes."""

from __future__ import annotations

import pellucid as pl


def test_the_thousand_names_are_different_and_in_the_order_of_imagenet():
    """As in the class list of ILSVRC 2012: 0 is the tench, 281 the tabby, 999 toilet tissue; two are called crane."""
    names = pl.datasets.imagenet_labels
    assert len(set(names)) == len(names) == 1000
    assert (names[0], names[281], names[388]) == ("tench, Tinca tinca", "tabby, tabby cat", names[388])
    assert names[388].startswith("giant panda")
    assert names[999].startswith("toilet tissue")
    assert (names[134], names[517]) == ("crane (bird)", "crane (machine)")
    assert all(name == name.strip() != "" for name in names)
