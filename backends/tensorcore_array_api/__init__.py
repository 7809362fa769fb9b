"""Devices made of installed Array API libraries, such as ``torch`` and ``jax``."""
