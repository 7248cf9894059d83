"""The report on a model: one HTML file that answers, shows and explains, and needs nothing else to be read."""
