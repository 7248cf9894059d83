"""One answer explained: the forward and backward pass of a sample, with the arithmetic spelled out."""
