"""The handle of hooks, under PyTorch's path."""

from tensorcore.autograd.hooks import RemovableHandle

__all__ = ["RemovableHandle"]
