"""The command line: what the commands share, and how failures become a sentence with an exit code."""
