"""One answer on a page: the road of a sample through a network, with its arithmetic spelled out."""
