"""Functions of arrays, each beside its derivative or its equation."""
