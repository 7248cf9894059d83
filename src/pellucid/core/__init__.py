"""What every file may use: errors, checks, files, random numbers. Nothing in it knows what a network is."""
