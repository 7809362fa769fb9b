"""Conversion between dtypes and devices, copies and aliases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore.dtypes import COMPLEX, FLOATING, DType
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.memory_format import check_format
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import attribute, same
from tensorcore.shapes import contiguous_strides
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.backend.contract import Backend
    from tensorcore.devices import Kind


@primitive(
    rule=attribute,
    vjp=lambda g: g,
    namespaces=(),
    standard="astype",
    shown="ToCopyBackward0",
    ulp=0,
    samples=({"shapes": ((3, 4),), "args": (dtypes.float64,)}, {"shapes": ((3, 4),), "args": (dtypes.int32,)}),
)
def cast(input: Tensor, dtype: DType) -> Tensor:
    """The elements converted to ``dtype``: floats to integers by cutting the fraction, integers wrapping."""
    # The engine brings a cotangent back to the operand's dtype, as it undoes broadcasting.
    return cast.emit(input, dtype=dtype)


@primitive(
    rule=same,
    vjp=lambda g: g,
    namespaces=(),
    standard="copy",
    shown="CloneBackward0",
    ulp=0,
    samples=({"shapes": ((3, 4),)},),
)
def copy(input: Tensor) -> Tensor:
    """A row-major copy."""


@primitive(rule=same, view=True, put=lambda base, value: value, vjp=lambda g: g, namespaces=("Tensor",), ulp=0)
def alias(input: Tensor) -> Tensor:
    """Another tensor over the same memory, in the same graph.

    Example:
        >>> x = tc.zeros(2)
        >>> x.alias()[0] = 5
        >>> x
        tensor([5., 0.])
    """


@composite()
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, through which gradients flow.

    Example:
        >>> x = tc.tensor([1.0, 2.0], requires_grad=True)
        >>> (x.clone() * 3).sum().backward()
        >>> x.grad
        tensor([3., 3.])
    """
    if memory_format is not None:
        check_format("clone", memory_format)
    return copy.emit(input)


#: `alias` as an `expand` that changes nothing.
expanded_as_is = alias.face("ExpandBackward0").emit
#: `alias` as the link from what is outside the graph to the tensor whose memory it shares.
severed = alias.face("DetachBackward0")


def detach(input: Tensor) -> Tensor:
    """A tensor over the same memory, outside the autograd graph."""
    kind = input._kind
    out = wrap(input._array if kind.level is None else kind.level.detached(input._array), kind)
    out._view = (input, severed, {})
    return out


@composite(namespaces=("Tensor",))
def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself where its elements lie in row-major order, else a copy.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]]).t()
        >>> x.is_contiguous()
        False
        >>> x.contiguous().stride()
        (2, 1)
        >>> x.contiguous()
        tensor([[1, 3],
                [2, 4]])
    """
    if memory_format is not None:
        check_format("contiguous", memory_format)
    return input if input.is_contiguous() else copy.emit(input)


@composite(namespaces=("Tensor",))
def to(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The tensor on another device or in another dtype; itself where nothing changes and ``copy`` is not set.

    Called as ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` or ``to(other)``, as in PyTorch.

    Raises:
        TypeError: for anything but a dtype, a device or a tensor.

    Example:
        >>> x = tc.tensor([1, 2])
        >>> x.to(tc.float64), x.to("cpu", tc.bool), x.to(tc.int64) is x
        (tensor([1., 2.], dtype=tensorcore.float64), tensor([True, True]), True)
    """
    device, dtype, copied = parse_to(*args, **kwargs)
    result = input
    if device is not None and device != input._kind.device:
        result = transfer(result, device, bool(kwargs.get("non_blocking")) or _flagged(args))
    if dtype is not None and dtype is not result._kind.dtype:
        return cast.emit(result, dtype=dtype)
    return copy.emit(result) if copied and result is input else result


def parse_to(
    *args: Any,
    device: Any = None,
    dtype: DType | None = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
    other: Tensor | None = None,
) -> tuple[Device | None, DType | None, bool]:
    """The (device, dtype, copy) that the arguments of ``to`` ask for."""
    for place, arg in enumerate(args):
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, DType):
            dtype = arg
        elif isinstance(arg, bool):
            # The trailing flags of to(..., non_blocking, copy).
            copy = arg if place == len(args) - 1 and sum(isinstance(a, bool) for a in args) == 2 else copy
        elif arg is not None and isinstance(arg, type):
            dtype = dtypes.PYTHON_TYPES.get(arg)
            if dtype is None:
                raise TypeError(f"to: no dtype is called {arg.__name__}")
        elif arg is not None:
            device = arg
    if other is not None:
        device, dtype = other.device, other.dtype
    dtype = dtypes.PYTHON_TYPES.get(dtype, dtype) if isinstance(dtype, type) else dtype
    if dtype is not None and not isinstance(dtype, DType):
        raise TypeError(f"to: dtype must be one such as tensorcore.float32, got {dtype!r}")
    return (None if device is None else Device(device)), dtype, copy


def _flagged(args: tuple[Any, ...]) -> bool:
    # The first flag of to(..., non_blocking, copy).
    return next((arg for arg in args if isinstance(arg, bool)), False)


def transfer(input: Tensor, device: Device, non_blocking: bool = False) -> Tensor:
    """The tensor copied to another device, through host memory if need be; gradients flow back the same way."""
    if input._kind.sparse:
        from tensorcore.sparse.parts import moved

        return moved(input, device, non_blocking)
    if input._node is None:
        return _copied(input, device.kind(input.dtype), non_blocking)
    return _to_device().apply(input, device, non_blocking)


@cache
def _to_device() -> Any:
    from tensorcore.autograd.function import Function

    class ToDevice(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, device: Device, non_blocking: bool) -> Tensor:
            ctx.source = x.device
            return _copied(x, device.kind(x.dtype), non_blocking)

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return transfer(g, ctx.source), None, None

    return ToDevice


def _copied(x: Tensor, kind: Kind, non_blocking: bool) -> Tensor:
    from tensorcore.compile.capture import reading

    if x._kind.level is not None:
        return x._kind.level.moved(x._array, kind.device)
    reading(x, "to(device)")
    backend, index = kind.backend, kind.device.ordinal
    moved = backend.move(x._array, index) if x._kind.backend is backend else None
    if moved is None:
        bring = backend.upload if non_blocking else backend.from_host
        moved = bring(x._kind.backend.to_host(x._array), kind.dtype, tuple(x._array.shape), index)
    return wrap(moved, kind)


def pinned(input: Tensor, backend: Backend) -> Tensor:
    """A copy of a tensor in page-locked host memory of ``backend``; itself where there is none to be had."""
    kind = input._kind
    memory = backend.pinned_memory(input.nbytes) if input.numel() else None
    if memory is None:
        return input
    view = memoryview(memory).cast("B")
    view[:] = memoryview(kind.backend.to_host(input._array)).cast("B")
    shape = tuple(input._array.shape)
    strides = tuple(step * input.itemsize for step in contiguous_strides(shape))
    shared = kind.backend.share_host(memory, kind.dtype, shape, strides)
    if shared is None:
        return input
    made = wrap(shared, kind)
    made._pinned = True
    return made


def reinterpret(input: Tensor, dtype: DType) -> Tensor:
    """The bytes of ``input`` read as ``dtype``; the last side scales with the size of an element."""
    old, new = input.dtype.itemsize, dtype.itemsize
    shape = list(input.shape)
    if old != new:
        if not shape or shape[-1] * old % new:
            raise ShapeError(
                f"view: {input.dtype} of shape {shape} cannot be read as {dtype}: the last side does not divide"
            )
        shape[-1] = shape[-1] * old // new
    kind = input._kind.sibling(dtype)
    if old != new and input.stride(-1) != 1:
        raise ShapeError(
            f"view: {input.dtype} of shape {list(input.shape)} and strides {input.stride()} cannot be read as "
            f"{dtype}: the last dimension has gaps"
        )
    shared = kind.backend.reinterpret(input._array, dtype)
    if shared is not None:
        out = wrap(shared, kind)
        out._view = (input, alias, {})
        return out
    data = kind.backend.to_host(input._array)
    return wrap(kind.backend.from_host(data, dtype, tuple(shape), kind.device.ordinal), kind)


def _shortcut(name: str, dtype: DType, shown: str) -> None:
    def convert(input: Tensor) -> Tensor:
        return input if input._kind.dtype is dtype else cast.emit(input, dtype=dtype)

    convert.__name__ = convert.__qualname__ = name
    convert.__annotations__ = {"input": "Tensor", "return": "Tensor"}
    convert.__doc__ = (
        f"The tensor converted to {dtype.name}, or itself where it is that already; gradients flow through.\n\n"
        f"    Example:\n        >>> tc.tensor([0.0, -1.5, 2.5]).{name}()\n        {shown}\n    "
    )
    SHORTCUTS[name] = composite(namespaces=("Tensor",), samples=({"shapes": ((3, 4),)},))(convert)


SHORTCUTS: dict[str, Any] = {}
for _name, _dtype, _shown in (
    ("float", dtypes.float32, "tensor([ 0.0000, -1.5000,  2.5000])"),
    ("double", dtypes.float64, "tensor([ 0.0000, -1.5000,  2.5000], dtype=tensorcore.float64)"),
    ("half", dtypes.float16, "tensor([ 0.0000, -1.5000,  2.5000], dtype=tensorcore.float16)"),
    ("bfloat16", dtypes.bfloat16, "tensor([ 0.0000, -1.5000,  2.5000], dtype=tensorcore.bfloat16)"),
    ("int", dtypes.int32, "tensor([ 0, -1,  2], dtype=tensorcore.int32)"),
    ("long", dtypes.int64, "tensor([ 0, -1,  2])"),
    ("short", dtypes.int16, "tensor([ 0, -1,  2], dtype=tensorcore.int16)"),
    ("char", dtypes.int8, "tensor([ 0, -1,  2], dtype=tensorcore.int8)"),
    ("byte", dtypes.uint8, "tensor([  0, 255,   2], dtype=tensorcore.uint8)"),
    ("bool", dtypes.bool_, "tensor([False,  True,  True])"),
    ("cfloat", dtypes.complex64, "tensor([ 0.0000+0.j, -1.5000+0.j,  2.5000+0.j])"),
    ("cdouble", dtypes.complex128, "tensor([ 0.0000+0.j, -1.5000+0.j,  2.5000+0.j], dtype=tensorcore.complex128)"),
):
    _shortcut(_name, _dtype, _shown)


@composite(namespaces=("Tensor",), promotes=("input",))
def type_as(input: Tensor, other: Tensor) -> Tensor:
    """The tensor converted to the dtype and device of ``other``.

    Example:
        >>> tc.tensor([1.7, -1.7]).type_as(tc.tensor([1]))
        tensor([ 1, -1])
    """
    return to(input, other)


@composite(namespaces=("Tensor",))
def cpu(input: Tensor) -> Tensor:
    """The tensor on the device ``cpu``.

    Example:
        >>> x = tc.tensor([1, 2])
        >>> x.cpu() is x, x.cpu().device
        (True, device(type='cpu'))
    """
    return to(input, "cpu")


@composite(namespaces=("Tensor",))
def cuda(input: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """The tensor on the device ``cuda``, or on the one of that index.

    Raises RuntimeError where there is none.

    Example:
        >>> x = tc.ones(2)
        >>> y = x.cuda() if tc.cuda.is_available() else x
        >>> y.sum().item()
        2.0
    """
    return to(input, Device("cuda", device) if isinstance(device, int) else device or "cuda")


def require_floating(op: str, dtype: DType) -> None:
    """Raise DTypeError unless ``dtype`` is floating point or complex."""
    if dtype.category not in (FLOATING, COMPLEX):
        raise DTypeError(f"{op}: expected a floating-point or complex tensor, got {dtype}")
