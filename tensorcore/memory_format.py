"""Names of memory formats and layouts, as arguments that PyTorch programs pass.

What an op returns is row-major: kernels choose the order of elements that suits them. Tensors are strided, or sparse
(`tensorcore.sparse`).
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
    "sparse_bsc",
    "sparse_bsr",
    "sparse_coo",
    "sparse_csc",
    "sparse_csr",
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


def check_format(op: str, given: object) -> None:
    """Raise TypeError unless an argument ``memory_format`` is one."""
    if type(given) is not memory_format:
        expected = "a memory format such as tensorcore.channels_last"
        raise TypeError(f"{op}: memory_format must be {expected}, got {type(given).__name__} {given!r:.60}")


class layout(memory_format):  # noqa: N801 - PyTorch's name
    """How elements are stored."""

    __slots__ = ()


contiguous_format: Final = memory_format("contiguous_format")
legacy_contiguous_format: Final = contiguous_format
preserve_format: Final = memory_format("preserve_format")
channels_last: Final = memory_format("channels_last")
channels_last_3d: Final = memory_format("channels_last_3d")
strided: Final = layout("strided")
sparse_coo: Final = layout("sparse_coo")
sparse_csr: Final = layout("sparse_csr")
sparse_csc: Final = layout("sparse_csc")
sparse_bsr: Final = layout("sparse_bsr")
sparse_bsc: Final = layout("sparse_bsc")
