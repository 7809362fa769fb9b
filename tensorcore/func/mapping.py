"""`vmap`: a function of one example made into one of all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorcore.errors import TransformError
from tensorcore.func.batched import VmapLevel
from tensorcore.func.pytree import Spec, flatten, prefixed, unflatten
from tensorcore.ops.movement import cat
from tensorcore.ops.parts import narrow
from tensorcore.tensor import Tensor

__all__ = ["vmap"]

_RANDOMNESS = ("error", "different", "same")


def _is_dim(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """A function that runs ``func``, written for one example, on all examples at once.

    The tensors that ``func`` sees have the shape of one example; each op on them runs once for all. Transforms nest:
    ``vmap(grad(loss))`` gives a gradient for each example.

    Args:
        func: takes tensors, also in nested tuples, lists and dicts, and returns such. Keyword arguments are the same
            for all examples.
        in_dims: the dimension of the arguments that counts the examples, ``None`` for what all share; one for all
            arguments, or containers of them that match the arguments.
        out_dims: where that dimension goes in the results; one for all, or containers that match the results.
        randomness: what random draws in ``func`` do: ``"error"``, ``"different"`` for each example, or ``"same"``.
        chunk_size: how many examples run at a time; all of them where it is ``None``.

    Raises:
        TransformError: where dims do not fit, sizes differ, a result is no tensor, or ``func`` reads values.

    Example:
        >>> import tensorcore as tc
        >>> tc.vmap(tc.dot)(tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.ones(2, 2))
        tensor([3., 7.])
    """
    if randomness not in _RANDOMNESS:
        raise TransformError(f"vmap: randomness must be 'error', 'different' or 'same', got {randomness!r}")
    if chunk_size is not None and not (isinstance(chunk_size, int) and chunk_size > 0):
        raise ValueError(f"vmap: chunk_size must be a positive int or None, got {chunk_size!r}")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, spec, dims, size = _inputs(func, in_dims, args)
        if size is None:
            raise TransformError(
                f"vmap({_name(func)}): no argument counts examples: at least one in_dim must be an int, got "
                f"in_dims={in_dims!r}"
            )
        step = size if chunk_size is None else chunk_size
        run = functools.partial(_run, func, spec, kwargs, out_dims, randomness)
        if step >= size:
            results, places, out_spec = run(leaves, dims, size)
            return unflatten(results, out_spec)
        parts = []
        for start in range(0, size, step):
            count = min(step, size - start)
            part = [x if d is None else narrow(x, d, start, count) for x, d in zip(leaves, dims, strict=True)]
            results, places, out_spec = run(part, dims, count)
            parts.append(results)
        joined = [
            column[0] if place is None else cat(list(column), place)
            for column, place in zip(zip(*parts, strict=True), places, strict=True)
        ]
        return unflatten(joined, out_spec)

    return mapped


def _name(func: Any) -> str:
    return getattr(func, "__name__", type(func).__name__)


def _inputs(func: Any, in_dims: Any, args: tuple[Any, ...]) -> tuple[list[Any], Spec, list[Any], int | None]:
    if not _is_dim(in_dims) and not isinstance(in_dims, (tuple, list)):
        raise TransformError(
            f"vmap({_name(func)}): in_dims must be an int, or a tuple with one entry for each argument, got {in_dims!r}"
        )
    if not args and in_dims != 0:
        raise TransformError(f"vmap({_name(func)}): got no arguments for in_dims={in_dims!r}")
    leaves, spec = flatten(args)
    prefix = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    dims = prefixed(f"vmap({_name(func)})", "in_dims", prefix, spec, _is_dim)
    for place, (leaf, dim) in enumerate(zip(leaves, dims, strict=True)):
        if dim is None:
            continue
        if not isinstance(leaf, Tensor):
            raise TransformError(
                f"vmap({_name(func)}): in_dim {dim} is for {leaf!r}, which is no tensor; give None for it"
            )
        ndim = len(leaf._array.shape)
        if not -ndim <= dim < ndim:
            raise TransformError(
                f"vmap({_name(func)}): in_dim {dim} is for a tensor of {ndim} dimensions, of shape {list(leaf.shape)}"
            )
        dims[place] = dim % ndim
    return leaves, spec, dims, _agreed(func, None, leaves, dims)


def _agreed(func: Any, size: int | None, leaves: list[Any], dims: list[Any]) -> int | None:
    for leaf, dim in zip(leaves, dims, strict=True):
        if dim is None:
            continue
        side = leaf._array.shape[dim]
        if size is not None and side != size:
            raise TransformError(
                f"vmap({_name(func)}): arguments count different numbers of examples, {size} and {side} (a tensor of "
                f"shape {list(leaf.shape)} along dimension {dim})"
            )
        size = side
    return size


def _run(
    func: Any, spec: Spec, kwargs: dict[str, Any], out_dims: Any, randomness: str, leaves: list[Any], dims: list[Any],
    size: int,
) -> tuple[list[Any], list[Any], Spec]:  # fmt: skip
    with VmapLevel(size, randomness) as level:
        batched = [x if d is None else level.wrapped(x, d) for x, d in zip(leaves, dims, strict=True)]
        made = func(*unflatten(batched, spec), **kwargs)
        results, out_spec = flatten(made)
        for x in results:
            if not isinstance(x, Tensor):
                raise TransformError(
                    f"vmap({_name(func)}): the function must return tensors, got {type(x).__name__}: {x!r}"
                )
        places = _places(func, out_dims, out_spec)
        return [_out(level, x, place) for x, place in zip(results, places, strict=True)], places, out_spec


def _places(func: Any, out_dims: Any, spec: Spec) -> list[Any]:
    if isinstance(out_dims, tuple) and spec.container is None and len(out_dims) == 1:
        out_dims = out_dims[0]
    prefix = out_dims
    if isinstance(out_dims, (tuple, list)) and spec.container in (tuple, list):
        prefix = spec.container(out_dims)
    return prefixed(f"vmap({_name(func)})", "out_dims", prefix, spec, _is_dim)


def _out(level: VmapLevel, x: Tensor, place: int | None) -> Tensor:
    if place is not None:
        return level.unwrapped(x, place)
    kind = x._kind
    if kind.level is None or kind.level.depth != level.depth:
        return x
    if x._array.dim is not None:
        raise TransformError(
            "vmap: out_dims is None for a result that differs between examples, of shape "
            f"{list(x.shape)}; give the dimension that counts them"
        )
    return x._array.outer
