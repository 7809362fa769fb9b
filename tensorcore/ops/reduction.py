"""Reductions and running totals: primitives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import INTEGER, DType, bool_, int64
from tensorcore.errors import DimensionError
from tensorcore.levels import everywhere
from tensorcore.ops.elementwise import conj, eq, ne
from tensorcore.ops.movement import expand, flip, reshape
from tensorcore.ops.record import primitive
from tensorcore.ops.returns import chosen
from tensorcore.ops.rules import attribute, position, real
from tensorcore.shapes import normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_SAMPLES = (
    {"shapes": ((3, 4),)},
    {"shapes": ((3, 4),), "dim": 0},
    {"shapes": ((2, 3, 4),), "dim": (0, 2), "keepdim": True},
    {"shapes": ((),)},
)
_ONE_DIM = (
    {"shapes": ((3, 4),), "dim": 1},
    {"shapes": ((2, 3, 4),), "dim": 0, "keepdim": True},
)
_ALONG = ({"shapes": ((3, 4),), "dim": 0}, {"shapes": ((2, 3, 4),), "dim": -1})


def spread(g: Any, shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool) -> Any:
    """The cotangent of a reduction, brought back to the operand's shape; of a reduction to 0-d, as it is."""
    if len(dim) == len(shape) and not keepdim:
        return g
    if not keepdim and len(dim) != len(shape):
        g = reshape.emit(g, shape=tuple([1 if place in dim else side for place, side in enumerate(shape)]))
    return expand.emit(g, shape=tuple(shape))


def accumulator(dtype: DType | None, input: Any) -> DType:
    """The dtype of a sum: integers and bool count in int64."""
    if dtype is not None:
        return dtype
    kept = input._kind.dtype
    return int64 if kept.category <= INTEGER else kept


@primitive(
    rule=attribute, vjp=lambda g, input_shape, dim, keepdim: spread(g, input_shape, dim, keepdim), samples=_SAMPLES
)
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Sum of the elements over the dimensions ``dim`` (all by default); integers count in int64.

    Example:
        >>> tc.tensor([[1, 2], [3, 4]]).sum(0)
        tensor([4, 6])
    """
    ndim = len(input._array.shape)
    dims = tuple(range(ndim)) if dim is None or dim == () or dim == [] else normalize_dims(dim, ndim, "sum")
    return sum.emit(input, dim=dims, keepdim=keepdim, dtype=accumulator(dtype, input))


def _prod_rule(g: Any, input: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    # The product of the others, without dividing, so that zeros are exact: running products from both ends.
    from tensorcore.ops.movement import cat, ones_like

    shape = tuple(input.shape)
    order = (*(d for d in range(len(shape)) if d not in dim), *dim)
    rows = input.permute(order)
    kept = tuple(rows.shape[: len(shape) - len(dim)])
    rows = rows.reshape((*kept, -1))
    edge = ones_like(rows[..., :1])
    before = cumprod(cat([edge, rows[..., :-1]], -1), -1)
    after = flip(cumprod(cat([edge, flip(rows[..., 1:], (-1,))], -1), -1), (-1,))
    others = (before * after).reshape(tuple(shape[d] for d in order))
    inverse = tuple(order.index(d) for d in range(len(shape)))
    return spread(g, shape, dim, keepdim) * conj(others.permute(inverse))


@primitive(rule=attribute, vjp=_prod_rule, domain=(0.5, 1.5), samples=_SAMPLES)
def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Product of the elements over the dimensions ``dim`` (all by default); integers multiply in int64.

    Example:
        >>> tc.tensor([[1, 2], [3, 4]]).prod(1)
        tensor([ 2, 12])
    """
    dims = normalize_dims(dim, input.ndim, "prod")
    return prod.emit(input, dim=dims, keepdim=keepdim, dtype=accumulator(dtype, input))


def _extreme_rule(g: Any, y: Any, input: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    # Ties share the cotangent equally, as in PyTorch's amax and amin.
    shape = tuple(input.shape)
    hit = eq(input, spread(y, shape, dim, keepdim)).to(g.dtype)
    return spread(g, shape, dim, keepdim) * hit / hit.sum(dim, keepdim=True)


def _nonempty(op: str, input: Any, dims: tuple[int, ...]) -> None:
    shape = input._array.shape
    if 0 in shape and 0 in [shape[d] for d in dims]:
        raise DimensionError(f"{op}: no elements to choose from: shape {list(input.shape)}, reduced over dim {dims}")


@primitive(rule=real, vjp=_extreme_rule, samples=_SAMPLES, standard="max", ulp=0)
def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Largest element over the dimensions ``dim`` (all by default); NaN if one is; ties share the gradient.

    Example:
        >>> tc.tensor([[1, 5], [3, 4]]).amax((0, 1))
        tensor(5)
    """
    dims = normalize_dims(None if dim == () else dim, input.ndim, "amax")
    _nonempty("amax", input, dims)
    return amax.emit(input, dim=dims, keepdim=keepdim)


@primitive(rule=real, vjp=_extreme_rule, samples=_SAMPLES, standard="min", ulp=0)
def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Smallest element over the dimensions ``dim`` (all by default); NaN if one is; ties share the gradient.

    Example:
        >>> tc.tensor([[1, 5], [3, 4]]).amin(1, keepdim=True)
        tensor([[1],
                [3]])
    """
    dims = normalize_dims(None if dim == () else dim, input.ndim, "amin")
    _nonempty("amin", input, dims)
    return amin.emit(input, dim=dims, keepdim=keepdim)


def _arg_extreme(op: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    if dim is None:
        _nonempty(op.name, input, tuple(range(input.ndim)))
        flat = op.emit(input if input.ndim == 1 else input.reshape((-1,)), dim=0, keepdim=False)
        return flat.reshape((1,) * input.ndim) if keepdim else flat
    place = normalize_dim(dim, input.ndim, op.name)
    if input.ndim == 0:
        return op.emit(input.reshape((1,)), dim=0, keepdim=False)
    _nonempty(op.name, input, (place,))
    return op.emit(input, dim=place, keepdim=keepdim)


@primitive(rule=position, samples=_ONE_DIM, ulp=0)
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Place of the largest element along ``dim`` (in the flattened tensor by default), the first of equals; int64.

    Example:
        >>> tc.tensor([[1, 5], [3, 4]]).argmax(1)
        tensor([1, 1])
    """
    return _arg_extreme(argmax, input, dim, keepdim)


@primitive(rule=position, samples=_ONE_DIM, ulp=0)
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Place of the smallest element along ``dim`` (in the flattened tensor by default), the first of equals; int64.

    Example:
        >>> tc.tensor([4, 2, 2]).argmin()
        tensor(1)
    """
    return _arg_extreme(argmin, input, dim, keepdim)


def _truth(dtype: DType, op: str) -> tuple[DType, DType]:
    return bool_, bool_


def _conditions(input: Any) -> Any:
    # The door would convert, too, by its slow path.
    kind = input._kind
    return input if kind.dtype is bool_ or kind.sparse else ne.emit(input, 0)


@primitive(rule=_truth, samples=_SAMPLES, ulp=0)
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is true (not zero) over the dimensions ``dim`` (all by default).

    Example:
        >>> tc.tensor([[0, 1], [0, 0]]).any(1)
        tensor([ True, False])
    """
    return any.emit(_conditions(input), dim=normalize_dims(dim, input.ndim, "any"), keepdim=keepdim)


@primitive(rule=_truth, samples=_SAMPLES, ulp=0)
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are true (not zero) over the dimensions ``dim`` (all by default).

    Example:
        >>> tc.tensor([[0, 1], [1, 1]]).all(1)
        tensor([False,  True])
    """
    return all.emit(_conditions(input), dim=normalize_dims(dim, input.ndim, "all"), keepdim=keepdim)


def _reverse_cumsum(g: Any, dim: int) -> Any:
    return flip(cumsum(flip(g, (dim,)), dim), (dim,))


@primitive(
    rule=attribute, vjp=lambda g, dim: _reverse_cumsum(g, dim), samples=_ALONG, inplace=True,
    standard="cumulative_sum",
)  # fmt: skip
def cumsum(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Running sum along ``dim``; integers count in int64.

    Example:
        >>> tc.tensor([1, 2, 3]).cumsum(0)
        tensor([1, 3, 6])
    """
    place = normalize_dim(dim, input.ndim, "cumsum")
    if input.ndim == 0:
        return cumsum.emit(input.reshape((1,)), dim=0, dtype=accumulator(dtype, input)).reshape(())
    return cumsum.emit(input, dim=place, dtype=accumulator(dtype, input))


def _cumprod_rule(g: Any, y: Any, input: Any, dim: int) -> Any:
    # d y_j / d x_i = y_j / x_i for j >= i; where x_i is 0 the quotient is rebuilt with that factor left out.
    zero = eq(input, 0)
    if not bool(any(everywhere(zero)).item()):
        return _reverse_cumsum(g * conj(y), dim) / conj(input)
    from tensorcore.ops.movement import stack

    terms = []
    for i in range(input.shape[dim]):
        part = input.narrow(dim, 0, i).prod(dim, keepdim=True)
        rest = input.narrow(dim, i + 1, input.shape[dim] - i - 1)
        run = part * cumprod(rest, dim)
        tail = g.narrow(dim, i + 1, input.shape[dim] - i - 1)
        terms.append((g.select(dim, i) * conj(part).squeeze(dim)) + (tail * conj(run)).sum(dim))
    return stack(terms, dim)


@primitive(
    rule=attribute, vjp=_cumprod_rule, samples=_ALONG, domain=(0.5, 1.5), inplace=True, standard="cumulative_prod"
)
def cumprod(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Running product along ``dim``; integers multiply in int64.

    Example:
        >>> tc.tensor([1, 2, 3]).cumprod(0)
        tensor([1, 2, 6])
    """
    place = normalize_dim(dim, input.ndim, "cumprod")
    if input.ndim == 0:
        return cumprod.emit(input.reshape((1,)), dim=0, dtype=accumulator(dtype, input)).reshape(())
    return cumprod.emit(input, dim=place, dtype=accumulator(dtype, input))


def _sort_rule(g: Any, y: Any, input_shape: tuple[int, ...], dim: int) -> Any:
    from tensorcore.ops.creation import zeros
    from tensorcore.ops.indexing import scatter

    return scatter(zeros(input_shape, dtype=g[0].dtype, device=g[0].device), dim, y[1], g[0])


@primitive(
    rule=real, vjp=_sort_rule, outputs=2, samples=_ALONG, standard="argsort", ulp=0,
)  # fmt: skip
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Elements in order along ``dim``, as (values, indices); equal elements keep their order, NaN is largest.

    Example:
        >>> tc.tensor([3, 1, 2]).sort().indices
        tensor([1, 2, 0])
    """
    ndim = len(input._array.shape)
    place = normalize_dim(dim, ndim, "sort")
    if ndim == 0:
        values, indices = sort.emit(input.reshape((1,)), dim=0, descending=descending)
        return chosen("sort", (values.reshape(()), indices.reshape(())))
    return chosen("sort", sort.emit(input, dim=place, descending=descending))
