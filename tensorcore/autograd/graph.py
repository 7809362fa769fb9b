"""Nodes of the autograd graph: what an op keeps for its backward."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.sequence import next_sequence
from tensorcore.dtypes import FLOATING
from tensorcore.errors import InplaceError

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op
    from tensorcore.tensor import Tensor


class LeafType:
    """The class of `LEAF`."""

    __slots__ = ()


#: What ``Tensor._node`` holds for a leaf that requires grad.
LEAF: Final = LeafType()


#: Functions called with each node that an op makes, in any thread: hooks on saved tensors, anomaly mode; usually none.
watchers: Final[list[Callable[[OpNode], None]]] = []
#: Functions called in backward with each node, its cotangent and those it gave its operands; usually none.
inspectors: Final[list[Callable[[Node, Any, Any], None]]] = []
#: ``encloser(node, run)`` runs a node's backward by ``run()`` and returns what it returns: the profiler; usually none.
enclosers: Final[list[Callable[[Node, Callable[[], Any]], Any]]] = []


class Clock:
    """Counts in-place changes in the process, so that a node can tell whether one came after it."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0


clock: Final = Clock()
#: Functions called with the tensor whose memory is about to be changed in place; usually none.
before_changes: Final[list[Callable[[Tensor], None]]] = []

#: An in-place change: when, by which op, and the code and line of the user's program.
Change = tuple[int, str, CodeType, int]


def described(change: Change) -> str:
    """``op at file:line``, for errors."""
    _, op, code, line = change
    return f"{op} at {code.co_filename}:{line}"


class Node:
    """One step of the graph; its edges lead to the nodes (or leaf tensors) of its operands.

    A consumer of a node always has a higher ``sequence``, so highest first is a topological order.
    """

    __slots__ = (
        "__weakref__", "_metadata", "_pre_hooks", "edges", "hooks", "kind", "overwritten", "post_hooks", "sequence",
        "shape",
    )  # fmt: skip

    edges: tuple[Any, ...]
    #: Kind and shape of the output; tuples of them where there are several.
    kind: Any
    shape: Any
    sequence: int
    hooks: dict[int, Callable[..., Any]] | None
    overwritten: Change | None
    #: Called after its backward; not ``None`` where there are hooks to be called before it as well.
    post_hooks: dict[int, Callable[..., Any]] | None

    def name(self) -> str:
        """The name PyTorch prints, such as ``MulBackward0``."""
        raise NotImplementedError

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...] | list[Any]:
        """Cotangents of the operands, in the order of ``edges``."""
        raise NotImplementedError

    @property
    def metadata(self) -> dict[str, Any]:
        """A dict for what users and modes note of this node."""
        try:
            return self._metadata
        except AttributeError:
            self._metadata: dict[str, Any] = {}
            return self._metadata

    def takes_uniform(self) -> bool:
        """Whether a 0-d cotangent may stand for one that is the same at every element of the output."""
        return False

    def release(self) -> None:
        """Free what was saved."""

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """(node, index of its output) of each operand, as in PyTorch."""
        from tensorcore.autograd.edges import shown

        return tuple([shown(edge) for edge in self.edges])

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to it: always."""
        return True

    @property
    def pre_hooks(self) -> dict[int, Callable[..., Any]]:
        """The hooks to be called before its backward."""
        return getattr(self, "_pre_hooks", None) or {}

    def register_hook(self, fn: Callable[..., Any]) -> Any:
        """Call ``fn(grad_inputs, grad_outputs)`` after this node's backward; it may return other ``grad_inputs``."""
        from tensorcore.autograd.hooks import RemovableHandle

        if self.post_hooks is None:
            self.post_hooks = {}
        return RemovableHandle.add(self.post_hooks, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> Any:
        """Call ``fn(grad_outputs)`` before this node's backward; it may return other ``grad_outputs``."""
        from tensorcore.autograd.hooks import RemovableHandle

        if self.post_hooks is None:
            self.post_hooks = {}
        if getattr(self, "_pre_hooks", None) is None:
            self._pre_hooks: dict[int, Callable[..., Any]] = {}
        return RemovableHandle.add(self._pre_hooks, fn)

    def _register_hook_dict(self, tensor: Tensor) -> None:
        self.hooks = tensor._backward_hooks

    def _sequence_nr(self) -> int:
        return self.sequence

    @property
    def _input_metadata(self) -> tuple[Any, ...]:
        from tensorcore.autograd.edges import InputMetadata

        several = isinstance(self.kind, tuple)
        kinds, shapes = (self.kind, self.shape) if several else ((self.kind,), (self.shape,))
        return tuple([InputMetadata(tuple(s), k.dtype, k.device) for k, s in zip(kinds, shapes, strict=True)])

    def __repr__(self) -> str:
        return f"<{self.name()}>"


class OpNode(Node):
    """The step of a recorded op: its gradient rules and what they read."""

    __slots__ = ("attributes", "clock", "inputs", "op", "output", "plan", "shapes")

    def __init__(self, op: Op, inputs: tuple[Any, ...], output: Any, kind: Any, attributes: Any) -> None:
        self.op = op
        self.kind = kind
        self.attributes = attributes
        self.clock = clock.now
        self.hooks = None
        self.post_hooks = None
        self.overwritten = None
        # One and two operands are written out: a node is made for nearly every op of a training step.
        count = len(inputs)
        if count == 1:
            (x,) = inputs
            node = x._node if x._view is None else current_node(x)
            self.edges = (x if node is LEAF else node,)
            plan = op.plans.get(_ONLY)
        elif count == 2 and inputs[1] is not None:
            x, z = inputs
            node = x._node if x._view is None else current_node(x)
            other = z._node if z._view is None else current_node(z)
            self.edges = (x if node is LEAF else node, z if other is LEAF else other)
            plan = op.plans.get((5 if node is not None else 4) if other is None else (7 if node is not None else 6))
        else:
            edges, key, bit = [], 1 << count, 1
            for x in inputs:
                node = None
                if x is not None and x._node is not None:
                    node = x._node if x._view is None else current_node(x)
                    key += bit
                edges.append(x if node is LEAF else node)
                bit += bit
            self.edges = tuple(edges)
            plan = op.plans.get(key)
        # Numbered after its operands' nodes, which may have been made anew just now.
        self.sequence = next_sequence()
        if plan is None:
            plan = _plan(op, self.edges)
        self.plan = plan
        kept = plan.inputs
        if kept is None:
            self.inputs: Any = None
        elif kept is ALL:
            self.inputs = inputs
        elif count == 2:
            self.inputs = (inputs[0], None) if 0 in kept else (None, inputs[1])
        else:
            self.inputs = tuple([x if place in kept else None for place, x in enumerate(inputs)])
        self.output = output if plan.output else None
        self.shapes = tuple([None if x is None else x._array.shape for x in inputs]) if plan.shapes else None
        self.shape = output.shape if op.outputs == 1 else tuple([array.shape for array in output])
        if watchers:
            for watch in tuple(watchers):
                watch(self)

    def name(self) -> str:
        from tensorcore.ops.node_names import of_node

        return of_node(self)

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...] | list[Any]:
        if self.overwritten is not None:
            self._raise_if_stale(create_graph)
        op = self.op
        if op.moves and self.shape and not cotangent._array.shape:
            return (cotangent,) * len(self.edges)
        if self.inputs is not None:
            if self.inputs is FREED:
                raise RuntimeError(
                    f"{self.name()}: backward through the graph a second time: what it saved was freed by the "
                    "first backward; pass retain_graph=True there to keep it"
                )
            if clock.now != self.clock:
                self._raise_if_stale(create_graph)
        pull = op.pull
        if pull is None:
            pull = op.pull = _pull(op)
        return pull(op.vjp, cotangent, self, create_graph)

    def takes_uniform(self) -> bool:
        if self.op.moves:
            return self.post_hooks is None
        # Only where nothing was broadcast: what is summed for a smaller operand must have its full shape.
        if not self.op.elementwise or self.post_hooks is not None:
            return False
        shape = self.shape
        for edge in self.edges:
            if edge is not None and (edge.shape if isinstance(edge, Node) else edge._array.shape) != shape:
                return False
        return True

    def __dir__(self) -> list[str]:
        from tensorcore.autograd.edges import saved_names

        return [*(name for name in super().__dir__() if not name.startswith("_saved_")), *saved_names(self)]

    def saved_output(self, create_graph: bool) -> Any:
        """The output as a tensor, connected to this node when a second derivative may follow."""
        wrap = _wrap()
        if self.op.outputs != 1:
            parts = tuple(wrap(array, kind) for array, kind in zip(self.output or (), self.kind, strict=True))
            if create_graph:
                for place, part in enumerate(parts):
                    if part._kind.dtype.category >= FLOATING:
                        part._node = SelectNode(self, place, tuple(part._array.shape), part._kind)
            return parts
        saved = wrap(self.output, self.kind)
        if create_graph:
            saved._node = self
        return saved

    def _raise_if_stale(self, create_graph: bool) -> None:
        changed = self.overwritten if self.output is not None else None
        name, shape = "output", self.shape
        for place, x in enumerate(self.inputs or ()):
            if x is not None and changed is None:
                root = x
                while root._view is not None:
                    root = root._view[0]
                mark = root._changed
                if mark is not None and mark[0] > self.clock:
                    changed = mark
                    name, shape = f"operand {self.op.operand_at(place)}", x.shape
        if changed is not None:
            raise InplaceError(
                f"{self.name()}: its {name}, of shape {list(shape)}, is needed for backward but was changed in place "
                f"by {described(changed)}; change a copy (x.clone()) or use the op without the underscore"
            )

    def release(self) -> None:
        if self.inputs is not None or self.output is not None:
            self.inputs = FREED
            self.output = None


def shown_node(x: Tensor) -> Any:
    """``x.grad_fn``: the node that users see, with what it keeps as attributes, which are made when first asked for."""
    node = current_node(x)
    if not hasattr(OpNode, "_saved_self"):
        from tensorcore.autograd.edges import show_saved

        show_saved()
    if isinstance(node, SelectNode):
        return node.owner
    return None if node is LEAF else node


@cache
def _wrap() -> Any:
    # Remembered: an import statement takes a third of a microsecond at each node, and tensors need this module first.
    from tensorcore.tensor import wrap

    return wrap


def current_node(x: Tensor) -> Any:
    """What ``x._node`` should be: a view of a tensor that was changed in place since is taken from it anew."""
    node = x._node
    if x._view is None or node is None or node is LEAF:
        return node
    maker: Any = node.owner if isinstance(node, SelectNode) else node
    if maker.clock == clock.now:
        # Nothing was changed in place since: no need to walk down to the root, which views of views have deep below.
        return node
    base, op, attributes = x._view
    root = base
    while root._view is not None:
        root = root._view[0]
    if root._changed is None or maker.clock >= root._changed[0] or current_node(base) is None:
        return node
    x._node = OpNode(op, (base,), x._array, x._kind, attributes)
    return x._node


FREED: Final = ()

#: The key of the plan for one operand, which needs a gradient.
_ONLY: Final = 0b11

#: A plan that keeps every operand, so that the tuple of operands itself is kept.
ALL: Final = frozenset((-1,))


class Plan:
    """What a node keeps when certain operands need gradients, and how its gradient rules are run."""

    __slots__ = ("inputs", "output", "pull", "shapes")

    def __init__(self, inputs: frozenset[int] | None, output: bool, shapes: bool) -> None:
        self.inputs = inputs
        self.output = output
        self.shapes = shapes
        #: ``pull(cotangent, node)`` of `autograd.pulls`, made by the first backward.
        self.pull: Callable[[Any, OpNode], Any] = self._first

    def _first(self, cotangent: Any, node: OpNode) -> Any:
        from tensorcore.autograd.pulls import pull_of

        self.pull = pull_of(node.op, self, tuple([edge is not None for edge in node.edges]))
        return self.pull(cotangent, node)


def _plan(op: Op, edges: tuple[Any, ...]) -> Plan:
    """The plan of nodes of ``op`` when these operands need gradients.

    Remembered in ``op.plans`` by how many operands there are, as the highest bit, and which of them do.
    """
    keep: set[int] = set()
    output = shapes = False
    for place, read in enumerate(op.reads):
        if read is None or (not callable(op.vjp) and (place >= len(edges) or edges[place] is None)):
            continue
        keep.update(read.inputs)
        if read.rest is not None:
            keep.update(range(read.rest, len(edges)))
        output |= read.output
        shapes |= read.shapes
    plan = Plan((ALL if len(keep) == len(edges) else frozenset(keep)) if keep else None, output, shapes)
    key = 1 << len(edges)
    for place, edge in enumerate(edges):
        key += (edge is not None) << place
    op.plans[key] = plan
    return plan


class SelectNode(Node):
    """Output ``index`` of a node with several."""

    __slots__ = ("index", "owner")

    def __init__(self, owner: Node, index: int, shape: tuple[int, ...], kind: Kind) -> None:
        self.owner = owner
        self.index = index
        self.shape = shape
        self.kind = kind
        self.edges = (owner,)
        self.hooks = None
        self.post_hooks = None
        self.overwritten = None
        self.sequence = next_sequence()

    def name(self) -> str:
        return self.owner.name()


def _callers(op: Op) -> tuple[Any, ...]:
    return tuple(None if read is None else _caller(read.names, op.operands) for read in op.reads)


def _caller(names: tuple[str, ...], operands: tuple[str, ...]) -> Any:
    """A function that fetches what a gradient rule names from the node and calls it."""
    return _compiled(f"lambda rule, g, node, create_graph: rule({_arguments(names, operands)})")


def _pull(op: Op) -> Any:
    """A function ``(op.vjp, cotangent, node, create_graph)`` that calls all of an op's gradient rules.

    Compiled from text, as `collections.namedtuple` is, because it runs once per node in every backward.
    """
    calls = [None if read is None else _arguments(read.names, op.operands) for read in op.reads]
    if callable(op.vjp):
        body = f"rule({calls[0]})" if op.joint else f"(rule({calls[0]}),)"
    else:
        parts = []
        for place, call in enumerate(calls):
            # Trailing operands may have been left out.
            absent = f"len(node.edges) <= {place} or " if place > 1 else ""
            parts.append(
                "None, "
                if call is None
                else f"None if {absent}node.edges[{place}] is None else rule[{place}]({call}), "
            )
        body = f"({''.join(parts)})"
    return _compiled(f"lambda rule, g, node, create_graph: {body}")


@cache
def _compiled(text: str) -> Any:
    return eval(text)


def _arguments(names: tuple[str, ...], operands: tuple[str, ...]) -> str:
    """What a gradient rule names, as expressions of its node."""
    from tensorcore.ops.record import COTANGENT, NEEDS, OUTPUT

    places = {name.lstrip("*"): f"{i}:" if name.startswith("*") else str(i) for i, name in enumerate(operands)}
    arguments = []
    for name in names:
        base = name.removesuffix("_shape")
        if name == COTANGENT:
            arguments.append("g")
        elif name == OUTPUT:
            arguments.append("node.saved_output(create_graph)")
        elif name == NEEDS:
            arguments.append("tuple([edge is not None for edge in node.edges])")
        elif name in places:
            arguments.append(f"node.inputs[{places[name]}]")
        elif base in places:
            arguments.append(f"node.shapes[{places[base]}]")
        else:
            arguments.append(f"node.attributes[{name!r}]")
    return ", ".join(arguments)


_ELSEWHERE: Final = {
    "saved": ("disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"),
    "edges": ("AccumulateGrad", "GradientEdge", "get_gradient_edge", "increment_version", "register_multi_grad_hook"),
    "mutation": ("allow_mutation_on_saved_tensors",),
}


def __getattr__(name: str) -> Any:
    # PyTorch has these here; they are built on nodes.
    for module, names in _ELSEWHERE.items():
        if name in names:
            return getattr(import_module(f"tensorcore.autograd.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
