"""What the engine does at a node besides its gradient rule: hooks, fitting cotangents to operands, adding them up."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Sequence
from heapq import heappush
from typing import Any, Final

from tensorcore.autograd.edges import AfterAccumulation, nodes_below
from tensorcore.autograd.graph import Node, enclosers, inspectors
from tensorcore.autograd.hooks import checked
from tensorcore.compile import capture
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.ops.inplace import add_into
from tensorcore.ops.reduction import sum as _sum
from tensorcore.tensor import Tensor

_next_run = itertools.count().__next__
#: Two threads may go backward to the same leaf.
_adding: Final = threading.RLock()


class Run:
    """One pass of the engine: where it began and, where only some gradients are wanted, what leads to them."""

    __slots__ = ("_at_end", "_last", "callbacks", "number", "reach", "starts", "targets")

    def __init__(self, starts: Sequence[Any], targets: frozenset[int], reach: frozenset[int] | None) -> None:
        self.number = _next_run()
        self.starts = starts
        self.targets = targets
        self.reach = reach
        #: Called when all gradients have been added to their leaves.
        self.callbacks: list[Callable[[], Any]] = []
        self._at_end: list[Callable[[], Any]] = []
        self._last: dict[int, int] | None = None

    def last_use(self, leaf: Tensor) -> float:
        """The sequence number of the last node of this run that can bring a gradient to ``leaf``."""
        if self._last is None:
            self._last = {}
            for node in nodes_below(self.starts):
                for edge in node.edges:
                    if edge is not None and not isinstance(edge, Node):
                        self._last[id(edge)] = min(node.sequence, self._last.get(id(edge), node.sequence))
        return self._last.get(id(leaf), math.inf)

    def reaching(self, edges: Sequence[Any]) -> int:
        """To how many of ``edges``, nodes and leaves, this run brings a gradient."""
        if self.reach is not None:
            found = self.reach | self.targets
            return sum(id(each) in found for each in edges)
        below = {id(edge) for node in nodes_below(self.starts) for edge in (node, *node.edges)}
        below.update(map(id, self.starts))
        return sum(id(each) in below for each in edges)

    def at_end(self, function: Callable[[], Any]) -> None:
        """Call ``function`` when the run is over, also where it fails."""
        self._at_end.append(function)

    def end(self) -> None:
        """Call what waits for the end."""
        for function in self._at_end:
            function()


class _Current(threading.local):
    #: The run, or what makes one: only hooks ask for it.
    run: Run | tuple[Any, Any, Any] | None = None


current: Final = _Current()


def current_run() -> Run:
    """The run that a hook of this thread is called in."""
    run = current.run
    assert run is not None, "hooks run in backward"
    if isinstance(run, tuple):
        run = current.run = Run(*run)
    return run


class LeafStep(Node):
    """Stands in the engine's queue where the gradients of leaves with hooks are complete: below their last use."""

    __slots__ = ("leaves", "waiting")

    def __init__(self, leaves: dict[int, Any]) -> None:
        self.leaves = leaves
        self.waiting: list[int] = []
        self.edges = ()
        self.hooks = self.post_hooks = self.overwritten = None

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...]:
        for key in self.waiting:
            leaf, gradient, owned, *_ = self.leaves.pop(key)
            gradient, owned = settled(leaf, gradient, owned)
            accumulate(leaf, gradient, owned, create_graph)
        return ()


def settle_early(leaf: Tensor, pending: dict[Any, Any], queue: list[Any], leaves: dict[int, Any]) -> None:
    """Let ``leaf`` get its gradient, and its hooks run, as soon as nothing more can be added to it.

    A hook that takes the step of an optimizer frees each gradient before the next ones are computed. Leaves without
    hooks wait for the end of the run, which costs them nothing.
    """
    run = current_run()
    if run.reach is not None or capture.active():
        return
    place = run.last_use(leaf) - 0.5
    if place not in pending:
        pending[place] = (LeafStep(leaves), None, False)
        heappush(queue, -place)
    pending[place][0].waiting.append(id(leaf))


def settled(leaf: Tensor, gradient: Tensor, owned: bool) -> tuple[Tensor, bool]:
    """The gradient of a leaf in its shape, as its hooks leave it."""
    if gradient._array.shape != leaf._array.shape:
        gradient, owned = fit(gradient, leaf._kind, leaf._array.shape), False
    if leaf._hooks:
        replaced = call_hooks(leaf._hooks, gradient)
        owned = owned and replaced is gradient
        gradient = replaced
    return gradient, owned


class ExecutionEngine:
    """What programs call as ``Variable._execution_engine``."""

    @staticmethod
    def queue_callback(callback: Callable[[], Any]) -> None:
        """Call ``callback()`` at the end of the backward that is running.

        Raises:
            RuntimeError: outside backward.
        """
        if current.run is None:
            raise RuntimeError("queue_callback: final callbacks can only be installed during a backward pass")
        current_run().callbacks.append(callback)


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


def call_hooks(hooks: Any, gradient: Any) -> Any:
    """What the hooks make of a gradient, one after another."""
    for hook in list(hooks.values()):
        replaced = hook(gradient)
        if replaced is not None:
            gradient = checked("register_hook", replaced, gradient)
    return gradient


def run_hooked(node: Node, cotangent: Any, create_graph: bool) -> Any:
    """A node's backward with what looks at it and its hooks: before it, and after with the operands' shapes undone."""
    if isinstance(node, LeafStep):
        return node.backward(cotangent, create_graph)
    if node.pre_hooks:
        cotangent = _pre_hooks(node, cotangent)

    def run() -> Any:
        return node.backward(cotangent, create_graph)

    for enclose in enclosers:
        run = _enclosed(enclose, node, run)
    results = run()
    for inspect in tuple(inspectors):
        inspect(node, cotangent, results)
    return _post_hooks(node, results, cotangent) if node.post_hooks else results


def _enclosed(enclose: Callable[..., Any], node: Node, run: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: enclose(node, run)


def _gradients(cotangent: Any) -> tuple[Any, ...]:
    if isinstance(cotangent, Cotangents):
        return tuple([cotangent.arrived.get(place) for place in _differentiable(cotangent.owner)])
    return (cotangent,)


def _differentiable(node: Node) -> list[int]:
    """The outputs that have gradients: positions, as those of a sort, have none."""
    return [place for place, kind in enumerate(node.kind) if kind is not None and kind.dtype.category >= FLOATING]


def _pre_hooks(node: Node, cotangent: Any) -> Any:
    for hook in list(node.pre_hooks.values()):
        replaced = hook(_gradients(cotangent))
        if replaced is None:
            continue
        replaced = tuple(replaced) if isinstance(replaced, (tuple, list)) else (replaced,)
        if isinstance(cotangent, Cotangents):
            fresh = Cotangents(cotangent.owner)
            places = _differentiable(cotangent.owner)
            _count("register_prehook", replaced, len(places))
            fresh.arrived = {p: each for p, each in zip(places, replaced, strict=True) if each is not None}
            cotangent = fresh
        else:
            _count("register_prehook", replaced, 1)
            cotangent = checked("register_prehook", replaced[0], cotangent)
    return cotangent


def _post_hooks(node: Node, results: Any, cotangent: Any) -> Any:
    found = tuple([
        None if edge is None or each is None else _fit_to(edge, each)
        for edge, each in zip(node.edges, results, strict=False)
    ])  # fmt: skip
    for hook in list(node.post_hooks.values()):  # type: ignore[union-attr]
        replaced = hook(found, _gradients(cotangent))
        if replaced is not None:
            replaced = tuple(replaced) if isinstance(replaced, (tuple, list)) else (replaced,)
            _count(f"register_hook of {node.name()}", replaced, len(found))
            found = tuple([
                each if before is None or each is None else checked(f"register_hook of {node.name()}", each, before)
                for each, before in zip(replaced, found, strict=True)
            ])  # fmt: skip
    return found


def _count(op: str, replaced: tuple[Any, ...], expected: int) -> None:
    if len(replaced) != expected:
        raise RuntimeError(f"{op}: a hook returned {len(replaced)} gradients in place of {expected}")


def _fit_to(edge: Any, gradient: Any) -> Any:
    if isinstance(edge, Node):
        return fit(gradient, edge.kind, edge.shape)
    return fit(gradient, edge._kind, edge._array.shape)


def accumulate(leaf: Tensor, gradient: Tensor, owned: bool, create_graph: bool) -> None:
    """Add to ``leaf.grad``; a cotangent that nothing else holds becomes it as it is."""
    with _adding:
        recording = capture.recordings > 0
        old = leaf.grad if recording else leaf._grad
        if old is None:
            keep = create_graph or (owned and gradient._node is None)
            made = gradient if keep else gradient.detach().clone()
            if recording or made._kind is not leaf._kind:
                leaf.grad = made
            else:
                leaf._grad = made
        elif create_graph or old._kind.sparse:
            leaf.grad = old + gradient
        else:
            add_into(old, gradient)
    if leaf._post_hooks:
        hooks = list(leaf._post_hooks.values())
        for hook in hooks:
            if not isinstance(hook, AfterAccumulation) and (answer := hook(leaf)) is not None:
                raise RuntimeError(
                    f"register_post_accumulate_grad_hook: hooks must return None, got {type(answer).__name__}; change "
                    "grad of the tensor instead"
                )
        for hook in hooks:
            if isinstance(hook, AfterAccumulation):
                hook(gradient)


def fit(gradient: Tensor, kind: Any, shape: tuple[int, ...]) -> Tensor:
    """A cotangent in the shape and dtype of the operand: broadcasting and conversion are undone."""
    if gradient._array.shape != shape:
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
    if lead and have[lead:] == shape:
        # A bias, mostly: one reduction, which leaves the shape as it should be.
        dim = (0,) if lead == 1 else tuple(range(lead))
        return _sum.emit(gradient, dim=dim, keepdim=False, dtype=gradient._kind.dtype)
    dims = (*range(lead), *(lead + i for i, side in enumerate(shape) if side == 1 and have[lead + i] != 1))
    if dims:
        gradient = gradient.sum(dims, keepdim=True)
    if lead:
        gradient = gradient.reshape(gradient._array.shape[lead:])
    return gradient if tuple(gradient._array.shape) == tuple(shape) else gradient.expand(shape)
