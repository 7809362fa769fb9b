"""From a loop body to machine code: registers are chosen on the way, the rest of a vector's width is masked."""

from __future__ import annotations

from typing import Final

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.vectors import COMMUTATIVE, Body, Operation
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa, Operand

__all__ = ["LIMIT", "compiled"]

#: Registers that hold the addresses of the arrays; the first four come as arguments, the others from the stack.
_POINTERS: Final = (x86.RDX, x86.RCX, x86.R8, x86.R9, x86.R10, x86.R11)
#: How many arrays a kernel can have.
LIMIT: Final = len(_POINTERS)
#: Mask registers: of comparisons, and of the lanes that the tail has.
_COMPARED, _TAIL = 1, 2
#: The truth table of ``a ? b : c`` for the instruction that takes any.
_CHOICE = 0xCA


def compiled(body: Body, isa: Isa, scalars: frozenset[int], data_offset: int) -> bytes:
    """Machine code of ``function(begin, end, *arrays)`` under the System V calling convention.

    The arrays are NumPy's objects, outputs first; each holds the address of its elements at ``data_offset``. Elements
    from ``begin`` to ``end`` are computed. Inputs among ``scalars`` have one element.
    """
    code = Assembler(isa)
    count = len(body.outputs) + max((op.number + 1 for op in body.operations if op.name == "input"), default=0)
    for place, pointer in enumerate(_POINTERS[:count]):
        if place >= 4:
            code.load_pointer(pointer, 8 * (place - 3))
        code.load_field(pointer, data_offset)
    reserved = code.add_number(x86.RSP, 0)
    last, end = x86.RDI, x86.RSI
    # rax runs over the elements as long as a whole vector fits.
    code.move(x86.RAX, last)
    code.move(last, end)
    lanes = isa.bytes // (8 if body.double else 4)
    code.add_number(last, -lanes)
    start = len(code.code)
    code.compare(x86.RAX, last)
    done = code.jump(x86.GREATER)
    whole = _Loop(code, body, scalars, masked=False)
    whole.emit()
    code.add_number(x86.RAX, lanes)
    code.jump(None, start)
    code.land(done)
    code.subtract(end, x86.RAX)
    empty = code.jump(x86.EQUAL)
    tail = _Loop(code, body, scalars, masked=True)
    tail.set_mask(last, end)
    tail.emit()
    code.land(empty)
    code.clear_upper()
    slots = max(whole.slots, tail.slots) * isa.bytes
    code.set_number(reserved, -slots)
    code.add_number(x86.RSP, slots)
    code.leave()
    return code.finished()


class _Loop:
    """Emits the body once: each value into a register, and into the stack when they run out."""

    def __init__(self, code: Assembler, body: Body, scalars: frozenset[int], masked: bool) -> None:
        self.code, self.body, self.scalars, self.masked = code, body, scalars, masked
        self.isa = code.isa
        registers = self.isa.registers
        # Without mask registers the tail's mask takes a vector register.
        self.mask_vector = registers - 1
        self.free = list(range(registers - (masked and not self.isa.wide)))
        self.uses: list[list[int]] = [[] for _ in body.operations]
        for place, operation in enumerate(body.operations):
            for operand in operation.operands:
                self.uses[operand].append(place)
        for output in body.outputs:
            self.uses[output].append(len(body.operations))
        self.registers: dict[int, int] = {}
        self.spilled: dict[int, int] = {}
        self.slots = 0
        self.pinned: set[int] = set()

    def set_mask(self, scratch: int, remaining: int) -> None:
        """Select the first ``remaining`` (a general register) lanes for loads and stores."""
        code = self.code
        if self.isa.wide:
            code.load_number(scratch, -1)
            code.low_bits(scratch, remaining)
            code.set_mask(_TAIL, scratch)
        else:
            width = self.isa.bytes
            code.address_of(scratch, code.constant(b"\xff" * width + bytes(width)))
            code.negate(remaining)
            table = Address(scratch, remaining, 8 if self.body.double else 4, width)
            code.vector("load", False, self.mask_vector, 0, table)

    def emit(self) -> None:
        """The operations, then the stores of the outputs."""
        for place, operation in enumerate(self.body.operations):
            if operation.name not in ("input", "constant"):
                self._operation(place, operation)
        for place, output in enumerate(self.body.outputs):
            register = self._register(output)
            target = self._element(_POINTERS[place])
            if not self.masked:
                self._vector("store", register, 0, target)
            elif self.isa.wide:
                self._vector("store", register, 0, target, mask=_TAIL)
            else:
                self._vector("store_masked", register, self.mask_vector, target)

    # ---------------------------------------------------------------- instructions

    def _operation(self, place: int, operation: Operation) -> None:
        self.pinned = set()
        name, operands = operation.name, list(operation.operands)
        if name in ("fma", "fmsub", "fnmadd"):
            self._fused(place, name, operands)
        elif name == "select":
            self._select(place, operands)
        elif name == "compare" and self.isa.wide:
            first, second = self._register(operands[0]), self._operand(operands[1], place)
            self._vector("compare", _COMPARED, first, second, immediate=operation.number)
            self._release(operands, place)
            self._vector("from_mask", self._result(place), 0, _COMPARED)
        elif len(operands) == 1:
            first = self._register(operands[0])
            self._release(operands, place)
            number = None if name == "sqrt" else operation.number
            self._vector(name, self._result(place), 0, first, immediate=number)
        else:
            if name in COMMUTATIVE and not self._is_held(operands[0]):
                operands.reverse()
            first, second = self._register(operands[0]), self._operand(operands[1], place)
            self._release(operands, place)
            number = operation.number if name == "compare" else None
            self._vector(name, self._result(place), first, second, immediate=number)

    def _fused(self, place: int, name: str, operands: list[int]) -> None:
        a, b, c = operands
        if not self._is_consumable(a, place) and self._is_consumable(b, place):
            a, b = b, a
        if not self._is_consumable(a, place) and self._is_consumable(c, place) and c not in (a, b):
            factor, addend = self._register(a), self._register(c)
            self._vector(f"{name}231", addend, factor, self._operand(b, place))
            self._rename(c, place, [a, b])
            return
        other = self._register(b) if b != a else None
        target = self._taken(a, place)
        factor = target if other is None else other
        # a * a + c needs the untouched a, which the target still is.
        self._vector(f"{name}213", target, factor, target if c == a else self._operand(c, place))
        self._rename(a, place, [b, c])

    def _select(self, place: int, operands: list[int]) -> None:
        mask, yes, no = operands
        if self.isa.wide:
            chosen = self._register(yes)
            target = self._taken(mask, place)
            self._vector("select_bits", target, chosen, self._operand(no, place), immediate=_CHOICE)
            self._rename(mask, place, [yes, no])
            return
        by, otherwise = self._register(mask), self._register(no)
        chosen = self._operand(yes, place)
        self._release(operands, place)
        self._vector("select", self._result(place), otherwise, chosen, immediate=by << 4)

    def _vector(
        self, name: str, register: int, second: int, operand: Operand, *, immediate: int | None = None, mask: int = 0,
        zero: bool = False,
    ) -> None:  # fmt: skip
        self.code.vector(name, self.body.double, register, second, operand, immediate=immediate, mask=mask, zero=zero)

    # ---------------------------------------------------------------- where values are

    def _is_held(self, value: int) -> bool:
        return value in self.registers

    def _is_consumable(self, value: int, place: int) -> bool:
        """Whether the value's register may be overwritten by the operation at ``place``."""
        return value in self.registers and self.uses[value][-1] <= place

    def _remade(self, value: int) -> bool:
        """Whether the value can be loaded again."""
        return self.body.operations[value].name in ("input", "constant")

    def _register(self, value: int) -> int:
        """The register that holds the value, loaded if need be."""
        register = self.registers.get(value)
        if register is None:
            register = self.registers[value] = self._allocate()
            self._load(value, register)
        self.pinned.add(register)
        return register

    def _operand(self, value: int, place: int) -> Operand:
        """The value in its register, or in memory where one use is all that is left."""
        operation = self.body.operations[value]
        if value not in self.registers:
            if operation.name == "constant":
                return self.code.constant(operation.lanes)
            if self.uses[value][-1] <= place and self.uses[value].count(place) == 1:
                if value in self.spilled:
                    return self._slot(value)
                if operation.name == "input" and operation.number not in self.scalars and not self.masked:
                    return self._element(_POINTERS[operation.number + len(self.body.outputs)])
        return self._register(value)

    def _taken(self, value: int, place: int) -> int:
        """A register with the value that may be overwritten."""
        register = self._register(value)
        if self.uses[value][-1] <= place:
            return register
        target = self._allocate()
        self._vector("load", target, 0, register)
        self.pinned.add(target)
        # The old register keeps the value; the copy is renamed by the caller.
        self._copy = target
        return target

    def _rename(self, value: int, place: int, others: list[int]) -> None:
        """Let the operation's result be what overwrote ``value``, or its copy."""
        if self.uses[value][-1] <= place:
            register = self.registers.pop(value)
        else:
            register = self._copy
        self._release([x for x in others if x != value], place)
        self.registers[place] = register

    def _result(self, place: int) -> int:
        register = self.registers[place] = self._allocate()
        return register

    def _release(self, values: list[int], place: int) -> None:
        for value in values:
            if value in self.registers and self.uses[value][-1] <= place:
                register = self.registers.pop(value)
                self.free.append(register)
                self.pinned.discard(register)

    def _allocate(self) -> int:
        if self.free:
            return self.free.pop()
        value = max(
            (value for value, register in self.registers.items() if register not in self.pinned),
            key=lambda value: self.uses[value][-1],
        )
        register = self.registers.pop(value)
        if not self._remade(value) and value not in self.spilled:
            self.spilled[value] = self.slots
            self.slots += 1
            self._vector("store", register, 0, self._slot(value))
        return register

    def _slot(self, value: int) -> Address:
        return Address(x86.RSP, offset=self.spilled[value] * self.isa.bytes)

    def _element(self, pointer: int) -> Address:
        return Address(pointer, x86.RAX, 8 if self.body.double else 4)

    def _load(self, value: int, register: int) -> None:
        operation = self.body.operations[value]
        if value in self.spilled:
            self._vector("load", register, 0, self._slot(value))
        elif operation.name == "constant":
            self._vector("load", register, 0, self.code.constant(operation.lanes))
        else:
            pointer = _POINTERS[operation.number + len(self.body.outputs)]
            if operation.number in self.scalars:
                self._vector("broadcast", register, 0, Address(pointer))
            elif not self.masked:
                self._vector("load", register, 0, self._element(pointer))
            elif self.isa.wide:
                self._vector("load", register, 0, self._element(pointer), mask=_TAIL, zero=True)
            else:
                self._vector("load_masked", register, self.mask_vector, self._element(pointer))
