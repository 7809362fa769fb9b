"""Models, made of the public API."""
