"""The graph of a captured function: a plain list of steps over numbered values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorcore.backend.contract import Array
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op

#: A lowered graph: native arrays in, native arrays out.
Program = Callable[[Sequence["Array"]], list["Array"]]


@dataclass(slots=True)
class Step:
    """One kernel call: ``outputs = kernel(*inputs, **attributes)``, on values given by number.

    Attributes:
        op: the record.
        kernel: the kernel of its kind.
        inputs: numbers of the operands; ``None`` for an optional one left out.
        attributes: what the kernel gets by keyword; a `Ticket` among them is renewed at each run.
        outputs: numbers of the results.
        kinds: kinds of the results.
        into: numbers of the values into whose memory the kernel writes, given as ``out=``, in place of ``outputs``.
    """

    op: Op
    kernel: Any
    inputs: tuple[int | None, ...]
    attributes: dict[str, Any]
    outputs: tuple[int, ...]
    kinds: tuple[Kind, ...]
    into: tuple[int, ...] | None = None

    def __str__(self) -> str:
        operands = ", ".join("None" if number is None else f"v{number}" for number in self.inputs)
        given = "".join(f", {name}={value!r}" for name, value in self.attributes.items())
        if self.into is not None:
            return f"{self.op.name}({operands}{given}, out={', '.join(f'v{number}' for number in self.into)})"
        return f"{', '.join(f'v{number}' for number in self.outputs)} = {self.op.name}({operands}{given})"


@dataclass(slots=True)
class Graph:
    """Steps in order, the numbers of the values they start from, and of those to give back.

    Attributes:
        inputs: numbers of the values that each run is given.
        steps: kernel calls in the order recorded; the ops `assign` write into memory, all others make new values.
        outputs: numbers of the values that a run returns.
        size: how many values there are.
    """

    inputs: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    size: int = 0

    def __str__(self) -> str:
        head = ", ".join(f"v{number}" for number in self.inputs)
        tail = ", ".join(f"v{number}" for number in self.outputs)
        return "\n".join((f"inputs {head}", *map(str, self.steps), f"outputs {tail}"))
