"""The names of ``torch.cuda.amp``, deprecated there: `tensorcore.amp` has them for all devices."""

from tensorcore.cuda.amp.autocast_mode import amp_definitely_not_available, autocast, custom_bwd, custom_fwd
from tensorcore.cuda.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd"]
