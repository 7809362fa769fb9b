"""Tickets: numbers reserved from a generator for one draw.

An op that draws carries a ticket as an attribute. Eagerly the numbers are reserved when the ticket is made; a
recorded program calls `Ticket.renew` before each replay, so that it draws what an eager run would have drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorcore.random.generator import Generator

__all__ = ["Ticket"]


class Ticket:
    """``count`` numbers of one ``kind``, reserved from ``generator``; made by `Generator.ticket`.

    The kinds and what `data` holds, in native byte order:

    =============== =============================================================================
    ``words``       uint32 outputs of MT19937
    ``words64``     uint64 numbers of two outputs each
    ``normal``      float64 standard normal numbers, by PyTorch's scalar method
    ``permutation`` the int64 numbers 0 to ``count - 1``, shuffled
    ``philox``      21 int64: the first counter block, then the ten rounds' keys, two words each
    =============== =============================================================================

    Attributes:
        key: the generator's seed; for ``philox``.
        offset: first counter block of the reserved ones, each of which gives four numbers; for ``philox``.

    Example:
        >>> import tensorcore as tc
        >>> ticket = tc.Generator().manual_seed(0).ticket("words", 2)
        >>> list(ticket.data), list(ticket.renew().data)
        ([2357136044, 2546248239], [3071714933, 3626093760])
    """

    __slots__ = ("count", "data", "generator", "key", "kind", "offset")

    def __init__(self, generator: Generator, kind: str, count: int, data: Any, key: int = 0, offset: int = 0) -> None:
        self.generator = generator
        self.kind = kind
        self.count = count
        self.data = data
        self.key = key
        self.offset = offset

    def renew(self) -> Ticket:
        """A ticket for as many fresh numbers of the same generator."""
        return self.generator.ticket(self.kind, self.count)

    def __repr__(self) -> str:
        return f"<ticket for {self.count} {self.kind}>"
