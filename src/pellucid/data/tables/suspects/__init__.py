"""What looks wrong in a table before anything is trained, each with its evidence. Named, never dropped unasked."""
