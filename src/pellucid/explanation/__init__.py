"""The folder of explanations: the road of one sample through a network on a page, with its arithmetic spelled out."""
