"""Machine code in executable memory, called as a Python function."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import sys
import sysconfig
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.x86 import AVX2, AVX512, Address, Assembler, Isa

__all__ = [
    "CONTIGUOUS",
    "Fields",
    "addresses",
    "builtin",
    "data_offset",
    "give_back",
    "give_none",
    "isa",
    "layout",
    "loaded",
]

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
        placed(b"\xc3")
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
    """``code`` as a function of two whole numbers and ``arguments`` others; the interpreter's lock is not held.

    ``result`` is the type of ctypes that it returns in rax, a whole number not below 0, if any.
    """
    address = placed(code)
    made = builtin(_entry(address, 2 + arguments, result is not None)) if _conventional() else None
    if made is None:
        kind = ctypes.CFUNCTYPE(result, ctypes.c_ssize_t, ctypes.c_ssize_t, *[ctypes.c_void_p] * arguments)
        made = kind(address)
    addresses[made] = address
    return made


#: Where the code of each function of `loaded` lies.
addresses: Final[dict[Any, int]] = {}


def placed(code: bytes) -> int:
    """The address of ``code`` in executable memory."""
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
    return ctypes.addressof(ctypes.c_char.from_buffer(area)) + start


# ------------------------------------------------------------------ built-in functions

_FASTCALL: Final = 0x80


class _Method(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p),
    )  # fmt: skip


#: The interpreter keeps no copy of a method's definition.
_methods: Final[list[_Method]] = []


def _conventional() -> bool:
    """Whether functions of machine code can be CPython's own, which a call by ctypes takes 0.3 µs longer than.

    Other interpreters' objects, and those of one without its lock, lie otherwise.
    """
    return sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")


def builtin(code: bytes) -> Any:
    """``PyObject *code(PyObject *self, PyObject *const *arguments, Py_ssize_t count)`` as a built-in function.

    ``None`` where there are none such.

    Source: Python/C API reference manual, "Common Object Structures" (``PyMethodDef``, ``METH_FASTCALL``).
    """
    if not _conventional():
        return None
    _methods.append(_Method(b"compiled", placed(code), _FASTCALL, None))
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p,) * 3
    return make(ctypes.addressof(_methods[-1]), None, None)


def _interface(name: str) -> int:
    """The address of a function of Python's own."""
    address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    assert address is not None
    return address


@cache
def _entry(address: int, count: int, result: bool) -> bytes:
    """Instructions that turn ``count`` Python ints into numbers and call the function at ``address``."""
    code = Assembler(AVX2)
    arguments, numbers, kept = x86.RBX, x86.RBP, x86.R14
    saved = (arguments, numbers, kept)
    in_registers = (x86.RDI, x86.RSI, x86.RDX, x86.RCX, x86.R8, x86.R9)
    # Three registers and an even number of slots leave the stack where a call wants it.
    slots = max(count + count % 2, len(in_registers))

    def call(function: int) -> None:
        code.load_address(x86.RAX, function)
        code.call(x86.RAX)

    for register in saved:
        code.push(register)
    code.move(arguments, x86.RSI)
    code.add_number(x86.RSP, -8 * slots)
    code.move(numbers, x86.RSP)
    for place in range(count):
        code.load_element(x86.RDI, Address(arguments, offset=8 * place), 8)
        call(_interface("PyLong_AsSsize_t"))
        code.store_element(Address(numbers, offset=8 * place), x86.RAX, 8)
    call(_interface("PyEval_SaveThread"))
    code.move(kept, x86.RAX)
    for place, register in enumerate(in_registers):
        code.load_element(register, Address(numbers, offset=8 * place), 8)
    # Further arguments lie on the stack from its end on.
    code.add_number(x86.RSP, 8 * len(in_registers))
    call(address)
    code.add_number(x86.RSP, 8 * (slots - len(in_registers)))
    code.move(x86.RDI, kept)
    code.move(kept, x86.RAX)
    # The stack is as long as saved registers make it: three, and a call's own place.
    call(_interface("PyEval_RestoreThread"))
    if result:
        code.move(x86.RDI, kept)
        call(_interface("PyLong_FromSsize_t"))
        give_back(code, saved, counted=False)
    else:
        give_none(code, saved)
    return code.finished()


def give_back(code: Assembler, saved: Sequence[int], *, counted: bool = True) -> None:
    """Return the object in rax, with one reference more, and the registers that were pushed."""
    if counted:
        code.load_number(x86.RDX, 1)
        code.add_element(Address(x86.RAX), x86.RDX, 4)
    for register in reversed(saved):
        code.pop(register)
    code.leave()


def give_none(code: Assembler, saved: Sequence[int]) -> None:
    """Return None, and the registers that were pushed."""
    code.load_address(x86.RAX, id(None))
    # References to None are counted no more from 3.12 on.
    give_back(code, saved, counted=sys.version_info < (3, 12))
