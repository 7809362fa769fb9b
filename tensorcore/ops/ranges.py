"""Creation by rule: ranges, grids and triangles."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import COMPLEX, INTEGER, DType, get_default_dtype, int64
from tensorcore.errors import ArgumentError, DTypeError, RangeError, ShapeError
from tensorcore.ops.creation import _finished as finished
from tensorcore.ops.creation import kind_for as kind_of
from tensorcore.ops.creation import ramp
from tensorcore.ops.drawing import widest
from tensorcore.ops.indexing import update_at
from tensorcore.ops.record import composite

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: Python's, whose name the op `range` takes.
_range = builtins.range


@composite(namespaces=("",))
def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, dtype: DType | None = None, device: Any = None,
    requires_grad: bool = False, out: Tensor | None = None, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from ``start`` up to, not including, ``end``, ``step`` apart; integers give int64.

    Raises:
        RangeError: for a step of 0.
        ShapeError: for a step away from ``end``.

    Example:
        >>> tc.arange(4), tc.arange(1, 2, 0.3), tc.arange(3, 0, -1)
        (tensor([0, 1, 2, 3]), tensor([1.0000, 1.3000, 1.6000, 1.9000]), tensor([3, 2, 1]))
    """
    if end is None:
        if type(start) is int and type(step) is int and dtype is None and start >= 0 and step == 1:
            return finished(ramp.emit(kind=kind_of(device, int64), start=0, step=1, count=start), requires_grad, out)
        if start is None:
            raise TypeError("arange: expected at least the end of the range")
        start, end = 0, start
    start = 0 if start is None else start
    start, end, step = (x.item() if hasattr(x, "item") else x for x in (start, end, step))
    for name, value in (("start", start), ("end", end), ("step", step)):
        if not isinstance(value, (int, float)):
            raise TypeError(f"arange: {name} must be a real number, got {value!r}")
        if not math.isfinite(value):
            raise RangeError(f"arange: {name} must be finite, got {value}")
    if dtype is not None and dtype.category == INTEGER:
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise RangeError("arange: step must not be zero")
    if (end - start) / step < 0:
        raise ShapeError(f"arange: step {step} does not lead from {start} to {end}")
    if dtype is None:
        dtype = get_default_dtype() if any(isinstance(x, float) for x in (start, end, step)) else int64
    whole = all(isinstance(x, int) for x in (start, end, step))
    count = len(_range(start, end, step)) if whole else math.ceil((end - start) / step)
    return finished(ramp(start, step, count, dtype, device), requires_grad, out)


@composite(namespaces=("",))
def linspace(
    start: Any, end: Any, steps: int, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
    out: Tensor | None = None, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """``steps`` numbers evenly spaced from ``start`` to ``end``, both included.

    Raises:
        ShapeError: for a negative number of steps.

    Example:
        >>> tc.linspace(0, 1, 5), tc.linspace(3, -3, 1)
        (tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000]), tensor([3.]))
    """
    if not hasattr(steps, "__index__"):
        raise TypeError(f"linspace: steps must be an int, got {steps!r}")
    if steps < 0:
        raise ShapeError(f"linspace: number of steps must not be negative, got {steps}")
    if hasattr(start, "item"):
        start = start.item()
    if hasattr(end, "item"):
        end = end.item()
    for name, bound in (("start", start), ("end", end)):
        if not isinstance(bound, (int, float, complex)) and not hasattr(bound, "__float__"):
            raise ArgumentError(f"linspace: {name} must be a number, got {type(bound).__name__} {bound!r:.60}")
    if dtype is None and (type(start) is complex or type(end) is complex):
        dtype = get_default_dtype().to_complex()
    kind = kind_of(device, dtype)
    if kind.dtype.category == COMPLEX:
        parts = [
            linspace(getattr(start, x), getattr(end, x), steps, dtype=kind.dtype.to_real(), device=device)
            for x in ("real", "imag")
        ]
        return finished(parts[0] + parts[1] * 1j, requires_grad, out)
    if kind.dtype.category <= INTEGER:
        # As PyTorch does: from the whole numbers that the bounds become.
        start, end = int(start), int(end)
    if steps < 2:
        return finished(ramp(start, 0, steps, kind.dtype, device), requires_grad, out)
    return finished(linspace.emit(kind=kind, start=start, end=end, count=steps), requires_grad, out)


@linspace.expression
def _linspace(*, kind: Any, start: Any, end: Any, count: int) -> Any:
    from tensorcore.ops.movement import cat

    step = (end - start) / (count - 1)
    # From both ends, so that both are exact and the numbers are symmetric.
    half = count // 2
    low = ramp.emit(kind=kind, start=start, step=step, count=half)
    return cat([low, ramp.emit(kind=kind, start=end - step * (count - half - 1), step=step, count=count - half)])


@composite(namespaces=("",))
def eye(
    n: int, m: int | None = None, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Ones on the diagonal of an ``n`` by ``m`` matrix, zeros elsewhere.

    Raises:
        ShapeError: for negative sides.

    Example:
        >>> tc.eye(2)
        tensor([[1., 0.],
                [0., 1.]])
        >>> tc.eye(2, 3, dtype=tc.int64)
        tensor([[1, 0, 0],
                [0, 1, 0]])
    """
    m = n if m is None else m
    if n < 0 or m < 0:
        raise ShapeError(f"eye: sides must not be negative, got {n} and {m}")
    return finished(eye.emit(kind=kind_of(device, dtype), n=n, m=m), requires_grad, out)


@eye.expression
def _eye(*, kind: Any, n: int, m: int) -> Any:
    places = kind.sibling(int64)
    rows = ramp.emit(kind=places, start=0, step=1, count=n).unsqueeze(1)
    return (rows == ramp.emit(kind=places, start=0, step=1, count=m)).to(kind.dtype)


def _triangle(input: Any, diagonal: int, lower: bool) -> Any:
    from tensorcore.ops.elementwise import where

    rows = ramp(0, 1, input.shape[-2], int64, input.device).unsqueeze(1) + diagonal
    columns = ramp(0, 1, input.shape[-1], int64, input.device)
    # A bool zero changes no dtype.
    return where(columns <= rows if lower else columns >= rows, input, False)


def _require_matrices(op: str, input: Any) -> None:
    if input.ndim < 2:
        raise ShapeError(f"{op}: expected at least 2 dimensions, got shape {list(input.shape)}")


@composite(
    inplace=True, vjp=lambda g, diagonal: tril.emit(g, diagonal=diagonal), ulp=0,
    samples=({"shapes": ((4, 4),)}, {"shapes": ((2, 3, 4),), "diagonal": -1}),
)  # fmt: skip
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Elements on and below the diagonal number ``diagonal`` of each matrix, zeros above.

    Raises:
        ShapeError: for fewer than 2 dimensions.

    Example:
        >>> x = tc.ones(2, 3)
        >>> tc.tril(x)
        tensor([[1., 0., 0.],
                [1., 1., 0.]])
        >>> tc.tril(x, -1)
        tensor([[0., 0., 0.],
                [1., 0., 0.]])
    """
    _require_matrices("tril", input)
    return tril.emit(input, diagonal=diagonal.__index__())


@tril.in_place
def _tril_into(input: Tensor, diagonal: int = 0) -> bool:
    _require_matrices("tril_", input)
    return update_at(tril, input, (), "tril_", diagonal=diagonal)


@tril.expression
def _tril(input: Any, *, diagonal: int) -> Any:
    return _triangle(input, diagonal, True)


@composite(
    inplace=True, vjp=lambda g, diagonal: triu.emit(g, diagonal=diagonal), ulp=0,
    samples=({"shapes": ((4, 4),)}, {"shapes": ((2, 3, 4),), "diagonal": 1}),
)  # fmt: skip
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Elements on and above the diagonal number ``diagonal`` of each matrix, zeros below.

    Raises:
        ShapeError: for fewer than 2 dimensions.

    Example:
        >>> x = tc.ones(2, 3)
        >>> tc.triu(x)
        tensor([[1., 1., 1.],
                [0., 1., 1.]])
        >>> tc.triu(x, 1)
        tensor([[0., 1., 1.],
                [0., 0., 1.]])
    """
    _require_matrices("triu", input)
    return triu.emit(input, diagonal=diagonal.__index__())


@triu.in_place
def _triu_into(input: Tensor, diagonal: int = 0) -> bool:
    _require_matrices("triu_", input)
    return update_at(triu, input, (), "triu_", diagonal=diagonal)


@triu.expression
def _triu(input: Any, *, diagonal: int) -> Any:
    return _triangle(input, diagonal, False)


@composite(namespaces=("",), samples=({"shapes": ((3,), (4,)), "indexing": "ij"},))
def meshgrid(*tensors: Tensor, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinate grids from 1-d tensors, with matrix (``"ij"``) or Cartesian (``"xy"``) indexing.

    Raises:
        RangeError: for another ``indexing``.

    Example:
        >>> x, y = tc.meshgrid(tc.tensor([1, 2]), tc.tensor([3, 4, 5]), indexing="ij")
        >>> x
        tensor([[1, 1, 1],
                [2, 2, 2]])
        >>> y
        tensor([[3, 4, 5],
                [3, 4, 5]])
        >>> tc.meshgrid(tc.arange(2), tc.arange(3), indexing="xy")[0].shape
        tensorcore.Size([3, 2])
    """
    parts: Sequence[Tensor] = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if indexing not in ("ij", "xy"):
        raise RangeError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    for x in parts:
        if x.ndim > 1:
            raise ShapeError(f"meshgrid: expected tensors of at most 1 dimension, got shape {list(x.shape)}")
        if x.dtype is not parts[0].dtype:
            raise DTypeError(f"meshgrid: expected tensors of one dtype, got {parts[0].dtype} and {x.dtype}")
    shape = tuple(x.numel() for x in parts)
    grids = [x.reshape([-1 if i == d else 1 for i in _range(len(shape))]).expand(shape) for d, x in enumerate(parts)]
    return tuple(g.transpose(0, 1) for g in grids) if indexing == "xy" and len(parts) > 1 else tuple(grids)


@composite(namespaces=("",))
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: DType | None = None, device: Any = None,
    requires_grad: bool = False, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``base`` to the power of ``steps`` numbers evenly spaced from ``start`` to ``end``, both included.

    Raises:
        ShapeError: for a negative number of steps.

    Example:
        >>> tc.logspace(-1, 2, 4), tc.logspace(0, 3, 4, base=2)
        (tensor([  0.1000,   1.0000,  10.0000, 100.0000]), tensor([1., 2., 4., 8.]))
    """
    if dtype is None and any(isinstance(x, complex) for x in (start, end)):
        dtype = get_default_dtype().to_complex()
    kind = kind_of(device, dtype)
    wide = kind.dtype if kind.dtype.category >= COMPLEX else widest(kind)
    powers = base ** linspace(start, end, steps, dtype=wide, device=device)
    return finished(powers.to(kind.dtype), requires_grad, out)


@composite(namespaces=("",))
def range(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: DType | None = None, device: Any = None,
    requires_grad: bool = False, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Numbers from ``start`` up to and including ``end``, ``step`` apart; deprecated, as `arange` leaves out the end.

    Example:
        >>> tc.range(1, 3), tc.range(0, 1, 0.5)
        (tensor([1., 2., 3.]), tensor([0.0000, 0.5000, 1.0000]))
    """
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) / step < 0:
        raise ShapeError(f"range: step {step} does not lead from {start} to {end}")
    made = ramp(start, step, math.floor((end - start) / step) + 1, dtype or get_default_dtype(), device)
    return finished(made, requires_grad, out)


@composite(namespaces=("",), samples=({"shapes": ((3,),), "N": 4},))
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of the elements of a vector, a row each, from ``N - 1`` (one less than elements by default) to 0.

    Raises:
        ShapeError: for anything but a vector.

    Example:
        >>> tc.vander(tc.tensor([1, 2, 3]))
        tensor([[1, 1, 1],
                [4, 2, 1],
                [9, 3, 1]])
        >>> tc.vander(tc.tensor([2]), N=4, increasing=True)
        tensor([[1, 2, 4, 8]])
    """
    if x.ndim != 1:
        raise ShapeError(f"vander: expected a vector, got shape {list(x.shape)}")
    count = x.shape[0] if N is None else N
    if count < 0:
        raise RangeError(f"vander: N must not be negative, got {N}")
    powers = ramp(0, 1, count, int64, x.device) if increasing else ramp(count - 1, -1, count, int64, x.device)
    return x.unsqueeze(1) ** powers
