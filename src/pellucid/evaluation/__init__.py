"""How good a network is, and whether its probabilities can be believed."""
