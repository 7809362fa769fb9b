"""The names of ``torch.cpu.amp``, deprecated there: `tensorcore.amp` has them for all devices."""

from tensorcore.cpu.amp.autocast_mode import autocast
from tensorcore.cpu.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast"]
