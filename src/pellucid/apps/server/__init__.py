"""What every server needs: who may come in, what a request may hold, a port, and a stream of events."""
