"""The device ``cpu``: NumPy."""
