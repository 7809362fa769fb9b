"""Data sets and transforms for images."""
