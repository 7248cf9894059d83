"""Why the network answers as it does: contributions, maps, what-if curves."""
