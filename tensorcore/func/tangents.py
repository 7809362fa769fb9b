"""Rules of forward mode: for each op, a kernel on `Dual` arrays.

A derivative along a tangent follows from the op's gradient rules. Linear ops are applied to the tangent itself,
products to one operand after another; the rule of an elementwise op takes a tangent as well as a cotangent, because its
Jacobian is diagonal; for the rest, the gradient rules are transposed: they are linear in the cotangent, and the
gradient of that linear map along a tangent is the derivative wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd import engine
from tensorcore.autograd.graph import _callers
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.func.batching import is_elementwise
from tensorcore.func.dual import Dual
from tensorcore.func.reverse import in_graph, passing_leaf
from tensorcore.ops.elementwise import where
from tensorcore.ops.movement import expand
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.func.dual import DualBackend
    from tensorcore.ops.record import Op

Kernel = Callable[..., Any]


def kernel_of(op: Op, backend: DualBackend) -> Kernel | None:
    """The kernel of ``op`` for duals; ``None`` where its expression takes them as they are."""
    if op.name == "assign":
        return backend.assign
    if op.name in DIRECT:
        return DIRECT[op.name](op, backend)
    if not op.operands:
        return _created(op, backend)
    if op.vjp is None:
        return None if op.body is not None else _constant(op)
    places = LINEAR.get(op.name)
    if places is not None:
        return _linear(op, places)
    if op.name in PRODUCTS:
        return _product(op)
    if is_elementwise(op) and op.outputs == 1:
        return _elementwise(op)
    return _transposed(op)


def _created(op: Op, backend: DualBackend) -> Kernel:
    def kernel(*, dtype: Any, index: int, **attributes: Any) -> Dual:
        return Dual(op.emit(kind=backend.device.kind(dtype), **attributes), None)

    return kernel


def _values(arrays: Sequence[Any]) -> list[Any]:
    return [None if a is None else a.outer for a in arrays]


def _constant(op: Op) -> Kernel:
    """An op without a derivative."""

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        made = op.emit(*_values(arrays), **attributes)
        return Dual(made, None) if op.outputs == 1 else tuple([Dual(each, None) for each in made])

    return kernel


def _without_tangents(arrays: tuple[Any, ...]) -> bool:
    return all(a is None or a.tangent is None for a in arrays)


# ------------------------------------------------------------------ linear ops

_LINEAR: Final = (
    "reshape", "permute", "expand", "flip", "roll", "basic_index", "copy", "alias", "cast", "real_part", "imag_part",
    "neg", "sum", "cumsum", "mean", "tril", "triu", "diagonal", "diag_embed", "unfold_dimension", "windows",
    "fold_windows", "avg_pool", "avg_pool_gradient", "resampled", "resampled_gradient",
    "resampled_nearest", "framed", "overlapped",
    "fft_c2c", "fft_r2c", "fft_c2r", "view_as_real", "view_as_complex", "conj_physical", "as_strided", "index",
    "gather", "index_select", "masked_scale",
)  # fmt: skip
#: Ops that are linear in some operands together, by their places; -1 stands for all.
LINEAR: Final[dict[str, tuple[int, ...]]] = {
    "embedding": (1,), "add": (0, 1), "sub": (0, 1), "complex": (0, 1), "where": (1, 2), "basic_index_put": (0, 1),
    "index_put": (0, 1), "scatter": (0, 2), "cat": (-1,), "stack": (-1,), **dict.fromkeys(_LINEAR, (0,)),
}  # fmt: skip

#: Ops that are linear in each of their first two operands, with a third added where there is one.
PRODUCTS: Final = (
    "mul", "matmul", "vector_products", "linalg_cross", "convolution_of", "convolution_input_gradient",
    "convolution_weight_gradient", "linear",
)  # fmt: skip


def constant_like(x: Any, value: int) -> Any:
    """A number, from outside of all transforms, stretched to the shape of ``x``."""
    kind = x._kind
    number = (kind if kind.level is None else kind.base).scalar(value)
    return expand.emit(number, shape=tuple(x._array.shape)) if x._array.shape else number


def _linear(op: Op, places: tuple[int, ...]) -> Kernel:
    transposed = _transposed(op)

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        if attributes.get("reduce", "set") not in ("set", "sum"):
            return transposed(*arrays, **attributes)
        made = op.emit(*_values(arrays), **attributes)
        linear = range(len(arrays)) if places == (-1,) else places
        if made._kind.dtype.category < FLOATING or all(
            arrays[place] is None or arrays[place].tangent is None for place in linear
        ):
            return Dual(made, None)
        along = _values(arrays)
        for place in linear:
            a = arrays[place]
            if a is not None:
                along[place] = constant_like(a.outer, 0) if a.tangent is None else a.tangent
        tangent = op.emit(*along, **attributes)
        return Dual(made, tangent)

    return kernel


def _product(op: Op) -> Kernel:
    transposed = _transposed(op)

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        if arrays[0].tangent is None and arrays[1].tangent is None:
            # A constant product plus what has a tangent.
            return transposed(*arrays, **attributes)
        values = _values(arrays)
        made = op.emit(*values, **attributes)
        added = [None if a is None else a.tangent for a in arrays[2:]]
        tangent = None
        for place in (0, 1):
            if arrays[place].tangent is None:
                continue
            factors = values[:2]
            factors[place] = arrays[place].tangent
            part = op.emit(*factors, *added, **attributes)
            tangent = part if tangent is None else tangent + part
            added = [None] * len(added)
        return Dual(made, tangent)

    return kernel


def _dropout(op: Op, backend: DualBackend) -> Kernel:
    def kernel(a: Dual, *, scale: float, **attributes: Any) -> Any:
        from tensorcore.ops.dropout import masked_scale

        out, mask = op.emit(a.outer, scale=scale, **attributes)
        tangent = None if a.tangent is None else masked_scale.emit(a.tangent, mask, scale=scale)
        return Dual(out, tangent), Dual(mask, None)

    return kernel


def _logcumsumexp(op: Op, backend: DualBackend) -> Kernel:
    """Weighted means of the tangents so far; the gradient rule takes logarithms of cotangents, which do not vanish."""

    def kernel(a: Dual, *, dim: int) -> Dual:
        made = op.emit(a.outer, dim=dim)
        if a.tangent is None:
            return Dual(made, None)
        top = a.outer.detach()
        top = (top.real if top.is_complex() else top).amax(dim, keepdim=True)
        weights = (a.outer - where(top.isfinite(), top, 0)).exp()
        total = weights.cumsum(dim)
        return Dual(made, (weights * a.tangent).cumsum(dim) / where(total == 0, 1, total))

    return kernel


#: Rules of their own.
DIRECT: Final[dict[str, Callable[[Op, Any], Kernel]]] = {"dropout_by_ticket": _dropout, "logcumsumexp": _logcumsumexp}

# ------------------------------------------------------------------ elementwise ops


class _Step:
    """What a gradient rule reads of a node, at the values of an op that has no node."""

    __slots__ = ("attributes", "edges", "inputs", "output", "shapes")

    def __init__(self, inputs: list[Any], output: Tensor, attributes: Any) -> None:
        self.inputs = inputs
        self.output = output
        self.attributes = attributes
        self.shapes = [None if x is None else x._array.shape for x in inputs]
        self.edges: list[Any] = [None] * len(inputs)

    def saved_output(self, create_graph: bool) -> Tensor:
        return self.output


def _elementwise(op: Op) -> Kernel:
    transposed = _transposed(op)

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        values = _values(arrays)
        # Complex rules multiply by conjugates, and not all functions are holomorphic.
        if any(x is not None and x._kind.dtype.category == COMPLEX for x in values):
            return transposed(*arrays, **attributes)
        made = op.emit(*values, **attributes)
        if _without_tangents(arrays) or made._kind.dtype.category < FLOATING:
            return Dual(made, None)
        callers = op.callers
        if callers is None:
            callers = op.callers = _callers(op)
        step = _Step(values, made, attributes)
        shape = tuple(made._array.shape)
        tangent = None
        for place, a in enumerate(arrays):
            if a is None or a.tangent is None:
                continue
            along = a.tangent
            if tuple(along._array.shape) != shape:
                along = expand.emit(along, shape=shape)
            if callable(op.vjp):
                step.edges = [place if each == place else None for each in range(len(arrays))]
                part = callers[0](op.vjp, along, step, True)
                part = part[place] if op.joint else part
            else:
                part = None if callers[place] is None else callers[place](op.vjp[place], along, step, True)
            if part is not None:
                tangent = part if tangent is None else tangent + part
        if tangent is not None and tangent._kind.dtype is not made._kind.dtype:
            tangent = tangent.to(made._kind.dtype)
        if tangent is not None and tuple(tangent._array.shape) != shape:
            tangent = expand.emit(tangent, shape=shape)
        return Dual(made, tangent)

    return kernel


# ------------------------------------------------------------------ all others


def _transposed(op: Op) -> Kernel:
    def kernel(*arrays: Any, **attributes: Any) -> Any:
        if _without_tangents(arrays):
            made = op.emit(*_values(arrays), **attributes)
            return Dual(made, None) if op.outputs == 1 else tuple([Dual(each, None) for each in made])

        def call(*operands: Any) -> tuple[Any, ...]:
            made = op.emit(*operands, **attributes)
            return (made,) if op.outputs == 1 else tuple(made)

        duals = transposed_twice(call, arrays)
        return duals[0] if op.outputs == 1 else duals

    return kernel


def transposed_twice(call: Callable[..., tuple[Any, ...]], arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The outputs of ``call`` at the values of ``arrays``, as duals whose tangents follow from its gradient."""
    values = _values(arrays)
    tangents = [None if a is None else a.tangent for a in arrays]
    moving = [place for place, t in enumerate(tangents) if t is not None]
    outer = mode.grad
    record = outer and any(in_graph(x) for x in (*values, *tangents) if x is not None)
    mode.grad = True
    try:
        operands = on_one_level(values)
        for place in moving:
            x = operands[place]
            operands[place] = x.alias() if outer and x._node is not None else passing_leaf(x)
        outs = call(*operands)
        along = _derivatives(outs, [operands[p] for p in moving], [tangents[p] for p in moving], record)
    finally:
        mode.grad = outer
    # Nodes of the passing leaves alone are of no use to anybody.
    if not (record and any(x is not None and x._node is not None for x in values)):
        outs = tuple([released(x) for x in outs])
        if not (record and any(x is not None and x._node is not None for x in tangents)):
            along = [released(t) for t in along]
    return tuple([Dual(x, t) if isinstance(x, Tensor) else x for x, t in zip(outs, along, strict=True)])


def on_one_level(values: list[Any]) -> list[Any]:
    """Operands at the innermost of their levels, where one graph holds them all."""
    inner = None
    for x in values:
        level = None if x is None else x._kind.level
        if level is not None and (inner is None or level.depth > inner.depth):
            inner = level
    return list(values) if inner is None else list(inner.lifted(tuple(values)))


def released(x: Any) -> Any:
    """A tensor outside of the graph of its level; anything else as it is."""
    return wrap(x._array, x._kind) if isinstance(x, Tensor) and x._node is not None else x


def _derivatives(
    outs: tuple[Any, ...], operands: list[Tensor], tangents: list[Any], record: bool
) -> list[Tensor | None]:
    found: list[Tensor | None] = [None] * len(outs)
    places = [place for place, y in enumerate(outs) if isinstance(y, Tensor) and y._node is not None]
    if not places:
        return found
    cotangents = [dummy_cotangent(outs[place]) for place in places]
    back = engine.grad([outs[p] for p in places], operands, cotangents, create_graph=True, allow_unused=True)
    pairs = [(x, t) for x, t in zip(back, tangents, strict=True) if x is not None and x._node is not None]
    if not pairs:
        return found
    through, along = zip(*pairs, strict=True)
    made = engine.grad(through, cotangents, along, create_graph=record, allow_unused=True)
    for place, t in zip(places, made, strict=True):
        found[place] = t
    return found


def dummy_cotangent(y: Tensor) -> Tensor:
    """Zeros to transpose a gradient by, at the level of ``y``."""
    zero = constant_like(y, 0)
    level = y._kind.level
    return passing_leaf(zero if level is None else level.lift(zero))
