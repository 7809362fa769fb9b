"""Custom differentiable functions inside transforms: one level is taken off, and `Function.apply` goes on below it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from tensorcore.autograd.function import Function, FunctionCtx, connected
from tensorcore.autograd.mode import mode
from tensorcore.errors import TransformError
from tensorcore.func.batched import BatchBackend, Batched, VmapLevel, moved_to
from tensorcore.func.dual import Dual
from tensorcore.func.tangents import transposed_twice
from tensorcore.levels import resumed, running, suspended
from tensorcore.ops.creation import zeros
from tensorcore.ops.movement import expand, stack
from tensorcore.ops.parts import select
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.func.levels import TransformBackend

__all__ = ["VmapInfo", "applied"]


class VmapInfo(NamedTuple):
    """What the static method ``vmap`` of a custom function is told."""

    batch_size: int
    randomness: str


def applied(cls: type[Function], backend: TransformBackend, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``cls.apply(*args)`` for arguments of which the innermost are of ``backend``'s level."""
    step = _mapped if isinstance(backend, BatchBackend) else _pushed
    lifted = tuple([x if not isinstance(x, Tensor) or x._kind.level is backend else backend.lift(x) for x in args])
    bare = tuple([wrap(x._array, x._kind) if isinstance(x, Tensor) else x for x in lifted])
    if not (mode.grad and any(isinstance(x, Tensor) and x._node is not None for x in lifted)):
        return step(cls, backend, bare, kwargs)
    context = FunctionCtx()
    if cls.setup_context is not Function.setup_context:
        return connected(cls, context, lifted, kwargs, lambda: step(cls, backend, bare, kwargs))
    if cls.vmap is not Function.vmap and isinstance(backend, BatchBackend):
        raise RuntimeError(
            f"{cls.__name__}: inside vmap, a function with a vmap static method is differentiated only if it defines "
            "setup_context, apart from a forward without ctx"
        )
    # A forward with ctx runs as it is, by the rules of its ops; what it leaves in this level's graph is dropped.
    return connected(cls, context, lifted, kwargs, lambda: cls.forward(context, *lifted, **kwargs))


def _tuple(made: Any) -> tuple[Any, ...]:
    return made if isinstance(made, tuple) else (made,)


# ------------------------------------------------------------------ vmap


def _mapped(cls: type[Function], backend: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    level: Any = running.levels[backend.depth - 1]
    dims = tuple([x._array.dim if isinstance(x, Tensor) else None for x in args])
    outer = [x._array.outer if isinstance(x, Tensor) else x for x in args]
    if all(dim is None for dim in dims):
        with suspended(level):
            made = cls.apply(*outer, **kwargs)
        return _rewrapped(made, [None] * len(_tuple(made)), backend)
    if cls.vmap is not Function.vmap:
        with suspended(level):
            answer = cls.vmap(VmapInfo(level.size, level.randomness), dims, *outer, **kwargs)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise RuntimeError(f"{cls.__name__}.vmap: expected (output, out_dims), got {type(answer).__name__}")
        made, out_dims = answer
        places = out_dims if isinstance(out_dims, (tuple, list)) else [out_dims] * len(_tuple(made))
        if len(places) != len(_tuple(made)):
            raise RuntimeError(f"{cls.__name__}.vmap: {len(_tuple(made))} outputs, but out_dims={out_dims!r}")
        return _rewrapped(made, list(places), backend)
    if cls.generate_vmap_rule:
        call = _Generated(cls, backend, level, dims, kwargs)
        made = _Mapped.apply(call, *outer)
        return _rewrapped(made, call.outputs, backend)
    with suspended(level):
        rows = [
            cls.apply(*[x if dim is None else select(x, dim, i) for x, dim in zip(outer, dims, strict=True)], **kwargs)
            for i in range(level.size)
        ]
    if not rows:
        raise TransformError(f"vmap: {cls.__name__} runs example by example, and there are none")
    if not isinstance(rows[0], tuple):
        return _rewrapped(stack(rows), [0], backend)
    columns = [stack(list(column)) for column in zip(*rows, strict=True)]
    return _rewrapped(tuple(columns), [0] * len(columns), backend)


def _rewrapped(made: Any, dims: list[Any], backend: Any) -> Any:
    outs = []
    for x, dim in zip(_tuple(made), dims, strict=True):
        if not isinstance(x, Tensor):
            outs.append(x)
            continue
        outs.append(backend.wrapped(Batched(x, None if dim is None else dim % x.ndim)))
    return tuple(outs) if isinstance(made, tuple) else outs[0]


class _Generated:
    """One call of a function for all examples: how its inputs, saved tensors and outputs lie, told to `_Mapped`."""

    def __init__(
        self, cls: type[Function], backend: Any, level: VmapLevel, dims: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.cls, self.backend, self.level, self.dims, self.kwargs = cls, backend, level, dims, kwargs
        self.split = cls.setup_context is not Function.setup_context
        self.saved: list[int | None] = []
        self.outputs: list[int | None] = []

    def wrapped(self, tensors: Any, dims: Any) -> tuple[Any, ...]:
        """Tensors of all examples as those of one."""
        return tuple([
            self.backend.wrapped(Batched(x, dim)) if isinstance(x, Tensor) else x
            for x, dim in zip(tensors, dims, strict=True)
        ])  # fmt: skip

    def resumed(self) -> resumed:
        """Inside the level again."""
        return resumed((*self.level.before, self.level))


class _Mapped(Function):
    """A function for all examples as a function of its own: its forward and backward are those of one, mapped."""

    @staticmethod
    def forward(ctx: Any, call: _Generated, *given: Any) -> Any:
        cls, inner = call.cls, FunctionCtx()
        inner.needs_input_grad = ctx.needs_input_grad[1:]
        args = call.wrapped(given, call.dims)
        with call.resumed():
            made = cls.forward(*args, **call.kwargs) if call.split else cls.forward(inner, *args, **call.kwargs)
            if call.split:
                cls.setup_context(inner, args, made)
        outs = tuple([_lowered(x, call.backend) for x in _tuple(made)])
        call.outputs = [None if x is None else x[1] for x in outs]
        own = {id(x): place for place, x in enumerate(_tuple(made))}
        given_at = {id(x): place for place, x in enumerate(args)}
        results = [x if low is None else low[0] for x, low in zip(_tuple(made), outs, strict=True)]
        saved, call.saved = [], []
        for x in inner._saved:
            low = _lowered(x, call.backend)
            call.saved.append(None if low is None else low[1])
            # What is saved must be the very tensor that goes in or comes out, to keep its place in the graph.
            if id(x) in own:
                saved.append(results[own[id(x)]])
            elif id(x) in given_at:
                saved.append(given[given_at[id(x)]])
            else:
                saved.append(None if low is None else low[0])
        ctx.save_for_backward(*saved)
        marked = {id(x) for x in inner._not_differentiable}
        ctx.mark_non_differentiable(*[low for x, low in zip(_tuple(made), results, strict=True) if id(x) in marked])
        ctx.call, ctx.inner = call, inner
        return tuple(results) if isinstance(made, tuple) else results[0]

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        call = ctx.call
        saved = call.wrapped(ctx.saved_tensors, call.saved)
        name = f"{call.cls.__name__}Backward"
        step = SimpleNamespace(unpack=lambda: saved, name=lambda: name)
        ctx.inner._node = lambda: step
        with call.resumed():
            found = _tuple(call.cls.backward(ctx.inner, *call.wrapped(cotangents, call.outputs)))
        given = [_gathered(g, dim, call.level, call.backend) for g, dim in zip(found, call.dims, strict=False)]
        return (None, *given)


def _lowered(x: Any, backend: Any) -> tuple[Tensor, int | None] | None:
    """What a tensor wraps at this level, and the dimension of the examples."""
    if not isinstance(x, Tensor):
        return None
    if x._kind.level is backend:
        return x._array.outer, x._array.dim
    return x, None


def _gathered(g: Any, dim: int | None, level: VmapLevel, backend: Any) -> Any:
    """The cotangent of an operand of all examples: theirs side by side, or of one that they share, their sum."""
    low = _lowered(g, backend)
    if low is None:
        return None
    x, at = low
    if dim is None:
        return x * level.size if at is None else x.sum(at)
    if at is None:
        x, at = expand.emit(x, shape=(level.size, *x._array.shape)), 0
    return moved_to(x, at, dim)


# ------------------------------------------------------------------ forward mode


def _pushed(cls: type[Function], backend: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    outer = [x._array.outer if isinstance(x, Tensor) else x for x in args]
    if cls.jvp is Function.jvp:
        if getattr(cls.backward, "once", False):
            raise RuntimeError(
                f"{cls.__name__}: forward mode follows from a backward that can be differentiated, and this one is "
                "marked once_differentiable; define a static method jvp"
            )
        arrays = [x._array if isinstance(x, Tensor) else None for x in args]
        several: list[bool] = []

        def call(*operands: Any) -> tuple[Any, ...]:
            made = cls.apply(
                *[y if isinstance(x, Tensor) else x for x, y in zip(args, operands, strict=True)], **kwargs
            )
            several.append(isinstance(made, tuple))
            return _tuple(made)

        duals = transposed_twice(call, arrays)
        outs = tuple([backend.wrapped(dual) if isinstance(dual, Dual) else dual for dual in duals])
        return outs if several[0] else outs[0]
    context = FunctionCtx()
    made = connected(cls, context, tuple(outer), kwargs)
    along = [_tangent_of(x, context) if isinstance(x, Tensor) else None for x in args]
    context._in_forward = True
    try:
        tangents = _tuple(cls.jvp(context, *along))
    finally:
        context._in_forward = False
    outs = tuple(
        [
            backend.wrapped(Dual(y, t)) if isinstance(y, Tensor) else y
            for y, t in zip(_tuple(made), tangents, strict=True)
        ]
    )
    return outs if isinstance(made, tuple) else outs[0]


def _tangent_of(x: Tensor, context: FunctionCtx) -> Any:
    tangent = x._array.tangent
    if tangent is None and context._materialize:
        return zeros(tuple(x.shape), dtype=x.dtype, device=x.device)
    return tangent
