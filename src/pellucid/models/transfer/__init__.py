"""Transfer learning: an answer for new classes from the features that a network has learned on other pictures."""
