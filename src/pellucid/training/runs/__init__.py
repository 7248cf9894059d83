"""Trainings that keep their position in a directory, and go on there."""
