"""Capture: recording the ops of one run of a function as a graph."""

from __future__ import annotations

from typing import Any


def reading(tensor: Any, what: str) -> None:
    """Note that Python reads a tensor's values, which no graph can hold."""
