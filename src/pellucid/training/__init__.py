"""The training loop, and who listens to it."""
