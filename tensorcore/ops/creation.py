"""Creation: tensors from Python data, constants and ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore import dtypes
from tensorcore.devices import Device, get_default_device
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, get_default_dtype
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.host_data import encode, wrapped
from tensorcore.ops.nested_data import dtype_of, dtype_of_all, flatten, holds_arrays, shape_of
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import same
from tensorcore.shapes import normalize_shape
from tensorcore.sparse_methods import sparse_constant, sparse_like, strided
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.devices import Kind

_PUBLIC = ("",)

# ------------------------------------------------------------------ primitives


@primitive(rule=same, namespaces=_PUBLIC, ulp=0)
def full(
    size: Any, fill_value: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
    out: Tensor | None = None, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of shape ``size`` with every element ``fill_value``.

    Example:
        >>> tc.full((2, 2), 1.5)
        tensor([[1.5000, 1.5000],
                [1.5000, 1.5000]])
        >>> tc.full((2,), 7)
        tensor([7, 7])
        >>> tc.full((), True)
        tensor(True)
    """
    if hasattr(fill_value, "item"):
        fill_value = fill_value.item()
    kind = kind_for(device, dtype or dtype_of(fill_value))
    value = _fitting(fill_value, kind.dtype)
    made = full.emit(kind=kind, shape=normalize_shape((size,), "full"), value=value)
    return _finished(made, requires_grad, out)


@primitive(rule=same, namespaces=(), ulp=1)
def ramp(start: Any, step: Any, count: int, dtype: DType, device: Any = None) -> Tensor:
    """``start + step * i`` for i from 0 to ``count - 1``; computed in float64 (integers exactly), then rounded."""
    return ramp.emit(kind=kind_for(device, dtype), start=start, step=step, count=count)


# ------------------------------------------------------------------ from data


def tensor(
    data: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor holding a copy of ``data``: a number, nested lists, a tensor, an array, or a buffer.

    Floats get the default dtype, ints int64, bools bool; arrays keep theirs. The result is a leaf.

    Raises:
        ShapeError: for ragged lists, naming the place.
        DTypeError: for what is no number, naming the place.
        RangeError: for an integer that the dtype cannot hold.

    Example:
        >>> import tensorcore as tc
        >>> tc.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    if isinstance(data, Tensor):
        made = data.detach().to(device=device or data.device, dtype=dtype, copy=True)
        made = made if made._view is None else made.clone()
    else:
        made = _from_data(data, dtype, device)
    made._node = None
    if requires_grad:
        made.requires_grad = True
    return made


def _from_data(data: Any, dtype: DType | None, device: Any) -> Tensor:
    # NumPy's float64 is a Python float too, but keeps its dtype.
    if isinstance(data, (int, float, complex)) and not hasattr(data, "dtype"):
        kind = kind_for(device, dtype or dtype_of(data))
        return wrap(_hosted([data], (), kind), kind)
    if not isinstance(data, (list, tuple, range)):
        foreign = _from_buffer(data, dtype, device)
        if foreign is not None:
            return foreign
        if not hasattr(data, "__len__") or not hasattr(data, "__getitem__") or isinstance(data, (str, bytes, dict)):
            raise DTypeError(f"tensor: expected numbers, nested lists or an array, got {type(data).__name__}")
    if holds_arrays(data):
        return _stacked(data, dtype, device)
    shape = shape_of(data)
    flat: list[Any] = []
    # The dtypes of the elements: of Python's numbers by their types, of NumPy's scalars and 0-d tensors their own.
    met: set[DType | type] = set()
    flatten(data, shape, 0, (), flat, met)
    found = dtype or dtype_of_all(met)
    kind = kind_for(device, found)
    return wrap(_hosted(flat, shape, kind), kind)


def _hosted(flat: list[Any], shape: tuple[int, ...], kind: Kind) -> Any:
    return kind.backend.from_host(encode(flat, kind.dtype, strict=True), kind.dtype, shape, kind.device.ordinal)


def _stacked(data: Any, dtype: DType | None, device: Any) -> Tensor:
    from tensorcore.ops.movement import stack

    parts = [
        _stacked(x, dtype, device) if isinstance(x, (list, tuple)) else tensor(x, dtype=dtype, device=device)
        for x in data
    ]
    return stack(parts).detach().clone()


#: Format characters of the buffer protocol for native numbers.
_FORMATS = {
    "?": "bool", "B": "uint8", "b": "int8", "e": "float16", "f": "float32", "d": "float64", "Zf": "complex64",
    "Zd": "complex128",
}  # fmt: skip


def _buffer_dtype(view: memoryview) -> DType | None:
    code = view.format.lstrip("@=<")
    if code in _FORMATS:
        return dtypes.by_name(_FORMATS[code])
    if code in "hilqnHILQN":
        return dtypes.by_name(("int" if code.islower() else "uint") + str(view.itemsize * 8))
    return None


def _from_buffer(data: Any, dtype: DType | None, device: Any) -> Tensor | None:
    if isinstance(data, (str, bytes, bytearray)):
        return None
    try:
        view = memoryview(data)
    except TypeError:
        array = getattr(data, "__array__", None)
        if array is None:
            return None
        view = memoryview(array())
    found = _buffer_dtype(view)
    if found is None:
        raise DTypeError(f"tensor: no dtype holds elements of format {view.format!r} of {type(data).__name__}")
    kind = kind_for(device, found)
    made = wrap(kind.backend.from_host(view.tobytes(), found, tuple(view.shape or ()), kind.device.ordinal), kind)
    return made if dtype is None else made.to(dtype=dtype)


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, sharing memory or returned as is where dtype and device allow.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([1.0])
        >>> tc.as_tensor(x) is x
        True
    """
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    if hasattr(data, "__array_interface__") and (device is None or Device(device) == Device(None)):
        made = from_numpy(data)
        return made if dtype is None else made.to(dtype=dtype)
    return tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the default device that shares the memory of a NumPy array, where the backend can.

    Raises:
        TypeError: if ``ndarray`` is no array.
        DTypeError: for an array of a dtype that tensors have not.

    Example:
        >>> import numpy, tensorcore as tc
        >>> tc.from_numpy(numpy.arange(3))
        tensor([0, 1, 2])
    """
    if not hasattr(ndarray, "__array_interface__"):
        raise TypeError(f"from_numpy: expected a numpy.ndarray, got {type(ndarray).__name__}")
    view = memoryview(ndarray)
    found = _buffer_dtype(view)
    if found is None or view.format[0] in ">!":
        raise DTypeError(f"from_numpy: no dtype holds elements of format {view.format!r}; convert the array first")
    kind = kind_for(None, found)
    shared = kind.backend.share_host(ndarray, found, tuple(view.shape or ()), tuple(view.strides or ()))
    return tensor(ndarray) if shared is None else wrap(shared, kind)


def asarray(
    obj: Any, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``obj`` as a tensor: shared or as is where it can be; ``copy=True`` always copies, ``copy=False`` never does.

    Raises:
        ShapeError: with ``copy=False`` where a copy is needed.

    Example:
        >>> import tensorcore as tc
        >>> tc.asarray([1.0, 2.0])
        tensor([1., 2.])
    """
    if copy or not (isinstance(obj, Tensor) or hasattr(obj, "__array_interface__")):
        if copy is False:
            raise ShapeError(f"asarray: a tensor from {type(obj).__name__} needs a copy")
        made = tensor(obj, dtype=dtype, device=device)
    else:
        whole = obj if isinstance(obj, Tensor) else from_numpy(obj)
        made = whole.to(device=device, dtype=dtype)
        if copy is False and made is not whole:
            raise ShapeError(f"asarray: a conversion from {whole.dtype} on {str(whole.device)!r} needs a copy")
    return made.detach().requires_grad_() if requires_grad else made


def scalar_tensor(s: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of the default dtype, or of ``dtype``.

    Example:
        >>> import tensorcore as tc
        >>> tc.scalar_tensor(3)
        tensor(3.)
    """
    return tensor(s, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad)


def frombuffer(buffer: Any, *, dtype: DType, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-d tensor over the elements in a bytes-like object, sharing its memory where that is writable.

    Raises:
        ShapeError: if the bytes do not hold ``count`` elements from ``offset`` on.

    Example:
        >>> import tensorcore as tc
        >>> tc.frombuffer(bytes([1, 2, 3]), dtype=tc.uint8)
        tensor([1, 2, 3], dtype=tensorcore.uint8)
    """
    try:
        view = memoryview(buffer).cast("B")
    except TypeError:
        raise DTypeError(f"frombuffer: expected a bytes-like object, got {type(buffer).__name__}") from None
    if offset < 0 or offset > len(view):
        raise RangeError(f"frombuffer: offset {offset} does not lie within the {len(view)} bytes")
    view = view[offset:]
    size = dtype.itemsize
    if count < 0:
        if len(view) % size:
            raise ShapeError(f"frombuffer: {len(view)} bytes are no whole number of {dtype} elements")
        count = len(view) // size
    if count * size > len(view):
        raise ShapeError(f"frombuffer: {count} elements of {dtype} need {count * size} bytes, got {len(view)}")
    kind = kind_for(None, dtype)
    array = (
        None if view.readonly or not count else kind.backend.share_host(view[: count * size], dtype, (count,), (size,))
    )
    if array is None:
        array = kind.backend.from_host(view[: count * size], dtype, (count,), kind.device.ordinal)
    return wrap(array, kind).requires_grad_(requires_grad)


# ------------------------------------------------------------------ constants


def kind_for(device: Any, dtype: DType | None) -> Kind:
    """The kind asked for by the arguments ``device`` and ``dtype``."""
    chosen = get_default_device() if device is None else Device(device)
    dtype = dtype or get_default_dtype()
    if chosen._follows is False:
        found = chosen._kinds.get(dtype)
        if found is not None:
            return found
    return chosen.kind(dtype)


def _fitting(value: Any, dtype: DType) -> Any:
    """``value`` as a number of the dtype; raises RangeError for one that does not fit."""
    if not isinstance(value, (int, float, complex)):
        try:
            value = value.item()
        except AttributeError:
            raise TypeError(f"full: fill_value must be a number, got {type(value).__name__}") from None
    if dtype.category == BOOL:
        return bool(value)
    if isinstance(value, complex):
        if dtype.category < COMPLEX:
            raise DTypeError(f"full: a complex number, {value!r}, does not fit into {dtype}")
        return value
    if dtype.category == COMPLEX:
        return complex(value)
    if dtype.category == FLOATING:
        return float(value)
    return wrapped(value, dtype, strict=True)


def _finished(made: Tensor, requires_grad: bool, out: Tensor | None) -> Tensor:
    if out is not None:
        from tensorcore.ops.inplace import write_out

        return write_out(out, made)
    return made.requires_grad_() if requires_grad else made


#: Python's types of numbers by the category of the dtype.
_NUMBERS: Final = (bool, int, float, complex)


def _constant(name: str, value: int, doc: str) -> Any:
    def make(
        *sizes: Any, size: Any = None, out: Tensor | None = None, dtype: DType | None = None, device: Any = None,
        requires_grad: bool = False, layout: Any = None, pin_memory: bool = False, names: Any = None,
        memory_format: Any = None,
    ) -> Tensor:  # fmt: skip
        kind = kind_for(device, dtype)
        shape = normalize_shape(sizes if size is None else (size,), name)
        if layout is not None and layout is not strided:
            return _finished(sparse_constant(name, value, shape, kind, layout), requires_grad, out)
        made = full.emit(kind=kind, shape=shape, value=values[kind.dtype.category])
        return _finished(made, requires_grad, out) if requires_grad or out is not None else made

    values = [number(value) for number in _NUMBERS]
    make.__name__ = make.__qualname__ = name
    make.__doc__ = (
        f"{doc}\n\n    Example:\n        >>> tc.{name}(2, 3), tc.{name}((2,), dtype=tc.int64)\n"
        f"        (tensor([[{value}., {value}., {value}.],\n                [{value}., {value}., {value}.]]), "
        f"tensor([{value}, {value}]))\n    "
    )
    return composite(namespaces=_PUBLIC)(make)


zeros = _constant("zeros", 0, "A tensor of zeros, whose sides come one by one or as one sequence.")
ones = _constant("ones", 1, "A tensor of ones, whose sides come one by one or as one sequence.")
empty = _constant("empty", 0, "A tensor of unspecified elements (zeros here, so that results never depend on them).")


def _like(name: str, value: int, doc: str) -> Any:
    def make(
        input: Tensor, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
        layout: Any = None, memory_format: Any = None, pin_memory: bool = False,
    ) -> Tensor:  # fmt: skip
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}: 'input' must be a tensor, got {type(input).__name__}")
        kind = input._kind
        if device is not None or dtype is not None:
            kind = Device(device or kind.device).kind(dtype or kind.dtype)
        if input._kind.sparse:
            return sparse_like(input, value, kind, layout, requires_grad, name)
        made = full.emit(kind=kind, shape=input._array.shape, value=values[kind.dtype.category])
        return made.requires_grad_() if requires_grad else made

    values = [number(value) for number in _NUMBERS]
    make.__name__ = make.__qualname__ = name
    make.__doc__ = (
        f"{doc}\n\n    Example:\n        >>> x = tc.tensor([3, 4])\n"
        f"        >>> tc.{name}(x), tc.{name}(x, dtype=tc.float32)\n"
        f"        (tensor([{value}, {value}]), tensor([{value}., {value}.]))\n    "
    )
    return composite(namespaces=_PUBLIC, samples=({"shapes": ((2, 3),)},))(make)


zeros_like = _like("zeros_like", 0, "Zeros of the shape, dtype and device of ``input``.")
ones_like = _like("ones_like", 1, "Ones of the shape, dtype and device of ``input``.")
empty_like = _like("empty_like", 0, "Unspecified elements of the shape, dtype and device of ``input``.")


@composite(namespaces=_PUBLIC, samples=({"shapes": ((2, 3),), "args": (1.5,)},))
def full_like(
    input: Tensor, fill_value: Any, *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """A tensor of the shape, dtype and device of ``input`` with every element ``fill_value``.

    Example:
        >>> x = tc.tensor([1, 2])
        >>> tc.full_like(x, 7), tc.full_like(x, 0.5, dtype=tc.float32)
        (tensor([7, 7]), tensor([0.5000, 0.5000]))
    """
    made = full(
        tuple(input.shape), fill_value, dtype=dtype or input.dtype, device=device or input.device,
        requires_grad=requires_grad,
    )  # fmt: skip
    level = input._kind.level
    return made if level is None else level.filled(made)


def _new(name: str, maker: Any, given: str, shown: str) -> None:
    def make(
        input: Tensor, *size: Any, dtype: DType | None = None, device: Any = None, requires_grad: bool = False,
        **options: Any,
    ) -> Tensor:  # fmt: skip
        made = maker(
            *size, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad, **options
        )
        level = input._kind.level
        return made if level is None else level.filled(made)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = (
        f"`{maker.__name__}` of the dtype and device of this tensor.\n\n    Example:\n"
        f"        >>> tc.ones(1, dtype=tc.float64).{name}({given})\n"
        f"        tensor([{shown}], dtype=tensorcore.float64)\n    "
    )
    composite(namespaces=("Tensor",))(make)


for _name, _maker, _given, _shown in (
    ("new_zeros", zeros, "2", "0., 0."),
    ("new_ones", ones, "2", "1., 1."),
    ("new_empty", empty, "2", "0., 0."),
    ("new_full", full, "(2,), 3", "3., 3."),
    ("new_tensor", tensor, "[1, 2]", "1., 2."),
):
    _new(_name, _maker, _given, _shown)
