"""Which kernel does attention, for programs that choose: here the backend of the device chooses by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """The kernels of PyTorch's `scaled_dot_product_attention`."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[dict[str, object]]:
    """A region in which PyTorch would use these kernels; here the same one is used as always.

    Raises:
        AssertionError: if they are none.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.nn.attention import SDPBackend, sdpa_kernel
        >>> x = tc.ones(1, 2, 3)
        >>> with sdpa_kernel(SDPBackend.MATH):
        ...     tc.nn.functional.scaled_dot_product_attention(x, x, x).shape
        tensorcore.Size([1, 2, 3])
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError(
            f"sdpa_kernel: expected an SDPBackend or a list of SDPBackend instances, got {type(backends).__name__}"
        )
    yield {}
