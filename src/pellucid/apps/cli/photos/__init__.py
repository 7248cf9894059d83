"""Folders of photos in the commands."""
