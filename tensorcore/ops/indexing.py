"""Indexing by integer arrays: primitives, and the composites nearest to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.compile import capture
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, int64, uint8
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops.elementwise import add, conj, eq, lt, where
from tensorcore.ops.movement import expand
from tensorcore.ops.parts import basic_index, zeros_of
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import integers, real, same
from tensorcore.settings import check_deterministic
from tensorcore.settings import current as settings
from tensorcore.shapes import broadcast_shapes, normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# ------------------------------------------------------------------ primitives


@primitive(
    rule=same,
    operands=("input", "*indices"),
    promotes=("input",),
    vjp=(lambda g, input_shape, indices: index_put.emit(zeros_of(input_shape, g), g, *indices, accumulate=True),),
    namespaces=(),
    ulp=0,
    samples=({"shapes": ((3, 4), (2, 2)), "dtypes": (None, "int64"), "domains": (None, (0, 3))},),
)
def index(input: Tensor, *indices: Tensor) -> Tensor:
    """Elements of the leading dimensions at int64 ``indices`` (from 0) of one shape; that shape, then the other sides.

    Kernels raise IndexError for an index outside its dimension.
    """
    return index.emit(input, *indices)


#: The op `index`, for functions whose argument has that name.
take = index


@primitive(
    rule=same,
    operands=("input", "value", "*indices"),
    promotes=("input", "value"),
    vjp=(
        lambda g, indices, value_shape, accumulate: (
            g if accumulate else index_put.emit(g, zeros_of(value_shape, g), *indices, accumulate=False)
        ),
        lambda g, indices: index.emit(g, *indices),
    ),
    namespaces=(),
    ulp=4,
    samples=(
        {
            "shapes": ((3, 4), (2, 4), (2,)),
            "dtypes": (None, None, "int64"),
            "domains": (None, None, (0, 3)),
            "accumulate": True,
        },
    ),
)
def index_put(input: Tensor, value: Tensor, *indices: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``value`` written, or added, at ``indices`` as `index` takes them.

    ``value`` has exactly the shape that `index` returns. Where an index comes twice, adding counts both; writing keeps
    the last.
    """
    return index_put.emit(input, value, *indices, accumulate=accumulate)


def update_at(*args: Any, **attributes: Any) -> bool:
    """`inplace.update_at`, which is defined after the ops here."""
    from tensorcore.ops.inplace import update_at

    return update_at(*args, **attributes)


@composite(namespaces=(), ulp=0, rule=integers)
def from_front(places: Tensor, side: int) -> Tensor:
    """Places in a dimension of ``side`` elements, negative ones counted from its front; may be ``places`` itself."""
    return from_front.emit(places, side=side)


@from_front.expression
def _from_front(places: Any, *, side: int) -> Any:
    kind = places._kind
    return where.emit(lt.emit(places, kind.scalar(0)), add.emit(places, kind.scalar(side)), places)


def as_places(index: Any) -> Any:
    """An integer tensor as int64."""
    return index if index._kind.dtype is int64 else index.to(int64)


def _sides(op: str, input: Any, index: Any, dim: int) -> int:
    shape, its = input._array.shape, index._array.shape
    place = dim if type(dim) is int and 0 <= dim < len(shape) else normalize_dim(dim, len(shape), op)
    if index._kind.dtype.category != INTEGER:
        raise DTypeError(f"{op}: index must be an integer tensor, got {index.dtype}")
    if its == shape:
        return place
    if len(its) != len(shape):
        raise ShapeError(
            f"{op}: index has {len(its)} dimensions, input {len(shape)}: shapes {list(its)} and {list(shape)}"
        )
    for d, (side, limit) in enumerate(zip(its, shape, strict=True)):
        if side > limit and d != place:
            raise ShapeError(
                f"{op}: side {side} of index exceeds {limit} of input at dimension {d}: shapes {list(its)} and "
                f"{list(shape)}"
            )
    return place


@primitive(
    rule=same,
    promotes=("input",),
    ulp=0,
    vjp=(
        lambda g, input_shape, index, dim: scatter.emit(zeros_of(input_shape, g), index, g, dim=dim, reduce="sum"),
        None,
    ),
    samples=(
        {
            "shapes": ((3, 4), (2, 4)),
            "dtypes": (None, "int64"),
            "domains": (None, (0, 3)),
            "order": (0, "dim", 1),
            "dim": 0,
        },
    ),
)
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Elements at places ``index`` along ``dim``; the sides of ``index`` may be smaller than the input's elsewhere.

    Kernels raise IndexError for an index outside the dimension.

    Raises:
        DTypeError: if ``index`` is not int64 or int32.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]])
        >>> tc.gather(x, 1, tc.tensor([[0, 0, 1], [1, 0, 1]]))
        tensor([[1, 1, 2],
                [4, 3, 4]])
        >>> tc.gather(x, 0, tc.tensor([[1, 0]]))
        tensor([[3, 2]])
    """
    if not input._array.shape:
        return gather(input.reshape(1), 0, index.reshape(-1)).reshape(index.shape)
    return gather.emit(input, as_places(index), dim=_sides("gather", input, index, dim))


@primitive(
    rule=same,
    operands=("input", "index", "src"),
    promotes=("input", "src"),
    inplace=True,
    vjp=(
        lambda g, index, src_shape, dim, reduce: _scatter_input_rule(g, index, src_shape, dim, reduce),
        None,
        lambda g, index, dim: gather.emit(g, index, dim=dim),
    ),
    samples=(
        {
            "shapes": ((3, 4), (2, 4), (2, 4)),
            "dtypes": (None, "int64", None),
            "domains": (None, (0, 3), None),
            "order": (0, "dim", 1, 2),
            "dim": 0,
            "distinct": True,
        },
    ),
)
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` written at places ``index`` along ``dim``, or added or multiplied there.

    The kernel's ``reduce`` is one of ``"set"``, ``"sum"``, ``"prod"``, ``"amax"``, ``"amin"``, and its ``src`` has the
    shape of ``index``; where a place comes twice, ``"set"`` keeps the last. It raises IndexError for an index outside
    the dimension.

    Example:
        >>> index = tc.tensor([[0, 2], [1, 1]])
        >>> tc.scatter(tc.zeros(2, 3), 1, index, tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[1., 0., 2.],
                [0., 4., 0.]])
        >>> tc.zeros(2, 3).scatter(1, index, 9.0)
        tensor([[9., 0., 9.],
                [0., 9., 0.]])
    """
    if input.ndim == 0:
        src = src.reshape(-1) if hasattr(src, "_array") else src
        return scatter(input.reshape(1), 0, index.reshape(-1), src, value=value, reduce=reduce).reshape(())
    index, src, place, how = _scattered("scatter", input, dim, index, src, value, reduce)
    return combined(input, index, src, place, how)


@scatter.in_place
def _scatter_into(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> bool:
    if input.ndim == 0:
        return False
    index, src, place, how = _scattered("scatter", input, dim, index, src, value, reduce)
    return update_at(scatter, input, (index, src), "scatter_", dim=place, reduce=how)


#: The kernel's name of each ``reduce`` of `scatter`.
_REDUCTIONS: Final = {None: "set", "add": "sum", "multiply": "prod"}


def _scattered(
    op: str, input: Any, dim: int, index: Any, src: Any, value: Any, reduce: str | None
) -> tuple[Any, Any, int, str]:
    """The kernel's index, source, dimension and reduction."""
    if reduce not in _REDUCTIONS:
        raise RangeError(f"{op}: reduce must be 'add' or 'multiply', got {reduce!r}")
    if (src is None) == (value is None):
        raise TypeError(f"{op}: expected either src or value")
    src = value if src is None else src
    place = _sides(op, input, index, dim)
    if not hasattr(src, "_array"):
        src = expand(input._kind.scalar(src), index._array.shape)
    elif src._kind.dtype is not input._kind.dtype:
        raise DTypeError(f"{op}: src must have the dtype of input, got {src.dtype} and {input.dtype}")
    elif value is not None and src.ndim == 0:
        src = expand(src, index._array.shape)
    if reduce == "add" and settings.deterministic:
        check_deterministic(op, input._kind)
    return as_places(index), _source(op, src, index), place, _REDUCTIONS[reduce]


def _source(op: str, src: Any, index: Any) -> Any:
    if src._array.shape == index._array.shape:
        return src
    if src.ndim != index.ndim or any(a < b for a, b in zip(src.shape, index.shape, strict=True)):
        raise ShapeError(f"{op}: src of shape {list(src.shape)} is smaller than index of shape {list(index.shape)}")
    return basic_index.emit(src, index=tuple(slice(0, side, 1) for side in index.shape))


def _scatter_input_rule(g: Any, index: Any, src_shape: Any, dim: int, reduce: str) -> Any:
    return g if reduce == "sum" else scatter.emit(g, index, zeros_of(src_shape, g), dim=dim, reduce="set")


def _product_rule(g: Any, input: Any, index: Any, src: Any, dim: int) -> tuple[Any, None, Any]:
    # Products without the elements that are zero, and how many of those come to each place.
    whole = where(eq(input, 0), 1, input)
    others = scatter_product.emit(whole, index, src, dim=dim) / whole
    parts = where(eq(src, 0), 1, src)
    product = gather.emit(scatter_product.emit(input, index, parts, dim=dim), index, dim=dim)
    nothing = eq(src, 0).to(int64)
    met = gather.emit(scatter.emit(zeros_of(input.shape, index), index, nothing, dim=dim, reduce="sum"), index, dim=dim)
    rest = where(eq(met, nothing), product / parts, 0.0)
    return g * conj(others), None, gather.emit(g, index, dim=dim) * conj(rest)


def _extreme_rule(g: Any, y: Any, input: Any, index: Any, src: Any, dim: int, largest: bool) -> tuple[Any, None, Any]:
    mine = eq(input, y).to(g.dtype)
    its = eq(src, gather.emit(y, index, dim=dim)).to(g.dtype)
    # Shared among the elements that are equal to the result.
    share = g / scatter.emit(mine, index, its, dim=dim, reduce="sum")
    return share * mine, None, gather.emit(share, index, dim=dim) * its


_PLACED: Final = {
    "shapes": ((3, 4), (2, 4), (2, 4)), "dtypes": (None, "int64", None), "domains": (None, (0, 3), None), "dim": 0,
}  # fmt: skip


@composite(
    operands=("input", "index", "src"), promotes=("input", "src"), namespaces=(), vjp=_product_rule, joint=True,
    shown="ScatterReduceBackward0", ulp=8, domain=(0.5, 2), samples=(_PLACED,),
)  # fmt: skip
def scatter_product(input: Tensor, index: Tensor, src: Tensor, dim: int) -> Tensor:
    """`scatter` of products, whose gradient reads the operands; arguments as its kernel takes them."""
    return scatter_product.emit(input, index, src, dim=dim)


@scatter_product.expression
def _scatter_product(input: Any, index: Any, src: Any, *, dim: int) -> Any:
    return scatter.emit(input, index, src, dim=dim, reduce="prod")


@composite(
    rule=real, operands=("input", "index", "src"), promotes=("input", "src"), namespaces=(), vjp=_extreme_rule,
    joint=True, shown="ScatterReduceBackward0", ulp=0,
    samples=({**_PLACED, "largest": True}, {**_PLACED, "largest": False}),
)  # fmt: skip
def scatter_extreme(input: Tensor, index: Tensor, src: Tensor, dim: int, largest: bool) -> Tensor:
    """`scatter` of the largest or smallest elements, whose gradient reads the operands."""
    return scatter_extreme.emit(input, index, src, dim=dim, largest=largest)


@scatter_extreme.expression
def _scatter_extreme(input: Any, index: Any, src: Any, *, dim: int, largest: bool) -> Any:
    return scatter.emit(input, index, src, dim=dim, reduce="amax" if largest else "amin")


def combined(input: Any, index: Any, src: Any, dim: int, reduce: str) -> Any:
    """`scatter` by the kernel's ``reduce``, with a gradient for each."""
    if reduce == "prod":
        return scatter_product.emit(input, index, src, dim=dim)
    if reduce in ("amax", "amin"):
        return scatter_extreme.emit(input, index, src, dim=dim, largest=reduce == "amax")
    return scatter.emit(input, index, src, dim=dim, reduce=reduce)


@composite(
    inplace=True,
    samples=(
        {
            "shapes": ((3, 4), (2, 4), (2, 4)),
            "dtypes": (None, "int64", None),
            "domains": (None, (0, 3), None),
            "order": (0, "dim", 1, 2),
            "dim": 0,
        },
    ),
)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with ``src`` added at places ``index`` along ``dim``.

    Example:
        >>> tc.scatter_add(tc.zeros(3), 0, tc.tensor([0, 1, 0]), tc.tensor([1.0, 2.0, 3.0]))
        tensor([4., 2., 0.])
    """
    if not input._array.shape:
        return scatter(input, dim, index, src, reduce="add")
    index, src, place, how = _scattered("scatter_add", input, dim, index, src, None, "add")
    return scatter.emit(input, index, src, dim=place, reduce=how)


@scatter_add.in_place
def _scatter_add_into(input: Tensor, dim: int, index: Tensor, src: Tensor) -> bool:
    return _scatter_into(input, dim, index, src, reduce="add")


@primitive(rule=lambda dtype, op: (dtype, int64), namespaces=(), ulp=0, samples=({"shapes": ((3, 4),)},))
def nonzero_places(input: Tensor) -> Tensor:
    """int64 indices of the elements that are not zero, a row each, in row-major order: shape (count, dimensions)."""


@composite(samples=({"shapes": ((3, 4),)},))
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Indices of the elements that are not zero, a row each; with ``as_tuple``, a tensor per dimension.

    Example:
        >>> x = tc.tensor([[0, 2], [3, 0]])
        >>> tc.nonzero(x)
        tensor([[0, 1],
                [1, 0]])
        >>> tc.nonzero(x, as_tuple=True)
        (tensor([0, 1]), tensor([1, 0]))
    """
    capture.reading(input, "nonzero")
    places = nonzero_places.emit(input)
    if not as_tuple:
        return places
    if input.ndim == 0:
        return nonzero(input.reshape(1), as_tuple=True)
    return tuple(places.unbind(1))


@composite(
    samples=(
        {
            "shapes": ((5, 3), (4,)),
            "dtypes": (None, "int64"),
            "domains": (None, (0, 3)),
            "order": (0, "dim", 1),
            "dim": 0,
        },
        {
            "shapes": ((5, 3), (4,)),
            "dtypes": (None, "int64"),
            "domains": (None, (0, 3)),
            "order": (0, "dim", 1),
            "dim": 1,
        },
    ),
    promotes=("input",),
    vjp=(lambda g, input_shape, index, dim: zeros_of(input_shape, g).index_add(dim, index, g), None),
    ulp=0,
)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Slices of ``input`` along ``dim`` at the places in the 1-d tensor ``index``.

    Raises:
        DimensionError: for a place outside the dimension.

    Example:
        >>> tc.index_select(tc.tensor([[1, 2], [3, 4]]), 1, tc.tensor([1, 1, 0]))
        tensor([[2, 2, 1],
                [4, 4, 3]])
    """
    if index.ndim > 1:
        raise DimensionError(f"index_select: index must be 1-d, got shape {list(index.shape)}")
    if index.dtype.category != INTEGER:
        raise DTypeError(f"index_select: index must be an integer tensor, got {index.dtype}")
    if input.ndim == 0:
        return index_select(input.reshape(1), dim, index.reshape(-1)).reshape(())
    place = normalize_dim(dim, input.ndim, "index_select")
    return index_select.emit(input, as_places(index if index.ndim else index.reshape(1)), dim=place)


@index_select.expression
def _index_select(input: Any, index: Any, *, dim: int) -> Any:
    moved = input.movedim(dim, 0) if dim else input
    picked = take.emit(moved, index)
    return picked.movedim(0, dim) if dim else picked


@composite(samples=({"shapes": ((3, 4), (3, 4)), "dtypes": (None, "bool")},))
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where ``mask`` is true, in one dimension.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]])
        >>> tc.masked_select(x, x > 1), tc.masked_select(x, tc.tensor([True, False]))
        (tensor([2, 3, 4]), tensor([1, 3]))
    """
    if mask.dtype.category != BOOL and mask.dtype is not uint8:
        raise DTypeError(f"masked_select: mask must be a bool tensor, got {mask.dtype}")
    if input._array.shape == mask._array.shape:
        return input[mask]
    shape = broadcast_shapes(input.shape, mask.shape)
    return expand(input, shape)[expand(mask, shape)]


@composite(inplace=True, samples=({"shapes": ((3, 4), (4,)), "dtypes": (None, "bool"), "args": (2.0,)},))
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``input`` with ``value`` where ``mask`` is true.

    Raises:
        DTypeError: if ``mask`` is not bool.

    Example:
        >>> x = tc.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> tc.masked_fill(x, x > 2, -float("inf"))
        tensor([[1., 2.],
                [-inf, -inf]])
    """
    if mask.dtype.category != BOOL:
        raise DTypeError(f"masked_fill: mask must be a bool tensor, got {mask.dtype}")
    kind = input._kind
    if type(value) in (int, float) and kind.dtype.category >= FLOATING:
        return where.emit(mask, kind.scalar(value), input)
    if isinstance(value, complex) and input.dtype.category < COMPLEX:
        raise DTypeError(f"masked_fill: {value!r} does not go into a tensor of {input.dtype}")
    return where(mask, value if not hasattr(value, "_array") else value.to(input.dtype), input).to(input.dtype)
