"""PyTorch's private paths to collation, pinning and workers, from which many programs import."""

from tensorcore.utils.data._utils import collate, pin_memory, worker

__all__ = ["collate", "pin_memory", "worker"]
