"""What people hold: a network, a model with its pipeline, a prediction, a file."""
