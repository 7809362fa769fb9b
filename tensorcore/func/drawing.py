"""Random draws inside `vmap`: none, one for all examples, or one for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorcore.errors import TransformError
from tensorcore.func.batched import BatchBackend, VmapLevel, filled
from tensorcore.func.levels import LevelKind
from tensorcore.levels import running, running_vmap, suspended
from tensorcore.tensor import Tensor, user_line

__all__ = ["batched_for_draws", "count_of_draws", "drawn", "philox_drawn"]


def drawn(level: VmapLevel, draw: Callable[..., Any], shape: Any, kind: Any, args: Any, kwargs: Any) -> Any:
    """What ``draw(shape, kind, ...)`` gives inside ``level``."""
    base = kind.base if isinstance(kind, LevelKind) else kind
    if level.randomness != "different":
        _allow(level)
        return draw(shape, base, *args, **kwargs)
    given = [_of_all(x, level) if isinstance(x, Tensor) else x for x in args]
    with suspended(level):
        made = draw((level.size, *shape), base, *given, **kwargs)
    return level.wrapped(made, 0)


def _of_all(x: Tensor, level: VmapLevel) -> Tensor:
    if x._kind.level is not None and x._kind.level.depth == level.depth:
        return filled(x._array, level.size)  # type: ignore[no-any-return]
    return x


def _allow(level: VmapLevel) -> None:
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
    _allow(level)
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
    from tensorcore.ops.drawing import philox_uniform

    levels = [each for each in running.levels if isinstance(each, VmapLevel) and each.randomness == "different"]
    base = kind.base if isinstance(kind, LevelKind) else kind
    made = philox_uniform.emit(kind=base, ticket=ticket, shape=(*[each.size for each in levels], *shape))
    for level in levels:
        made = level.wrapped(made, 0)
    return made  # type: ignore[no-any-return]


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
        return own.wrapped(type(array)(_spread(array.outer, level), rest))  # type: ignore[no-any-return]
    if own is not None and own.depth == level.depth and x._array.dim is not None:
        return x
    whole = x._array.outer if own is not None and own.depth == level.depth else x
    return level.on(x._kind.device).filled(whole)
