"""Tables: read with an account of every row and cell, columns of known kinds, and the numbers that a network takes."""

KINDS = ("number", "count", "yes_no", "category", "ordered", "date", "identifier", "text", "constant")  # of columns
