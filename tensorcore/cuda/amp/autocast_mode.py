"""``torch.cuda.amp.autocast`` and the decorators, deprecated."""

from tensorcore.amp.old_names import autocast_of, custom_bwd_of, custom_fwd_of
from tensorcore.dtypes import float16

__all__ = ["amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd"]

autocast = autocast_of("cuda", float16)
custom_fwd = custom_fwd_of("cuda")
custom_bwd = custom_bwd_of("cuda")


def amp_definitely_not_available() -> bool:
    """Whether there is no CUDA device.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.amp.amp_definitely_not_available() is not tc.cuda.is_available()
        True
    """
    from tensorcore import cuda

    return not cuda.is_available()
