"""Random draws inside `vmap`: none, one for all examples, or one for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import float32
from tensorcore.errors import TransformError
from tensorcore.func.batched import BatchBackend, Batched, VmapLevel, filled, front
from tensorcore.func.levels import LevelKind
from tensorcore.levels import running, running_vmap, suspended
from tensorcore.ops import elementwise as e
from tensorcore.ops.drawing import philox_uniform
from tensorcore.ops.dropout import masked_scale
from tensorcore.tensor import Tensor, user_line

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["allow_draws", "batched_for_draws", "count_of_draws", "drawn", "dropout_at", "philox_drawn"]


def drawn(level: VmapLevel, draw: Callable[..., Any], shape: Any, kind: Any, args: Any, kwargs: Any) -> Any:
    """What ``draw(shape, kind, ...)`` gives inside ``level``."""
    base = kind.base if isinstance(kind, LevelKind) else kind
    if level.randomness == "different":
        given = [filled(x._array, level.size) if _is_of(level, x) else x for x in args]
        return level.wrapped(_outside(level, draw, (level.size, *shape), base, given, kwargs), 0)
    allow_draws(level)
    if any(_is_of(level, x) for x in args):
        # One draw for all, made into what differs between them.
        return draw(shape, base, *args, **kwargs)
    return _outside(level, draw, shape, base, args, kwargs)


def _is_of(level: VmapLevel, x: Any) -> bool:
    return isinstance(x, Tensor) and x._kind.level is not None and x._kind.level.depth == level.depth


def _outside(level: VmapLevel, draw: Callable[..., Any], shape: Any, kind: Any, args: Any, kwargs: Any) -> Any:
    with suspended(level):
        outer = running_vmap()
        if outer is None:
            return draw(shape, kind, *args, **kwargs)
        return drawn(outer, draw, shape, kind, args, kwargs)


def allow_draws(level: VmapLevel) -> None:
    """Refuse draws inside a `vmap` that is not told what they should do."""
    if level.randomness == "error":
        raise TransformError(
            f"vmap: called random operation while in randomness error mode, at {user_line()}; pass vmap(..., "
            "randomness='different') for a draw of each example, 'same' for one that all share, or draw outside"
        )


def count_of_draws(kind: str, count: int) -> int:
    """How many numbers a ticket reserves inside `vmap`, for what does not come through `drawn`."""
    level = running_vmap()
    if level is None:
        return count
    allow_draws(level)
    for each in running.levels:
        if isinstance(each, VmapLevel) and each.randomness == "different":
            if kind != "philox":
                raise TransformError(
                    f"vmap: this op cannot draw for each example, at {user_line()}; draw outside of vmap, or pass "
                    "randomness='same'"
                )
            count *= each.size
    return count


def philox_drawn(ticket: Any, shape: tuple[int, ...], kind: Any) -> Tensor:
    """`philox_uniform` of a ticket for all examples whose draws differ."""
    levels = [each for each in running.levels if isinstance(each, VmapLevel) and each.randomness == "different"]
    base = kind.base if isinstance(kind, LevelKind) else kind
    made = philox_uniform.emit(kind=base, ticket=ticket, shape=(*[each.size for each in levels], *shape))
    for level in levels:
        made = level.wrapped(made, 0)
    return made


def dropout_at(backend: BatchBackend, op: Op) -> Callable[..., Any]:
    """The kernel of `dropout_by_ticket`: of draws that differ the ticket is for all examples, and one op draws them."""

    def kernel(a: Batched, *, ticket: Any, keep: float, scale: float, shape: tuple[int, ...]) -> Any:
        level: Any = running.levels[backend.depth - 1]
        facts = {"ticket": ticket, "keep": keep, "scale": scale}
        if a.dim is not None and level.randomness == "different":
            with suspended(level):
                out, mask = op.emit(front(a), shape=(level.size, *shape), **facts)
            return Batched(out, 0), Batched(mask, 0)
        with suspended(level):
            if a.dim is None:
                out, mask = op.emit(a.outer, shape=shape, **facts)
                return Batched(out, None), Batched(mask, None)
            mask = e.lt(philox_drawn(ticket, shape, a.outer._kind.sibling(float32)), keep)
            return Batched(masked_scale.emit(front(a), mask, scale=scale), 0), Batched(mask, None)

    return kernel


def batched_for_draws(x: Tensor) -> Tensor:
    """``x`` with memory for each example of every `vmap` whose examples draw differently."""
    for level in running.levels:
        if isinstance(level, VmapLevel) and level.randomness == "different":
            x = _spread(x, level)
    return x


def _spread(x: Tensor, level: VmapLevel) -> Tensor:
    own = x._kind.level
    if own is not None and own.depth > level.depth:
        array = x._array
        rest = array.dim if isinstance(own, BatchBackend) else array.tangent
        return own.wrapped(type(array)(_spread(array.outer, level), rest))
    if own is not None and own.depth == level.depth and x._array.dim is not None:
        return x
    whole = x._array.outer if own is not None and own.depth == level.depth else x
    return level.on(x._kind.device).spread(whole)
