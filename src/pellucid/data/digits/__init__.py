"""A handwritten digit in any light and on any paper, brought into the form of the training images."""
