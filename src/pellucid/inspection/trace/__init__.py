"""Every number of a pass through a network, as plain data."""
