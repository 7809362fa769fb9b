"""``torch.cpu.amp.autocast``, deprecated."""

from tensorcore.amp.old_names import autocast_of
from tensorcore.dtypes import bfloat16

__all__ = ["autocast"]

autocast = autocast_of("cpu", bfloat16)
