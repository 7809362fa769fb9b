"""Names of memory formats and layouts, as arguments that PyTorch programs pass.

Tensors are strided, and what an op returns is row-major: kernels choose the order of elements that suits them.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "layout",
    "legacy_contiguous_format",
    "memory_format",
    "preserve_format",
    "strided",
]


class memory_format:  # noqa: N801 - PyTorch's name
    """An order of elements that a program may ask for; the elements and their shape do not depend on it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"tensorcore.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(memory_format):  # noqa: N801 - PyTorch's name
    """How elements are stored."""

    __slots__ = ()


contiguous_format: Final = memory_format("contiguous_format")
legacy_contiguous_format: Final = contiguous_format
preserve_format: Final = memory_format("preserve_format")
channels_last: Final = memory_format("channels_last")
channels_last_3d: Final = memory_format("channels_last_3d")
strided: Final = layout("strided")
