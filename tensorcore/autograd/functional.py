"""Derivatives of functions, as in ``torch.autograd.functional``; `tensorcore.func` has them as transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.autograd.mode import mode
from tensorcore.errors import TransformError
from tensorcore.func.jacobians import assembled, basis_of
from tensorcore.func.mapping import vmap
from tensorcore.func.pytree import flatten
from tensorcore.func.reverse import Pullback, in_graph
from tensorcore.ops.creation import zeros
from tensorcore.ops.movement import reshape, stack
from tensorcore.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Tensor, ...]


def _as_tuple(op: str, name: str, value: Any) -> tuple[Tensors, bool]:
    several = isinstance(value, (tuple, list))
    whole = tuple(value) if several else (value,)
    for place, x in enumerate(whole):
        if not isinstance(x, Tensor):
            what = f"element {place} of {name}" if several else name
            raise TypeError(f"{op}: {what} must be a tensor, got {type(x).__name__}")
    return whole, several


def _back(whole: Sequence[Any], several: bool) -> Any:
    return tuple(whole) if several else whole[0]


class _Recording:
    """Grad mode for what a derivative leaves: a graph with ``create_graph``, else none."""

    def __init__(self, create_graph: bool) -> None:
        self.create_graph = create_graph

    def __enter__(self) -> None:
        self.before = mode.grad
        mode.grad = self.create_graph

    def __exit__(self, *exc: object) -> None:
        mode.grad = self.before


def _pulled(op: str, func: Callable[..., Any], inputs: Tensors, strict: bool) -> tuple[Pullback, bool]:
    if not callable(func):
        raise TypeError(f"{op}: expected a function, got {type(func).__name__}")

    def checked(*args: Tensor) -> Any:
        made = func(*args)
        for x in flatten(made)[0]:
            if not isinstance(x, Tensor):
                raise TypeError(f"{op}: the function must return a tensor or a tuple of them, got {type(x).__name__}")
        return made

    pull = Pullback(op, checked, inputs)
    several = pull.spec.container in (tuple, list)
    if strict:
        for place, y in enumerate(pull.inner):
            if y._node is None:
                raise RuntimeError(
                    f"{op}: output {place} of the function is independent of all inputs; this is not allowed in "
                    "strict mode"
                )
    return pull, several


def _required(op: str, pull: Pullback, cotangents: Sequence[Tensor], strict: bool) -> list[Tensor]:
    found = pull(cotangents)
    if strict:
        for place, used in enumerate(pull.reached):
            if not used:
                raise RuntimeError(
                    f"{op}: the output of the function is independent of input {place}; this is not allowed in strict "
                    "mode"
                )
    return found


def _vectors(op: str, v: Any, like: Sequence[Tensor], what: str) -> Tensors:
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"{op}: v can only be left out where there is a single tensor of one element, and the {what} have "
                f"shapes {[list(x.shape) for x in like]}"
            )
        return (like[0].detach() * 0 + 1,)
    given, _ = _as_tuple(op, "v", v)
    if len(given) != len(like):
        raise RuntimeError(f"{op}: v has {len(given)} tensors, the {what} {len(like)}")
    for place, (x, y) in enumerate(zip(given, like, strict=True)):
        if x.shape != y.shape:
            raise RuntimeError(
                f"{op}: v[{place}] has shape {list(x.shape)}, which must be that of the {what}, {list(y.shape)}"
            )
    return given


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product of ``v`` with its Jacobian.

    Args:
        func: takes tensors, and returns one or a tuple of them.
        inputs: a tensor or a tuple of them.
        v: what matches the outputs; may be left out for one output of one element.
        create_graph: whether the results can be differentiated further.
        strict: whether an output that does not depend on the inputs is an error; its gradient is zeros otherwise.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.functional.vjp(lambda x: x * x, tc.tensor([1.0, 2.0]), tc.ones(2))
        (tensor([1., 4.]), tensor([2., 4.]))
    """
    given, several = _as_tuple("vjp", "inputs", inputs)
    with _Recording(create_graph):
        pull, many = _pulled("vjp", func, given, strict)
        found = _required("vjp", pull, _vectors("vjp", v, pull.inner, "outputs"), strict)
    return _back(pull.outputs, many), _back(found, several)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product of its Jacobian with ``v``, which matches the inputs.

    The arguments are those of `vjp`; it runs in forward mode.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.functional.jvp(lambda x: x * x, tc.tensor([1.0, 2.0]), tc.ones(2))
        (tensor([1., 4.]), tensor([2., 4.]))
    """
    from tensorcore.func.forward import jvp as pushed

    given, _ = _as_tuple("jvp", "inputs", inputs)
    along = _vectors("jvp", v, given, "inputs")
    with _Recording(create_graph):
        return pushed(func, _cut(given, create_graph), along, strict=strict)


def _cut(tensors: Tensors, create_graph: bool) -> Tensors:
    return tensors if create_graph else tuple([x.detach() for x in tensors])


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Jacobian of ``func``: for an output of shape (*out) and an input of shape (*in) of shape (*out, *in).

    A tuple of inputs gives a tuple, and a tuple of outputs a tuple of such.

    Args:
        vectorize: accepted for PyTorch's sake: rows are computed together by `vmap` wherever ``func`` allows it.
        strategy: ``"reverse-mode"``, or ``"forward-mode"``, which is faster for few inputs and many outputs.

    Raises:
        RuntimeError: with ``strict``, where an output does not depend on an input.
        ValueError: for another strategy.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.functional.jacobian(lambda x: x * x, tc.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"jacobian: strategy must be 'reverse-mode' or 'forward-mode', got {strategy!r}")
    if strict and vectorize:
        raise RuntimeError("jacobian: strict=True and vectorize=True are not supported together; please choose one")
    given, several = _as_tuple("jacobian", "inputs", inputs)
    if strategy == "forward-mode":
        if strict:
            raise RuntimeError("jacobian: strict=True is not supported with strategy='forward-mode'")
        from tensorcore.func.forward import jacfwd

        with _Recording(create_graph):
            made = jacfwd(func, tuple(range(len(given))))(*_cut(given, create_graph))
        if isinstance(made, tuple) and made and isinstance(made[0], tuple):
            return tuple([_back(row, several) for row in made])
        return _back(made, several)
    with _Recording(create_graph):
        pull, many = _pulled("jacobian", func, given, strict)
        if strict:
            _check_each(pull)
        table = _rows(pull)
    rows = [_back(row, several) for row in table]
    return _back(rows, many)


def _check_each(pull: Pullback) -> None:
    for place, y in enumerate(pull.inner):
        only = [zeros(tuple(x.shape), dtype=x.dtype, device=x.device) for x in pull.inner]
        pull(only, among=(place,))
        for number, used in enumerate(pull.reached):
            if not used:
                raise RuntimeError(
                    f"jacobian: output {place}, of shape {list(y.shape)}, is independent of input {number}; this is "
                    "not allowed in strict mode"
                )


def _rows(pull: Pullback) -> list[list[Any]]:
    shapes = [tuple(y.shape) for y in pull.inner]
    sources = [tuple(x.shape) for x in pull.leaves]
    basis = basis_of(pull.inner)
    try:
        columns: Any = vmap(lambda *g: tuple(pull(g)))(*basis)
    except TransformError:
        # A custom function may read values in its backward: row by row, then.
        rows = [pull([x[i] for x in basis]) for i in range(len(basis[0]))]
        if not rows:
            columns = [reshape(x.detach(), (1, *x.shape))[:0] for x in pull.leaves]
        else:
            columns = [stack(list(column)) for column in zip(*rows, strict=True)]
    return assembled(columns, shapes, sources)


def _scalar(op: str, func: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*args: Any) -> Tensor:
        out = func(*args)
        if isinstance(out, tuple) and len(out) == 1:
            (out,) = out
        if not isinstance(out, Tensor):
            raise RuntimeError(f"{op}: the function must return a single tensor, got {type(out).__name__}")
        if out.numel() != 1:
            raise RuntimeError(
                f"{op}: the tensor that the function returns must have a single element, got shape {list(out.shape)}"
            )
        return reshape(out, ())

    return checked


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Hessian of ``func``, which returns one element: for an input of shape (*in) of shape (*in, *in).

    A tuple of inputs gives a tuple of tuples. The arguments are those of `jacobian`, whose ``strategy`` is
    ``outer_jacobian_strategy``.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.functional.hessian(lambda x: (x**3).sum(), tc.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    given, several = _as_tuple("hessian", "inputs", inputs)
    scalar = _scalar("hessian", func)

    def gradients(*args: Tensor) -> Any:
        pull, _ = _pulled("hessian", scalar, args, strict)
        return _varying("hessian", _required("hessian", pull, [_one(pull.inner[0])], strict), strict)

    with _Recording(create_graph):
        inner = jacobian(
            gradients, given, create_graph=create_graph, vectorize=vectorize, strategy=outer_jacobian_strategy
        )
    return inner if several else inner[0][0]


def _varying(op: str, gradients: Sequence[Tensor], strict: bool) -> tuple[Tensor, ...]:
    """The gradients; with ``strict`` they must depend on the inputs."""
    for place, gradient in enumerate(gradients):
        if strict and not in_graph(gradient):
            raise RuntimeError(
                f"{op}: the gradient of the function by input {place} is independent of the inputs; this is not "
                "allowed in strict mode"
            )
    return tuple(gradients)


def _one(y: Tensor) -> Tensor:
    return y.detach() * 0 + 1


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product of ``v``, which matches the inputs, with the Hessian of ``func``.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.functional.vhp(lambda x: (x**3).sum(), tc.tensor([1.0, 2.0]), tc.ones(2))
        (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``func(*inputs)``, and the product of its Hessian with ``v``; the same as `vhp`, as Hessians are symmetric.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.functional.hvp(lambda x: (x**3).sum(), tc.tensor([1.0, 2.0]), tc.ones(2))
        (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    op: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    given, several = _as_tuple(op, "inputs", inputs)
    along = _vectors(op, v, given, "inputs")
    scalar = _scalar(op, func)
    value: list[Tensor] = []

    def gradients(*args: Tensor) -> Any:
        pull, _ = _pulled(op, scalar, args, strict)
        value.append(pull.outputs[0])
        return _varying(op, _required(op, pull, [_one(pull.inner[0])], strict), strict)

    with _Recording(create_graph):
        outer, _ = _pulled(op, lambda *args: (gradients(*args), value[-1]), given, False)
        products = outer((*along, zeros((), dtype=value[-1].dtype, device=value[-1].device)))
    return outer.outputs[-1], _back(products, several)
