"""The command line: what the commands share, and how errors become a sentence and an exit code."""
