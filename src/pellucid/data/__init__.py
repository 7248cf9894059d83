"""From the outside to samples, and which samples in which order."""
