"""What each column of a table does to the answers of a model: its importance, its contributions, its what-if curves."""
