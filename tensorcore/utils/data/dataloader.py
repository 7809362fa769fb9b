"""PyTorch's path to the loader: ``from torch.utils.data.dataloader import DataLoader, default_collate``."""

from tensorcore.utils.data import DataLoader, default_collate, default_convert, get_worker_info

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]
