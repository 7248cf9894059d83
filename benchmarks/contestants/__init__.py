"""Contestants: each runs as a process of its own, in the environment of its library (see `contest`).

Only `plain_numpy` works in the process that asks.
"""
