"""PyTorch's path to the loader: ``from torch.utils.data.dataloader import DataLoader, default_collate``."""

from tensorcore.utils.data.collate import default_collate, default_convert
from tensorcore.utils.data.fetch import _DatasetKind
from tensorcore.utils.data.loader import DataLoader
from tensorcore.utils.data.worker_info import get_worker_info

__all__ = ["DataLoader", "_DatasetKind", "default_collate", "default_convert", "get_worker_info"]
