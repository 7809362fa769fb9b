"""Custom differentiable functions, as in ``torch.autograd.Function``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from weakref import ref

from tensorcore.autograd.graph import LEAF, Node, SelectNode, clock, described
from tensorcore.autograd.inplace import check_inplace
from tensorcore.autograd.mode import mode
from tensorcore.autograd.saved import Packed, active
from tensorcore.autograd.sequence import next_sequence
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import DTypeError, InplaceError, ShapeError
from tensorcore.levels import running
from tensorcore.tensor import Tensor, mark_changed, root_of, wrap


class FunctionCtx:
    """``ctx`` of a custom function: what forward keeps for backward."""

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._not_differentiable: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors, or ``None``, for backward; changing them in place afterwards is an error there.

        Raises:
            TypeError: for anything else, which can be kept as an attribute of ``ctx``.
        """
        self._saved = _only_tensors("save_for_backward", tensors)

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Outputs through which no gradient flows."""
        self._not_differentiable = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Inputs that forward changed in place and returns."""
        self._dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether cotangents of unused outputs reach backward as zeros (the default) or ``None``."""
        self._materialize = value

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for the static method ``jvp``, where `saved_tensors` gives them."""
        self._for_forward = _only_tensors("save_for_forward", tensors)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept; in ``jvp`` what `save_for_forward` did."""
        if self._in_forward and self._for_forward is not None:
            return self._for_forward
        if self._node is None:
            return self._saved
        node = self._node()
        if node is None:
            raise RuntimeError("saved_tensors: the graph that this ctx belongs to, and what it saved, is gone")
        found: tuple[Any, ...] = node.unpack()
        return found

    #: Gives the step of the function, once it has one: not the step itself, which holds this object.
    _node: Callable[[], Any] | None = None
    _for_forward: tuple[Any, ...] | None = None
    _in_forward = False


def _only_tensors(op: str, tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    for place, x in enumerate(tensors):
        if x is not None and not isinstance(x, Tensor):
            raise TypeError(
                f"{op}: argument {place} must be a tensor or None, got {type(x).__name__}; keep others on ctx"
            )
    return tensors


class FunctionNode(Node):
    """The step of a custom function; it shows what its ``ctx`` has, as in PyTorch, where the two are one object.

    Each function has a class of nodes of its own, called after it.
    """

    __slots__ = ("clock", "context", "function", "outputs", "parts", "released", "saved")

    def __init__(self, function: type[Function], context: FunctionCtx, inputs: list[Any]) -> None:
        self.function = function
        self.context = context
        self.sequence = next_sequence()
        self.clock = clock.now
        self.hooks = None
        self.post_hooks = None
        self.overwritten = None
        self.released = False
        #: The steps of the outputs, where there are several.
        self.parts: tuple[Callable[[], Any], ...] = ()
        edges = []
        for x in inputs:
            node = x._node if isinstance(x, Tensor) else None
            edges.append(x if node is LEAF else node)
        self.edges = tuple(edges)

    def name(self) -> str:
        return f"{self.function.__name__}Backward"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.context, name)

    def keep(self, outputs: tuple[Any, ...]) -> None:
        """Take over the saved tensors; outputs are kept without their graph, which would be a cycle."""
        own = {id(out): place for place, out in enumerate(outputs)}
        kept: list[tuple[int | None, Any]] = [
            (own[id(t)], wrap(t._array, t._kind)) if id(t) in own else (None, t) for t in self.context._saved
        ]
        hooks = active()
        if hooks is not None:
            kept = [(place, t if t is None else Packed.of(t, hooks)) for place, t in kept]
        self.saved = tuple(kept)
        self.context._saved = ()
        self.outputs = len(outputs)

    def unpack(self) -> tuple[Any, ...]:
        """The saved tensors, checked for in-place changes."""
        if self.released:
            raise RuntimeError(
                f"{self.name()}: backward through the graph a second time: what it saved was freed by the first; "
                "pass retain_graph=True there"
            )
        found = []
        for place, tensor in self.saved:
            if isinstance(tensor, Packed):
                tensor = tensor.restored(mode.grad)
            if tensor is not None:
                mark = root_of(tensor)._changed if place is None else self._change_of(place)
                if mark is not None and mark[0] > self.clock:
                    raise InplaceError(
                        f"{self.name()}: a saved tensor of shape {list(tensor.shape)} was changed in place by "
                        f"{described(mark)}"
                    )
                if place is not None and mode.grad:
                    tensor._node = (
                        self if self.outputs == 1 else SelectNode(self, place, tensor._array.shape, tensor._kind)
                    )
            found.append(tensor)
        return tuple(found)

    def _change_of(self, place: int) -> Any:
        """The last change in place of an output, which its step notes."""
        part = self.parts[place]() if self.parts else self
        return None if part is None else part.overwritten

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...]:
        given = (
            (cotangent,)
            if self.outputs == 1
            else tuple(
                cotangent[i] if kind is not None and (self.context._materialize or i in cotangent.arrived) else None
                for i, kind in enumerate(self.kind)
            )
        )
        results = self.function.backward(self.context, *given)
        results = results if isinstance(results, tuple) else (results,)
        if len(results) != len(self.edges):
            extra = results[len(self.edges) :]
            if len(results) < len(self.edges) or any(each is not None for each in extra):
                raise RuntimeError(
                    f"{self.name()}: backward returned {len(results)} gradients, forward had {len(self.edges)} inputs"
                )
        # A custom rule may hand out a tensor it keeps, so nothing it returns may be written to.
        return tuple([
            None if each is None or edge is None else self._fitting(place, each, edge).alias()
            for place, (each, edge) in enumerate(zip(results, self.edges, strict=False))
        ])  # fmt: skip

    def _fitting(self, place: int, gradient: Any, edge: Any) -> Any:
        """What backward returned for an input, if it can be its gradient: of its shape, or of one summed to it."""
        if not isinstance(gradient, Tensor):
            raise RuntimeError(
                f"{self.name()}: backward must return a tensor or None for each input of forward, in a tuple where "
                f"there are several; got {type(gradient).__name__} for input {place}"
            )
        shape, kind = (edge.shape, edge.kind) if isinstance(edge, Node) else (edge._array.shape, edge._kind)
        have = gradient._array.shape
        if have != shape:
            lead = len(have) - len(shape)
            if lead < 0 or any(side not in (1, given) for side, given in zip(shape, have[lead:], strict=True)):
                raise ShapeError(
                    f"{self.name()}: backward returned a gradient of shape {list(have)} for input {place}, of shape "
                    f"{list(shape)}"
                )
        if gradient._kind.dtype.category == COMPLEX != kind.dtype.category:
            raise DTypeError(
                f"{self.name()}: backward returned a gradient of {gradient.dtype} for input {place}, of {kind.dtype}; "
                "take its real part"
            )
        return gradient

    def release(self) -> None:
        self.released = bool(self.saved)
        self.saved = ()


class FunctionMeta(type):
    """The class of custom functions: gives each its class of nodes, and ``backward`` under its other name ``vjp``."""

    def __init__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> None:
        cls._backward_cls: Any = type(f"{name}Backward", (FunctionNode,), {"__module__": cls.__module__})
        if "vjp" in attributes and bases:
            if "backward" in attributes:
                raise RuntimeError(f"{name}: backward and vjp are two names of one static method; define one of them")
            cls.backward = attributes["vjp"]
        super().__init__(name, bases, attributes)


class Function(metaclass=FunctionMeta):
    """Base of custom differentiable functions: define ``forward`` and ``backward`` as static methods, call ``apply``.

    Example:
        >>> import tensorcore as tc
        >>> class Double(tc.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return x * 2
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return g * 2
        >>> x = tc.ones(2, requires_grad=True)
        >>> Double.apply(x).sum().backward()
        >>> x.grad
        tensor([2., 2.])
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; with ``setup_context`` defined it gets no ``ctx``."""
        raise NotImplementedError("a custom Function must define a static method forward")

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Any) -> None:
        """Save for backward what forward, written without ``ctx``, has computed."""

    @staticmethod
    def backward(ctx: FunctionCtx, *grad_outputs: Any) -> Any:
        """The cotangents of the inputs, ``None`` for those without."""
        raise NotImplementedError("a custom Function must define a static method backward")

    @staticmethod
    def vjp(ctx: FunctionCtx, *grad_outputs: Any) -> Any:
        """Another name of ``backward``."""
        raise NotImplementedError("a custom Function must define a static method backward")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """What `tensorcore.vmap` runs: ``(output, out_dims)`` for tensors of all examples, counted along ``in_dims``.

        ``info`` has ``batch_size`` and ``randomness``. Without it, ``generate_vmap_rule = True`` has ``forward`` and
        ``backward`` run on all examples at once; else they run example by example.
        """
        raise NotImplementedError

    @staticmethod
    def jvp(ctx: FunctionCtx, *grad_inputs: Any) -> Any:
        """The tangents of the outputs for those of the inputs; without it they follow from ``backward``."""
        raise NotImplementedError

    #: Whether ``forward`` and ``backward`` are made of ops that `tensorcore.vmap` runs on all examples at once.
    generate_vmap_rule = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: functions are not called by way of an instance."""
        name = type(self).__name__
        raise RuntimeError(f"{name}: a custom function is called by {name}.apply(...), and its methods are static")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and connect its outputs to ``backward``."""
        if running.levels:
            level = _innermost_of(args)
            if level is not None:
                from tensorcore.func.custom import applied

                return applied(cls, level, args, kwargs)
        return connected(cls, FunctionCtx(), args, kwargs)


def _innermost_of(args: tuple[Any, ...]) -> Any:
    """The backend of the innermost transform that the tensors among the arguments belong to."""
    found: Any = None
    for x in args:
        level = x._kind.level if isinstance(x, Tensor) else None
        if level is not None and (found is None or level.depth > found.depth):
            found = level
    return found


def connected(
    cls: type[Function], context: FunctionCtx, args: tuple[Any, ...], kwargs: dict[str, Any],
    compute: Callable[[], Any] | None = None,
) -> Any:  # fmt: skip
    """What ``forward``, or ``compute`` in its place, gives, as outputs of a step whose backward is that of ``cls``."""
    context.needs_input_grad = tuple(isinstance(x, Tensor) and x._node is not None for x in args)
    needed = mode.grad and any(context.needs_input_grad)
    split = cls.setup_context is not Function.setup_context
    before = mode.grad
    try:
        if compute is not None:
            result = compute()
        mode.grad = False
        if compute is None:
            result = cls.forward(*args, **kwargs) if split else cls.forward(context, *args, **kwargs)
        if split:
            cls.setup_context(context, args, result)
    finally:
        mode.grad = before
    outputs = result if isinstance(result, tuple) else (result,)
    for x in context._dirty:
        if not any(x is out for out in outputs):
            raise RuntimeError(
                f"{cls.__name__}: a tensor of shape {list(x.shape)} was marked dirty and not returned; what forward "
                "changes in place must be among its outputs"
            )
        check_inplace(x, cls.__name__)
        mark_changed(x, cls.__name__)
    if not (needed and any(isinstance(out, Tensor) for out in outputs)):
        return result
    node = cls._backward_cls(cls, context, list(args))
    context._node = ref(node)
    passed = {id(x) for x in args if isinstance(x, Tensor)}
    dirty = {id(x) for x in context._dirty}
    fixed = {id(x) for x in context._not_differentiable}
    outs = tuple(
        wrap(out._array, out._kind) if isinstance(out, Tensor) and id(out) in passed and id(out) not in dirty else out
        for out in outputs
    )
    node.keep(outs)
    node.kind = outs[0]._kind if len(outs) == 1 else tuple(getattr(o, "_kind", None) for o in outs)
    node.shape = (
        tuple(outs[0]._array.shape)
        if len(outs) == 1
        else tuple(tuple(o._array.shape) if isinstance(o, Tensor) else () for o in outs)
    )
    for place, out in enumerate(outs):
        if not isinstance(out, Tensor) or id(outputs[place]) in fixed or out._kind.dtype.category < FLOATING:
            continue
        out._node = node if len(outs) == 1 else SelectNode(node, place, tuple(out._array.shape), out._kind)
        if id(out) in dirty and out._view is not None:
            from tensorcore.ops.inplace import write_through

            write_through(out, True)
    if len(outs) > 1:
        node.parts = tuple([ref(out._node) if isinstance(getattr(out, "_node", None), Node) else _gone for out in outs])
    return outs if isinstance(result, tuple) else outs[0]


def _gone() -> None:
    """Stands for the step of an output that has none."""


class InplaceFunction(Function):
    """A `Function` with a flag ``inplace``, for programs of old; `Function` does the same."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


#: PyTorch's name of the class of nodes.
BackwardCFunction = FunctionNode


class _Twice(Function):
    """The identity, for gradients whose own gradient is refused."""

    @staticmethod
    def forward(ctx: FunctionCtx, name: str, *gradients: Tensor) -> Any:
        ctx.name = name  # type: ignore[attr-defined]
        return gradients

    @staticmethod
    def backward(ctx: FunctionCtx, *cotangents: Any) -> Any:
        raise RuntimeError(
            f"{ctx.name}: its backward is marked once_differentiable, "  # type: ignore[attr-defined]
            "so what it returns cannot be differentiated again"
        )


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the ``backward`` of a custom function as one whose result has no gradient of its own.

    It runs without grad mode; differentiating its result, which would silently give zeros, is an error.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.autograd.function import once_differentiable
        >>> class Double(tc.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return x * 2
        ...     @staticmethod
        ...     @once_differentiable
        ...     def backward(ctx, g):
        ...         return g * 2
    """

    @functools.wraps(backward)
    def once(ctx: FunctionCtx, *cotangents: Any) -> Any:
        before = mode.grad
        mode.grad = False
        try:
            result = backward(ctx, *cotangents)
        finally:
            mode.grad = before
        if not before:
            return result
        found = result if isinstance(result, tuple) else (result,)
        places = [i for i, each in enumerate(found) if each is not None]
        leaves = [found[i].detach().requires_grad_() for i in places]
        marked = list(found)
        name = "backward" if ctx._node is None else ctx._node().name()
        for i, each in zip(places, _Twice.apply(name, *leaves), strict=True):
            marked[i] = each
        return tuple(marked)

    once.once = True  # type: ignore[attr-defined]
    return once
