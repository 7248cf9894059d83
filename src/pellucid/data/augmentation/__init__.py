"""Random changes of a batch, each a function of (seed, step, sample)."""
