"""The graph as users see it: nodes of leaves, edges in place of tensors, what nodes keep, hooks on several tensors."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from tensorcore.autograd.graph import FREED, Node, OpNode, SelectNode, current_node
from tensorcore.autograd.hooks import RemovableHandle, register
from tensorcore.tensor import Tensor, mark_changed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "AccumulateGrad",
    "GradientEdge",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
]


class InputMetadata(NamedTuple):
    """What a node expects of the gradient of one of its outputs."""

    shape: tuple[int, ...]
    dtype: Any
    device: Any


class AccumulateGrad(Node):
    """Stands for a leaf where nodes are shown: in ``next_functions`` and as the node of an edge.

    Hooks on it are kept by the leaf: they run when backward adds to its ``grad``.
    """

    __slots__ = ("variable",)

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable
        self.edges = ()
        self.hooks = self.post_hooks = self.overwritten = None
        self.kind, self.shape = variable._kind, variable._array.shape
        self.sequence = (1 << 64) - 1

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def register_hook(self, fn: Callable[..., Any]) -> Any:
        """Call ``fn((), (gradient,))`` after backward has added to ``grad`` of the leaf."""
        from tensorcore.autograd.hooks import RemovableHandle

        if self.variable._post_hooks is None:
            self.variable._post_hooks = {}
        hooks: dict[int, Any] = self.variable._post_hooks
        return RemovableHandle.add(hooks, AfterAccumulation(fn))

    def register_prehook(self, fn: Callable[..., Any]) -> Any:
        """Call ``fn((gradient,))`` before backward adds to ``grad`` of the leaf; it may return another."""
        from tensorcore.autograd.hooks import register

        def before(gradient: Any) -> Any:
            replaced = fn((gradient,))
            return replaced[0] if isinstance(replaced, tuple) else replaced

        before.late = True  # type: ignore[attr-defined]
        return register(self.variable, before)

    def __repr__(self) -> str:
        return "<AccumulateGrad>"


class AfterAccumulation:
    """A hook on the node of a leaf, among those of the leaf."""

    __slots__ = ("hook",)

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, gradient: Any) -> None:
        """Run it with what was added."""
        self.hook((), (gradient,))


class GradientEdge(NamedTuple):
    """Where a gradient arrives in the graph: at output ``output_nr`` of ``node``.

    `backward` and `grad` take it in place of a tensor, which need not be kept.
    """

    node: Node
    output_nr: int
    #: The node of that output alone, where there are several.
    ownership_token: Node | None = None


def shown(edge: Any) -> tuple[Any, int]:
    """What users see of an edge: (node, index of its output), an `AccumulateGrad` for a leaf."""
    if isinstance(edge, SelectNode):
        return edge.owner, edge.index
    return (edge if edge is None or isinstance(edge, Node) else accumulator(edge)), 0


def accumulator(leaf: Tensor) -> AccumulateGrad:
    """The node that stands for a leaf: the same as long as someone holds it."""
    reference = leaf.__dict__.get("_accumulator")
    found = None if reference is None else reference()
    if found is None:
        found = AccumulateGrad(leaf)
        leaf.__dict__["_accumulator"] = ref(found)
    return found


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of ``tensor`` arrives; `grad` gives the same for it as for the tensor.

    Raises:
        RuntimeError: for a tensor that does not require grad.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([3.0], requires_grad=True)
        >>> y = x * x
        >>> edge = tc.autograd.graph.get_gradient_edge(x)
        >>> tc.autograd.grad(y, edge)
        (tensor([6.]),)
    """
    if not tensor.requires_grad:
        raise RuntimeError(
            f"get_gradient_edge: a tensor of shape {list(tensor.shape)} that does not require grad has no edge"
        )
    node = tensor.grad_fn
    if node is None:
        return GradientEdge(accumulator(tensor), 0)
    own = tensor._node
    return GradientEdge(node, tensor.output_nr, own if isinstance(own, SelectNode) else None)


def target_of(edge: GradientEdge, roots: Iterable[Any] = ()) -> Any:
    """What stands for an edge in the engine: a node, or the leaf itself.

    One output of several has a node of its own; where the edge does not hold it, it is looked for below ``roots``.
    """
    node, index, token = edge
    if isinstance(node, AccumulateGrad):
        return node.variable
    if isinstance(token, SelectNode):
        return token
    if not isinstance(node.kind, tuple):
        return node
    for each in nodes_below(roots):
        if isinstance(each, SelectNode) and each.owner is node and each.index == index:
            return each
    return SelectNode(node, index, tuple(node.shape[index]), node.kind[index])


def nodes_below(roots: Iterable[Any]) -> Iterator[Node]:
    """The nodes that can be reached from ``roots``, each once."""
    seen: set[int] = set()
    stack = [root for root in roots if isinstance(root, Node)]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            stack.extend(edge for edge in node.edges if isinstance(edge, Node))


# ---------------------------------------------------------------------- what nodes keep


def _kept(node: OpNode) -> dict[str, Callable[[], Any]]:
    """Functions that return what is kept, by PyTorch's names; ``None`` for what a rule would read and need not."""
    operands, last = node.op.operands, len(node.op.operands) - 1
    reads = [read for read in node.op.reads if read is not None]
    found: dict[str, Callable[[], Any]] = {
        _spelled(operands[place]): _nothing for read in reads for place in read.inputs
    }  # fmt: skip
    found.update({name: functools.partial(_given, value) for name, value in node.attributes.items()})
    inputs, output = node.inputs, node.output
    if inputs is FREED:
        names = [*found, *(["result"] if any(read.output for read in reads) else [])]
        return {
            name: functools.partial(_refuse, node) if name not in node.attributes else found[name] for name in names
        }
    packed = type(node) is not OpNode
    if packed:
        inputs, output = inputs
    several: list[Callable[[], Any]] = []
    for place, value in enumerate(inputs or ()):
        if value is not None:
            get = functools.partial(value.restored, True) if packed else functools.partial(_given, value)
            if node.op.variadic and place >= last:
                several.append(get)
            else:
                found[_spelled(operands[place])] = get
    if several:
        found[_spelled(operands[last])] = lambda: tuple([get() for get in several])
    if output is not None:
        found["result"] = functools.partial(_output, node, output if packed else None)
    return found


def _nothing() -> None:
    return None


def _given(value: Any) -> Any:
    return value


def _output(node: OpNode, packed: Any) -> Any:
    if packed is None:
        return node.saved_output(True)
    return packed.restored(True) if hasattr(packed, "restored") else tuple([each.restored(True) for each in packed])


def _refuse(node: OpNode) -> Any:
    raise RuntimeError(
        f"{node.name()}: what it saved has been freed by a backward; pass retain_graph=True there to keep it"
    )


def _spelled(operand: str) -> str:
    return "self" if operand == "input" else operand.lstrip("*")


def saved_names(node: OpNode) -> list[str]:
    """The attributes of a node under which it shows what it keeps."""
    return [f"_saved_{name}" for name in _kept(node)]


def show_saved() -> None:
    """Give nodes an attribute for each name under which one of them may keep something.

    Not by ``__getattr__``, which would make every access to any attribute of a node slower.
    """
    from tensorcore.ops.record import REGISTRY

    names = {"self", "result"}
    for op in REGISTRY.values():
        names.update(map(_spelled, op.operands), op.signature.parameters)
    for name in names:
        shown = f"_saved_{name}"
        setattr(OpNode, shown, property(functools.partial(saved_of, name=shown)))


def saved_of(node: OpNode, name: str) -> Any:
    """What a node keeps under a name such as ``_saved_self``.

    Raises:
        AttributeError: where it keeps nothing of that name.
        RuntimeError: where a backward has freed it.
    """
    found = _kept(node)
    if name[7:] not in found:
        raise AttributeError(f"{node.name()} has no {name!r}; it keeps {', '.join(saved_names(node)) or 'nothing'}")
    return found[name[7:]]()


# ---------------------------------------------------------------------- several tensors


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Tell autograd that the memory of tensors was changed in place by code that it does not see.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.ones(2)
        >>> tc.autograd.graph.increment_version(x)
        >>> x._version
        1
    """
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        mark_changed(each, "increment_version")


def _edge(tensor: Tensor) -> Any:
    """What stands for a tensor in the graph: its node, or itself where it is a leaf."""
    node = current_node(tensor)
    return node if isinstance(node, Node) else tensor


class _Gathering:
    """What one backward has brought to the tensors of a hook so far."""

    def __init__(self, count: int, wanted: int) -> None:
        self.gradients: list[Tensor | None] = [None] * count
        self.wanted = wanted
        self.arrived = 0


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all") -> MultiHandle:
    """Call ``fn`` in each backward after the gradients of ``tensors`` were computed.

    With ``mode="all"`` it is called once all that this backward computes are there, with a list that has ``None`` for
    the others; with ``mode="any"`` as soon as the first is there, with that gradient.

    Raises:
        ValueError: for another mode.
        RuntimeError: for a tensor that does not require grad.

    Example:
        >>> import tensorcore as tc
        >>> a, b = tc.ones(1, requires_grad=True), tc.ones(1, requires_grad=True)
        >>> handle = tc.autograd.graph.register_multi_grad_hook([a, b], lambda grads: print(grads))
        >>> (a * 2 + b * 3).sum().backward()
        [tensor([2.]), tensor([3.])]
        >>> handle.remove()
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: mode must be 'all' or 'any', got {mode!r}")
    tensors = list(tensors)
    # Not the tensors: the hooks belong to their nodes.
    places = [ref(_edge(tensor)) for tensor in tensors]
    gathered: dict[int, _Gathering] = {}
    lock = threading.Lock()

    def brought(place: int, gradient: Tensor) -> None:
        from tensorcore.autograd.run import current_run

        run = current_run()
        first = complete = False
        with lock:
            found = gathered.get(run.number)
            if found is None:
                first = True
                wanted = run.reaching([place() for place in places]) if mode == "all" else 1
                found = gathered[run.number] = _Gathering(len(places), wanted)
                run.at_end(functools.partial(gathered.pop, run.number, None))
            found.gradients[place] = gradient
            found.arrived += 1
            complete = found.arrived == found.wanted
        if mode == "any" and first:
            fn(gradient)
        elif mode == "all" and complete:
            fn(found.gradients)

    return MultiHandle(
        [register(tensor, lambda g, place=place: brought(place, g)) for place, tensor in enumerate(tensors)]
    )


class MultiHandle(RemovableHandle):
    """The handle of a hook on several tensors."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__({}, handles[0].id if handles else 0)
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take the hook away from all tensors; a second call does nothing."""
        for handle in self.handles:
            handle.remove()
