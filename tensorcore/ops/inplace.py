"""Writing into tensors: memory, views, versions and the autograd graph kept consistent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore import dispatch
from tensorcore.autograd.graph import LEAF, Node, OpNode, clock, current_node
from tensorcore.autograd.inplace import check_inplace
from tensorcore.autograd.mode import mode
from tensorcore.autograd.sequence import next_sequence
from tensorcore.dtypes import FLOATING, INTEGER
from tensorcore.errors import DTypeError, InplaceError, ShapeError
from tensorcore.kernel_errors import explain
from tensorcore.ops.creation import zeros
from tensorcore.ops.elementwise import add
from tensorcore.ops.movement import expand
from tensorcore.ops.node_names import renamed
from tensorcore.ops.record import REGISTRY, composite, primitive
from tensorcore.ops.rules import same
from tensorcore.ops.views import squeeze, t, transpose, unsqueeze
from tensorcore.tensor import mark_changed, root_of, wrap

if TYPE_CHECKING:
    from tensorcore.ops.record import Op
    from tensorcore.tensor import Tensor


@primitive(rule=same, namespaces=(), ulp=0)
def assign(target: Tensor, source: Tensor) -> Tensor:
    """Write ``source``, of the target's shape and dtype, into the memory of ``target`` (`Backend.assign`)."""
    return assign.emit(target, source)


def update(op: Op, target: Tensor, other: Any, name: str) -> bool:
    """Run the kernel of a binary op straight into the target's memory, where nothing else has to be kept up.

    False, with nothing done, where the general way through `write` is needed: another kind or shape, autograd,
    an interceptor, a backend without such a kernel.
    """
    if dispatch._busy:
        return False
    kind = target._kind
    kernel = kind.writer(op)
    if kernel is None:
        return False
    cls = type(other)
    if cls is float or cls is int:
        if kind.dtype.category < (FLOATING if cls is float else INTEGER):
            return False
        other = kind.scalar(other)
    elif getattr(other, "_kind", None) is not kind:
        return False
    shape = other._array.shape
    if shape != target._array.shape and shape != ():
        return False
    if mode.grad and (target._node is not None or other._node is not None or root_of(target)._node is not None):
        return False
    if target._view is not None and not kind.backend.is_contiguous(target._array) and _overlaps(target):
        return False
    mark_changed(target, name)
    try:
        kernel(target._array, other._array, out=target._array)
    except Exception as error:
        explain(op, (target, other), error)
    return True


def update_at(op: Op, target: Tensor, operands: tuple[Tensor, ...], name: str, **attributes: Any) -> bool:
    """Run the kernel of ``op`` on ``target`` and ``operands`` straight into the target's memory, as `update` does.

    What is written at a few places of a large tensor then costs what is written, not two copies of the tensor.
    """
    if dispatch.is_busy():
        return False
    kind = target._kind
    kernel = kind.writer(op)
    if kernel is None or any(x._kind.device is not kind.device for x in operands):
        return False
    if mode.grad and any(x._node is not None for x in (target, root_of(target), *operands)):
        return False
    if target._view is not None and not kind.backend.is_contiguous(target._array) and _overlaps(target):
        return False
    mark_changed(target, name)
    try:
        kernel(target._array, *[x._array for x in operands], out=target._array, **attributes)
    except Exception as error:
        explain(op, (target, *operands), error)
    return True


def store(target: Tensor, source: Tensor, name: str) -> bool:
    """Copy ``source``, of the target's kind and its shape or none, straight into its memory, as `update` does."""
    kind = target._kind
    if dispatch._busy or source._kind is not kind or not kind.mutable:
        return False
    shape = source._array.shape
    if shape and shape != target._array.shape:
        return False
    if mode.grad and (target._node is not None or source._node is not None or root_of(target)._node is not None):
        return False
    if target._view is not None and not kind.backend.is_contiguous(target._array) and _overlaps(target):
        return False
    mark_changed(target, name)
    kind.assign(target._array, source._array)
    return True


def add_into(target: Tensor, other: Tensor) -> Tensor:
    """``target + other`` in the memory of ``target``, for tensors outside the graph; a new tensor where it is sparse.

    Gradients are accumulated by it: no node, no note of the user's line.
    """
    if not dispatch.is_busy():
        kind = target._kind
        kernel = kind.writer(add)
        if kernel is not None and other._kind is kind and other._array.shape == target._array.shape:
            kernel(target._array, other._array, out=target._array)
            target._changes += 1
            return target
    if target._kind.sparse:
        return target + other
    return write(target, target + other, "add_")


def finished(input: Any, result: Any, inplace: bool, op: str) -> Any:
    """``result``, written into ``input`` if that was asked for by the argument ``inplace=``."""
    return write(input, result, op) if inplace else result


def write(target: Tensor, result: Tensor, op: str) -> Tensor:
    """Make ``result`` the content of ``target``, as the in-place op ``op`` does; returns ``target``.

    Raises:
        InplaceError: for a leaf that requires grad, in grad mode.
        DTypeError: if the result's category does not fit the target's dtype.
        ShapeError: if the result's shape is not the target's.
    """
    check_inplace(target, op)
    kind = target._kind
    if result._kind is not kind:
        inner = result._kind.level
        if inner is not kind.level and inner is not None and (kind.level is None or inner.depth > kind.level.depth):
            result = inner.entering(op, target, result)
            return write(target, result, op)
        if result._kind.dtype.category > kind.dtype.category:
            raise DTypeError(
                f"{op}: the result is {result.dtype} and cannot be written into a tensor of {target.dtype}"
            )
        result = result.to(device=kind.device, dtype=kind.dtype)
    if result._array.shape != target._array.shape:
        raise ShapeError(
            f"{op}: the result of shape {list(result.shape)} does not fit the tensor written to, of shape "
            f"{list(target.shape)}"
        )
    if target._view is not None and kind.mutable and _overlaps(target):
        raise InplaceError(
            f"{op}: several elements of the tensor of shape {list(target.shape)} share one place in memory (it "
            "was expanded); "
            "clone it before changing it in place"
        )
    connect = mode.grad and (result._node is not None or target._node is not None)
    if connect and result._node is LEAF:
        # The target would pass for the leaf itself, and the leaf would get no gradient.
        result = result.alias()
    node = result._node
    if isinstance(node, OpNode) and node.inputs and any(x is target for x in node.inputs):
        # The op that makes the result reads in backward what it is about to overwrite; as PyTorch does, it gets a copy.
        kept = snapshot(target)
        node.inputs = tuple(kept if x is target else x for x in node.inputs)
    before: Any = target._node if connect and node is None and target._view is None else None
    mark_changed(target, op)
    with_grad = mode.grad
    # What a transform wraps may be in a graph of its own.
    mode.grad = with_grad and kind.level is not None
    try:
        target._array = assign.emit(target, result)._array
    finally:
        mode.grad = with_grad
    if connect:
        target._node = result._node if before is None else Overwritten(before, op)
    if target._view is not None and (connect or not kind.mutable):
        write_through(target, connect)
    return target


class Overwritten(Node):
    """The step of a tensor all of whose elements were replaced by what needs no gradient: that of the old ones is 0."""

    __slots__ = ("clock", "op")

    def __init__(self, before: Node, op: str) -> None:
        self.op = op
        self.edges = (before,)
        self.kind, self.shape = before.kind, before.shape
        self.hooks = self.post_hooks = self.overwritten = None
        self.clock = clock.now
        self.sequence = next_sequence()

    def name(self) -> str:
        return f"{self.op.strip('_').title().replace('_', '')}Backward0"

    def backward(self, cotangent: Tensor, create_graph: bool) -> tuple[Tensor]:
        return (zeros(self.shape, dtype=self.kind.dtype, device=self.kind.device),)


def _overlaps(target: Tensor) -> bool:
    shape = target._array.shape
    return 0 not in shape and any(step == 0 and side > 1 for step, side in zip(target.stride(), shape, strict=True))


def snapshot(tensor: Tensor) -> Tensor:
    """A copy of what a tensor holds now, at its place in the graph."""
    with_grad = mode.grad
    mode.grad = False
    try:
        kept = REGISTRY["copy"].emit(tensor)
    finally:
        mode.grad = with_grad
    kept._node = current_node(tensor)
    return kept


def write_through(view: Tensor, connect: bool) -> None:
    """Bring what was written to a view into the tensors it was taken from: their graph, and immutable memory."""
    while view._view is not None:
        base, op, attributes = view._view
        if op.put is None:
            raise InplaceError(
                f"{op.name}: a tensor expanded from a smaller one cannot be changed in place; clone it first"
            )
        # As a tensor of its own: as a view it would be taken anew from the base, whose graph is not yet the new one.
        value = wrap(view._array, view._kind)
        value._node = view._node
        whole = op.put(base, value, **attributes)
        if not base._kind.mutable:
            base._array = whole._array
        if connect:
            base._node = whole._node
            renamed(whole, "CopySlices")
        view = base


def write_out(out: Tensor, result: Tensor) -> Tensor:
    """Store a result in the tensor given as ``out=``; its shape is adapted as in PyTorch."""
    if result._kind.level is not out._kind.level:
        raise InplaceError(
            "out: a result of a transform (vmap, forward mode) does not fit a tensor from outside of it; use the "
            "result itself"
        )
    if out._array.shape != result._array.shape:
        if out.numel():
            raise ShapeError(f"out: has shape {list(out.shape)}, the result {list(result.shape)}")
        out._array = result._array if out._kind is result._kind else result.to(out.dtype)._array
        return out
    return write(out, result, "out=")


def _copied(source: Tensor) -> Tensor:
    """``source`` at a step of its own, called as PyTorch calls that of `copy_`."""
    step = source.alias()
    renamed(step, "CopyBackwards")
    return step


@composite(namespaces=("Tensor",))
def copy_(input: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Copy the elements of ``src``, a tensor or number, broadcast and converted, into this tensor.

    Raises:
        ShapeError: if ``src`` does not broadcast to this tensor's shape.

    Example:
        >>> x = tc.zeros(2, 2)
        >>> x.copy_(tc.tensor([1, 2]))
        tensor([[1., 2.],
                [1., 2.]])
    """
    try:
        source = src if src._kind is input._kind else src.to(device=input.device, dtype=input.dtype)
    except AttributeError:
        if isinstance(src, (int, float, complex)):
            return fill_(input, src)
        raise
    if store(input, source, "copy_"):
        return input
    if mode.grad and source._node is not None:
        source = _copied(source)
    return write(input, source.expand(input.shape) if source.shape != input.shape else source, "copy_")


def _once(target: Tensor) -> Tensor:
    """The elements of an expanded tensor, each once: what is the same everywhere can be written to it."""
    if target._kind.mutable and _overlaps(target):
        for dim, (step, side) in enumerate(zip(target.stride(), target._array.shape, strict=True)):
            if step == 0 and side > 1:
                target = target.narrow(dim, 0, 1)
    return target


@composite(namespaces=("", "Tensor"))
def fill_(input: Tensor, value: Any) -> Tensor:
    """Set every element to ``value``, a number or a 0-d tensor.

    Raises:
        ShapeError: for a tensor that is not 0-d.

    Example:
        >>> tc.zeros(2).fill_(3.5), tc.zeros(2, dtype=tc.int64).fill_(3.5)
        (tensor([3.5000, 3.5000]), tensor([3, 3]))
    """
    if input._view is not None and (part := _once(input)) is not input:
        fill_(part, value)
        return input
    kind = input._kind
    if type(value) in (int, float) and (kind.dtype.category >= FLOATING or value == 0):
        source = kind.scalar(value)
        return input if store(input, source, "fill_") else write(input, expand(source, input._array.shape), "fill_")
    if hasattr(value, "_array"):
        if value.ndim:
            raise ShapeError(f"fill_: expected a number or 0-d tensor, got shape {list(value.shape)}")
        return copy_(input, value)
    from tensorcore.ops.creation import full_like

    return write(input, full_like(input, value), "fill_")


@composite(namespaces=("", "Tensor"))
def zero_(input: Tensor) -> Tensor:
    """Set every element to zero.

    Example:
        >>> tc.tensor([1.0, float("nan")]).zero_()
        tensor([0., 0.])
    """
    if store(input, input._kind.scalar(0), "zero_"):
        return input
    if input._kind.sparse:
        from tensorcore.ops.creation import zeros_like

        return write(input, zeros_like(input), "zero_")
    return fill_(input, 0)


@composite(namespaces=("",), samples=({"shapes": ((2, 3),), "args": (1.5,)},), ulp=0)
def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor of the shape of ``input`` with every element ``value``, a number or a 0-d tensor.

    Example:
        >>> tc.fill(tc.zeros(2), 3)
        tensor([3., 3.])
    """
    return fill_(input.clone(), value)


@composite(namespaces=("", "Tensor"))
def detach_(input: Tensor) -> Tensor:
    """Take this tensor out of the graph that made it; it becomes a leaf.

    Example:
        >>> x = tc.ones(2, requires_grad=True) * 2
        >>> x.is_leaf, x.detach_().is_leaf, x.requires_grad
        (False, True, False)
    """
    input._node = None
    return input


# ------------------------------------------------------------------ another shape for the same tensor


def reshaped(input: Tensor, front: Any, *args: Any) -> Tensor:
    """Make ``input`` the view of itself that ``front`` gives; its memory and other views of it stay."""
    from tensorcore.tensor import wrap

    before = wrap(input._array, input._kind)
    before._node, before._view = input._node, input._view
    check_inplace(input, front.__name__ + "_")
    result = front(before, *args)
    input._array = result._array
    input._node = result._node
    if input._view is not None:
        input._view = result._view
    return input


@composite(namespaces=("Tensor",))
def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """`unsqueeze` in place.

    Example:
        >>> tc.tensor([1, 2]).unsqueeze_(1)
        tensor([[1],
                [2]])
    """
    return reshaped(input, unsqueeze, dim)


@composite(namespaces=("Tensor",))
def squeeze_(input: Tensor, dim: Any = None, *more: int) -> Tensor:
    """`squeeze` in place.

    Example:
        >>> tc.tensor([[1, 2]]).squeeze_()
        tensor([1, 2])
    """
    return reshaped(input, squeeze, dim, *more)


@composite(namespaces=("Tensor",), aliases=("swapaxes_", "swapdims_"))
def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose` in place.

    Example:
        >>> tc.tensor([[1, 2, 3]]).transpose_(0, 1)
        tensor([[1],
                [2],
                [3]])
    """
    return reshaped(input, transpose, dim0, dim1)


@composite(namespaces=("Tensor",))
def t_(input: Tensor) -> Tensor:
    """`t` in place.

    Example:
        >>> tc.tensor([[1, 2, 3]]).t_()
        tensor([[1],
                [2],
                [3]])
    """
    if input.ndim > 2:
        raise ShapeError(f"t_: expected at most 2 dimensions, got shape {list(input.shape)}; use .transpose_")
    return reshaped(input, t)


@composite(namespaces=("Tensor",))
def apply_(input: Tensor, callable: Any) -> Tensor:
    """Replace each element by what the Python function ``callable`` makes of it.

    Example:
        >>> tc.tensor([1.0, 2.0]).apply_(lambda x: x * 10)
        tensor([10., 20.])
    """
    return write(input, _from_numbers([callable(x) for x in input.reshape(-1).tolist()], input), "apply_")


@composite(namespaces=("Tensor",))
def map_(input: Tensor, tensor: Tensor, callable: Any) -> Tensor:
    """Replace each element by what the Python function ``callable`` makes of it and of that of ``tensor``.

    Example:
        >>> tc.tensor([1.0, 2.0]).map_(tc.tensor([3.0, 4.0]), lambda a, b: a * b)
        tensor([3., 8.])
    """
    pairs = zip(input.reshape(-1).tolist(), tensor.expand(input.shape).reshape(-1).tolist(), strict=True)
    return write(input, _from_numbers([callable(a, b) for a, b in pairs], input), "map_")


@composite(namespaces=("Tensor",))
def map2_(input: Tensor, x: Tensor, y: Tensor, callable: Any) -> Tensor:
    """Replace each element by what the Python function ``callable`` makes of it and of those of ``x`` and ``y``.

    Example:
        >>> tc.tensor([1.0, 2.0]).map2_(tc.tensor([3.0, 4.0]), tc.tensor([5.0, 6.0]), lambda a, b, c: a * b + c)
        tensor([ 8., 14.])
    """
    others = [tensor.expand(input.shape).reshape(-1).tolist() for tensor in (x, y)]
    values = [callable(*each) for each in zip(input.reshape(-1).tolist(), *others, strict=True)]
    return write(input, _from_numbers(values, input), "map2_")


def _from_numbers(values: list[Any], like: Any) -> Any:
    from tensorcore.tensor import from_values

    return from_values(values, tuple(like.shape), like._kind)
