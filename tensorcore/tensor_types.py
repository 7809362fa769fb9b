"""PyTorch's old constructors, `FloatTensor` and its kin: they make tensors of one dtype, and are types to test for."""

from __future__ import annotations

from typing import Any, Final

from tensorcore import dtypes
from tensorcore.dtypes import DType, get_default_dtype
from tensorcore.errors import DTypeError
from tensorcore.tensor import Tensor

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class TensorType(type):
    """The class of the constructors; tensors of their dtype count as instances."""

    element: DType
    #: The device that the type names, as `tensorcore.cuda.FloatTensor` does.
    place: str | None = None

    def __call__(cls, *data: Any, device: Any = None) -> Any:
        return constructed(data, cls.element, device or cls.place, cls.__name__)

    def __instancecheck__(cls, instance: Any) -> bool:
        own = isinstance(instance, Tensor) and instance.dtype is cls.element
        return own and instance.device.type == (cls.place or "cpu")


def placed(device: str) -> dict[str, TensorType]:
    """The old constructors of tensors on another device, by name."""
    found = {}
    for each in TYPES:
        doc = f"Makes {each.element.name} tensors on {device!r}."
        made = TensorType(each.__name__, (Tensor,), {"element": each.element, "place": device, "__doc__": doc})
        made.__module__ = f"tensorcore.{device}"
        found[each.__name__] = made
    return found


def constructed(data: tuple[Any, ...], dtype: DType, device: Any, name: str) -> Tensor:
    """What ``FloatTensor(*data)`` gives: ints are a shape, as is a `Size`; one sequence or array is the elements."""
    from tensorcore.ops.creation import empty, tensor
    from tensorcore.shapes import Size

    if len(data) == 1 and not hasattr(data[0], "__index__"):
        (given,) = data
        if isinstance(given, Size):
            return empty(given, dtype=dtype, device=device)
        if isinstance(given, (float, complex)):
            raise TypeError(f"{name}: expected a shape or a sequence of numbers, got {given!r}; use tensor({given!r})")
    if len(data) == 1 and (isinstance(data[0], Tensor) or hasattr(data[0], "__len__")):
        if isinstance(data[0], Tensor):
            if data[0].dtype is not dtype:
                raise DTypeError(f"{name}: expected a tensor of {dtype}, got {data[0].dtype}; use .to(dtype)")
            return data[0].detach()
        return tensor(data[0], dtype=dtype, device=device)
    return empty(*data, dtype=dtype, device=device) if data else empty(0, dtype=dtype, device=device)


class FloatTensor(Tensor, metaclass=TensorType):
    """Makes float32 tensors.

    Example:
        >>> import tensorcore as tc
        >>> tc.FloatTensor([1, 2])
        tensor([1., 2.])
    """

    element = dtypes.float32


class DoubleTensor(Tensor, metaclass=TensorType):
    """Makes float64 tensors."""

    element = dtypes.float64


class HalfTensor(Tensor, metaclass=TensorType):
    """Makes float16 tensors."""

    element = dtypes.float16


class BFloat16Tensor(Tensor, metaclass=TensorType):
    """Makes bfloat16 tensors."""

    element = dtypes.bfloat16


class ByteTensor(Tensor, metaclass=TensorType):
    """Makes uint8 tensors."""

    element = dtypes.uint8


class CharTensor(Tensor, metaclass=TensorType):
    """Makes int8 tensors."""

    element = dtypes.int8


class ShortTensor(Tensor, metaclass=TensorType):
    """Makes int16 tensors."""

    element = dtypes.int16


class IntTensor(Tensor, metaclass=TensorType):
    """Makes int32 tensors."""

    element = dtypes.int32


class LongTensor(Tensor, metaclass=TensorType):
    """Makes int64 tensors.

    Example:
        >>> import tensorcore as tc
        >>> isinstance(tc.tensor(1), tc.LongTensor)
        True
    """

    element = dtypes.int64


class BoolTensor(Tensor, metaclass=TensorType):
    """Makes bool tensors."""

    element = dtypes.bool_


TYPES: Final = (
    FloatTensor,
    DoubleTensor,
    HalfTensor,
    BFloat16Tensor,
    ByteTensor,
    CharTensor,
    ShortTensor,
    IntTensor,
    LongTensor,
    BoolTensor,
)


def default_tensor(data: tuple[Any, ...], device: Any) -> Tensor:
    """What ``Tensor(*data)`` gives: as `FloatTensor`, in the default dtype; a tensor given is shared as it is."""
    dtype = data[0].dtype if len(data) == 1 and isinstance(data[0], Tensor) else get_default_dtype()
    return constructed(data, dtype, device, "Tensor")


def type_of(tensor: Tensor) -> str:
    """The name of a tensor's type, such as ``tensorcore.FloatTensor`` or ``tensorcore.cuda.FloatTensor``."""
    name = next((each.__name__ for each in TYPES if each.element is tensor.dtype), f"{tensor.dtype.name.title()}Tensor")
    layout = "sparse." if tensor.is_sparse else ""
    return f"tensorcore.{'' if tensor.is_cpu else f'{tensor.device.type}.'}{layout}{name}"


def type_named(name: str) -> tuple[DType, str | None]:
    """The (dtype, device) of a type's name, with PyTorch's prefix or ours; without a device, ``None`` for it."""
    *prefix, last = name.split(".")
    found = next((each.element for each in TYPES if each.__name__ == last), None)
    if found is None or len(prefix) > 2 or (prefix and prefix[0] not in ("torch", "tensorcore")):
        known = ", ".join(each.__name__ for each in TYPES)
        raise DTypeError(f"type: no tensor type is called {name!r}; known: {known}")
    return found, prefix[1] if len(prefix) == 2 else None
