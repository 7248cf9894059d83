"""Trainings in the studio: an experiment in a thread, which does what it is told between two steps."""
