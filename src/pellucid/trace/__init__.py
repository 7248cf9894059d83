"""Every number of a pass through a network, as plain data: `pellucid.trace.trace` makes a trace, for ``Network.trace``."""
