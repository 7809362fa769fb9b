"""Sums of products over named or numbered dimensions, and the added products of PyTorch."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.diagonal import diagonal
from tensorcore.ops.elementwise import conj
from tensorcore.ops.linalg import added, bmm, dot, matmul, mv, outer
from tensorcore.ops.record import composite
from tensorcore.shapes import normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# ------------------------------------------------------------------ einsum


def _letters(equation: str, shapes: list[tuple[int, ...]]) -> tuple[list[list[Any]], list[Any]]:
    """The labels of each operand and of the result; an ellipsis becomes ints, counted from the end."""
    text = equation.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(f"einsum: {equation!r} names {len(terms)} operands, {len(shapes)} were given")
    named = []
    widest = 0
    for number, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        before, dots, after = term.partition("...")
        if not (before + after).isalpha() and before + after:
            raise RangeError(f"einsum: {equation!r}: labels are letters, got {term!r}")
        free = len(shape) - len(before) - len(after)
        if free < 0 or (free and not dots):
            raise ShapeError(
                f"einsum: {equation!r}: operand {number}, {term!r}, names {len(before + after)} dimensions of "
                f"shape {list(shape)}"
            )
        widest = max(widest, free)
        named.append([*before, *range(-free, 0), *after])
    flat = [label for labels in named for label in labels]
    if not arrow:
        letters = sorted({label for label in flat if isinstance(label, str) and flat.count(label) == 1})
        return named, [*range(-widest, 0), *letters]
    before, dots, after = output.partition("...")
    result = [*before, *(range(-widest, 0) if dots else ()), *after]
    for label in result:
        if label not in flat:
            raise ShapeError(f"einsum: {equation!r}: {label!r} of the result is in no operand")
        if result.count(label) > 1:
            raise ShapeError(f"einsum: {equation!r}: {label!r} is twice in the result")
    return named, result


def _distinct(labels: list[Any], shape: tuple[int, ...], equation: str) -> tuple[list[Any], list[int], list[Any]]:
    """Each label once: the labels, their sides, and the pairs of dimensions whose diagonals are taken for that."""
    labels, sides, pairs = list(labels), list(shape), []
    for label in [label for place, label in enumerate(labels) if label in labels[:place]]:
        first = labels.index(label)
        second = labels.index(label, first + 1)
        if sides[first] != sides[second]:
            raise ShapeError(
                f"einsum: {equation!r}: {label!r} stands for sides {sides[first]} and {sides[second]} of one operand"
            )
        pairs.append((first, second))
        sides = [side for place, side in enumerate(sides) if place not in (first, second)] + [sides[first]]
        labels = [other for place, other in enumerate(labels) if place not in (first, second)] + [label]
    return labels, sides, pairs


class _Prepared:
    """What is done with an operand before a matrix product: each step is ``None`` where nothing is to do."""

    __slots__ = ("expanded", "order", "shape", "summed")

    def __init__(self, summed: list[int], sides: list[int], stretched: list[int], order: list[int], shape: Any) -> None:
        self.summed = summed or None
        self.expanded = stretched if stretched != sides else None
        self.order = order if order != sorted(order) else None
        self.shape = shape if list(shape) != [stretched[place] for place in order] else None

    def __call__(self, x: Any) -> Any:
        if self.summed is not None:
            x = x.sum(self.summed)
        if self.expanded is not None:
            x = x.expand(self.expanded)
        if self.order is not None:
            x = x.permute(self.order)
        return x if self.shape is None else x.reshape(self.shape)


class _Product:
    """Two operands multiplied, as one stack of matrix products: shared labels that are needed, then summed ones."""

    __slots__ = ("columns", "labels", "plain", "rows", "shape", "sides")

    def __init__(
        self, left: list[Any], a: list[int], right: list[Any], b: list[int], needed: set[Any]
    ) -> None:  # fmt: skip
        sides: dict[Any, int] = {}
        for labels, shape in ((left, a), (right, b)):
            for label, side in zip(labels, shape, strict=True):
                sides[label] = max(side, sides.get(label, 1)) if side and sides.get(label, 1) else 0
        gone = [
            [place for place, label in enumerate(mine) if label not in needed and label not in other]
            for mine, other in ((left, right), (right, left))
        ]
        a, b = ([side for place, side in enumerate(x) if place not in out] for x, out in zip((a, b), gone, strict=True))
        left, right = (
            [label for place, label in enumerate(x) if place not in out]
            for x, out in zip((left, right), gone, strict=True)
        )
        both = [label for label in left if label in right]
        # A side of 1 that the other operand stretches cannot be summed by a matrix product before it is stretched.
        wide, high = (
            [sides[label] if label in both else side for label, side in zip(labels, shape, strict=True)]
            for labels, shape in ((left, a), (right, b))
        )
        batch = [label for label in both if label in needed]
        summed = [label for label in both if label not in needed]
        rows = [label for label in left if label not in both]
        columns = [label for label in right if label not in both]
        stack, height, depth, width = (
            math.prod(sides[label] for label in group) for group in (batch, rows, summed, columns)
        )
        self.labels = [*batch, *rows, *columns]
        self.sides = [sides[label] for label in self.labels]
        self.plain = depth == height == width == 1
        of_left = [left.index(label) for label in (*batch, *rows, *summed)]
        of_right = [right.index(label) for label in (*batch, *summed, *columns)]
        self.rows = _Prepared(gone[0], a, wide, of_left, (stack, height, depth))
        self.columns = _Prepared(gone[1], b, high, of_right, (stack, depth, width))
        self.shape = self.sides if self.sides != [stack, height, width] else None

    def __call__(self, a: Any, b: Any) -> Any:
        a, b = self.rows(a), self.columns(b)
        product = a * b if self.plain else matmul(a, b)
        return product if self.shape is None else product.reshape(self.shape)


class _Plan:
    """What `einsum` does with operands of these shapes: diagonals, products, the last sum, the order of the result."""

    __slots__ = ("diagonals", "gone", "order", "products")

    def __init__(self, equation: str, shapes: tuple[tuple[int, ...], ...]) -> None:
        named, result = _letters(equation, list(shapes))
        met: dict[Any, int] = {}
        for shape, labels in zip(shapes, named, strict=True):
            for label, side in zip(labels, shape, strict=True):
                if side != 1 and met.get(label, 1) not in (1, side):
                    raise ShapeError(f"einsum: {equation!r}: {label!r} stands for sides {met[label]} and {side}")
                met[label] = side if side != 1 else met.get(label, 1)
        parts = [_distinct(labels, shape, equation) for labels, shape in zip(named, shapes, strict=True)]
        self.diagonals = [pairs for _, _, pairs in parts] if any(pairs for _, _, pairs in parts) else None
        self.products = []
        labels, sides, _ = parts[0]
        for place, (its, other, _) in enumerate(parts[1:], 2):
            needed = {label for rest, _, _ in parts[place:] for label in rest} | set(result)
            step = _Product(labels, sides, its, other, needed)
            self.products.append(step)
            labels, sides = step.labels, step.sides
        self.gone = [place for place, label in enumerate(labels) if label not in result]
        labels = [label for label in labels if label in result]
        order = [labels.index(label) for label in result]
        self.order = order if order != sorted(order) else None

    def __call__(self, operands: tuple[Any, ...]) -> Any:
        parts = list(operands)
        if self.diagonals is not None:
            for place, pairs in enumerate(self.diagonals):
                for first, second in pairs:
                    parts[place] = diagonal(parts[place], 0, first, second)
        x = parts[0]
        for step, other in zip(self.products, parts[1:], strict=True):
            x = step(x, other)
        if self.gone:
            x = x.sum(self.gone)
        return x if self.order is None else x.permute(self.order)


_planned = lru_cache(maxsize=512)(_Plan)


@composite(
    namespaces=("",),
    operands=("*operands",),
    samples=({"shapes": ((2, 3), (3, 4)), "equation": "ij,jk->ik", "order": ("equation", 0, 1)},),
)
def einsum(equation: str, *operands: Any) -> Tensor:
    """Sum of products of the operands over the labels of ``equation`` that its result leaves out, as ``"ij,jk->ik"``.

    Raises:
        ShapeError: for labels that do not fit the shapes or one another.

    Example:
        >>> import tensorcore as tc
        >>> tc.einsum("ij,j->i", tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.tensor([1.0, -1.0]))
        tensor([-1., -1.])
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    out = _planned(equation, tuple([tuple(x._array.shape) for x in operands]))(operands)
    # What an equation leaves as it is comes as a view.
    return out.permute(tuple(range(out.ndim))) if any([out is x for x in operands]) else out


# ------------------------------------------------------------------ numbered dimensions


@composite(
    namespaces=("",),
    samples=({"shapes": ((2, 3, 4), (3, 4, 5)), "dims": 2}, {"shapes": ((2, 3), (4, 3)), "dims": ((1,), (1,))}),
)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Sum of products over ``dims``: the last of ``a`` with the first of ``b``, or a pair of lists of dimensions.

    Raises:
        ShapeError: if the sides that are summed over differ.

    Example:
        >>> x, y = tc.ones(2, 3, 4), tc.ones(3, 4, 5)
        >>> tc.tensordot(x, y).shape, tc.tensordot(tc.tensor([[1, 2], [3, 4]]), tc.tensor([1, 10]), dims=([0], [0]))
        (tensorcore.Size([2, 5]), tensor([31, 42]))
    """
    if hasattr(dims, "__index__"):
        count = int(dims)
        if not 0 <= count <= min(a.ndim, b.ndim):
            raise ShapeError(
                f"tensordot: {count} dimensions are not in both shapes, {list(a.shape)} and {list(b.shape)}"
            )
        left, right = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    else:
        first, second = dims.tolist() if hasattr(dims, "tolist") else dims
        left, right = normalize_dims(first, a.ndim, "tensordot"), normalize_dims(second, b.ndim, "tensordot")
    # A side of 1 goes with any: the products with each element of the other are summed, so that other first.
    for one, other in zip(left, right, strict=True) if len(left) == len(right) else ():
        if a.shape[one] != b.shape[other]:
            if a.shape[one] == 1:
                b = b.sum(other, keepdim=True)
            elif b.shape[other] == 1:
                a = a.sum(one, keepdim=True)
    if [a.shape[d] for d in left] != [b.shape[d] for d in right]:
        raise ShapeError(
            f"tensordot: sides {[a.shape[d] for d in left]} of {list(a.shape)} and "
            f"{[b.shape[d] for d in right]} of {list(b.shape)} differ"
        )
    rows = [d for d in range(a.ndim) if d not in left]
    columns = [d for d in range(b.ndim) if d not in right]
    depth = math.prod(a.shape[d] for d in left)
    shape = [*(a.shape[d] for d in rows), *(b.shape[d] for d in columns)]
    height, width = math.prod(a.shape[d] for d in rows), math.prod(b.shape[d] for d in columns)
    return matmul(
        a.permute((*rows, *left)).reshape((height, depth)), b.permute((*right, *columns)).reshape((depth, width))
    ).reshape(shape)


@composite(samples=({"shapes": ((2, 3), (4, 3))}, {"shapes": ((3,), (3,))}))
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last dimensions, which must agree; with a 0-d operand, the product.

    Raises:
        ShapeError: if the last sides differ.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]])
        >>> tc.inner(x, tc.tensor([1, 10]))
        tensor([21, 43])
        >>> tc.inner(x, x)
        tensor([[ 5, 11],
                [11, 25]])
        >>> tc.inner(x[0], tc.tensor(3))
        tensor([3, 6])
    """
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    return tensordot(input, other, ((-1,), (-1,)))


@composite(samples=({"shapes": ((3,), (3,))},))
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Sum of the products of the conjugate of one vector with another.

    Raises:
        ShapeError: for anything but two vectors of one length.

    Example:
        >>> tc.vdot(tc.tensor([1j, 2]), tc.tensor([1j, 3]))
        tensor(7.+0.j)
    """
    return dot(conj(input), other)


@composite(samples=({"shapes": ((2, 3), (4, 2))}, {"shapes": ((2,), (2, 3))}))
def kron(input: Tensor, other: Tensor) -> Tensor:
    """Kronecker product: each element of ``input`` times all of ``other``.

    Example:
        >>> tc.kron(tc.tensor([[1, 2]]), tc.tensor([[1, 0], [0, 1]]))
        tensor([[1, 0, 2, 0],
                [0, 1, 0, 2]])
    """
    ndim = max(input.ndim, other.ndim)
    a = (1,) * (ndim - input.ndim) + tuple(input.shape)
    b = (1,) * (ndim - other.ndim) + tuple(other.shape)
    spread = [side for side in a for side in (side, 1)]
    product = input.reshape(spread) * other.reshape([side for side in b for side in (1, side)])
    return product.reshape([x * y for x, y in zip(a, b, strict=True)])


# ------------------------------------------------------------------ products added to a tensor


@composite(samples=({"shapes": ((3, 5), (2, 3, 4), (2, 4, 5))},), inplace=True)
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` for stacks of matrices.

    Example:
        >>> tc.baddbmm(tc.ones(2), tc.ones(1, 2, 3), tc.ones(1, 3, 2), beta=10)
        tensor([[[13., 13.],
                 [13., 13.]]])
    """
    return added("baddbmm", input, bmm, batch1, batch2, beta, alpha)


@composite(samples=({"shapes": ((3, 5), (2, 3, 4), (2, 4, 5))},), inplace=True)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input`` plus ``alpha`` times the sum of the products of two stacks of matrices.

    Example:
        >>> tc.addbmm(tc.zeros(2), tc.ones(4, 2, 3), tc.ones(4, 3, 2))
        tensor([[12., 12.],
                [12., 12.]])
    """
    return added("addbmm", input, _summed, batch1, batch2, beta, alpha)


def _summed(batch1: Any, batch2: Any) -> Any:
    products = bmm(batch1, batch2)
    # Small integers would count in int64, which PyTorch's sum of products does not.
    return products.sum(0).to(products.dtype)


@composite(samples=({"shapes": ((3,), (3, 4), (4,))},), inplace=True)
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``.

    Example:
        >>> tc.addmv(tc.ones(2), tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.ones(2))
        tensor([4., 8.])
    """
    return added("addmv", input, mv, mat, vec, beta, alpha)


@composite(samples=({"shapes": ((3, 4), (3,), (4,))},), inplace=True)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input`` plus ``alpha`` times the products of every pair of elements of two vectors.

    Example:
        >>> tc.addr(tc.ones(2, 2), tc.tensor([1.0, 2.0]), tc.tensor([1.0, 10.0]))
        tensor([[ 2., 11.],
                [ 3., 21.]])
    """
    return added("addr", input, outer, vec1, vec2, beta, alpha)
