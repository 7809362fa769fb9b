"""``torch.cuda.amp.GradScaler``, deprecated."""

from tensorcore.amp.grad_scaler import OptState
from tensorcore.amp.old_names import grad_scaler_of

__all__ = ["GradScaler", "OptState"]

GradScaler = grad_scaler_of("cuda")
