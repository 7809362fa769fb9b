"""``torch.cpu.amp.GradScaler``, deprecated."""

from tensorcore.amp.old_names import grad_scaler_of

__all__ = ["GradScaler"]

GradScaler = grad_scaler_of("cpu")
