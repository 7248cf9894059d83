"""The programs: the command line, the studio, and what every server of ours needs."""
