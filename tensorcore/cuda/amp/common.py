"""Whether mixed precision on CUDA is out of the question."""

__all__ = ["amp_definitely_not_available"]


def amp_definitely_not_available() -> bool:
    """Whether there is no CUDA device.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.amp.common.amp_definitely_not_available() is not tc.cuda.is_available()
        True
    """
    from tensorcore import cuda

    return not cuda.is_available()
