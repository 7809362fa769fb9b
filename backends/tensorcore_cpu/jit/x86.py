"""Encodings of the x86-64 vector instructions that `compiling` uses.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, sections 2.3 (VEX) and 2.7 (EVEX).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

__all__ = ["Address", "Assembler", "Constant", "Isa"]


class Isa(NamedTuple):
    """A vector instruction set.

    Attributes:
        name: ``"avx2"`` or ``"avx512"``.
        bytes: width of a register.
        registers: how many there are.
    """

    name: str
    bytes: int
    registers: int

    @property
    def wide(self) -> bool:
        """Whether instructions are EVEX-encoded, with masks in registers of their own."""
        return self.name == "avx512"


AVX2: Final = Isa("avx2", 32, 16)
AVX512: Final = Isa("avx512", 64, 32)

# Numbers of the general registers.
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 = range(16)


class Address(NamedTuple):
    """Memory at ``[base + index * scale + offset]``."""

    base: int
    index: int | None = None
    scale: int = 1
    offset: int = 0


class Constant(NamedTuple):
    """A vector in the constant pool behind the code, by its offset there."""

    offset: int


Operand = int | Address | Constant


class Encoding(NamedTuple):
    """One instruction.

    Attributes:
        map: opcode map (1: 0F, 2: 0F38, 3: 0F3A).
        prefix: implied prefix (0: none, 1: 66, 2: F3, 3: F2) for single precision.
        opcode: the opcode byte.
        double: (prefix, opcode, W) for double precision, where it is another.
        w: the W bit for single precision.
        digit: for shifts by a number, what stands in the register field.
    """

    map: int
    prefix: int
    opcode: int
    double: tuple[int, int, int] | None = None
    w: int = 0
    digit: int | None = None


def _arithmetic(opcode: int) -> Encoding:
    return Encoding(1, 0, opcode, (1, opcode, 1))


def _fused(opcode: int) -> Encoding:
    return Encoding(2, 1, opcode, (1, opcode, 1))


#: By the name of the operation in `vectors`.
ENCODINGS: Final[dict[str, Encoding]] = {
    "add": _arithmetic(0x58),
    "mul": _arithmetic(0x59),
    "sub": _arithmetic(0x5C),
    "min": _arithmetic(0x5D),
    "div": _arithmetic(0x5E),
    "max": _arithmetic(0x5F),
    "sqrt": _arithmetic(0x51),
    "and": _arithmetic(0x54),
    "or": _arithmetic(0x56),
    "xor": _arithmetic(0x57),
    "compare": _arithmetic(0xC2),
    "fma213": _fused(0xA8),
    "fma231": _fused(0xB8),
    "fmsub213": _fused(0xAA),
    "fmsub231": _fused(0xBA),
    "fnmadd213": _fused(0xAC),
    "fnmadd231": _fused(0xBC),
    "scale": _fused(0x2C),
    "round": Encoding(3, 1, 0x08, (1, 0x09, 1)),
    "add_integer": Encoding(1, 1, 0xFE, (1, 0xD4, 1)),
    "sub_integer": Encoding(1, 1, 0xFA, (1, 0xFB, 1)),
    "multiply_words": Encoding(1, 1, 0xF4, (1, 0xF4, 1)),
    "unpack_low": Encoding(1, 1, 0x6C, (1, 0x6C, 1)),
    "unpack_high": Encoding(1, 1, 0x6D, (1, 0x6D, 1)),
    "interleave_low": Encoding(1, 0, 0x14),
    "interleave_high": Encoding(1, 0, 0x15),
    "quarter": Encoding(2, 1, 0x1A, (1, 0x1A, 1)),
    "from_integer": Encoding(1, 0, 0x5B),
    "shift_left": Encoding(1, 1, 0x72, (1, 0x73, 1), digit=6),
    "shift_right": Encoding(1, 1, 0x72, (1, 0x73, 1), digit=2),
    "select": Encoding(3, 1, 0x4A, (1, 0x4B, 0)),
    "select_bits": Encoding(3, 1, 0x25, (1, 0x25, 1)),
    "align": Encoding(3, 1, 0x03, (1, 0x03, 1)),
    "blend": Encoding(3, 1, 0x0C, (1, 0x0D, 0)),
    "permute": Encoding(3, 1, 0x01, (1, 0x01, 1)),
    "permute_by": Encoding(2, 1, 0x16, (1, 0x16, 1)),
    "permute_halves": Encoding(3, 1, 0x06),
    "widen": Encoding(1, 0, 0x5A),
    "widen_integers": Encoding(2, 1, 0x25),
    "narrow": Encoding(1, 1, 0x5A, (1, 0x5A, 1)),
    "turn_quarters": Encoding(3, 1, 0x23, (1, 0x23, 1)),
    "turn_halves": Encoding(3, 1, 0x06, (1, 0x06, 0)),
    "turn_pairs": Encoding(3, 1, 0x05, (1, 0x05, 1), w=1),
    "turn_neighbours": Encoding(3, 1, 0x04),
    "load": Encoding(1, 0, 0x10, (1, 0x10, 1)),
    "store": Encoding(1, 0, 0x11, (1, 0x11, 1)),
    "store_first": Encoding(1, 2, 0x11, (3, 0x11, 1)),
    "load_first": Encoding(1, 2, 0x10, (3, 0x10, 1)),
    "add_first": Encoding(1, 2, 0x58, (3, 0x58, 1)),
    "compare_first": Encoding(1, 0, 0x2E, (1, 0x2E, 1)),
    "broadcast": Encoding(2, 1, 0x18, (1, 0x19, 1)),
    "load_masked": Encoding(2, 1, 0x2C, (1, 0x2D, 0)),
    "store_masked": Encoding(2, 1, 0x2E, (1, 0x2F, 0)),
    "from_words": Encoding(2, 1, 0x33),
    "to_words": Encoding(2, 2, 0x33),
    "pack_words": Encoding(2, 1, 0x2B),
    "permute_quarters": Encoding(3, 1, 0x00, w=1),
    "from_half": Encoding(2, 1, 0x13, (1, 0x35, 0)),
    "to_half": Encoding(3, 1, 0x1D),
    "from_mask": Encoding(2, 2, 0x38, (2, 0x38, 1)),
}


@dataclass
class Assembler:
    """Machine code under construction: instructions, then the constants they read."""

    isa: Isa
    code: bytearray = field(default_factory=bytearray)
    pool: dict[bytes, int] = field(default_factory=dict)
    _fixes: list[tuple[int, int, int]] = field(default_factory=list)

    def constant(self, lanes: bytes) -> Constant:
        """The place of a vector filled with ``lanes`` in the pool."""
        vector = lanes * (self.isa.bytes // len(lanes) or 1)
        if vector not in self.pool:
            self.pool[vector] = sum(map(len, self.pool))
        return Constant(self.pool[vector])

    def finished(self) -> bytes:
        """The code followed by the pool, on a boundary of 64 bytes."""
        start = -(-len(self.code) // 64) * 64
        out = bytearray(self.code.ljust(start, b"\xcc"))
        for vector in self.pool:
            out += vector
        for at, offset, end in self._fixes:
            out[at : at + 4] = (start + offset - end).to_bytes(4, "little", signed=True)
        return bytes(out)

    # ---------------------------------------------------------------- vector instructions

    def vector(
        self, name: str, double: bool, register: int, second: int, operand: Operand, *,
        immediate: int | None = None, mask: int = 0, zero: bool = False, narrow: bool = False,
    ) -> None:  # fmt: skip
        """Emit ``name register, second, operand`` (``second`` is 0 where there is none).

        ``mask`` is a mask register, ``zero`` clears the lanes it leaves out; ``narrow`` takes half the width.
        """
        encoding = ENCODINGS[name]
        prefix, opcode, w = encoding.prefix, encoding.opcode, encoding.w
        if double and encoding.double is not None:
            prefix, opcode, w = encoding.double
        if encoding.digit is not None:
            # A shift's target is the second operand.
            register, second = encoding.digit, register
        index = operand.index if isinstance(operand, Address) else None
        base = operand if isinstance(operand, int) else operand.base if isinstance(operand, Address) else 0
        bits = [not register & 8, not (index or 0) & 8, not base & 8]
        if self.isa.wide:
            if isinstance(operand, int):
                bits[1] = not base & 16
            high = (not register & 16) << 4
            first = sum(bit << (7 - place) for place, bit in enumerate(bits)) | high | encoding.map
            length = 0b01 if narrow else 0b10
            self.code += bytes((
                0x62, first, w << 7 | (~second & 15) << 3 | 4 | prefix,
                zero << 7 | length << 5 | (not second & 16) << 3 | mask,
            ))  # fmt: skip
        else:
            first = sum(bit << (7 - place) for place, bit in enumerate(bits)) | encoding.map
            # Without EVEX the W bit is 0 but for fused multiply-add, which it makes double, and permutations.
            w = w if name.startswith(("fm", "fn", "permute")) else 0
            self.code += bytes((0xC4, first, w << 7 | (~second & 15) << 3 | (not narrow) << 2 | prefix))
        self.code.append(opcode)
        self._operand(register & 7, operand, 0 if immediate is None else 1)
        if immediate is not None:
            self.code.append(immediate & 0xFF)

    def _operand(self, register: int, operand: Operand, trailing: int) -> None:
        if isinstance(operand, int):
            self.code.append(0xC0 | register << 3 | operand & 7)
        elif isinstance(operand, Constant):
            self.code.append(register << 3 | 5)
            at = len(self.code)
            self._fixes.append((at, operand.offset, at + 4 + trailing))
            self.code += bytes(4)
        elif operand.index is None:
            self.code.append(0x80 | register << 3 | operand.base & 7)
            if operand.base & 7 == RSP:
                self.code.append(0x24)
            self.code += operand.offset.to_bytes(4, "little", signed=True)
        else:
            self.code.append(0x80 | register << 3 | 4)
            self.code.append((operand.scale.bit_length() - 1) << 6 | (operand.index & 7) << 3 | operand.base & 7)
            self.code += operand.offset.to_bytes(4, "little", signed=True)

    # ---------------------------------------------------------------- general instructions

    def move(self, target: int, source: int) -> None:
        """``mov target, source`` of 64 bits."""
        self._general(0x89, source, target)

    def subtract(self, target: int, source: int) -> None:
        """``sub target, source``."""
        self._general(0x29, source, target)

    def compare(self, left: int, right: int) -> None:
        """``cmp left, right``."""
        self._general(0x39, right, left)

    def add_number(self, register: int, number: int) -> int:
        """``add register, number``; returns where the number lies."""
        self.code += bytes((0x48 | register >> 3, 0x81, 0xC0 | register & 7)) + number.to_bytes(
            4, "little", signed=True
        )
        return len(self.code) - 4

    def set_number(self, at: int, number: int) -> None:
        """Replace the number at ``at``."""
        self.code[at : at + 4] = number.to_bytes(4, "little", signed=True)

    def clear(self, register: int) -> None:
        """``xor register, register``."""
        self._general(0x31, register, register)

    def test(self, register: int) -> None:
        """``test register, register``."""
        self._general(0x85, register, register)

    def multiply(self, target: int, source: int) -> None:
        """``imul target, source``."""
        self.code += bytes((0x48 | (target >> 3) << 2 | source >> 3, 0x0F, 0xAF, 0xC0 | (target & 7) << 3 | source & 7))

    def keep_bits(self, register: int, bits: int) -> None:
        """``and register, bits``."""
        self.code += bytes((0x48 | register >> 3, 0x81, 0xE0 | register & 7)) + bits.to_bytes(4, "little")

    def add_scaled(self, target: int, source: int, scale: int) -> None:
        """``lea target, [target + source * scale]``."""
        self.code += bytes((0x48 | (target >> 3) * 5 | (source >> 3) << 1, 0x8D, 0x84 | (target & 7) << 3))
        self.code += bytes(((scale.bit_length() - 1) << 6 | (source & 7) << 3 | target & 7, 0, 0, 0, 0))

    def load_element(self, register: int, address: Address, size: int) -> None:
        """``mov register, [address]`` of 1, 2, 4 or 8 bytes; what is above them becomes 0."""
        self._memory({1: b"\x0f\xb6", 2: b"\x0f\xb7"}.get(size, b"\x8b"), register, address, max(size, 4))

    def store_element(self, address: Address, register: int, size: int) -> None:
        """``mov [address], register`` of 1, 2, 4 or 8 bytes."""
        self._memory(b"\x88" if size == 1 else b"\x89", register, address, size)

    def add_element(self, address: Address, register: int, size: int) -> None:
        """``add [address], register`` of 1, 2, 4 or 8 bytes."""
        self._memory(b"\x00" if size == 1 else b"\x01", register, address, size)

    def _memory(self, opcode: bytes, register: int, address: Address, size: int) -> None:
        extended = (register >> 3) << 2 | ((address.index or 0) >> 3) << 1 | address.base >> 3
        self.code += (b"\x66" if size == 2 else b"") + bytes((0x40 | (size == 8) << 3 | extended,)) + opcode
        self._operand(register & 7, address, 0)

    def divide(self, divisor: int) -> None:
        """``div divisor`` of 32 bits: of rdx and rax, the quotient to rax, the remainder to rdx."""
        self.code += bytes((0x40 | divisor >> 3, 0xF7, 0xF0 | divisor & 7))

    def halve(self, register: int) -> None:
        """``shr register, 1``."""
        self.code += bytes((0x48 | register >> 3, 0xD1, 0xE8 | register & 7))

    def move_if(self, condition: int, target: int, source: int) -> None:
        """``cmov target, source`` of 64 bits."""
        self.code += bytes((0x48 | (target >> 3) << 2 | source >> 3, 0x0F, 0x40 | condition))
        self.code.append(0xC0 | (target & 7) << 3 | source & 7)

    def push(self, register: int) -> None:
        """``push register``."""
        self.code += bytes((0x40 | register >> 3, 0x50 | register & 7))

    def pop(self, register: int) -> None:
        """``pop register``."""
        self.code += bytes((0x40 | register >> 3, 0x58 | register & 7))

    def load_number(self, register: int, number: int) -> None:
        """``mov register, number`` of 32 bits."""
        assert register < 8
        self.code += bytes((0xB8 | register,)) + number.to_bytes(4, "little", signed=True)

    def load_address(self, register: int, address: int) -> None:
        """``mov register, address`` of 64 bits."""
        self.code += bytes((0x48 | register >> 3, 0xB8 | register & 7)) + address.to_bytes(8, "little")

    def call(self, register: int) -> None:
        """``call register``."""
        self.code += bytes((0x40 | register >> 3, 0xFF, 0xD0 | register & 7))

    def load_pointer(self, register: int, offset: int) -> None:
        """``mov register, [rsp + offset]``."""
        self.code += bytes((0x48 | (register >> 3) << 2, 0x8B, 0x84 | (register & 7) << 3, 0x24))
        self.code += offset.to_bytes(4, "little", signed=True)

    def load_field(self, register: int, offset: int) -> None:
        """``mov register, [register + offset]``."""
        assert register & 7 != RSP
        self.code += bytes((0x48 | (register >> 3) * 5, 0x8B, 0x80 | (register & 7) * 9))
        self.code += offset.to_bytes(4, "little", signed=True)

    def address_of(self, register: int, constant: Constant) -> None:
        """``lea register, [constant]``."""
        self.code += bytes((0x48 | (register >> 3) << 2, 0x8D, (register & 7) << 3 | 5))
        at = len(self.code)
        self._fixes.append((at, constant.offset, at + 4))
        self.code += bytes(4)

    def negate(self, register: int) -> None:
        """``neg register``."""
        self.code += bytes((0x48 | register >> 3, 0xF7, 0xD8 | register & 7))

    def low_bits(self, register: int, count: int) -> None:
        """``bzhi register, register, count``: keep the lowest ``count`` (a register) bits."""
        self.code += bytes(
            (0xC4, 0xE2 & ~((register >> 3) << 7 | (register >> 3) << 5), 0x80 | (~count & 15) << 3, 0xF5)
        )
        self.code.append(0xC0 | (register & 7) << 3 | register & 7)

    def set_mask(self, mask: int, register: int) -> None:
        """``kmovw mask, register``."""
        self.code += bytes((0xC5, 0xF8, 0x92, 0xC0 | mask << 3 | register))

    def clear_upper(self) -> None:
        """``vzeroupper``."""
        self.code += b"\xc5\xf8\x77"

    def leave(self) -> None:
        """``ret``."""
        self.code.append(0xC3)

    def jump(self, condition: int | None, target: int | None = None) -> int:
        """A jump to ``target``, or to where `land` says; returns what `land` takes. ``None`` jumps always."""
        self.code += b"\xe9" if condition is None else bytes((0x0F, 0x80 | condition))
        at = len(self.code)
        self.code += bytes(4) if target is None else (target - at - 4).to_bytes(4, "little", signed=True)
        return at

    def land(self, at: int) -> None:
        """Let the jump at ``at`` come here."""
        self.set_number(at, len(self.code) - at - 4)

    def _general(self, opcode: int, register: int, operand: int) -> None:
        self.code += bytes(
            (0x48 | (register >> 3) << 2 | operand >> 3, opcode, 0xC0 | (register & 7) << 3 | operand & 7)
        )


#: Conditions of jumps and moves; those of what is below or above compare unsigned numbers, and floating-point ones.
BELOW, NOT_BELOW, EQUAL, NOT_EQUAL, NOT_ABOVE, LESS, NOT_LESS, NOT_GREATER, GREATER = (
    2, 3, 4, 5, 6, 12, 13, 14, 15,
)  # fmt: skip
