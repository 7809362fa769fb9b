"""The device ``cuda``: CuPy."""
