"""Reading pictures and data sets, and which samples come in which order."""
