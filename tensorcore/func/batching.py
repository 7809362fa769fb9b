"""Batching rules: for each op, a kernel on `Batched` arrays that calls the op once for all examples.

A rule is made from the op's record by one of a few builders: elementwise ops align what is batched, ops along
dimensions count them from behind the examples, others take any number of leading dimensions, fold the examples into
theirs, or have a rule written out in `batch_rules`. An expression without a gradient rule of its own is run as it
is, by the rules of its ops. What remains runs example by example; `tensorcore.func.batching_rules` lists which ops do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from tensorcore.errors import TransformError
from tensorcore.func.batched import Batched, filled, front, size_of
from tensorcore.ops.movement import reshaped, stack
from tensorcore.ops.parts import select

if TYPE_CHECKING:
    from tensorcore.func.batched import BatchBackend
    from tensorcore.ops.record import Op

__all__ = ["batching_rules"]

Kernel = Callable[..., Any]
Rule = Callable[["Op"], Kernel]

# ------------------------------------------------------------------ builders


def results(op: Op, made: Any, dim: int | None = 0) -> Any:
    """What an op gave for all examples, as the arrays of one."""
    if op.outputs == 1:
        return Batched(made, dim)
    return tuple([Batched(each, dim) for each in made])


def shared(op: Op) -> Kernel:
    """The op on operands that all examples share."""

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        return results(op, op.emit(*[None if a is None else a.outer for a in arrays], **attributes), None)

    return kernel


def rule(body: Callable[..., Any]) -> Rule:
    """A rule from ``body(op, size, *arrays, **attributes)``, called where an operand is batched."""

    @wraps(body)
    def build(op: Op) -> Kernel:
        on_shared = shared(op)

        def kernel(*arrays: Any, **attributes: Any) -> Any:
            size = size_of(arrays)
            if size is None:
                return on_shared(*arrays, **attributes)
            return body(op, size, *arrays, **attributes)

        return kernel

    return build


def elementwise(op: Op) -> Kernel:
    """Ops whose operands broadcast: batched ones get their examples in front of as many dimensions."""
    emit = op.emit
    if len(op.operands) == 1:

        def unary(a: Batched, **attributes: Any) -> Any:
            return results(op, emit(a.outer, **attributes), a.dim)

        return unary

    def binary(a: Any, b: Any) -> Any:
        if a.dim == 0:
            if (len(b.shape) == len(a.shape) and not b.dim) or (b.dim is None and len(b.shape) < len(a.shape)):
                return Batched(emit(a.outer, b.outer), 0)
        elif a.dim is None and b.dim == 0 and len(a.shape) <= len(b.shape):
            return Batched(emit(a.outer, b.outer), 0)
        return several(a, b)

    def several(*arrays: Any, **attributes: Any) -> Any:
        if size_of(arrays) is None:
            return on_shared(*arrays, **attributes)
        ndim = max(len(a.shape) for a in arrays if a is not None)
        return results(op, emit(*[None if a is None else aligned(a, ndim) for a in arrays], **attributes))

    on_shared = shared(op)
    return binary if len(op.operands) == 2 and op.outputs == 1 and op.elementwise else several


def aligned(a: Batched, ndim: int) -> Any:
    """The tensor of all examples, theirs in front of ``ndim`` dimensions; of what all share, as it is."""
    if a.dim is None:
        return a.outer
    x = front(a)
    lead = ndim - len(a.shape)
    return reshaped(x, (x._array.shape[0], *(1,) * lead, *a.shape)) if lead else x


@rule
def leading(op: Op, size: int, /, *arrays: Any, **attributes: Any) -> Any:
    """Ops that take any number of leading dimensions."""
    return results(op, op.emit(*[None if a is None else filled(a, size) for a in arrays], **attributes))


def along(*names: str) -> Rule:
    """Ops whose attributes ``names`` count dimensions from the front."""

    @rule
    def build(op: Op, size: int, /, *arrays: Any, **attributes: Any) -> Any:
        inputs = [None if a is None else filled(a, size) for a in arrays]
        if attributes[names[0]] == () and not arrays[0].shape:
            # A number is reduced over no dimension, which the ops of a gradient rule would read as all.
            inputs = [None if x is None else reshaped(x, (size, 1)) for x in inputs]
            attributes[names[0]] = (1,)
            if "keepdim" in attributes:
                attributes["keepdim"] = False
            return results(op, op.emit(*inputs, **attributes))
        for name in names:
            attributes[name] = behind(attributes[name])
        return results(op, op.emit(*inputs, **attributes))

    return build


def behind(dims: Any) -> Any:
    """Dimensions of one example as dimensions of all, which have one more in front."""
    if dims is None:
        return None
    if isinstance(dims, int):
        return dims + 1 if dims >= 0 else dims
    return tuple([d + 1 if d >= 0 else d for d in dims])


def folding(*shared_operands: int) -> Rule:
    """Ops that treat each entry of their first dimension alike: examples are joined to it.

    ``shared_operands`` are the places of operands without that dimension; where one of those is batched, the op runs
    example by example.
    """

    @rule
    def build(op: Op, size: int, /, *arrays: Any, **attributes: Any) -> Any:
        # Without examples, how many entries each has does not show in the result.
        if size == 0 or any(arrays[i] is not None and arrays[i].dim is not None for i in shared_operands):
            return looped(op)(*arrays, **attributes)
        inputs = [
            None if a is None else a.outer if place in shared_operands else folded(a, size)
            for place, a in enumerate(arrays)
        ]
        made = op.emit(*inputs, **attributes)
        outs = (made,) if op.outputs == 1 else made
        unfolded = [reshaped(x, (size, x._array.shape[0] // size, *x._array.shape[1:])) for x in outs]
        return results(op, unfolded[0] if op.outputs == 1 else unfolded)

    return build


def folded(a: Batched, size: int) -> Any:
    """The tensor of all examples with theirs joined to the first dimension."""
    whole = filled(a, size)
    return reshaped(whole, (size * a.shape[0], *a.shape[1:]))


@rule
def looped(op: Op, size: int, /, *arrays: Any, **attributes: Any) -> Any:
    """The op example by example, for what has no other rule."""
    if size == 0:
        raise TransformError(
            f"vmap: {op.name} runs example by example, so without any there is nothing to tell its result's shape"
        )
    rows = [
        op.emit(*[a if a is None else a.outer if a.dim is None else select(a.outer, a.dim, i) for a in arrays],
                **attributes)
        for i in range(size)
    ]  # fmt: skip
    if op.outputs == 1:
        return Batched(stack(rows), 0)
    return tuple([Batched(stack(list(column)), 0) for column in zip(*rows, strict=True)])


def expressed(op: Op) -> Kernel:
    """Stands for `expressed_at` in the table of rules, which know no level."""
    raise AssertionError(op)


def expressed_at(backend: BatchBackend, op: Op) -> Kernel:
    """The op's expression at a level, by the rules of its ops; its gradients further out are the expression's."""

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        made = op.body(*[None if a is None else backend.wrapped(a) for a in arrays], **attributes)  # type: ignore[misc]
        if op.outputs == 1:
            return lifted(made)
        return tuple([lifted(each) for each in made])

    def lifted(tensor: Any) -> Any:
        return (tensor if tensor._kind.level is backend else backend.lift(tensor))._array

    return kernel


# ------------------------------------------------------------------ which op by which


def kernel_of(op: Op, backend: BatchBackend) -> Kernel | None:
    """The kernel of ``op`` at a level; ``None`` where its expression takes batched tensors as they are."""
    from tensorcore.func.batch_rules import RULES

    if op.name == "assign":
        return backend.assign
    if op.name == "dropout_by_ticket":
        from tensorcore.func.drawing import dropout_at

        return dropout_at(backend, op)
    how, rule = _rule(op, RULES)
    if how == "expression":
        return None
    if how == "expressed":
        return expressed_at(backend, op)
    if op.name == "full":
        return _filled(op, backend)
    if how == "creation":
        return _created(op, backend)
    assert rule is not None
    return rule(op)


def _rule(op: Op, rules: dict[str, Rule]) -> tuple[str, Rule | None]:
    rule = rules.get(op.name)
    if op.name == "dropout_by_ticket":
        return "rule", None
    if rule is not None:
        if rule is looped:
            return "loop", rule
        return ("expressed", None) if rule is expressed else ("rule", rule)
    if not op.operands:
        return "creation", None
    if op.elementwise or _gradient_of_elementwise(op, rules):
        return "rule", elementwise
    if op.body is not None and op.vjp is None:
        return "expression", None
    return "loop", looped


def _gradient_of_elementwise(op: Op, rules: dict[str, Rule]) -> bool:
    from tensorcore.ops.record import REGISTRY

    if REGISTRY.get(op.name) is op or not op.name.endswith("_gradient"):
        return False
    source = REGISTRY[op.name.removesuffix("_gradient")]
    return source.elementwise or rules.get(source.name) is elementwise


def _filled(op: Op, backend: BatchBackend) -> Kernel:
    """A constant like a tensor of the level, which may then be written to."""

    def kernel(*, dtype: Any, index: int, **attributes: Any) -> Any:
        return backend.filled(op.emit(kind=backend.device.kind(dtype), **attributes))._array

    return kernel


def _created(op: Op, backend: BatchBackend) -> Kernel:
    """What an op makes without operands, the same for all examples."""

    def kernel(*, dtype: Any, index: int, **attributes: Any) -> Any:
        return Batched(op.emit(kind=backend.device.kind(dtype), **attributes), None)

    return kernel


def batching_rules() -> dict[str, str]:
    """How `vmap` runs each op that backends can have a kernel for, and those that read values.

    ``"rule"``: once for all examples; ``"expression"``: by the rules of the ops that it is made of; ``"creation"``: as
    without `vmap`; ``"refused"``: its shape depends on values; ``"loop"``: example by example, which is slow, where it
    reads values that differ between them.

    Example:
        >>> import tensorcore as tc
        >>> tc.func.batching_rules()["matmul"]
        'rule'
    """
    from tensorcore.func.batch_rules import REFUSED, RULES
    from tensorcore.ops.record import REGISTRY

    found = {}
    for name, op in REGISTRY.items():
        if op.by_example:
            found[name] = "loop"
        elif op.primitive or op.body is not None:
            how = _rule(op, RULES)[0]
            found[name] = "refused" if name in REFUSED else {"expressed": "expression"}.get(how, how)
    return found


def is_elementwise(op: Op) -> bool:
    """Whether each element of an op's result depends on those at its place alone."""
    from tensorcore.func.batch_rules import BROADCASTING, RULES

    return op.elementwise or (RULES.get(op.name) is elementwise and op.name not in BROADCASTING)
