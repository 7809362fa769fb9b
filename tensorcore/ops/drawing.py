"""What every draw goes through: words of a generator as a tensor, and uniform numbers of Philox.

The ticket is an attribute, so the door and what records behind it see each draw; a replay renews the ticket.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import float32, int64
from tensorcore.ops.creation import ramp
from tensorcore.ops.movement import stack
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import same
from tensorcore.random import philox

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.random.ticket import Ticket
    from tensorcore.tensor import Tensor

__all__ = ["philox_uniform", "random_words"]


@primitive(rule=same, namespaces=(), random=True, ulp=0)
def random_words(ticket: Ticket, shape: tuple[int, ...], kind: Kind) -> Tensor:
    """The numbers of ``ticket`` under ``shape``, in the dtype of ``kind``, which has the width of the ticket's numbers.

    Its kernel is `Backend.random_words`, the same for all.
    """
    return random_words.emit(kind=kind, ticket=ticket, shape=shape)


@composite(rule=same, namespaces=(), random=True, ulp=0)
def philox_uniform(ticket: Ticket, shape: tuple[int, ...], kind: Kind) -> Tensor:
    """float32 numbers in [0, 1) of 24 bits: element i is word i % 4 of Philox block ``ticket.offset + i // 4``.

    ``kind`` is float32 on some device. A backend's kernel of this name takes ``ticket`` and ``shape``, and reads
    ``ticket.key`` and ``ticket.offset``.
    """
    return philox_uniform.emit(kind=kind, ticket=ticket, shape=shape)


@philox_uniform.expression
def _philox_uniform(*, ticket: Ticket, shape: tuple[int, ...], kind: Kind) -> Tensor:
    count = math.prod(shape)
    blocks = philox.blocks_for(count)
    # The key comes as data, so that a recorded program draws afresh.
    first, *keys = random_words(ticket, (21, 1), kind.sibling(int64)).unbind(0)
    counter = ramp(0, 1, blocks, int64, kind.device) + first
    low, high = counter & 0xFFFFFFFF, (counter >> 32) & 0xFFFFFFFF
    zero: Any = counter & 0
    out = philox.rounds((low, high, zero, zero), list(zip(keys[0::2], keys[1::2], strict=True)))
    bits = stack([word & 0xFFFFFF for word in out], 1).reshape(-1).narrow(0, 0, count)
    return (bits.to(float32) * 2.0**-24).reshape(shape)
