"""Layers joined into one function of flat parameters, and its derivative."""
