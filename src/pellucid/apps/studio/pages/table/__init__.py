"""The page Table: what is in a table, learning from it, and one row of it whose values can be changed."""
