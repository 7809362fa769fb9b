"""Exchange with NumPy and through DLPack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.errors import DeviceError

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


def to_dlpack(tensor: Any, **options: Any) -> Any:
    """The DLPack capsule of a tensor."""
    if tensor._node is not None:
        raise BufferError("DLPack: the tensor requires grad, which the receiver would lose; use .detach()")
    return tensor._kind.backend.to_dlpack(tensor._array, **options)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of any object with ``__dlpack__``, on the default device or ``device``.

    Raises:
        BufferError: where the device cannot take it.

    Example:
        >>> import numpy, tensorcore as tc
        >>> tc.from_dlpack(numpy.arange(3.0))
        tensor([0., 1., 2.], dtype=tensorcore.float64)
    """
    from tensorcore.devices import Device
    from tensorcore.tensor import wrap

    place = Device(device)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(f"from_dlpack: expected an object with __dlpack__, got {type(ext_tensor).__name__}")
    backend = place.backend
    array = backend.from_dlpack(ext_tensor, place.ordinal, copy)
    return wrap(array, place.kind(backend.dtype_of(array)))
