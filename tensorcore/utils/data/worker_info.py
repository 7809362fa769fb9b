"""What a worker process of a data loader can ask about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "get_worker_info"]


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info` tells.

    Attributes:
        id: number of the worker, from 0.
        num_workers: how many there are.
        seed: what this worker's random numbers start from.
        dataset: this worker's copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a `DataLoader`, facts about it; elsewhere ``None``.

    Example:
        >>> from tensorcore.utils.data import get_worker_info
        >>> get_worker_info() is None
        True
    """
    return _info


def set_worker_info(info: WorkerInfo) -> None:
    """Make this process a worker."""
    global _info
    _info = info
