"""Machine code in executable memory, called as a Python function."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from tensorcore_cpu.jit.x86 import AVX2, AVX512, Isa

__all__ = ["CONTIGUOUS", "Fields", "data_offset", "isa", "layout", "loaded"]

#: Code is put side by side into areas of this size.
_AREA: Final = 1 << 16
_areas: list[tuple[mmap.mmap, int]] = []
_loading = threading.Lock()


def _unlock() -> None:
    """A thread that was loading code when the process forked is not there to finish in the child."""
    global _loading
    _loading = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def _flags() -> frozenset[str]:
    """The features of the processor, as the system names them."""
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("flags"):
                    return frozenset(line.split(":", 1)[1].split())
    return frozenset()


@cache
def isa() -> Isa | None:
    """The widest instruction set of the machine that is supported, or ``None``.

    The environment variable ``TENSORCORE_JIT`` chooses: ``avx512``, ``avx2`` or ``0``.
    """
    wanted = os.environ.get("TENSORCORE_JIT", "avx512")
    if platform.machine() not in ("x86_64", "AMD64") or wanted == "0" or data_offset() is None:
        return None
    flags = _flags()
    if not flags.issuperset(("avx2", "fma", "bmi2")):
        return None
    try:
        loaded(b"\xc3", 0)
    except (OSError, ValueError):
        # Some systems forbid memory that is written and then run.
        return None
    return AVX512 if wanted == "avx512" and flags.issuperset(("avx512f", "avx512dq", "avx512vl")) else AVX2


class Fields(NamedTuple):
    """Where fields of NumPy's array object lie.

    Attributes:
        data: the address of the elements.
        ndim: how many sides there are.
        sides: their address.
        strides: the address of the bytes from one place to the next.
        flags: among them `CONTIGUOUS`.
    """

    data: int
    ndim: int
    sides: int
    strides: int
    flags: int


@cache
def layout() -> Fields | None:
    """The layout of NumPy's array objects, as probed; ``None`` where it is not the one known."""
    array = np.zeros((3, 5), np.float32)
    head = ctypes.string_at(id(array), 88)
    found = [at for at in range(0, 64, 8) if _number(head, at, 8) == array.ctypes.data]
    if len(found) != 1:
        return None
    data = found[0]
    here = Fields(data, data + 8, data + 16, data + 24, data + 48)
    turned = ctypes.string_at(id(array.T), 88)
    sides = ctypes.string_at(_number(head, here.sides, 8), 16)
    strides = ctypes.string_at(_number(head, here.strides, 8), 16)
    fits = (
        _number(head, here.ndim, 4) == 2
        and (_number(sides, 0, 8), _number(sides, 8, 8)) == array.shape
        and (_number(strides, 0, 8), _number(strides, 8, 8)) == array.strides
        and (head[here.flags] & CONTIGUOUS, turned[here.flags] & CONTIGUOUS) == (CONTIGUOUS, 0)
    )
    return here if fits else None


#: The bit of the flags that says that elements lie in row-major order without gaps.
CONTIGUOUS: Final = 1


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], sys.byteorder)


def data_offset() -> int | None:
    """Where in NumPy's array object the address of its elements lies."""
    here = layout()
    return None if here is None else here.data


def loaded(code: bytes, arguments: int, result: Any = None) -> Callable[..., Any]:
    """``code`` as a function of two whole numbers and ``arguments`` objects; the interpreter's lock is not held.

    ``result`` is the type of ctypes that it returns in rax, if any.
    """
    size = -(-len(code) // 64) * 64
    with _loading:
        if not _areas or _areas[-1][1] + size > len(_areas[-1][0]):
            # Private: by default a forked process, such as a worker of a data loader, would write its code over ours.
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
            area = mmap.mmap(-1, max(_AREA, size), flags, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            _areas.append((area, 0))
        area, start = _areas[-1]
        _areas[-1] = (area, start + size)
    area[start : start + len(code)] = code
    address = ctypes.addressof(ctypes.c_char.from_buffer(area)) + start
    kind = ctypes.CFUNCTYPE(result, ctypes.c_ssize_t, ctypes.c_ssize_t, *[ctypes.c_void_p] * arguments)
    return kind(address)
