"""Automatic mixed precision, as in ``torch.amp``: `autocast` and `GradScaler`."""

from tensorcore.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from tensorcore.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
