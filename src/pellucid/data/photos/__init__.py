"""A folder of photos: what is in it, and its pictures as arrays."""
