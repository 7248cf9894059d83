"""Pages about a model."""
