"""Layers for the columns of a table."""
