"""Reverse mode as transforms of functions: `vjp`, `grad`, `jacrev`.

They run the function on fresh leaves of the innermost level that runs, so that nested calls and calls inside `vmap` or
forward mode differentiate what they were asked to, and nothing else. A tensor that already is in a graph enters
through a step of it: the outer derivative then goes through the inner one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.autograd import engine
from tensorcore.autograd.graph import LEAF, Node
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import DTypeError, ShapeError, TransformError
from tensorcore.func.jacobians import assembled, basis_of
from tensorcore.func.mapping import vmap
from tensorcore.func.pytree import flatten, tree_map, unflatten
from tensorcore.levels import innermost, running
from tensorcore.tensor import Tensor, wrap

__all__ = ["grad", "grad_and_value", "in_graph", "jacrev", "passing_leaf", "reaches_others", "require_real", "vjp"]


class grad_enabled:  # noqa: N801 - reads as what it does: ``with grad_enabled():``
    """Grad mode on, even inside ``inference_mode``: a transform differentiates whatever the mode around it."""

    def __enter__(self) -> None:
        self.before = mode.grad
        mode.grad = True

    def __exit__(self, *exc: object) -> None:
        mode.grad = self.before


def leaf_of(x: Tensor, connected: bool) -> Tensor:
    """``x`` as a tensor of the innermost level to differentiate by; ``connected`` to the graph that it is in."""
    level = innermost()
    if level is not None and (x._kind.level is None or x._kind.level.depth != level.depth):
        x = level.on(x._kind.device).lift(x)
    if connected and x._node is not None:
        return x.alias()
    leaf = wrap(x._array, x._kind)
    leaf._node = LEAF
    return leaf


def in_graph(x: Any) -> bool:
    """Whether a tensor requires grad, at its level or further out."""
    while isinstance(x, Tensor):
        if x._node is not None:
            return True
        if x._kind.level is None:
            return False
        tangent = getattr(x._array, "tangent", None)
        if tangent is not None and in_graph(tangent):
            return True
        x = x._array.outer
    return False


def reaches_others(outputs: Sequence[Tensor], leaves: Sequence[Tensor]) -> bool:
    """Whether a graph ends in leaves besides ``leaves``."""
    own = {id(leaf) for leaf in leaves}
    seen: set[int] = set()
    stack: list[Any] = []
    for x in outputs:
        if x._node is LEAF and id(x) not in own:
            return True
        stack.append(x._node)
    while stack:
        node = stack.pop()
        if isinstance(node, Node):
            if id(node) not in seen:
                seen.add(id(node))
                stack.extend(node.edges)
        elif isinstance(node, Tensor) and id(node) not in own and "_passing" not in node.__dict__:
            return True
    return False


def passing_leaf(x: Tensor) -> Tensor:
    """``x`` as a leaf that a rule differentiates by and forgets: what hangs on it alone is in nobody's graph."""
    leaf = wrap(x._array, x._kind)
    leaf._node = LEAF
    leaf._passing = True  # type: ignore[attr-defined]
    return leaf


class Pullback:
    """A function's outputs as steps of a graph, and how cotangents go back through it.

    Attributes:
        outputs: the leaves of what the function returned.
        spec: their containers.
        aux: what it returned beside them.
    """

    def __init__(self, op: str, func: Callable[..., Any], primals: Sequence[Any], has_aux: bool = False) -> None:
        self.op = op
        outer = mode.grad
        self.given, self.given_spec = flatten(tuple(primals))
        for place, x in enumerate(self.given):
            _check_primal(op, place, x)
        with grad_enabled():
            self.leaves = [leaf_of(x, outer) for x in self.given]
            made = func(*unflatten(self.leaves, self.given_spec))
        self.aux: Any = None
        if has_aux:
            if not isinstance(made, tuple) or len(made) != 2:
                raise TransformError(f"{op}: with has_aux the function must return (output, aux), got {_kinds(made)}")
            made, self.aux = made
        self.inner, self.spec = flatten(made)
        for x in self.inner:
            if not isinstance(x, Tensor):
                raise TransformError(f"{op}: the function must return tensors, got {_kinds(made)}")
        #: Whether leaves of others are in the graph, so that what comes of it belongs to theirs.
        self.joined = outer and reaches_others(self.inner, self.leaves)
        #: Whether backward must leave a graph: for theirs, or for what levels further out record.
        self.recorded = outer and (self.joined or bool(running.levels))
        self.outputs = [self.released(x) for x in self.inner]
        self.aux = tree_map(lambda x: self.released(x) if isinstance(x, Tensor) else x, self.aux)

    def released(self, x: Tensor) -> Tensor:
        """``x`` outside of the graph of the leaves, unless it is in that of others too."""
        if x._node is None:
            return x
        if self.joined and reaches_others([x], self.leaves):
            return x
        return wrap(x._array, x._kind)

    #: Which primals the last call went back to.
    reached: tuple[bool, ...] = ()

    def __call__(
        self, cotangents: Sequence[Tensor], keep: bool = True, among: Sequence[int] | None = None
    ) -> list[Tensor]:
        """The cotangents of the primals, of the outputs ``among``; zeros where those do not depend on one."""
        connected = [
            (y, g)
            for place, (y, g) in enumerate(zip(self.inner, cotangents, strict=True))
            if y._node is not None and (among is None or place in among)
        ]
        record = self.recorded or (mode.grad and any(in_graph(g) for _, g in connected))
        found: Sequence[Any] = [None] * len(self.leaves)
        if connected:
            outputs, given = zip(*connected, strict=True)
            found = engine.grad(
                outputs, self.leaves, given, retain_graph=keep or record, create_graph=record, allow_unused=True
            )
        # What comes of a graph of these leaves alone, and of cotangents outside of all, is released.
        held = self.joined or any(g._node is not None for _, g in connected)
        self.reached = tuple([gradient is not None for gradient in found])
        results = []
        for leaf, gradient in zip(self.leaves, found, strict=True):
            if gradient is None:
                gradient = _zeros_like(leaf)
            elif gradient._node is not None and not held:
                gradient = wrap(gradient._array, gradient._kind)
            results.append(gradient)
        return results


def _zeros_like(x: Tensor) -> Tensor:
    from tensorcore.ops.creation import zeros

    return zeros(tuple(x.shape), dtype=x.dtype, device=x.device)


def _check_primal(op: str, place: int, x: Any) -> None:
    if not isinstance(x, Tensor):
        raise TransformError(f"{op}: input {place} must be a tensor, or containers of them, got {type(x).__name__}")
    if x._kind.dtype.category < FLOATING:
        raise DTypeError(
            f"{op}: input {place} of shape {list(x.shape)} is {x.dtype}; derivatives are of floating-point and "
            "complex tensors; choose others with argnums"
        )


def _kinds(made: Any) -> str:
    if isinstance(made, tuple):
        return f"({', '.join(type(x).__name__ for x in made)})"
    return type(made).__name__


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``func(*primals)``, and the function that takes cotangents of the outputs to those of the inputs.

    Returns:
        ``(output, vjp_fn)``, with ``has_aux`` ``(output, vjp_fn, aux)`` for a ``func`` that returns ``(output, aux)``.
        ``vjp_fn`` takes one argument for each output of ``func``, and returns a tuple with one entry for each primal.

    Raises:
        TransformError: if an input or output is no tensor, or cotangents do not fit the outputs.

    Example:
        >>> import tensorcore as tc
        >>> y, pull = tc.func.vjp(tc.sin, tc.tensor([0.0, 1.0]))
        >>> pull(tc.ones(2))
        (tensor([1.0000, 0.5403]),)
    """
    pull = Pullback("vjp", func, primals, has_aux)

    def vjp_fn(*cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        single = pull.spec.container not in (tuple, list)
        given, spec = flatten(cotangents[0] if len(cotangents) == 1 and single else tuple(cotangents))
        if len(cotangents) == 1 and not single and isinstance(cotangents[0], (tuple, list)):
            given, spec = flatten(cotangents[0])
        if len(given) != len(pull.inner):
            raise TransformError(f"vjp: cotangents must be like the outputs, {pull.spec!r}, got {spec!r}")
        for place, (g, y) in enumerate(zip(given, pull.inner, strict=True)):
            if not isinstance(g, Tensor):
                raise TransformError(f"vjp: cotangent {place} must be a tensor, got {type(g).__name__}")
            if tuple(g.shape) != tuple(y.shape):
                raise ShapeError(f"vjp: cotangent {place} has shape {list(g.shape)}, the output {list(y.shape)}")
        return unflatten(pull(given, retain_graph), pull.given_spec)

    output = unflatten(pull.outputs, pull.spec)
    return (output, vjp_fn, pull.aux) if has_aux else (output, vjp_fn)


def chosen(op: str, argnums: Any, args: tuple[Any, ...]) -> tuple[int, ...]:
    """The positions of the arguments to differentiate by, from 0."""
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    places = []
    for number in numbers:
        if not isinstance(number, int) or isinstance(number, bool):
            raise TransformError(f"{op}: argnums must be an int or a tuple of them, got {argnums!r}")
        if not -len(args) <= number < len(args):
            raise TransformError(f"{op}: argnums={argnums!r}, but there are {len(args)} positional arguments")
        places.append(number % len(args))
    if not places:
        raise TransformError(f"{op}: argnums is empty; name at least one argument")
    if len(set(places)) < len(places):
        raise TransformError(f"{op}: argnums={argnums!r} names an argument twice")
    return tuple(places)


def in_place_of(func: Callable[..., Any], places: tuple[int, ...], args: Any, kwargs: Any) -> Callable[..., Any]:
    """``func`` as a function of the arguments at ``places`` alone."""

    def partial(*given: Any) -> Any:
        whole = list(args)
        for place, x in zip(places, given, strict=True):
            whole[place] = x
        return func(*whole, **kwargs)

    return partial


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of ``func``, as `grad`, and its value: ``(gradient, value)``.

    With ``has_aux`` it returns ``(gradient, (value, aux))``.

    Example:
        >>> import tensorcore as tc
        >>> tc.func.grad_and_value(lambda x: (x * x).sum())(tc.tensor([1.0, 2.0]))
        (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        places = chosen("grad", argnums, args)
        partial = in_place_of(func, places, args, kwargs)
        pull = Pullback("grad", partial, [args[place] for place in places], has_aux)
        if pull.spec.container is not None:
            raise TransformError(f"grad: the function must return one tensor, got {pull.spec!r}; use vjp or jacrev")
        (value,) = pull.outputs
        if tuple(value.shape) != ():
            raise TransformError(
                f"grad: the function must return a 0-d tensor, got shape {list(value.shape)}; reduce it, or use vjp "
                "or jacrev"
            )
        if value._kind.dtype.category == COMPLEX:
            raise DTypeError(
                f"grad: the function must return a real number, got {value.dtype}; take .real or .abs(), or use vjp"
            )
        gradients = unflatten(pull([_one_of(value)], False), pull.given_spec)
        result = gradients if isinstance(argnums, tuple) else gradients[0]
        return result, ((value, pull.aux) if has_aux else value)

    return differentiated


def _one_of(value: Tensor) -> Tensor:
    kind = value._kind
    return (kind if kind.level is None else kind.base).scalar(1.0)  # type: ignore[attr-defined]


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of ``func``, which returns a 0-d tensor.

    Args:
        func: takes tensors, or containers of them, among other arguments.
        argnums: which positional argument to differentiate by; a tuple gives a tuple of gradients.
        has_aux: whether ``func`` returns ``(output, aux)``; then so does the result: ``(gradient, aux)``.

    Raises:
        TransformError: if ``func`` returns anything but one 0-d tensor.

    Example:
        >>> import tensorcore as tc
        >>> tc.func.grad(lambda x: x**3)(tc.tensor(2.0))
        tensor(12.)
        >>> tc.func.grad(tc.func.grad(lambda x: x**3))(tc.tensor(2.0))
        tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return differentiated


def require_real(op: str, what: str, tensors: Sequence[Tensor]) -> None:
    """Refuse complex tensors, for which a matrix of partial derivatives is not defined by one convention."""
    for place, x in enumerate(tensors):
        if x._kind.dtype.category == COMPLEX:
            raise DTypeError(
                f"{op}: {what} {place}, of shape {list(x.shape)}, is {x.dtype}; Jacobians are of real functions: take "
                "apart with tc.view_as_real, or use vjp and jvp"
            )


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """A function that returns the Jacobian of ``func`` by reverse mode, a `vmap` over the elements of the outputs.

    For an output of shape (*out) and an input of shape (*in) it is of shape (*out, *in); containers of outputs hold
    containers of inputs. ``chunk_size`` is how many rows are computed at a time.

    Example:
        >>> import tensorcore as tc
        >>> tc.func.jacrev(lambda x: x * x)(tc.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        places = chosen("jacrev", argnums, args)
        partial = in_place_of(func, places, args, kwargs)
        pull = Pullback("jacrev", partial, [args[place] for place in places], has_aux)
        require_real("jacrev", "input", pull.leaves)
        require_real("jacrev", "output", pull.inner)
        shapes = [tuple(y.shape) for y in pull.inner]
        basis = basis_of(pull.inner)
        rows = vmap(lambda *g: tuple(pull(g)), chunk_size=chunk_size)(*basis)
        table = assembled(rows, shapes, [tuple(x.shape) for x in pull.leaves])
        tree = [unflatten(row, pull.given_spec) for row in table]
        tree = tree if isinstance(argnums, tuple) else [each[0] for each in tree]
        result = unflatten(tree, pull.spec)
        return (result, pull.aux) if has_aux else result

    return jacobian
