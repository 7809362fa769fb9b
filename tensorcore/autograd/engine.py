"""The engine: walks the graph from the outputs back, highest sequence number first.

A node's consumers all have higher numbers, so by the time a node comes up every cotangent for it has arrived; no
counting pass is needed, and nothing recurses however deep the graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from tensorcore.autograd.graph import Node, SelectNode, current_node, inspectors
from tensorcore.autograd.mode import mode
from tensorcore.compile import capture
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.ops.inplace import add_into
from tensorcore.tensor import Tensor


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
        _run(roots, keep, create_graph, None)
        return
    wanted = _sequence(inputs)
    if not wanted:
        raise RuntimeError("backward: inputs is empty; give at least one tensor, or leave it out")
    found = _run(roots, keep, create_graph, wanted)
    for tensor, gradient in zip(wanted, found, strict=True):
        if gradient is not None:
            _accumulate(tensor, gradient, False, create_graph)


def backward_of(
    tensor: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradient of ``tensor`` to ``grad`` of every leaf it depends on; the method ``Tensor.backward``.

    Raises:
        RuntimeError: if it requires no grad, or is not a scalar and ``gradient`` is not given.
    """
    backward(tensor, gradient, retain_graph, create_graph, inputs=inputs)


Tensor.backward = backward_of  # type: ignore[method-assign, assignment]


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
    found = _run(_roots("grad", outputs, grad_outputs), keep, create_graph, wanted)
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
    from tensorcore.func.mapping import vmap

    used: list[bool] = []

    def pulled(*cotangents: Tensor) -> tuple[Tensor, ...]:
        found = grad(outputs, wanted, cotangents, True, create_graph, True, allow_unused, False, materialize_grads)
        used[:] = [each is not None for each in found]
        return tuple([each for each in found if each is not None])

    rows = iter(vmap(pulled)(*_sequence(grad_outputs)))
    return tuple([next(rows) if each else None for each in used])


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
            raise RuntimeError(
                f"{op}: the tensor of shape {list(output.shape)} does not require grad and has no grad_fn"
            )
        if gradient is None:
            if math.prod(output._array.shape) != 1:
                raise RuntimeError(
                    f"{op}: a gradient is created by itself only for scalars, not for shape {list(output.shape)}; "
                    "reduce the tensor first, or pass gradient="
                )
            kind = output._kind
            gradient = kind.scalar(1.0)
            if output._array.shape:
                gradient = gradient.expand(output.shape)
        elif gradient.shape != output.shape:
            raise ShapeError(
                f"{op}: gradient of shape {list(gradient.shape)} for an output of shape {list(output.shape)}"
            )
        elif gradient.dtype.category < FLOATING:
            raise DTypeError(f"{op}: gradient must be floating point or complex, got {gradient.dtype}")
        roots.append((output, gradient))
    return roots


def _run(
    roots: Iterable[tuple[Tensor, Tensor]],
    keep_graph: bool,
    create_graph: bool,
    wanted: Sequence[Tensor] | None,
) -> list[Tensor | None]:
    """Propagate from ``roots``: into ``grad`` of the leaves, or return the cotangents of ``wanted``."""
    pending: dict[int, Any] = {}
    queue: list[int] = []
    leaves: dict[int, tuple[Tensor, Tensor, bool]] = {}
    targets: frozenset[int] = frozenset()
    captured: dict[int, Any] = {}
    reach: frozenset[int] | None = None
    if wanted is not None:
        targets = frozenset(id(_edge(tensor)) for tensor in wanted)
        reach = _leading_to([root for root, _ in roots], targets)
    recording = capture.active()
    grad_mode = mode.grad
    mode.grad = create_graph
    try:
        for output, gradient in roots:
            _arrive(_edge(output), gradient, False, pending, queue, leaves)
        while queue:
            sequence = -heappop(queue)
            node, cotangent = pending.pop(sequence)
            if recording:
                capture.consumed(node)
            if node.hooks:
                if cotangent.__class__ is not Cotangents and cotangent._array.shape != node.shape:
                    cotangent = _fit(cotangent, node.kind, node.shape)
                cotangent = _call_hooks(node.hooks, cotangent)
            if reach is not None:
                if id(node) in targets:
                    captured[id(node)] = cotangent = _fit(cotangent, node.kind, node.shape)
                if id(node) not in reach:
                    continue
            if type(node) is SelectNode:
                _collect(node, cotangent, pending, queue)
                continue
            results = node.backward(cotangent, create_graph)
            if inspectors:
                for inspect in tuple(inspectors):
                    inspect(node, cotangent, results)
            if node.post_hooks:
                results = _post_hooks(node, results, cotangent)
            for edge, result in zip(node.edges, results, strict=False):
                if edge is not None and result is not None:
                    _arrive(edge, result, result is not cotangent and result._view is None, pending, queue, leaves)
            if not keep_graph:
                node.release()
        for key, (leaf, gradient, owned) in leaves.items():
            if wanted is not None and key not in targets:
                continue
            if gradient._array.shape != leaf._array.shape:
                gradient, owned = _fit(gradient, leaf._kind, leaf._array.shape), False
            if leaf._hooks:
                replaced = _call_hooks(leaf._hooks, gradient)
                owned = owned and replaced is gradient
                gradient = replaced
            if wanted is not None:
                captured[key] = gradient
            else:
                _accumulate(leaf, gradient, owned, create_graph)
    finally:
        mode.grad = grad_mode
    return [] if wanted is None else [captured.get(id(_edge(tensor))) for tensor in wanted]


def _edge(tensor: Tensor) -> Any:
    """What stands for a tensor in the graph: its node, or itself where it is a leaf."""
    node = current_node(tensor)
    return node if isinstance(node, Node) else tensor


def _arrive(
    edge: Any, gradient: Tensor, owned: bool, pending: dict[int, Any], queue: list[int], leaves: dict[int, Any]
) -> None:
    """Bring a cotangent to a node or leaf, where it is added to what is waiting."""
    if isinstance(edge, Node):
        # A 0-d cotangent stands for one that is the same everywhere, as of a sum: it is stretched when needed.
        if gradient._kind is not edge.kind or (
            gradient._array.shape != edge.shape and (gradient._array.shape or not edge.takes_uniform())
        ):
            gradient = _fit(gradient, edge.kind, edge.shape)
        sequence = edge.sequence
        waiting = pending.get(sequence)
        if waiting is None:
            pending[sequence] = (edge, gradient)
            heappush(queue, -sequence)
        else:
            pending[sequence] = (edge, waiting[1] + gradient)
        return
    if gradient._kind is not edge._kind or (gradient._array.shape != edge._array.shape and gradient._array.shape != ()):
        fitted = _fit(gradient, edge._kind, edge._array.shape)
        owned = fitted._view is None and (owned or fitted is not gradient)
        gradient = fitted
    waiting = leaves.get(id(edge))
    if waiting is None:
        leaves[id(edge)] = (edge, gradient, owned)
    elif (
        waiting[2]
        and not mode.grad
        and waiting[1]._kind is gradient._kind
        and waiting[1]._array.shape == edge._array.shape
    ):
        leaves[id(edge)] = (edge, add_into(waiting[1], gradient), True)
    else:
        leaves[id(edge)] = (edge, waiting[1] + gradient, True)


def _call_hooks(hooks: Any, gradient: Any) -> Any:
    for hook in list(hooks.values()):
        replaced = hook(gradient)
        if replaced is not None:
            gradient = replaced
    return gradient


def _accumulate(leaf: Tensor, gradient: Tensor, owned: bool, create_graph: bool) -> None:
    """Add to ``leaf.grad``; a cotangent that nothing else holds becomes it as it is."""
    old = leaf.grad if capture.active() else leaf._grad
    if old is None:
        keep = create_graph or (owned and gradient._node is None)
        leaf.grad = gradient if keep else gradient.detach().clone()
    elif create_graph or old._kind.sparse:
        leaf.grad = old + gradient
    else:
        add_into(old, gradient)
    if leaf._post_hooks:
        for hook in list(leaf._post_hooks.values()):
            hook(leaf)


def _fit(gradient: Tensor, kind: Any, shape: tuple[int, ...]) -> Tensor:
    """A cotangent in the shape and dtype of the operand: broadcasting and conversion are undone."""
    if tuple(gradient._array.shape) != tuple(shape):
        gradient = sum_to(gradient, shape)
    if gradient._kind is kind:
        return gradient
    if gradient.dtype.category == COMPLEX and kind.dtype.category != COMPLEX:
        gradient = gradient.real
    return gradient.to(device=kind.device, dtype=kind.dtype)


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
    arrived = waiting[1].arrived
    # A second derivative reaches an output also through what the rule saved of it.
    arrived[node.index] = arrived[node.index] + cotangent if node.index in arrived else cotangent


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


def _leading_to(outputs: Iterable[Tensor], targets: frozenset[int]) -> frozenset[int]:
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
    return frozenset(key for key, value in reaches.items() if value)


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
