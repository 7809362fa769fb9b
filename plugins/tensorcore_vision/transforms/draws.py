"""Random numbers of the default generator, drawn one by one in torchvision's order, so that seeds give its results."""

from __future__ import annotations

import tensorcore as tc

__all__ = ["chance", "integer", "permutation", "uniform"]


def chance() -> float:
    """A number from 0 to 1."""
    return float(tc.rand(1, device="cpu").item())


def uniform(low: float, high: float) -> float:
    """A number from ``low`` to ``high``."""
    return float(tc.empty(1, device="cpu").uniform_(low, high).item())


def integer(low: int, high: int) -> int:
    """An integer from ``low`` to below ``high``."""
    return int(tc.randint(low, high, (1,), device="cpu").item())


def permutation(count: int) -> list[int]:
    """The integers below ``count`` in random order."""
    order: list[int] = tc.randperm(count, device="cpu").tolist()
    return order


def log_uniform(low: float, high: float) -> float:
    """A ratio whose logarithm is uniform."""
    ends = tc.log(tc.tensor([low, high], dtype=tc.float32, device="cpu")).tolist()
    return float(tc.exp(tc.empty(1, dtype=tc.float32, device="cpu").uniform_(*ends)).item())
