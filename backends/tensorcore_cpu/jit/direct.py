"""Compiled functions called as built-in functions, for arrays so small that the call is what costs.

A call by way of ctypes takes 0.4 µs, four times what the elements of a small array take. A function of CPython's own
calling convention takes 0.05 µs: a few instructions in front of the compiled function that fetch its arguments. They
also compare the shapes, which takes 0.1 µs for each array by NumPy's attributes.

Source: Python/C API reference manual, "Common Object Structures" (``PyMethodDef``, ``METH_FASTCALL``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.executable import CONTIGUOUS, Fields, addresses, builtin, give_back, give_none, isa, layout
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["Variant", "direct", "refuse"]

#: Beyond so many elements others should run meanwhile: the call by ctypes lets them.
LARGEST: Final = 1 << 14

Layout = Literal["matrix", "column", "number"]


class Variant(NamedTuple):
    """A compiled function and the arrays it is for.

    Attributes:
        program: ``program(begin, end, *arrays)``, or by rows ``program(begin, end, columns, *arrays)``.
        layouts: of each array: of the one shape that a "matrix" has, of its last side, or 0-d; the first array is the
            one written to.
        by_rows: whether it goes by rows: all sides but the last.
    """

    program: Callable[..., Any]
    layouts: tuple[Layout, ...]
    by_rows: bool = False


def direct(*variants: Variant) -> Callable[..., Any]:
    """``function(*arrays)``, which runs the first variant that the arrays fit and gives back the first of them.

    Where they fit none, do not lie in row-major order without gaps, or are large, it does nothing and gives ``None``.
    Where no such function can be had, one that always refuses stands for it.
    """
    here, best = layout(), isa()
    # As many arrays as the convention passes in registers, after the numbers.
    variants = tuple([each for each in variants if len(each.layouts) + each.by_rows <= 4])
    if here is None or best is None or not variants:
        return refuse
    return builtin(_entry(variants, here, best)) or refuse


def refuse(*arrays: Any) -> None:
    """What stands for a function that cannot be had."""


def _entry(variants: Sequence[Variant], here: Fields, isa: Isa) -> bytes:
    """Instructions of ``PyObject *entry(PyObject *self, PyObject *const *arguments, Py_ssize_t count)``."""
    code = Assembler(isa)
    # Pushing one register also puts the stack where a call wants it.
    code.push(x86.RBX)
    code.move(x86.RBX, x86.RSI)
    for variant in variants:
        _Attempt(code, variant, here).emit()
    give_none(code, (x86.RBX,))
    return code.finished()


class _Attempt:
    """Emits the checks of one variant and its call; rbx holds the address of the arguments."""

    def __init__(self, code: Assembler, variant: Variant, here: Fields) -> None:
        self.code, self.variant, self.here = code, variant, here
        self.refusals: list[int] = []

    def emit(self) -> None:
        code, variant = self.code, self.variant
        # rsi: rows, or elements; rdi: the last side; rcx and r8: the sides of the matrix, their number and address.
        matrix = variant.layouts.index("matrix")
        self._sides_of(matrix, x86.RCX, x86.R8)
        code.move(x86.R10, x86.RCX)
        if variant.by_rows:
            code.test(x86.RCX)
            self._refuse_if(x86.EQUAL)
            code.add_number(x86.R10, -1)
            code.load_element(x86.RDI, Address(x86.R8, x86.R10, 8), 8)
        code.load_number(x86.RSI, 1)
        with self._counting(x86.R10):
            code.load_element(x86.R11, Address(x86.R8, x86.R9, 8), 8)
            code.multiply(x86.RSI, x86.R11)
        code.move(x86.R11, x86.RSI)
        if variant.by_rows:
            code.multiply(x86.R11, x86.RDI)
        code.load_number(x86.RAX, LARGEST)
        code.compare(x86.R11, x86.RAX)
        self._refuse_if(x86.GREATER)
        for place, kind in enumerate(variant.layouts):
            if place != matrix:
                self._check(place, kind)
        self._call()
        for refusal in self.refusals:
            code.land(refusal)

    def _refuse_if(self, condition: int) -> None:
        self.refusals.append(self.code.jump(condition))

    def _sides_of(self, place: int, ndim: int, sides: int) -> None:
        """Load the number of sides of an argument, and their address; refuse one with gaps."""
        code, here, array = self.code, self.here, x86.RAX
        code.load_element(array, Address(x86.RBX, offset=8 * place), 8)
        code.load_element(ndim, Address(array, offset=here.flags), 4)
        code.keep_bits(ndim, CONTIGUOUS)
        self._refuse_if(x86.EQUAL)
        code.load_element(ndim, Address(array, offset=here.ndim), 4)
        code.load_element(sides, Address(array, offset=here.sides), 8)

    def _check(self, place: int, kind: Layout) -> None:
        code = self.code
        self._sides_of(place, x86.R10, x86.RDX)
        if kind == "number":
            code.test(x86.R10)
            self._refuse_if(x86.NOT_EQUAL)
        elif kind == "column":
            code.load_number(x86.RAX, 1)
            code.compare(x86.R10, x86.RAX)
            self._refuse_if(x86.NOT_EQUAL)
            code.load_element(x86.RAX, Address(x86.RDX), 8)
            code.compare(x86.RAX, x86.RDI)
            self._refuse_if(x86.NOT_EQUAL)
        else:
            code.compare(x86.R10, x86.RCX)
            self._refuse_if(x86.NOT_EQUAL)
            with self._counting(x86.RCX):
                code.load_element(x86.RAX, Address(x86.RDX, x86.R9, 8), 8)
                code.load_element(x86.R11, Address(x86.R8, x86.R9, 8), 8)
                code.compare(x86.RAX, x86.R11)
                self._refuse_if(x86.NOT_EQUAL)

    @contextmanager
    def _counting(self, end: int) -> Iterator[None]:
        """A loop over what is emitted inside, of r9 from 0 below ``end``."""
        code = self.code
        code.clear(x86.R9)
        start = len(code.code)
        code.compare(x86.R9, end)
        done = code.jump(x86.NOT_LESS)
        yield
        code.add_number(x86.R9, 1)
        code.jump(None, start)
        code.land(done)

    def _call(self) -> None:
        code = self.code
        registers = [x86.RDX, x86.RCX, x86.R8, x86.R9]
        if self.variant.by_rows:
            code.move(registers.pop(0), x86.RDI)
        code.clear(x86.RDI)
        for place, register in zip(range(len(self.variant.layouts)), registers, strict=False):
            code.load_element(register, Address(x86.RBX, offset=8 * place), 8)
        code.load_address(x86.RAX, addresses[self.variant.program])
        code.call(x86.RAX)
        code.load_element(x86.RAX, Address(x86.RBX), 8)
        give_back(code, (x86.RBX,))
