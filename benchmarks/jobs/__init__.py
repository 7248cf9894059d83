"""What is to be done, as data: the networks that contestants train, their samples, and other pictures of digits."""
