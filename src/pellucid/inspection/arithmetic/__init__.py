"""One number spelled out: the sum that it is, term by term."""
