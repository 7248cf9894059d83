"""Training in the studio: a run trains in a thread and takes commands between two steps."""
