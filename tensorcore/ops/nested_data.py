"""Nested lists of numbers: their shape, their elements one after another, and the dtype that holds them all."""

from __future__ import annotations

from typing import Any

from tensorcore import dtypes
from tensorcore.dtypes import DType, bool_, get_default_dtype, int64, promote_types
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.tensor import Tensor

__all__ = ["dtype_of", "dtype_of_all", "flatten", "holds_arrays", "shape_of"]


def holds_arrays(data: Any) -> bool:
    """Whether the first of the innermost elements is a tensor or an array with dimensions."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return isinstance(data, Tensor) or (hasattr(data, "__array__") and bool(getattr(data, "shape", ())))


def shape_of(data: Any) -> tuple[int, ...]:
    """The shape of nested lists, told by the first of each."""
    shape = []
    while isinstance(data, (list, tuple, range)) or (
        hasattr(data, "__len__") and not isinstance(data, (str, bytes, Tensor))
    ):
        shape.append(len(data))
        if not len(data) or len(shape) > 64:
            break
        data = data[0]
    return tuple(shape)


def flatten(
    data: Any, shape: tuple[int, ...], level: int, path: tuple[int, ...], out: list[Any], met: set[DType | type]
) -> None:
    """Append the numbers of nested lists of ``shape`` to ``out``, and what they are to ``met``.

    ``level`` and ``path`` say where in the whole ``data`` is.

    Raises:
        ShapeError: for ragged lists, naming the place.
        DTypeError: for what is no number, naming the place.
    """
    if level == len(shape):
        if isinstance(data, (int, float, complex)) and not hasattr(data, "dtype"):
            out.append(data)
            met.add(type(data))
        elif hasattr(data, "item") and not getattr(data, "shape", ()):
            out.append(data.item())
            met.add(dtypes.by_name(data.dtype.name))
        elif hasattr(data, "__float__") or hasattr(data, "__index__"):
            out.append(data.__index__() if hasattr(data, "__index__") else float(data))
            met.add(type(out[-1]))
        elif isinstance(data, (list, tuple)):
            raise ShapeError(f"tensor: ragged lists: {_where(path)} is a list where its neighbours are numbers")
        else:
            raise DTypeError(f"tensor: {_where(path)} is {data!r} of type {type(data).__name__}, expected a number")
        return
    try:
        length = len(data)
    except TypeError:
        if isinstance(data, (str, bytes)) or not isinstance(data, (int, float, complex)):
            raise DTypeError(
                f"tensor: {_where(path)} is {data!r} of type {type(data).__name__}, expected a list"
            ) from None
        raise ShapeError(
            f"tensor: ragged lists: {_where(path)} is a number where a list of {shape[level]} was expected"
        ) from None
    if isinstance(data, (str, bytes)):
        raise DTypeError(f"tensor: {_where(path)} is {data!r} of type {type(data).__name__}, expected a number")
    if length != shape[level]:
        raise ShapeError(
            f"tensor: ragged lists: {_where(path)} has {length} elements, expected {shape[level]} as in the first"
        )
    if level == len(shape) - 1 and isinstance(data, (list, tuple)) and all(type(x) in (float, int) for x in data):
        out.extend(data)
        met.update(map(type, data))
        return
    for i, part in enumerate(data):
        flatten(part, shape, level + 1, (*path, i), out, met)


def _where(path: tuple[int, ...]) -> str:
    return "".join(f"[{i}]" for i in path) or "the data"


def dtype_of_all(met: set[DType | type]) -> DType:
    """The dtype that numbers of these types and dtypes have together; the default dtype for none."""
    if not met:
        return get_default_dtype()
    found: DType | None = None
    for each in met:
        if not isinstance(each, DType):
            floating = get_default_dtype()
            kinds = ((bool, bool_), (int, int64), (float, floating), (complex, floating.to_complex()))
            each = next(dtype for kind, dtype in kinds if issubclass(each, kind))
        found = each if found is None else promote_types(found, each)
    assert found is not None
    return found


def dtype_of(value: Any) -> DType:
    """The dtype of a Python number."""
    if type(value) is float:
        return get_default_dtype()
    if not isinstance(value, (int, float, complex)):
        raise DTypeError(f"full: fill_value must be a number, got {value!r}")
    return dtype_of_all({type(value)})
