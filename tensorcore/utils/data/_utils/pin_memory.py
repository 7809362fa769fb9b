"""``torch.utils.data._utils.pin_memory``."""

from tensorcore.utils.data.pinning import pin_memory

__all__ = ["pin_memory"]
