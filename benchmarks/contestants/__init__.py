"""Contestants: each module runs as a process of its own, in the environment of its library (see `contest`)."""
