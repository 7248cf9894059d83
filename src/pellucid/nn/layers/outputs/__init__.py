"""The output layers: each owns its activation, its loss and its predictions."""
