"""Models in the formats of other programs. Nothing stands here yet."""
