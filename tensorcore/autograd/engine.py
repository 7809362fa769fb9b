"""The engine: walks the graph from the outputs back, highest sequence number first.

A node's consumers all have higher numbers, so by the time a node comes up every cotangent for it has arrived; no
counting pass is needed, and nothing recurses however deep the graph.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush, heapreplace
from operator import is_
from typing import Any

from tensorcore.autograd.edges import AccumulateGrad, GradientEdge, target_of
from tensorcore.autograd.graph import Node, OpNode, SelectNode, current_node, enclosers, inspectors
from tensorcore.autograd.mode import mode
from tensorcore.autograd.run import (
    Cotangents,
    Run,
    accumulate,
    call_hooks,
    current,
    fit,
    run_hooked,
    settle_early,
    settled,
    sum_to,
)
from tensorcore.compile import capture
from tensorcore.dispatch import is_busy
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import DeviceError, DTypeError, ShapeError
from tensorcore.observation import is_observed
from tensorcore.ops.basic_arithmetic import add
from tensorcore.ops.inplace import add_into
from tensorcore.tensor import Tensor

#: By the identity of each leaf: it, the gradient so far, whether nothing else holds that; and, where more can be added
#: into its memory at once, the kernel and the shape.
Leaves = dict[int, tuple[Tensor, Tensor, bool, Any, Any]]


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
    if create_graph:
        warnings.warn(
            "backward: with create_graph=True, grad of a leaf holds the graph that holds the leaf; use autograd.grad, "
            "or set grad to None afterwards, so that their memory is freed at once",
            stacklevel=2,
        )
    if inputs is None:
        _run(roots, keep, create_graph, None)
        return
    wanted = _sequence(inputs)
    if not wanted:
        raise RuntimeError("backward: inputs is empty; give at least one tensor, or leave it out")
    for place, each in enumerate(wanted):
        if isinstance(each, GradientEdge) and not isinstance(each.node, AccumulateGrad):
            raise RuntimeError(f"backward: input {place} is an edge to {each.node!r}, which has no grad; give a tensor")
    found = _run(roots, keep, create_graph, wanted)
    for tensor, gradient in zip(wanted, found, strict=True):
        if gradient is not None:
            leaf = target_of(tensor) if isinstance(tensor, GradientEdge) else tensor
            accumulate(leaf, gradient, False, create_graph)


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
    if not wanted:
        raise RuntimeError("grad: inputs is empty; give at least one tensor")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads=True gives zeros for unused inputs, so allow_unused cannot be False")
    if not only_inputs:
        warnings.warn(
            "grad: only_inputs=False has no effect; call backward to add gradients to leaves",
            FutureWarning,
            stacklevel=2,
        )
    for place, tensor in enumerate(wanted):
        if not isinstance(tensor, GradientEdge) and tensor._node is None:
            raise RuntimeError(f"grad: input {place}, of shape {list(tensor.shape)}, does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(outputs, wanted, grad_outputs, keep, create_graph, allow_unused, materialize_grads)
    found = _run(_roots("grad", outputs, grad_outputs), keep, create_graph, wanted)
    results: list[Tensor | None] = []
    for place, (tensor, gradient) in enumerate(zip(wanted, found, strict=True)):
        if gradient is None and materialize_grads:
            gradient = _zeros_for(tensor)
        elif gradient is None and not allow_unused:
            shape = tensor.node.shape if isinstance(tensor, GradientEdge) else tensor.shape
            raise RuntimeError(
                f"grad: input {place}, of shape {list(shape)}, was not used to compute the outputs; "
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
    return (tensors,) if isinstance(tensors, (Tensor, GradientEdge)) else tuple(tensors)


def _roots(op: str, tensors: Any, gradients: Any) -> list[tuple[Any, Tensor]]:
    """Nodes (or leaves) to begin at, each with its cotangent."""
    if gradients is None and type(tensors) is Tensor and tensors._node is not None and not tensors._array.shape:
        kind = tensors._kind
        if kind.dtype.category == FLOATING:
            # A loss, mostly.
            return [(_edge(tensors), kind.scalar(1.0))]
    outputs = _sequence(tensors)
    given = (None,) * len(outputs) if gradients is None else _sequence(gradients)
    if len(given) != len(outputs):
        raise RuntimeError(f"{op}: {len(outputs)} outputs but {len(given)} gradients")
    roots = []
    for output, gradient in zip(outputs, given, strict=True):
        if isinstance(output, GradientEdge):
            edge = target_of(output)
            kind, shape = (edge.kind, edge.shape) if isinstance(edge, Node) else (edge._kind, edge._array.shape)
        else:
            if output._node is None:
                raise RuntimeError(
                    f"{op}: the tensor of shape {list(output.shape)} does not require grad and has no grad_fn"
                )
            edge, kind, shape = _edge(output), output._kind, output._array.shape
        if gradient is None:
            if math.prod(shape) != 1:
                raise RuntimeError(
                    f"{op}: a gradient is created by itself only for scalars, not for shape {list(shape)}; "
                    "reduce the tensor first, or pass gradient="
                )
            if kind.dtype.category == COMPLEX:
                raise RuntimeError(
                    f"{op}: a gradient is created by itself only for real scalars, not for {kind.dtype}; take .real, "
                    ".imag or .abs() first, or pass gradient="
                )
            gradient = kind.scalar(1.0)
            if shape:
                gradient = gradient.expand(shape)
        elif tuple(gradient._array.shape) != tuple(shape):
            raise ShapeError(f"{op}: gradient of shape {list(gradient.shape)} for an output of shape {list(shape)}")
        elif gradient.dtype.category < FLOATING:
            raise DTypeError(f"{op}: gradient must be floating point or complex, got {gradient.dtype}")
        elif gradient.dtype is not kind.dtype and COMPLEX in (gradient.dtype.category, kind.dtype.category):
            raise DTypeError(
                f"{op}: gradient of {gradient.dtype} for an output of {kind.dtype}; complex ones are alike"
            )
        elif gradient._kind.device != kind.device:
            raise DeviceError(f"{op}: gradient on {str(gradient.device)!r} for an output on {str(kind.device)!r}")
        roots.append((edge, gradient))
    return roots


def _run(
    roots: Iterable[tuple[Any, Tensor]],
    keep_graph: bool,
    create_graph: bool,
    wanted: Sequence[Any] | None,
) -> list[Tensor | None]:
    """Propagate from ``roots``: into ``grad`` of the leaves, or return the cotangents of ``wanted``."""
    pending: dict[float, Any] = {}
    queue: list[float] = []
    leaves: Leaves = {}
    waiting: Any
    targets: frozenset[int] = frozenset()
    captured: dict[int, Any] = {}
    reach: frozenset[int] | None = None
    starts = [edge for edge, _ in roots]
    ends: list[Any] = []
    if wanted is not None:
        ends = [target_of(each, starts) if isinstance(each, GradientEdge) else _edge(each) for each in wanted]
        targets = frozenset(map(id, ends))
        reach = _leading_to(starts, targets)
    recording = capture.active()
    watched = bool(inspectors or enclosers)
    # Programs of gradient rules leave out what would be seen, differentiated or not wanted.
    programs = not (watched or create_graph or recording or is_busy() or is_observed())
    quick = programs and wanted is None
    grad_mode = mode.grad
    outer = current.run
    current.run = (starts, targets, reach)
    mode.grad = create_graph
    # The next node in a chain waits here instead of in the queue.
    ahead: float | None = None
    try:
        for edge, gradient in roots:
            _arrive(edge, gradient, False, pending, queue, leaves)
        while True:
            if ahead is None:
                if not queue:
                    break
                sequence = -heappop(queue)
            elif queue and -queue[0] > ahead:
                sequence = -heapreplace(queue, -ahead)
            else:
                sequence = ahead
            ahead = None
            node, cotangent, _ = pending.pop(sequence)
            ours = True
            if quick and node.__class__ is OpNode and node.hooks is None and node.post_hooks is None:
                results = node.plan.pull(cotangent, node)
            else:
                if recording:
                    capture.consumed(node)
                if node.hooks:
                    if cotangent.__class__ is not Cotangents and cotangent._array.shape != node.shape:
                        cotangent = fit(cotangent, node.kind, node.shape)
                    cotangent = call_hooks(node.hooks, cotangent)
                if reach is not None:
                    if id(node) in targets:
                        captured[id(node)] = cotangent = fit(cotangent, node.kind, node.shape)
                    if id(node) not in reach:
                        continue
                if type(node) is SelectNode:
                    _collect(node, cotangent, pending, queue)
                    continue
                # What hooks have seen they may keep.
                ours = node.post_hooks is None
                if watched or not ours:
                    results = run_hooked(node, cotangent, create_graph)
                elif reach is not None and node.__class__ is OpNode:
                    results = _towards(node, cotangent, create_graph, reach, targets, programs)
                else:
                    results = node.backward(cotangent, create_graph)
            for edge, result in zip(node.edges, results, strict=False):
                if edge is None or result is None:
                    continue
                owned = ours and result is not cotangent and result._view is None
                # As `_arrive` does, without the call: so it is at nearly every node.
                shape = result._array.shape
                if isinstance(edge, Node):
                    if (
                        result._kind is edge.kind
                        and (shape == edge.shape or (not shape and edge.takes_uniform()))
                        and (sequence := edge.sequence) not in pending
                    ):
                        pending[sequence] = (edge, result, owned)
                        if ahead is None:
                            ahead = sequence
                        elif sequence > ahead:
                            heappush(queue, -ahead)
                            ahead = sequence
                        else:
                            heappush(queue, -sequence)
                        continue
                elif result._kind is edge._kind:
                    waiting = leaves.get(id(edge))
                    if waiting is None:
                        if (not shape or shape == edge._array.shape) and not edge._hooks and not edge._post_hooks:
                            leaves[id(edge)] = (edge, result, owned, None, None)
                            continue
                    elif waiting[3] is not None and shape == waiting[4]:
                        array = waiting[1]._array
                        waiting[3](array, result._array, out=array)
                        continue
                _arrive(edge, result, owned, pending, queue, leaves)
            if not keep_graph:
                node.release()
            # Nothing of this step is kept while the next one runs.
            results = result = cotangent = waiting = array = None
        for key, (leaf, gradient, owned, _, _) in leaves.items():
            if wanted is not None and key not in targets:
                continue
            gradient, owned = settled(leaf, gradient, owned)
            if wanted is not None:
                captured[key] = gradient
            else:
                accumulate(leaf, gradient, owned, create_graph)
        if isinstance(current.run, Run):
            for callback in current.run.callbacks:
                callback()
    finally:
        mode.grad = grad_mode
        run, current.run = current.run, outer
        if isinstance(run, Run):
            run.end()
    return [captured.get(id(end)) for end in ends]


def _edge(tensor: Tensor) -> Any:
    """What stands for a tensor in the graph: its node, or itself where it is a leaf."""
    node = current_node(tensor)
    return node if isinstance(node, Node) else tensor


def _arrive(
    edge: Any, gradient: Tensor, owned: bool, pending: dict[float, Any], queue: list[float], leaves: Leaves
) -> None:
    """Bring a cotangent to a node or leaf, where it is added to what is waiting."""
    if isinstance(edge, Node):
        # A 0-d cotangent stands for one that is the same everywhere, as of a sum: it is stretched when needed.
        if gradient._kind is not edge.kind or (
            gradient._array.shape != edge.shape and (gradient._array.shape or not edge.takes_uniform())
        ):
            gradient = fit(gradient, edge.kind, edge.shape)
            owned = False
        sequence = edge.sequence
        waiting = pending.get(sequence)
        if waiting is None:
            pending[sequence] = (edge, gradient, owned)
            heappush(queue, -sequence)
        elif (
            waiting[2]
            and edge.kind.mutable
            and not mode.grad
            and not is_busy()
            and waiting[1]._array.shape == gradient._array.shape
        ):
            pending[sequence] = (edge, add_into(waiting[1], gradient), True)
        else:
            pending[sequence] = (edge, waiting[1] + gradient, True)
        return
    if gradient._kind is not edge._kind or (gradient._array.shape != edge._array.shape and gradient._array.shape != ()):
        fitted = fit(gradient, edge._kind, edge._array.shape)
        owned = fitted._view is None and (owned or fitted is not gradient)
        gradient = fitted
    waiting = leaves.get(id(edge))
    if waiting is None:
        leaves[id(edge)] = (edge, gradient, owned, None, None)
        if edge._hooks or edge._post_hooks:
            settle_early(edge, pending, queue, leaves)
    elif waiting[3] is not None and gradient._array.shape == waiting[4]:
        array = waiting[1]._array
        waiting[3](array, gradient._array, out=array)
    elif (
        waiting[2]
        and not mode.grad
        and waiting[1]._kind is gradient._kind
        and waiting[1]._array.shape == edge._array.shape
    ):
        leaves[id(edge)] = _sum(edge, add_into(waiting[1], gradient))
    else:
        leaves[id(edge)] = _sum(edge, waiting[1] + gradient)


def _sum(edge: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor, bool, Any, Any]:
    """What waits for a leaf once cotangents were added: the engine's own; see `Leaves`."""
    kind, shape = edge._kind, edge._array.shape
    if gradient._kind is kind and gradient._array.shape == shape and not mode.grad and not is_busy():
        return edge, gradient, True, kind.writer(add), shape
    return edge, gradient, True, None, None


def _towards(
    node: OpNode, cotangent: Tensor, create_graph: bool, reach: frozenset[int], targets: frozenset[int], programs: bool
) -> Any:
    """The gradient rules of the operands that lead to a target."""
    edges = node.edges
    wanted = tuple([edge if id(edge) in reach or id(edge) in targets else None for edge in edges])
    if programs and all(map(is_, wanted, edges)):
        return node.plan.pull(cotangent, node)
    node.edges = wanted
    try:
        return node.backward(cotangent, create_graph)
    finally:
        node.edges = edges


def _collect(node: SelectNode, cotangent: Any, pending: dict[float, Any], queue: list[float]) -> None:
    """Put the cotangent of one output into the list waiting at the node that has several."""
    owner = node.owner
    waiting = pending.get(owner.sequence)
    if waiting is None:
        waiting = (owner, Cotangents(owner), False)
        pending[owner.sequence] = waiting
        heappush(queue, -owner.sequence)
    arrived = waiting[1].arrived
    # A second derivative reaches an output also through what the rule saved of it.
    arrived[node.index] = arrived[node.index] + cotangent if node.index in arrived else cotangent


def _leading_to(outputs: Iterable[Any], targets: frozenset[int]) -> frozenset[int]:
    """Ids of the nodes from which a target can be reached."""
    leading: set[int] = set()
    met: set[int] = set()
    stack: list[Any] = [node for node in outputs if isinstance(node, Node)]
    while stack:
        node = stack[-1]
        if id(node) not in met:
            # Judged when what it leads to has been.
            met.add(id(node))
            stack += [edge for edge in node.edges if isinstance(edge, Node) and id(edge) not in met]
            continue
        stack.pop()
        for edge in node.edges:
            if edge is not None and (id(edge) in targets or id(edge) in leading):
                leading.add(id(node))
                break
    return frozenset(leading)


def _zeros_for(tensor: Any) -> Any:
    from tensorcore.ops.creation import zeros, zeros_like

    if isinstance(tensor, GradientEdge):
        _, dtype, device = tensor.node._input_metadata[tensor.output_nr]
        return zeros(tensor.node._input_metadata[tensor.output_nr].shape, dtype=dtype, device=device)
    return zeros_like(tensor)


__all__ = ["backward", "grad", "sum_to"]
