"""Any picture file, read safely."""
