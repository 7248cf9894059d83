"""Networks that others have trained, with their weights in the package."""
