"""The engine: walks the graph from the outputs back, highest sequence number first.

A node's consumers all have higher numbers, so by the time a node comes up every cotangent for it has arrived; no
counting pass is needed, and nothing recurses however deep the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from tensorcore.autograd.graph import Node, SelectNode
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to ``grad`` of the leaves they depend on (or of ``inputs`` only).

    Raises:
        RuntimeError: if a tensor requires no grad, or is not a scalar and has no entry in ``grad_tensors``.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor(3.0, requires_grad=True)
        >>> tc.autograd.backward(x * x)
        >>> x.grad
        tensor(6.)
    """
    roots = _roots("backward", tensors, grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        _run(roots, keep, create_graph, None, _accumulate)
        return
    wanted = _sequence(inputs)
    if not wanted:
        raise RuntimeError("backward: inputs is empty; give at least one tensor, or leave it out")
    found = _run(roots, keep, create_graph, wanted, None)
    for tensor, gradient in zip(wanted, found, strict=True):
        if gradient is not None:
            _accumulate(tensor, gradient, False, create_graph)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of ``outputs`` with respect to ``inputs``, without touching ``grad``.

    Raises:
        RuntimeError: if an input is not part of the graph, unless ``allow_unused`` or ``materialize_grads``.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor(3.0, requires_grad=True)
        >>> tc.autograd.grad(x * x, x)
        (tensor(6.),)
    """
    wanted = _sequence(inputs)
    for place, tensor in enumerate(wanted):
        if tensor._node is None:
            raise RuntimeError(f"grad: input {place}, of shape {list(tensor.shape)}, does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(outputs, wanted, grad_outputs, keep, create_graph, allow_unused, materialize_grads)
    found = _run(_roots("grad", outputs, grad_outputs), keep, create_graph, wanted, None)
    results: list[Tensor | None] = []
    for place, (tensor, gradient) in enumerate(zip(wanted, found, strict=True)):
        if gradient is None and materialize_grads:
            gradient = _zeros_like(tensor)
        elif gradient is None and not allow_unused:
            raise RuntimeError(
                f"grad: input {place}, of shape {list(tensor.shape)}, was not used to compute the outputs; "
                "pass allow_unused=True to get None for it"
            )
        results.append(gradient)
    return tuple(results)


def _batched(
    outputs: Any, wanted: Sequence[Tensor], grad_outputs: Any, keep: bool, create_graph: bool,
    allow_unused: bool | None, materialize_grads: bool,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    from tensorcore.ops.movement import stack

    batches = _sequence(grad_outputs)
    rows = [
        grad(outputs, wanted, [batch[i] for batch in batches], True, create_graph, True, allow_unused, False, materialize_grads)
        for i in range(len(batches[0]))
    ]
    return tuple(None if column[0] is None else stack(list(column)) for column in zip(*rows, strict=True))


def _sequence(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


def _roots(op: str, tensors: Any, gradients: Any) -> list[tuple[Tensor, Tensor]]:
    outputs = _sequence(tensors)
    given = (None,) * len(outputs) if gradients is None else _sequence(gradients)
    if len(given) != len(outputs):
        raise RuntimeError(f"{op}: {len(outputs)} outputs but {len(given)} gradients")
    roots = []
    for output, gradient in zip(outputs, given, strict=True):
        if output._node is None:
            raise RuntimeError(f"{op}: the tensor of shape {list(output.shape)} does not require grad and has no grad_fn")
        if gradient is None:
            if output.numel() != 1:
                raise RuntimeError(
                    f"{op}: a gradient is created by itself only for scalars, not for shape {list(output.shape)}; "
                    "reduce the tensor first, or pass gradient="
                )
            kind = output._kind
            gradient = kind.scalar(1.0)
            if output._array.shape:
                gradient = gradient.expand(output.shape)
        elif gradient.shape != output.shape:
            raise ShapeError(f"{op}: gradient of shape {list(gradient.shape)} for an output of shape {list(output.shape)}")
        elif gradient.dtype.category < FLOATING:
            raise DTypeError(f"{op}: gradient must be floating point or complex, got {gradient.dtype}")
        roots.append((output, gradient))
    return roots


def _run(
    roots: Iterable[tuple[Tensor, Tensor]],
    keep_graph: bool,
    create_graph: bool,
    wanted: Sequence[Tensor] | None,
    accumulate: Callable[[Tensor, Tensor, bool, bool], None] | None,
) -> list[Tensor | None]:
    """Propagate from ``roots``; call ``accumulate`` at leaves, or return the cotangents of ``wanted``."""
    pending: dict[int, tuple[Node, Any]] = {}
    queue: list[int] = []
    leaves: dict[int, Tensor] = {}
    captured: dict[int, Any] = {}
    targets: dict[int, list[int]] = {}
    needed: set[int] | None = None
    if wanted is not None:
        for place, tensor in enumerate(wanted):
            edge = tensor._node if isinstance(tensor._node, Node) else tensor
            targets.setdefault(id(edge), []).append(place)
        needed = _leading_to([root for root, _ in roots], targets)
    grad_mode = mode.grad
    mode.grad = create_graph
    try:
        for output, gradient in roots:
            edge = output._node if isinstance(output._node, Node) else output
            arrive(edge, gradient, False, pending, queue, leaves, captured, targets, needed, accumulate, create_graph)
        while queue:
            node, cotangent = pending.pop(-heappop(queue))
            if node.hooks:
                for hook in list(node.hooks.values()):
                    replaced = hook(cotangent)
                    if replaced is not None:
                        cotangent = replaced
            if id(node) in targets:
                captured[id(node)] = cotangent
                if needed is not None and id(node) not in needed:
                    continue
            if type(node) is SelectNode:
                _collect(node, cotangent, pending, queue)
                continue
            results = node.backward(cotangent, create_graph)
            if getattr(node, "post_hooks", None):
                results = _post_hooks(node, results, cotangent)
            for edge, result in zip(node.edges, results, strict=False):
                if edge is not None and result is not None:
                    owned = result is not cotangent and result._view is None
                    arrive(edge, result, owned, pending, queue, leaves, captured, targets, needed, accumulate, create_graph)
            if not keep_graph:
                node.release()
    finally:
        mode.grad = grad_mode
    for leaf in leaves.values():
        for hook in list((leaf._post_hooks or {}).values()):
            hook(leaf)
    if wanted is None:
        return []
    return [captured.get(id(t._node if isinstance(t._node, Node) else t)) for t in wanted]


def arrive(
    edge: Any, gradient: Tensor, owned: bool, pending: dict[int, Any], queue: list[int], leaves: dict[int, Tensor],
    captured: dict[int, Any], targets: dict[int, Any], needed: set[int] | None, accumulate: Any, create_graph: bool,
) -> None:  # fmt: skip
    """Bring a cotangent to a node (added to what is waiting there) or to a leaf."""
    if isinstance(edge, Node):
        if needed is not None and id(edge) not in needed and id(edge) not in targets:
            return
        if gradient._kind is not edge.kind or gradient._array.shape != edge.shape:
            gradient = _fit(gradient, edge.kind, edge.shape, edge)
        sequence = edge.sequence
        waiting = pending.get(sequence)
        if waiting is None:
            pending[sequence] = (edge, gradient)
            heappush(queue, -sequence)
        else:
            pending[sequence] = (edge, waiting[1] + gradient)
        return
    kind, shape = edge._kind, edge._array.shape
    if gradient._kind is not kind or gradient._array.shape != shape:
        fitted = _fit(gradient, kind, shape, edge)
        owned = owned or (fitted is not gradient and fitted._view is None)
        gradient = fitted
    if accumulate is None:
        if id(edge) in targets:
            before = captured.get(id(edge))
            captured[id(edge)] = _hooked(edge, gradient) if before is None else before + _hooked(edge, gradient)
        return
    gradient = _hooked(edge, gradient)
    accumulate(edge, gradient, owned, create_graph)
    if edge._post_hooks:
        leaves[id(edge)] = edge


def _hooked(leaf: Tensor, gradient: Tensor) -> Tensor:
    if leaf._hooks:
        for hook in list(leaf._hooks.values()):
            replaced = hook(gradient)
            if replaced is not None:
                gradient = replaced
    return gradient


def _accumulate(leaf: Tensor, gradient: Tensor, owned: bool, create_graph: bool) -> None:
    old = leaf.grad
    if old is None:
        if create_graph:
            leaf.grad = gradient
        elif owned and gradient._node is None:
            leaf.grad = gradient
        else:
            leaf.grad = gradient.detach().clone()
    elif create_graph:
        leaf.grad = old + gradient
    else:
        old.add_(gradient)


def _fit(gradient: Tensor, kind: Any, shape: tuple[int, ...], edge: Any) -> Tensor:
    """A cotangent in the shape and dtype of the operand: broadcasting and conversion are undone."""
    if tuple(gradient._array.shape) != tuple(shape):
        gradient = sum_to(gradient, shape)
    if gradient._kind is kind:
        return gradient
    if gradient.dtype.category == COMPLEX and kind.dtype.category != COMPLEX:
        gradient = gradient.real
    return gradient.to(device=kind.device, dtype=kind.dtype)  # type: ignore[no-any-return]


def sum_to(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the dimensions along which ``shape`` was broadcast; a smaller cotangent is stretched."""
    have = gradient._array.shape
    lead = len(have) - len(shape)
    if lead < 0:
        return gradient.expand(shape)
    dims = (*range(lead), *(lead + i for i, side in enumerate(shape) if side == 1 and have[lead + i] != 1))
    if dims:
        gradient = gradient.sum(dims, keepdim=True)
    if lead:
        gradient = gradient.reshape(gradient._array.shape[lead:])
    return gradient if tuple(gradient._array.shape) == tuple(shape) else gradient.expand(shape)


def _collect(node: SelectNode, cotangent: Any, pending: dict[int, Any], queue: list[int]) -> None:
    """Put the cotangent of one output into the list waiting at the node that has several."""
    owner = node.owner
    waiting = pending.get(owner.sequence)
    if waiting is None:
        waiting = (owner, Cotangents(owner))
        pending[owner.sequence] = waiting
        heappush(queue, -owner.sequence)
    waiting[1].arrived[node.index] = cotangent


class Cotangents:
    """Cotangents of a node with several outputs; those that nothing used read as zeros."""

    __slots__ = ("arrived", "owner")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.arrived: dict[int, Any] = {}

    def __getitem__(self, index: int) -> Any:
        found = self.arrived.get(index)
        if found is None:
            from tensorcore.ops.creation import zeros

            kind = self.owner.kind[index]
            found = zeros(self.owner.shape[index], dtype=kind.dtype, device=kind.device)
        return found


def _leading_to(outputs: Iterable[Tensor], targets: dict[int, Any]) -> set[int]:
    """Ids of the nodes from which a target can be reached."""
    reaches: dict[int, bool] = {}
    stack: list[tuple[Any, bool]] = [(t._node, False) for t in outputs if isinstance(t._node, Node)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            reaches[id(node)] = any(
                edge is not None and (id(edge) in targets or reaches.get(id(edge), False)) for edge in node.edges
            )
        elif id(node) not in reaches:
            reaches[id(node)] = False
            stack.append((node, True))
            stack.extend((edge, False) for edge in node.edges if isinstance(edge, Node))
    return {key for key, value in reaches.items() if value}


def _post_hooks(node: Node, results: Any, cotangent: Any) -> Any:
    gathered = tuple(results)
    for hook in list(node.post_hooks.values()):  # type: ignore[union-attr]
        replaced = hook(gathered, (cotangent,))
        if replaced is not None:
            gathered = tuple(replaced) if isinstance(replaced, (tuple, list)) else (replaced,)
    return gathered


def _zeros_like(tensor: Any) -> Any:
    from tensorcore.ops.creation import zeros_like

    return zeros_like(tensor)


__all__ = ["backward", "grad", "sum_to"]
