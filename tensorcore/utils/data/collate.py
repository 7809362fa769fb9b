"""Collation: the samples of a batch made into tensors with a batch dimension."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

from tensorcore.dtypes import by_name, float64
from tensorcore.tensor import Tensor
from tensorcore.utils.data.dataset import Rows

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateFnMap = dict[type | tuple[type, ...], Callable[..., Any]]


def default_collate(batch: Any) -> Any:
    """One batch from a list of samples: tensors are stacked, numbers become tensors, containers are kept.

    ========================== ====================================================
    sample                     batch
    ========================== ====================================================
    tensor, NumPy array        tensor with a first dimension more
    float                      float64 tensor
    int, bool                  int64 or bool tensor
    NumPy scalar               tensor of its dtype
    str, bytes                 the samples as they are
    mapping, namedtuple, list  the same container of batches
    tuple                      list of batches
    ========================== ====================================================

    Raises:
        TypeError: for a sample of any other type.
        RuntimeError: for sequences of different lengths.
        ShapeError: for tensors of different shapes.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.data import default_collate
        >>> default_collate([(tc.tensor([1.0, 2.0]), 7, "a"), (tc.tensor([3.0, 4.0]), 8, "b")])
        [tensor([[1., 2.],
                [3., 4.]]), tensor([7, 8]), ('a', 'b')]
    """
    if type(batch) is Rows and default_collate_fn_map.get(Tensor) is collate_tensor_fn:
        return batch.collated()
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Any, *, collate_fn_map: CollateFnMap | None = None) -> Any:
    """One batch from a list of samples, by the functions of ``collate_fn_map`` for what is no container.

    A function is chosen by the exact type of the first sample, else by the first key that it is an instance of, and
    called as ``function(batch, collate_fn_map=collate_fn_map)``.

    Raises:
        TypeError: for a sample that is no container and has no function.

    Example:
        >>> from tensorcore.utils.data import collate
        >>> collate([{"a": 1}, {"a": 2}], collate_fn_map={int: lambda batch, **_: sum(batch)})
        {'a': 3}
    """
    first = batch[0]
    if collate_fn_map is not None:
        function = collate_fn_map.get(type(first)) or _by_instance(first, collate_fn_map)
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _rebuilt_mapping(
            first, {key: collate([each[key] for each in batch], collate_fn_map=collate_fn_map) for key in first}
        )
    if isinstance(first, Sequence) and not isinstance(first, (str, bytes)):
        named = isinstance(first, tuple) and hasattr(first, "_fields")
        if not named and len(set(map(len, batch))) > 1:
            raise RuntimeError(
                "default_collate: each element in list of batch should be of equal size, "
                f"got lengths {[len(each) for each in batch]}"
            )
        parts = [collate(part, collate_fn_map=collate_fn_map) for part in zip(*batch, strict=False)]
        return _rebuilt_sequence(first, parts)
    raise _refused(type(first))


def _by_instance(sample: Any, collate_fn_map: CollateFnMap) -> Callable[..., Any] | None:
    for kinds, function in collate_fn_map.items():
        if isinstance(sample, kinds):
            return function
    # NumPy's scalars and arrays are known by their type's home, as the core imports no array library.
    if type(sample).__module__ == "numpy" and type(sample).__name__ not in ("str_", "bytes_"):
        return _collate_numpy
    return None


def _rebuilt_mapping(like: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """A mapping of the type of ``like``, with what else it holds; a dict where its type cannot be made so."""
    try:
        if isinstance(like, MutableMapping):
            clone = copy.copy(like)
            clone.update(values)
            return clone
        return type(like)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def _rebuilt_sequence(like: Sequence[Any], values: list[Any]) -> Any:
    """A sequence of the type of ``like``; a list for tuples, and where its type cannot be made so."""
    if isinstance(like, tuple):
        return type(like)(*values) if hasattr(like, "_fields") else values
    try:
        if isinstance(like, MutableSequence):
            clone = copy.copy(like)
            for place, value in enumerate(values):
                clone[place] = value
            return clone
        return type(like)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def _refused(found: Any) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}"
    )


def collate_tensor_fn(batch: Sequence[Tensor], *, collate_fn_map: CollateFnMap | None = None) -> Tensor:
    """A tensor of tensors: stacked."""
    from tensorcore.ops.movement import stack

    return stack(tuple(batch), 0)


def collate_numpy_array_fn(batch: Sequence[Any], *, collate_fn_map: CollateFnMap | None = None) -> Any:
    """A tensor of NumPy arrays."""
    from tensorcore.ops.creation import as_tensor

    return collate([as_tensor(each) for each in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Sequence[Any], *, collate_fn_map: CollateFnMap | None = None) -> Any:
    """A tensor of NumPy's scalars, of their dtype."""
    from tensorcore.ops.creation import tensor

    return tensor([each.item() for each in batch], dtype=by_name(batch[0].dtype.name))


def _collate_numpy(batch: Sequence[Any], *, collate_fn_map: CollateFnMap | None = None) -> Any:
    first = batch[0]
    if first.dtype.kind in "SUO":
        raise _refused(first.dtype)
    whole = type(first).__name__ == "ndarray" or first.shape
    return (collate_numpy_array_fn if whole else collate_numpy_scalar_fn)(batch, collate_fn_map=collate_fn_map)


def collate_float_fn(batch: Sequence[float], *, collate_fn_map: CollateFnMap | None = None) -> Any:
    """A float64 tensor of numbers."""
    from tensorcore.ops.creation import tensor

    if type(batch[0]).__module__ == "numpy":  # its float64 is a float too
        return _collate_numpy(batch, collate_fn_map=collate_fn_map)
    return tensor(list(batch), dtype=float64)


def collate_int_fn(batch: Sequence[int], *, collate_fn_map: CollateFnMap | None = None) -> Tensor:
    """An int64 or bool tensor of numbers."""
    from tensorcore.ops.creation import tensor

    return tensor(list(batch))


def collate_str_fn(batch: Any, *, collate_fn_map: CollateFnMap | None = None) -> Any:
    """The texts as they are."""
    return batch


#: The functions of `default_collate`, by type of sample; others can be added.
default_collate_fn_map: CollateFnMap = {
    Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_convert(data: Any) -> Any:
    """``data`` with the NumPy arrays in it as tensors; what a loader without batches does to each sample.

    Example:
        >>> import numpy
        >>> from tensorcore.utils.data import default_convert
        >>> default_convert({"x": numpy.array([1, 2]), "name": "a"})
        {'x': tensor([1, 2]), 'name': 'a'}
    """
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if type(data).__module__ == "numpy":
        if data.dtype.kind in "SUO":
            return data
        from tensorcore.ops.creation import as_tensor

        return as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuilt_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence):
        return _rebuilt_sequence(data, [default_convert(each) for each in data])
    return data
