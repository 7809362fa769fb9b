"""Custom differentiable functions, as in ``torch.autograd.Function``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorcore.autograd.graph import LEAF, Node, SelectNode, clock, described
from tensorcore.autograd.mode import mode
from tensorcore.autograd.saved import Packed, active
from tensorcore.autograd.sequence import next_sequence
from tensorcore.dtypes import FLOATING
from tensorcore.errors import InplaceError
from tensorcore.levels import running
from tensorcore.tensor import Tensor, root_of, wrap


class Context:
    """``ctx`` of a custom function: what forward keeps for backward."""

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._not_differentiable: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward; changing them in place afterwards is an error there."""
        self._saved = tensors

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
        self._for_forward = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept; in ``jvp`` what `save_for_forward` did."""
        if self._in_forward and self._for_forward is not None:
            return self._for_forward
        return self._saved if self._node is None else self._node.unpack()

    #: The step of the function, once it has one.
    _node: Any = None
    _for_forward: tuple[Any, ...] | None = None
    _in_forward = False


class FunctionNode(Node):
    """The step of a custom function."""

    __slots__ = ("clock", "context", "function", "outputs", "released", "saved", "shapes")

    def __init__(self, function: type[Function], context: Context, inputs: list[Any]) -> None:
        self.function = function
        self.context = context
        self.sequence = next_sequence()
        self.clock = clock.now
        self.hooks = None
        self.post_hooks = None
        self.overwritten = None
        self.released = False
        edges = []
        for x in inputs:
            node = x._node if isinstance(x, Tensor) else None
            edges.append(x if node is LEAF else node)
        self.edges = tuple(edges)

    def name(self) -> str:
        return f"{self.function.__name__}Backward"

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
                mark = root_of(tensor)._changed
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

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...]:
        given = (
            (cotangent,)
            if self.outputs == 1
            else tuple(
                cotangent[i] if self.context._materialize or i in cotangent.arrived else None
                for i in range(self.outputs)
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
        return tuple(None if each is None else each.alias() for each in results)

    def release(self) -> None:
        self.released = bool(self.saved)
        self.saved = ()


class Function:
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
    def setup_context(ctx: Context, inputs: tuple[Any, ...], output: Any) -> None:
        """Save for backward what forward, written without ``ctx``, has computed."""

    @staticmethod
    def backward(ctx: Context, *grad_outputs: Any) -> Any:
        """The cotangents of the inputs, ``None`` for those without."""
        raise NotImplementedError("a custom Function must define a static method backward")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """What `tensorcore.vmap` runs: ``(output, out_dims)`` for tensors of all examples, counted along ``in_dims``.

        ``info`` has ``batch_size`` and ``randomness``. Without it, ``generate_vmap_rule = True`` has ``forward`` and
        ``backward`` run on all examples at once; else they run example by example.
        """
        raise NotImplementedError

    @staticmethod
    def jvp(ctx: Context, *grad_inputs: Any) -> Any:
        """The tangents of the outputs for those of the inputs; without it they follow from ``backward``."""
        raise NotImplementedError

    #: Whether ``forward`` and ``backward`` are made of ops that `tensorcore.vmap` runs on all examples at once.
    generate_vmap_rule = False

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and connect its outputs to ``backward``."""
        if running.levels:
            level = _innermost_of(args)
            if level is not None:
                from tensorcore.func.custom import applied

                return applied(cls, level, args, kwargs)
        return connected(cls, Context(), args, kwargs)


def _innermost_of(args: tuple[Any, ...]) -> Any:
    """The backend of the innermost transform that the tensors among the arguments belong to."""
    found: Any = None
    for x in args:
        level = x._kind.level if isinstance(x, Tensor) else None
        if level is not None and (found is None or level.depth > found.depth):
            found = level
    return found


def connected(
    cls: type[Function], context: Context, args: tuple[Any, ...], kwargs: dict[str, Any],
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
    if not needed:
        return result
    node = FunctionNode(cls, context, list(args))
    context._node = node
    passed = {id(x) for x in args if isinstance(x, Tensor)}
    dirty = {id(x) for x in context._dirty}
    fixed = {id(x) for x in context._not_differentiable}
    outs = tuple(
        wrap(out._array, out._kind) if isinstance(out, Tensor) and id(out) in passed and id(out) not in dirty else out
        for out in outputs
    )
    node.keep(outs)
    tensors = [out for out in outs if isinstance(out, Tensor)]
    node.kind = tensors[0]._kind if len(outs) == 1 else tuple(getattr(o, "_kind", None) for o in outs)
    node.shape = (
        tuple(tensors[0]._array.shape)
        if len(outs) == 1
        else tuple(tuple(o._array.shape) if isinstance(o, Tensor) else () for o in outs)
    )
    for place, out in enumerate(outs):
        if not isinstance(out, Tensor) or id(outputs[place]) in fixed or out._kind.dtype.category < FLOATING:
            continue
        out._node = node if len(outs) == 1 else SelectNode(node, place, tuple(out._array.shape), out._kind)
    return outs if isinstance(result, tuple) else outs[0]


class _Twice(Function):
    """The identity, for gradients whose own gradient is refused."""

    @staticmethod
    def forward(ctx: Context, name: str, *gradients: Tensor) -> Any:
        ctx.name = name  # type: ignore[attr-defined]
        return gradients

    @staticmethod
    def backward(ctx: Context, *cotangents: Any) -> Any:
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
    def once(ctx: Context, *cotangents: Any) -> Any:
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
        for i, each in zip(places, _Twice.apply(ctx._node.name(), *leaves), strict=True):
            marked[i] = each
        return tuple(marked)

    once.once = True  # type: ignore[attr-defined]
    return once
