"""The layers, one concept a file. `base` says what a layer is; `affine` is the arithmetic that several share."""
