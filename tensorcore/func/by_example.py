"""`vmap` of ops that read values: the op is called for one example after another, and the results are stacked.

Such an op is recorded with ``by_example``. Its front runs as any other; only where it comes to read what differs
between examples is it begun anew here. The loop is a custom function without a rule for `vmap`, which by itself runs
example by example at every level, has a gradient, and a derivative in forward mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tensorcore.autograd import engine
from tensorcore.autograd.function import Function, FunctionCtx
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import FLOATING
from tensorcore.errors import ShapeError, TransformError
from tensorcore.func.drawing import allow_draws
from tensorcore.func.pytree import Spec, flatten, unflatten
from tensorcore.func.reverse import passing_leaf
from tensorcore.func.tangents import on_one_level
from tensorcore.levels import running_vmap, suspended
from tensorcore.ops.creation import zeros_like
from tensorcore.ops.movement import stack
from tensorcore.ops.parts import select
from tensorcore.random.generator import default_generator
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["called_by_example"]


class _Call(NamedTuple):
    """A call of which the tensors are still to come."""

    function: Callable[..., Any]
    leaves: list[Any]
    spec: Spec
    places: list[int]
    #: The containers of the result, once there is one.
    result: list[Spec]

    def __call__(self, *tensors: Any) -> tuple[Any, ...]:
        leaves = list(self.leaves)
        for place, x in zip(self.places, tensors, strict=True):
            leaves[place] = x
        args, kwargs = unflatten(leaves, self.spec)
        made, spec = flatten(self.function(*args, **kwargs))
        self.result[:] = [spec]
        return tuple(made)


class _EachExample(Function):
    """``call(*tensors)``, a tuple of tensors; its gradient is that of each example's call."""

    @staticmethod
    def forward(call: Callable[..., Any], *tensors: Any) -> Any:
        return call(*tensors)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.call, *tensors = inputs  # type: ignore[attr-defined]
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: FunctionCtx, *cotangents: Any) -> Any:
        call, tensors = ctx.call, ctx.saved_tensors  # type: ignore[attr-defined]
        places = [place for place, x in enumerate(tensors) if _is_differentiable(x)]
        given = [g for g in cotangents if g is not None and _is_differentiable(g)]

        def pulled(*operands: Any) -> tuple[Any, ...]:
            return _pulled(call, operands[: len(tensors)], operands[len(tensors) :], places)

        found = iter(_EachExample.apply(pulled, *tensors, *given))
        return (None, *[next(found) if place in places else None for place in range(len(tensors))])


def _is_differentiable(x: Tensor) -> bool:
    return x._kind.dtype.category >= FLOATING


def _pulled(call: Any, tensors: tuple[Tensor, ...], cotangents: Any, places: list[int]) -> tuple[Any, ...]:
    """The cotangents of the tensors at ``places`` for those of the differentiable outputs of ``call``."""
    outer = mode.grad
    mode.grad = True
    try:
        operands = on_one_level(list(tensors))
        for place in places:
            x = operands[place]
            operands[place] = x.alias() if outer and x._node is not None else passing_leaf(x)
        leaves = [operands[place] for place in places]
        outputs = [y for y in call(*operands) if _is_differentiable(y)]
        pairs = [(y, g) for y, g in zip(outputs, cotangents, strict=True) if y._node is not None]
        found: Any = [None] * len(leaves)
        if pairs:
            ys, gs = zip(*pairs, strict=True)
            found = engine.grad(ys, leaves, gs, create_graph=outer, allow_unused=True)
    finally:
        mode.grad = outer
    return tuple([zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)])


def called_by_example(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``op(*args, **kwargs)`` for each example of the innermost `vmap`, stacked.

    Raises:
        TransformError: where examples give results of different shapes, or a result is no tensor.
    """
    leaves, spec = flatten((args, kwargs))
    places = [place for place, x in enumerate(leaves) if isinstance(x, Tensor)]
    tensors = [leaves[place] for place in places]
    if op.vjp is None and op.by_example == "constant":
        tensors = [x.detach() for x in tensors]
    call = _Call(op.front, leaves, spec, places, [])
    try:
        made = _drawn(op, call, tensors, kwargs) if op.random else _EachExample.apply(call, *tensors)
    except ShapeError as error:
        raise TransformError(
            f"{op.name}: vmap runs it example by example, and their results differ in shape: {error}"
        ) from error
    return unflatten(made, call.result[0])


def _drawn(op: Op, call: _Call, tensors: list[Tensor], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The results of an op that draws: for each example on its own, or from the same numbers."""
    level = running_vmap()
    allow_draws(level)
    generator = kwargs.get("generator") or default_generator
    state = generator.get_state()
    rows = []
    with suspended(level):
        for place in range(level.size):
            if level.randomness == "same":
                generator.set_state(state)
            rows.append(call(*[_of_example(x, level, place) for x in tensors]))
        columns = [stack(list(column)) for column in zip(*rows, strict=True)]
    return tuple([level.wrapped(column, 0) for column in columns])


def _of_example(x: Tensor, level: Any, place: int) -> Tensor:
    """The values of one example, without tangents of levels within."""
    while x._kind.level is not None and x._kind.level.depth > level.depth:
        x = x._array.outer
    if x._kind.level is None or x._kind.level.depth < level.depth:
        return x
    array = x._array
    return array.outer if array.dim is None else select(array.outer, array.dim, place)
