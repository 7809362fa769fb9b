"""Creation functions of the Array API standard."""

from __future__ import annotations

from typing import Any

from tensorcore import functions
from tensorcore.dtypes import DType, get_default_dtype, int64
from tensorcore.interop import from_dlpack as _from_dlpack
from tensorcore.ops.creation import asarray as _asarray
from tensorcore.ops.creation import ramp
from tensorcore.tensor import Tensor

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: DType | None = None, device: Any = None
) -> Tensor:
    """Numbers from ``start`` up to, not including, ``stop``, ``step`` apart; none where ``step`` leads away.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.arange(5, 0, -2), tc.array_api.arange(5, 0)
        (tensor([5, 3, 1]), tensor([], dtype=tensorcore.int64))
    """
    if stop is None:
        start, stop = 0, start
    if step != 0 and (stop - start) / step < 0:
        whole = all(isinstance(x, int) for x in (start, stop, step))
        return functions.empty(0, dtype=dtype or (int64 if whole else get_default_dtype()), device=device)
    return functions.arange(start, stop, step, dtype=dtype, device=device)


def asarray(obj: Any, /, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor of a tensor, a number, nested sequences, or an object with the buffer protocol or ``__dlpack__``.

    ``copy=True`` always copies, ``copy=False`` never does; a tensor keeps its graph.

    Raises:
        ShapeError: with ``copy=False`` where a copy is needed; it is a ValueError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.asarray([[1, 2], [3, 4]], dtype=tc.float64)
        tensor([[1., 2.],
                [3., 4.]], dtype=tensorcore.float64)
    """
    if copy and isinstance(obj, Tensor):
        return obj.to(device=device, dtype=dtype, copy=True)
    return _asarray(obj, dtype=dtype, device=device, copy=copy)


def empty(shape: int | tuple[int, ...], *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """A tensor of unspecified elements (zeros, so that results never depend on them).

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.empty((2, 3)).shape
        tensorcore.Size([2, 3])
    """
    return functions.empty(shape, dtype=dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Unspecified elements of the shape, dtype and device of ``x``."""
    return functions.empty_like(x, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType | None = None, device: Any = None
) -> Tensor:
    """Ones on the ``k``-th diagonal of a matrix, counted upwards from the main one, zeros elsewhere.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.eye(2, 3, k=1)
        tensor([[0., 1., 0.],
                [0., 0., 1.]])
    """
    if k == 0:
        return functions.eye(n_rows, n_cols, dtype=dtype, device=device)
    n_cols = n_rows if n_cols is None else n_cols
    # Diagonals beyond the corners are all empty.
    rows = ramp(max(-n_rows, min(k, n_cols)), 1, n_rows, int64, device).unsqueeze(1)
    columns = ramp(0, 1, n_cols, int64, device)
    return (rows == columns).to(dtype or get_default_dtype())


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of an object with ``__dlpack__``; on its own device where ``x`` is a tensor.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.from_dlpack(tc.arange(3))
        tensor([0, 1, 2])
    """
    return _from_dlpack(x, device=device, copy=copy)


def full(
    shape: int | tuple[int, ...], fill_value: complex, *, dtype: DType | None = None, device: Any = None
) -> Tensor:
    """A tensor with every element ``fill_value``.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.full(3, 7)
        tensor([7, 7, 7])
    """
    return functions.full(shape, fill_value, dtype=dtype, device=device)


def full_like(x: Tensor, /, fill_value: complex, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """A tensor of the shape, dtype and device of ``x`` with every element ``fill_value``."""
    return functions.full_like(x, fill_value, dtype=dtype, device=device)


def linspace(
    start: complex, stop: complex, /, num: int, *, dtype: DType | None = None, device: Any = None,
    endpoint: bool = True,
) -> Tensor:  # fmt: skip
    """``num`` numbers evenly spaced from ``start`` to ``stop``, which with ``endpoint=False`` is left out.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.linspace(0, 1, 4, endpoint=False)
        tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    if endpoint or num == 0:
        return functions.linspace(start, stop, num, dtype=dtype, device=device)
    return functions.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Coordinate grids from 1-d tensors, with Cartesian (``"xy"``) or matrix (``"ij"``) indexing."""
    return functions.meshgrid(*arrays, indexing=indexing)


def ones(shape: int | tuple[int, ...], *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """A tensor of ones."""
    return functions.ones(shape, dtype=dtype, device=device)


def ones_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Ones of the shape, dtype and device of ``x``."""
    return functions.ones_like(x, dtype=dtype, device=device)


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Elements on and below the ``k``-th diagonal of each matrix, zeros above."""
    return functions.tril(x, k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Elements on and above the ``k``-th diagonal of each matrix, zeros below."""
    return functions.triu(x, k)


def zeros(shape: int | tuple[int, ...], *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """A tensor of zeros."""
    return functions.zeros(shape, dtype=dtype, device=device)


def zeros_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Zeros of the shape, dtype and device of ``x``."""
    return functions.zeros_like(x, dtype=dtype, device=device)
