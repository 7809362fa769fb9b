"""What surrounds training, as in ``torch.utils``."""

from tensorcore.utils import data

__all__ = ["data"]
