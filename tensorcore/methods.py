"""Methods of Tensor that are derived from the op records, and the few that spell ops in Python's own ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from tensorcore.autograd.graph import Node
from tensorcore.derived import DerivedMethods
from tensorcore.errors import ShapeError
from tensorcore.sparse_methods import SparseMethods

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorcore.ops.record import Op
    from tensorcore.tensor import Tensor

#: Operators whose reflected form exists.
REFLECTED: Final = frozenset(
    ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
)
UNARY_OPERATORS: Final = frozenset(("neg", "abs", "invert"))
BINARY_OPERATORS: Final = REFLECTED | {"eq", "ne", "lt", "le", "gt", "ge"}


class TensorMethods(SparseMethods, DerivedMethods):
    """Methods that spell ops in Python's own ways; the base class of Tensor."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Tensor's own, named here because the methods below are Tensor's base.
        # The next four are functions of tensorcore.ops, bound by `derive`: an import in a method costs 0.8 µs a call.
        def __getitem__(self, key: Any) -> Any: ...

        def __setitem__(self, key: Any, value: Any) -> None: ...

        def detach(self) -> Any: ...

        def _turned(self) -> Any: ...

        _array: Any
        _kind: Any
        _pinned: bool
        device: Any
        ndim: Any
        shape: Any

    def __pos__(self) -> Any:
        return self.positive()

    @property
    def T(self) -> Any:  # noqa: N802 - PyTorch's name
        """The tensor with its dimensions reversed."""
        return self._turned()

    @property
    def mT(self) -> Any:  # noqa: N802 - PyTorch's name
        """The tensor with its last two dimensions exchanged."""
        if self.ndim < 2:
            raise ShapeError(f"mT: expected at least 2 dimensions, got shape {list(self.shape)}")
        return self.transpose(-2, -1)

    @property
    def H(self) -> Any:  # noqa: N802 - PyTorch's name
        """The conjugate transpose of a matrix."""
        return self.conj().t()

    @property
    def mH(self) -> Any:  # noqa: N802 - PyTorch's name
        """The conjugate of ``mT``."""
        return self.conj().mT

    @property
    def real(self) -> Any:
        """The real part; a real tensor itself."""
        from tensorcore.ops.complex import real

        return real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part of a complex tensor."""
        from tensorcore.ops.complex import imag

        return imag(self)

    def numpy(self, *, force: bool = False) -> Any:
        """The elements as ``numpy.ndarray``, sharing memory where the backend can.

        Raises:
            RuntimeError: if it requires grad or is not in host memory, unless ``force``.
        """
        from tensorcore.interop import to_numpy

        return to_numpy(self, force)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        from tensorcore.interop import to_array

        return to_array(self, dtype, copy)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        # What a NumPy function called with tensors returns becomes a tensor, as in PyTorch.
        from tensorcore.ops.creation import tensor

        return tensor(array)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tensorcore.interop import array_function

        return array_function(function, args, kwargs)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The type's name, such as ``tensorcore.FloatTensor``; given a dtype or a type, the tensor converted."""
        from tensorcore.tensor_types import TensorType, type_named, type_of

        if dtype is None:
            return type_of(cast("Tensor", self))
        device = None
        if isinstance(dtype, str):
            dtype, device = type_named(dtype)
        return self.to(device=device, dtype=dtype.element if isinstance(dtype, TensorType) else dtype)

    def where(self, condition: Any, other: Any) -> Any:
        """The elements where ``condition``, those of ``other`` elsewhere."""
        from tensorcore.ops.elementwise import where

        return where(condition, self, other)

    def index_put(self, indices: Any, values: Any, accumulate: bool = False) -> Any:
        """A copy with ``values`` written, or added, at ``self[indices]``."""
        from tensorcore.ops.selection import index_put

        return index_put(self, indices, values, accumulate)

    def index_put_(self, indices: Any, values: Any, accumulate: bool = False) -> Any:
        """Write ``values``, or with ``accumulate`` add them, at ``self[indices]``."""
        from tensorcore.ops.selection import index_put_

        return index_put_(self, indices, values, accumulate)

    def is_signed(self) -> bool:
        """Whether the dtype holds negative numbers."""
        return self._kind.dtype.is_signed

    def is_same_size(self, other: Any) -> bool:
        """Whether the shapes are equal."""
        return self._array.shape == other._array.shape

    def is_nonzero(self) -> bool:
        """Whether the one element is not zero; raises ShapeError if there are more."""
        return bool(self)

    def is_conj(self) -> bool:
        """Whether conjugation is pending: never, it is done at once."""
        return False

    # What PyTorch knows of other kinds of tensors, and of names of old.
    is_mkldnn = is_vulkan = is_ipu = is_xla = is_maia = is_mtia = volatile = False

    @property
    def name(self) -> None:
        """PyTorch's name of a tensor: never one."""

    @property
    def grad_dtype(self) -> Any:
        """The dtype of the gradient: that of the tensor."""
        return self._kind.dtype

    def record_stream(self, stream: Any) -> None:
        """Let the memory live until ``stream`` is done with it; the engine's allocator sees to that."""

    def is_neg(self) -> bool:
        """Whether negation is pending: never, it is done at once."""
        return False

    def is_distributed(self) -> bool:
        """Whether it is spread over processes: never."""
        return False

    def is_inference(self) -> bool:
        """Whether it was made in inference mode; such tensors are ordinary ones here."""
        return False

    def is_pinned(self) -> bool:
        """Whether it is in page-locked host memory."""
        return self._pinned

    def resolve_conj(self) -> Any:
        """The tensor itself: conjugation is never pending."""
        return self

    def resolve_neg(self) -> Any:
        """The tensor itself: negation is never pending."""
        return self

    def pin_memory(self, device: Any = None) -> Any:
        """A copy in page-locked host memory, from which a device can read while the program goes on.

        The tensor itself where it is pinned already, or no such device is available.

        Raises:
            RuntimeError: if the tensor is not in host memory.
        """
        if self._pinned:
            return self
        if not self._kind.backend.host_memory:
            raise RuntimeError(
                f"pin_memory: only tensors in host memory are pinned, this one is on {str(self.device)!r}"
            )
        from tensorcore import cuda
        from tensorcore.devices import Device
        from tensorcore.ops.conversion import pinned
        from tensorcore.plugins.host import host

        if device is None and not cuda.is_available():
            return self
        return pinned(self, host.backend("cuda" if device is None else Device(device).type))  # type: ignore[arg-type]

    def share_memory_(self) -> Any:
        """The tensor itself; a data loader's workers pass what they make through shared memory of their own."""
        return self

    def is_shared(self) -> bool:
        """Whether the memory is shared between processes."""
        return False

    def as_subclass(self, cls: Any) -> Any:
        """The tensor as one of class ``cls``, a subclass of Tensor: the same memory and place in the graph.

        Raises:
            TypeError: for a class that is none.
        """
        if not (isinstance(cls, type) and issubclass(cls, TensorMethods)):
            raise TypeError(f"as_subclass: expected a subclass of Tensor, got {cls!r}")
        made = self.alias()
        out = object.__new__(cls)
        for name in ("_array", "_kind", "_node", "_view"):
            setattr(out, name, getattr(made, name))
        return out

    def module_load(self, other: Any, assign: bool = False) -> Any:
        """What a module puts in place of this parameter when it loads ``other``: this with its elements, or itself."""
        return other.detach() if assign else self.copy_(other).detach()

    def new(self, *data: Any, device: Any = None) -> Any:
        """A tensor of this dtype and device, made as `Tensor` makes them."""
        from tensorcore.tensor_types import constructed

        return constructed(data, self._kind.dtype, device or self._kind.device, "new")

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        from tensorcore.interop import namespace

        return namespace(api_version)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """The tensor on another device, or itself; ``stream`` must be ``None``, or the device's current one."""
        from tensorcore.interop import to_device

        return to_device(cast("Tensor", self), device, stream)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        from tensorcore.interop import to_dlpack

        return to_dlpack(self, stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._kind.backend.dlpack_device(self._array)


def derive(registry: dict[str, Op], cls: type) -> None:
    """Give ``cls`` the methods, in-place methods and operators that the records name."""
    from tensorcore.dispatch import operator_door
    from tensorcore.ops.callers import guarded
    from tensorcore.ops.conversion import detach
    from tensorcore.ops.index_expressions import getitem, setitem
    from tensorcore.ops.views import turned

    for name, function in (("__getitem__", getitem), ("__setitem__", setitem), ("detach", detach), ("_turned", turned)):
        setattr(TensorMethods, name, function)
    for op in list(registry.values()):
        for name in op.names_in("Tensor"):
            if name not in cls.__dict__ and name not in TensorMethods.__dict__:
                # A tensor that calls a method without arguments cannot call it wrong.
                alone = len(op.signature.parameters) == 1 or op.elementwise
                setattr(DerivedMethods, name, op.front if alone else guarded(op))
        for name in op.inplace_names:
            setattr(DerivedMethods, f"{name}_", inplace(op, f"{name}_"))
        if op.operator in UNARY_OPERATORS:
            setattr(DerivedMethods, f"__{op.operator}__", op.emit)
        elif op.operator is not None:
            door = _fronted(op) if op.operator in ("matmul", "pow") else operator_door(op)
            setattr(DerivedMethods, f"__{op.operator}__", door)
            if op.operator in REFLECTED:
                setattr(DerivedMethods, f"__r{op.operator}__", _reflected(op))
            if op.inplace:
                setattr(DerivedMethods, f"__i{op.operator}__", inplace(op, f"__i{op.operator}__"))


def _fronted(op: Op) -> Callable[[Any, Any], Any]:
    """The dunder of an operator whose front does more than the door; foreign operands give NotImplemented."""
    front = op.front

    def operator(self: Tensor, other: Any) -> Any:
        if not isinstance(other, TensorMethods) and not isinstance(other, (int, float, complex)):
            if not hasattr(other, "__array_interface__"):
                return NotImplemented
            from tensorcore.ops.creation import as_tensor

            other = as_tensor(other, device=self.device)
        return front(self, other)

    operator.__name__ = operator.__qualname__ = f"__{op.operator}__"
    return operator


def _reflected(op: Op) -> Callable[[Any, Any], Any]:
    def reflected(self: Tensor, other: Any) -> Any:
        if isinstance(other, (int, float, complex)):
            return op.emit(other, self)
        if hasattr(other, "__array_interface__") or hasattr(other, "_array"):
            from tensorcore.ops.creation import as_tensor

            return op.front(as_tensor(other, device=self.device), self)
        return NotImplemented

    reflected.__name__ = f"__r{op.operator}__"
    return reflected


def inplace(op: Op, name: str) -> Callable[..., Any]:
    """The in-place form of ``op``, called ``name``."""
    from tensorcore.autograd.mode import mode
    from tensorcore.ops.callers import guarded, refused
    from tensorcore.ops.inplace import snapshot, update, write

    binary = len(op.operands) == 2 and op.primitive
    operator = name.startswith("__")
    # The steps of an expression may read in backward what is overwritten; `write` sees to ops of one step.
    of_steps = not op.primitive and op.vjp is None
    into, front = op.into, op.front
    # Keywords are flags and numbers, whose types are looked at.
    guard = guarded(op)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if binary and len(args) == 1 and not kwargs and update(op, self, args[0], name):
            return self
        if operator and hasattr(args[0], "__array_interface__") and not hasattr(args[0], "_array"):
            from tensorcore.ops.creation import as_tensor

            args = (as_tensor(args[0], device=self.device),)
        source = snapshot(self) if of_steps and mode.grad and isinstance(self._node, Node) else self
        try:
            if into is not None and not (mode.grad and self._node is not None) and into(self, *args, **kwargs):
                return self
            result = (guard if kwargs else front)(source, *args, **kwargs)
        except Exception as error:
            raise refused(op, (self, *args), kwargs, error)  # noqa: B904 - the refusal says what it comes from
        return write(self, result, name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{op.name}` in place: the result becomes the content of this tensor."
    return method
