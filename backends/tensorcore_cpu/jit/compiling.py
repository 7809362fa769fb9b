"""From loop bodies to machine code: registers are chosen on the way, the rest of a vector's width is masked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.vectors import COMMUTATIVE, Body, Operation
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa, Operand

__all__ = ["LIMIT", "Access", "Emitter", "elementwise", "join_lanes", "set_tail"]

#: Registers that hold the addresses of the arrays; the first four come as arguments, the others from the stack.
_POINTERS: Final = (x86.RDX, x86.RCX, x86.R8, x86.R9, x86.R10, x86.R11)
#: How many arrays an elementwise kernel can have.
LIMIT: Final = len(_POINTERS)
#: Mask registers: of comparisons, and of the lanes that the tail has.
_COMPARED, TAIL = 1, 2
#: Operations of one operand alone.
_WITHOUT_NUMBER: Final = frozenset(["sqrt", "from_integer"])
#: The truth table of ``a ? b : c`` for the instruction that takes any.
_CHOICE: Final = 0xCA

#: What exchanges the halves of a vector, then those of its halves, and so on, without and with AVX-512.
_TURNS: Final = (
    (("turn_halves", 0x01), ("turn_pairs", 0x05), ("turn_neighbours", 0xB1)),
    (("turn_quarters", 0x4E), ("turn_quarters", 0xB1), ("turn_pairs", 0x55), ("turn_neighbours", 0xB1)),
)


class Access(NamedTuple):
    """How an array is read.

    Attributes:
        pointer: the register with its address.
        number: whether it has one element, else one for each place.
        half: whether elements have half the lanes' width: float16 for float32, uint32 for lanes of 64 bits.
    """

    pointer: int
    number: bool = False
    half: bool = False


def elementwise(
    body: Body, isa: Isa, numbers: Collection[int], data_offset: int, halves: Collection[int] = ()
) -> bytes:
    """Machine code of ``function(begin, end, *arrays)`` under the System V calling convention.

    The arrays are NumPy's objects; each holds the address of its elements at ``data_offset``. Elements from ``begin``
    to ``end`` are computed. Arrays among ``numbers`` have one element, those among ``halves`` elements of half the
    lanes' width; with float16, and without mask registers, only whole vectors are computed then.
    """
    code = Assembler(isa)
    used = [op.number for op in body.operations if op.name == "input"] + [array for array, _ in body.stores]
    accesses = {}
    for array, pointer in enumerate(_POINTERS[: 1 + max(used)]):
        if array >= 4:
            code.load_pointer(pointer, 8 * (array - 3))
        code.load_field(pointer, data_offset)
        accesses[array] = Access(pointer, array in numbers, array in halves)
    reserved = code.add_number(x86.RSP, 0)
    code.move(x86.RAX, x86.RDI)
    slots = loop(code, body, accesses, rest=not halves or (body.double and isa.wide))
    code.clear_upper()
    slots *= isa.bytes
    code.set_number(reserved, -slots)
    code.add_number(x86.RSP, slots)
    code.leave()
    return code.finished()


def loop(code: Assembler, body: Body, accesses: Mapping[int, Access], rest: bool = True) -> int:
    """A loop over whole vectors and, with ``rest``, the lanes that remain; the slots of the stack it needs.

    rax holds the first element and rsi the end; the loop changes both, and rdi.
    """
    last, end = x86.RDI, x86.RSI
    # rax runs over the elements as long as a whole vector fits.
    code.move(last, end)
    lanes = code.isa.bytes // (8 if body.double else 4)
    code.add_number(last, -lanes)
    start = len(code.code)
    code.compare(x86.RAX, last)
    done = code.jump(x86.GREATER)
    whole = Emitter(code, body, accesses)
    whole.emit()
    code.add_number(x86.RAX, lanes)
    code.jump(None, start)
    code.land(done)
    code.subtract(end, x86.RAX)
    empty = code.jump(x86.EQUAL)
    slots = whole.slots
    if rest:
        set_tail(code, last, end, body.double)
        tail = Emitter(code, body, accesses, masked=True)
        tail.emit()
        slots = max(slots, tail.slots)
    code.land(empty)
    return slots


def load_lanes(code: Assembler, double: bool, register: int, source: Address, masked: bool) -> None:
    """Load a vector, or with ``masked`` the lanes that `set_tail` set and zeros for the others."""
    if masked and not code.isa.wide:
        code.vector("load_masked", double, register, code.isa.registers - 1, source)
    else:
        code.vector("load", double, register, 0, source, mask=TAIL * masked, zero=masked)


def store_lanes(code: Assembler, double: bool, register: int, target: Address, masked: bool) -> None:
    """Store a vector, or with ``masked`` the lanes that `set_tail` set."""
    if masked and not code.isa.wide:
        code.vector("store_masked", double, register, code.isa.registers - 1, target)
    else:
        code.vector("store", double, register, 0, target, mask=TAIL * masked)


def set_tail(code: Assembler, scratch: int, remaining: int, double: bool) -> None:
    """Select the first ``remaining`` (a general register) lanes for what is masked.

    The selection is held by a mask register, or by the last vector register where there are none.
    """
    if code.isa.wide:
        code.load_number(scratch, -1)
        code.low_bits(scratch, remaining)
        code.set_mask(TAIL, scratch)
    else:
        width = code.isa.bytes
        code.address_of(scratch, code.constant(b"\xff" * width + bytes(width)))
        code.negate(remaining)
        table = Address(scratch, remaining, 8 if double else 4, width)
        code.vector("load", False, code.isa.registers - 1, 0, table)


def join_lanes(code: Assembler, double: bool, name: str, register: int, scratch: int) -> None:
    """Combine the lanes of a vector by the operation ``name``; each lane then holds what they give."""
    steps = (code.isa.bytes // (8 if double else 4)).bit_length() - 1
    for turn, immediate in _TURNS[code.isa.wide][:steps]:
        second = register if turn in ("turn_quarters", "turn_halves") else 0
        code.vector(turn, double, scratch, second, register, immediate=immediate)
        code.vector(name, double, register, register, scratch)


class Emitter:
    """Emits a body once: each value into a register, and into the stack when they run out.

    Args:
        code: where to.
        body: what.
        accesses: how each array is read.
        masked: whether only the lanes of the tail count.
        totals: registers, one for each of the body's reductions.
        reserved: vector registers at the end that are not to be used.
        frame: bytes of the stack before this body's own.
        shift: how many bytes behind the running place the elements lie.
    """

    def __init__(
        self, code: Assembler, body: Body, accesses: Mapping[int, Access], masked: bool = False,
        totals: tuple[int, ...] = (), reserved: int = 0, frame: int = 0, shift: int = 0,
    ) -> None:  # fmt: skip
        self.code, self.body, self.accesses, self.masked = code, body, accesses, masked
        self.totals, self.frame, self.shift = totals, frame, shift
        self.isa = code.isa
        # Without mask registers the tail's mask takes a vector register.
        self.mask_vector = self.isa.registers - 1
        self.free = list(range(self.isa.registers - max(reserved, masked and not self.isa.wide)))
        self.uses: list[list[int]] = [[] for _ in body.operations]
        for place, operation in enumerate(body.operations):
            for operand in operation.operands:
                self.uses[operand].append(place)
        for result in body.results:
            self.uses[result].append(len(body.operations))
        self.registers: dict[int, int] = {}
        self.spilled: dict[int, int] = {}
        self.slots = 0
        self.pinned: set[int] = set()
        self._copy = 0

    def emit(self, keep: bool = False) -> None:
        """The operations, then the stores, then what is added to the totals, or with ``keep`` replaces them."""
        for place, operation in enumerate(self.body.operations):
            if not self._remade(place):
                self._operation(place, operation)
        for array, value in self.body.stores:
            self.pinned = set()
            self._store(self.accesses[array], self._register(value))
        for total, (name, value, _) in zip(self.totals, self.body.reductions, strict=True):
            self.pinned = set()
            register = self._register(value)
            if keep:
                self._vector("load", total, 0, register)
            elif not self.masked:
                self._vector(name, total, total, register)
            elif self.isa.wide:
                self._vector(name, total, total, register, mask=TAIL)
            else:
                # The lanes behind the end keep the total: what is computed from it there is thrown away.
                joined = self._allocate()
                self._vector(name, joined, total, register)
                self._vector("select", total, total, joined, immediate=self.mask_vector << 4)
                self.free.append(joined)

    def _store(self, access: Access, register: int) -> None:
        if access.number:
            self._vector("store_first", register, 0, Address(access.pointer))
        elif access.half:
            self._vector("to_half", register, 0, self._element(access), immediate=0)
        else:
            store_lanes(self.code, self.body.double, register, self._element(access), self.masked)

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
            number = None if name in _WITHOUT_NUMBER else operation.number
            self._vector(name, self._result(place), 0, first, immediate=number)
        else:
            if name in COMMUTATIVE and operands[0] not in self.registers:
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
        chosen_operand = self._operand(yes, place)
        self._release(operands, place)
        self._vector("select", self._result(place), otherwise, chosen_operand, immediate=by << 4)

    def _vector(
        self, name: str, register: int, second: int, operand: Operand, *, immediate: int | None = None, mask: int = 0,
        zero: bool = False,
    ) -> None:  # fmt: skip
        self.code.vector(name, self.body.double, register, second, operand, immediate=immediate, mask=mask, zero=zero)

    # ---------------------------------------------------------------- where values are

    def _is_consumable(self, value: int, place: int) -> bool:
        """Whether the value's register may be overwritten by the operation at ``place``."""
        return value in self.registers and self.uses[value][-1] <= place

    def _remade(self, value: int) -> bool:
        """Whether the value can be loaded again."""
        return self.body.operations[value].name in ("input", "carried", "constant")

    def _register(self, value: int) -> int:
        """The register that holds the value, loaded if need be."""
        register = self.registers.get(value)
        if register is None:
            register = self._allocate()
            self.registers[value] = register
            self._load(value, register)
        self.pinned.add(register)
        return register

    def _operand(self, value: int, place: int) -> Operand:
        """The value in its register, or in memory where one use is all that is left."""
        operation = self.body.operations[value]
        if value not in self.registers:
            if operation.name == "constant":
                return self.code.constant(operation.lanes)
            if operation.name == "carried":
                return self._carried(operation.number)
            if self.uses[value][-1] <= place and self.uses[value].count(place) == 1:
                if value in self.spilled:
                    return self._slot(value)
                access = self.accesses[operation.number] if operation.name == "input" else None
                if access is not None and not (access.number or access.half or self.masked):
                    return self._element(access)
        return self._register(value)

    def _taken(self, value: int, place: int) -> int:
        """A register with the value that may be overwritten."""
        register = self._register(value)
        if self.uses[value][-1] <= place:
            return register
        # The old register keeps the value; the caller renames the copy.
        self._copy = self._allocate()
        self._vector("load", self._copy, 0, register)
        self.pinned.add(self._copy)
        return self._copy

    def _rename(self, value: int, place: int, others: list[int]) -> None:
        """Let the operation's result be what overwrote ``value``, or its copy."""
        register = self.registers.pop(value) if self.uses[value][-1] <= place else self._copy
        self._release([x for x in others if x != value], place)
        self.registers[place] = register

    def _result(self, place: int) -> int:
        register = self._allocate()
        self.registers[place] = register
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
        return Address(x86.RSP, offset=self.frame + self.spilled[value] * self.isa.bytes)

    def _carried(self, slot: int) -> Address:
        return Address(x86.RSP, offset=slot * self.isa.bytes)

    def _element(self, access: Access) -> Address:
        size = (8 if self.body.double else 4) >> access.half
        return Address(access.pointer, x86.RAX, size, self.shift)

    def _load(self, value: int, register: int) -> None:
        operation = self.body.operations[value]
        if value in self.spilled:
            self._vector("load", register, 0, self._slot(value))
        elif operation.name == "constant":
            self._vector("load", register, 0, self.code.constant(operation.lanes))
        elif operation.name == "carried":
            self._vector("load", register, 0, self._carried(operation.number))
        else:
            access = self.accesses[operation.number]
            if access.number:
                offset = operation.place * (8 if self.body.double else 4)
                self._vector("broadcast", register, 0, Address(access.pointer, offset=offset))
            elif access.half:
                mask = TAIL * self.masked
                self._vector("from_half", register, 0, self._element(access), mask=mask, zero=self.masked)
            else:
                load_lanes(self.code, self.body.double, register, self._element(access), self.masked)
