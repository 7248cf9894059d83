"""Why this answer, is this gradient right, and every number in between."""
