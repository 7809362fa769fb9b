"""Exchange with NumPy and through DLPack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import DeviceError, RangeError

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def to_numpy(tensor: Any, force: bool) -> Any:
    """``tensor.numpy()``: a view of its memory where the backend has one, else a copy."""
    if tensor._node is not None and not force:
        raise RuntimeError("numpy: the tensor requires grad, which an array would lose; use .detach().numpy()")
    shared = tensor._kind.backend.to_numpy(tensor._array)
    if shared is not None:
        return shared
    if not force and not tensor._kind.backend.host_memory:
        raise DeviceError(f"numpy: the tensor is on {str(tensor.device)!r}; copy it to the host with .cpu() first")
    import numpy as np  # the caller's library, not the core's: it asked for an array

    name = tensor.dtype.name
    if name == "bfloat16":
        import ml_dtypes

        kind = np.dtype(ml_dtypes.bfloat16)
    else:
        kind = np.dtype(name)
    data = bytearray(tensor._kind.backend.to_host(tensor._array))
    return np.frombuffer(data, dtype=kind).reshape(tuple(tensor.shape))


def to_array(tensor: Any, dtype: Any, copy: bool | None) -> Any:
    """``numpy.asarray(tensor)``."""
    array = to_numpy(tensor, force=False)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"__array__: a conversion from {array.dtype} to {dtype} needs a copy")
        return array.astype(dtype)
    return array.copy() if copy else array


#: Versions of the Array API standard that `tensorcore.array_api` answers to: each contains the ones before.
STANDARDS: Final = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


def namespace(api_version: str | None) -> Any:
    """``tensor.__array_namespace__()``: the module `tensorcore.array_api`.

    Raises:
        RangeError: for a version that it does not follow; it is a ValueError.
    """
    from tensorcore import array_api

    if api_version is not None and api_version not in STANDARDS:
        raise RangeError(
            f"__array_namespace__: no version {api_version!r} of the Array API standard; known: {', '.join(STANDARDS)}"
        )
    return array_api


def to_device(tensor: Any, device: Any, stream: Any) -> Tensor:
    """``tensor.to_device(device)``."""
    if stream is not None:
        raise RangeError(f"to_device: streams are chosen with tensorcore.cuda.stream, not by argument; got {stream!r}")
    return tensor.to(device=device)


def to_dlpack(tensor: Any, **options: Any) -> Any:
    """The DLPack capsule of a tensor; the backend is told of the ``options`` that are not ``None``."""
    if tensor._node is not None:
        raise BufferError("DLPack: the tensor requires grad, which the receiver would lose; use .detach()")
    given = {name: value for name, value in options.items() if value is not None}
    return tensor._kind.backend.to_dlpack(tensor._array, **given)


#: NumPy's reductions, which are those of the Array API standard but for these names.
_REDUCTIONS: Final = {
    name: {"amax": "max", "amin": "min"}.get(name, name)
    for name in ("all", "amax", "amin", "any", "count_nonzero", "max", "mean", "min", "prod", "std", "sum", "var")
}


def array_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function called with tensors: reductions give tensors, with gradients; others read tensors as arrays."""
    name = _REDUCTIONS.get(function.__name__) if function.__module__ == "numpy" else None
    if name is not None and len(args) <= 2:
        import inspect

        given = inspect.signature(function).bind(*args, **kwargs).arguments
        operand = given.pop("a")
        options = {key: value for key, value in given.items() if value is not None}
        if "ddof" in options:
            options.setdefault("correction", options.pop("ddof"))
        if options.keys() <= {"axis", "keepdims", "correction"}:
            from tensorcore import array_api

            return getattr(array_api, name)(operand, **options)
        return function(to_array(operand, None, None), **given)
    implementation = getattr(function, "_implementation", None)
    return NotImplemented if implementation is None else implementation(*args, **kwargs)


#: DLPack's number of NVIDIA's GPUs.
_CUDA: Final = 2


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of any object with ``__dlpack__``: a tensor on its own device, and others by default on
    the default device, or where a GPU's memory is shared, on that GPU.

    Raises:
        BufferError: where the device cannot take it, or with ``copy=False`` not without a copy.

    Example:
        >>> import numpy, tensorcore as tc
        >>> tc.from_dlpack(numpy.arange(3.0))
        tensor([0., 1., 2.], dtype=tensorcore.float64)
    """
    from tensorcore.devices import Device
    from tensorcore.tensor import Tensor, wrap

    if isinstance(ext_tensor, Tensor):
        return _from_tensor(ext_tensor, device, copy)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack: expected an object with __dlpack__, got {type(ext_tensor).__name__}")
    kind, number = ext_tensor.__dlpack_device__()
    place = Device("cuda", number) if device is None and kind == _CUDA else Device(device)
    backend = place.backend
    array = backend.from_dlpack(ext_tensor, place.ordinal, copy)
    return wrap(array, place.kind(backend.dtype_of(array)))


def _from_tensor(tensor: Tensor, device: Any, copy: bool | None) -> Tensor:
    from tensorcore.devices import Device

    if tensor._node is not None:
        raise BufferError("DLPack: the tensor requires grad, which the receiver would lose; use .detach()")
    place = tensor.device if device is None else Device(device)
    if place == tensor.device:
        return tensor.clone() if copy else tensor.detach()
    if copy is False:
        raise BufferError(f"DLPack: a tensor on {str(tensor.device)!r} comes to {str(place)!r} by a copy only")
    return tensor.to(device=place)
