"""What every file may use: errors, checks, files, chance. Nothing in it knows what a network is."""
