"""Forward mode as transforms of functions: `jvp`, `jacfwd`, `linearize`; and `hessian` of both modes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.autograd import engine
from tensorcore.autograd.mode import mode
from tensorcore.errors import DTypeError, TransformError
from tensorcore.func.dual import DualLevel
from tensorcore.func.jacobians import assembled, basis_of
from tensorcore.func.mapping import vmap
from tensorcore.func.pytree import flatten, unflatten
from tensorcore.func.reverse import (
    Pullback,
    chosen,
    grad_enabled,
    in_graph,
    in_place_of,
    jacrev,
    reaches_others,
    require_real,
)
from tensorcore.func.tangents import dummy_cotangent
from tensorcore.tensor import Tensor, wrap

__all__ = ["hessian", "jacfwd", "jvp", "linearize"]


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """``func(*primals)`` and its derivative along ``tangents``, by forward mode in one run of ``func``.

    Args:
        func: takes tensors, or containers of them, and returns such.
        primals: the arguments, as a tuple.
        tangents: what matches them, of the same shapes and dtypes.
        strict: whether an output that does not depend on the inputs is an error; otherwise its derivative is zeros.
        has_aux: whether ``func`` returns ``(output, aux)``; then the result is ``(output, derivative, aux)``.

    Raises:
        TransformError: where primals and tangents do not match, or ``func`` returns anything but tensors.

    Example:
        >>> import tensorcore as tc
        >>> tc.func.jvp(tc.sin, (tc.tensor([0.0, 1.0]),), (tc.ones(2),))
        (tensor([0.0000, 0.8415]), tensor([1.0000, 0.5403]))
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, tuple):
            raise TransformError(f"jvp: {name} must be a tuple of the function's arguments, got {type(value).__name__}")
    given, spec = flatten(primals)
    along, other = flatten(tangents)
    if spec != other:
        raise TransformError(f"jvp: primals {spec!r} and tangents {other!r} must be alike")
    if not given:
        raise TransformError("jvp: no tensors to differentiate by")
    for name, leaves in (("primals", given), ("tangents", along)):
        for x in leaves:
            if not isinstance(x, Tensor):
                raise TransformError(f"jvp: {name} must be tensors, or containers of them, got {type(x).__name__}")
    out, derivatives, out_spec, aux = _pushed("jvp", func, given, along, spec, strict, has_aux)
    result = unflatten(out, out_spec), unflatten(derivatives, out_spec)
    return (*result, aux) if has_aux else result


def _pushed(
    op: str, func: Any, given: Sequence[Any], along: Sequence[Any], spec: Any, strict: bool, has_aux: bool
) -> tuple[list[Tensor], list[Tensor], Any, Any]:
    with DualLevel() as level:
        duals = [level.joined(op, x, t) for x, t in zip(given, along, strict=True)]
        made = func(*unflatten(duals, spec))
        aux = None
        if has_aux:
            if not isinstance(made, tuple) or len(made) != 2:
                raise TransformError(f"{op}: with has_aux the function must return (output, aux)")
            made, aux = made
            leaves, aux_spec = flatten(aux)
            aux = unflatten([level.parted(x)[0] if isinstance(x, Tensor) else x for x in leaves], aux_spec)
        results, out_spec = flatten(made)
        outs, derivatives = [], []
        for place, x in enumerate(results):
            if not isinstance(x, Tensor):
                raise TransformError(f"{op}: the function must return tensors, got {type(x).__name__}")
            out, tangent = level.parted(x)
            if tangent is None:
                if strict:
                    raise TransformError(f"{op}: output {place}, of shape {list(out.shape)}, depends on no input")
                tangent = _zeros_like(out)
            outs.append(out)
            derivatives.append(tangent)
    return outs, derivatives, out_spec, aux


def _zeros_like(x: Tensor) -> Tensor:
    from tensorcore.ops.creation import zeros

    return zeros(tuple(x.shape), dtype=x.dtype, device=x.device)


def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable[..., Any]:  # fmt: skip
    """A function that returns the Jacobian of ``func`` by forward mode, a `vmap` over the elements of the inputs.

    For an output of shape (*out) and an input of shape (*in) it is of shape (*out, *in); containers of outputs hold
    containers of inputs. It is faster than `jacrev` where the outputs have more elements than the inputs.

    Example:
        >>> import tensorcore as tc
        >>> tc.func.jacfwd(lambda x: x * x)(tc.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        places = chosen("jacfwd", argnums, args)
        partial = in_place_of(func, places, args, kwargs)
        given, spec = flatten(tuple([args[place] for place in places]))
        for x in given:
            if not isinstance(x, Tensor):
                raise TransformError(f"jacfwd: inputs must be tensors, or containers of them, got {type(x).__name__}")
        require_real("jacfwd", "input", given)
        kept: dict[str, Any] = {}

        def push(*along: Any) -> Any:
            outs, derivatives, kept["spec"], aux = _pushed("jacfwd", partial, given, along, spec, False, has_aux)
            require_real("jacfwd", "output", outs)
            leaves, kept["aux"] = flatten(aux)
            tensors = [x for x in leaves if isinstance(x, Tensor)]
            kept["others"] = [None if isinstance(x, Tensor) else x for x in leaves]
            kept["outputs"] = len(derivatives)
            return (tuple(derivatives), tuple(tensors))

        out_dims = (0, None)
        columns, tensors = vmap(push, 0, out_dims, randomness, chunk_size=chunk_size)(*basis_of(given))
        sources = [tuple(x.shape) for x in given]
        blocks = assembled(columns, sources, [tuple(c.shape[1:]) for c in columns])
        table = [[_turned(block, len(source)) for block in row] for row, source in zip(blocks, sources, strict=True)]
        per_output = [unflatten([row[place] for row in table], spec) for place in range(kept["outputs"])]
        if not isinstance(argnums, tuple):
            per_output = [each[0] for each in per_output]
        result = unflatten(per_output, kept["spec"])
        if not has_aux:
            return result
        remaining = iter(tensors)
        aux = unflatten([next(remaining) if x is None else x for x in kept["others"]], kept["aux"])
        return result, aux

    return jacobian


def _turned(block: Any, lead: int) -> Any:
    """A block of shape (*in, *out) as (*out, *in)."""
    ndim = len(block.shape)
    return block.permute((*range(lead, ndim), *range(lead))) if 0 < lead < ndim else block


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """A function that returns the Hessian of ``func``: forward mode over reverse mode.

    Example:
        >>> import tensorcore as tc
        >>> tc.func.hessian(lambda x: (x**3).sum())(tc.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``func(*primals)``, and the function that takes tangents to its derivative along them.

    ``func`` runs once, here; each call of what is returned costs about one backward. It is the gradient, with
    respect to the cotangents, of the gradient of ``func``, which is linear in them.

    Example:
        >>> import tensorcore as tc
        >>> y, push = tc.func.linearize(tc.sin, tc.tensor([0.0, 1.0]))
        >>> push(tc.ones(2)), push(tc.tensor([0.0, 2.0]))
        (tensor([1.0000, 0.5403]), tensor([0.0000, 1.0806]))
    """
    pull = Pullback("linearize", func, primals)
    connected = [place for place, y in enumerate(pull.inner) if y._node is not None]
    cotangents: list[Tensor] = []
    back: Sequence[Any] = [None] * len(pull.leaves)
    with grad_enabled():
        cotangents += [dummy_cotangent(pull.inner[place]) for place in connected]
        if connected:
            back = engine.grad(
                [pull.inner[place] for place in connected], pull.leaves, cotangents, create_graph=True,
                allow_unused=True,
            )  # fmt: skip

    def push(*tangents: Any) -> Any:
        along, spec = flatten(tuple(tangents))
        if spec != pull.given_spec:
            raise TransformError(f"linearize: tangents must be like the primals, {pull.given_spec!r}, got {spec!r}")
        for place, (t, x) in enumerate(zip(along, pull.leaves, strict=True)):
            if not isinstance(t, Tensor) or tuple(t.shape) != tuple(x.shape):
                met = list(t.shape) if isinstance(t, Tensor) else type(t).__name__
                raise TransformError(f"linearize: tangent {place} must be a tensor of shape {list(x.shape)}, got {met}")
            if t._kind.dtype is not x._kind.dtype:
                raise DTypeError(f"linearize: tangent {place} is of {t.dtype}, the primal of {x.dtype}")
        pairs = [(x, t) for x, t in zip(back, along, strict=True) if x is not None and x._node is not None]
        record = pull.recorded or (mode.grad and any(in_graph(t) for t in along))
        made: Sequence[Any] = [None] * len(cotangents)
        if pairs:
            through, given = zip(*pairs, strict=True)
            made = engine.grad(through, cotangents, given, retain_graph=True, create_graph=record, allow_unused=True)
        results = [_zeros_like(y) for y in pull.inner]
        for place, t in zip(connected, made, strict=True):
            if t is not None:
                results[place] = t if t._node is None or reaches_others([t], pull.leaves) else wrap(t._array, t._kind)
        return unflatten(results, pull.spec)

    return unflatten(pull.outputs, pull.spec), push
