"""Signal processing, as ``torch.signal``."""

from tensorcore.signal import windows

__all__ = ["windows"]
