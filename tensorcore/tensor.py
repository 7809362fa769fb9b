"""The Tensor: an array of some backend, its kind, and its place in the autograd graph.

Methods that are ops are derived from the records (`tensorcore.methods`); what stands here is the object itself.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from tensorcore.autograd.graph import LEAF, Change, LeafType, Node, SelectNode, before_changes, clock, shown_node
from tensorcore.autograd.hooks import RemovableHandle, check_gradient, register, retain, tell_of_non_leaf
from tensorcore.compile import capture
from tensorcore.dtypes import FLOATING, DType
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.host_data import encode
from tensorcore.methods import TensorMethods
from tensorcore.shapes import Size, contiguous_strides, normalize_dim
from tensorcore.sides import KNOWN as _SIDES
from tensorcore.sides import SizeProperty, sides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tensorcore.backend.contract import Array
    from tensorcore.devices import Device, Kind

__all__ = ["Tensor"]

_new = object.__new__
#: A `Size` of what are ints already.
_new_size = tuple.__new__


class Tensor(TensorMethods):
    """A multi-dimensional array on a device, with define-by-run autograd.

    Made by `tensor`, `zeros`, `rand` and the like. Calling the class is PyTorch's old way: ``Tensor(2, 3)`` has that
    shape, ``Tensor([1, 2])`` those elements, in the default dtype.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([[2., 4.],
                [6., 8.]])
    """

    # What every tensor has is in slots, as it is set for every result of every op; what few have is in the
    # instance's dict, over these defaults.
    __slots__ = ("__dict__", "__weakref__", "_array", "_kind", "_node", "_view")

    _array: Array
    _kind: Kind
    #: ``None`` (no grad needed), the node that made the tensor, or ``LEAF``.
    _node: Node | LeafType | None
    #: ``(tensor viewed, op, attributes)`` of a view.
    _view: tuple[Tensor, Any, dict[str, Any]] | None

    _grad: Tensor | None = None
    #: (clock, op, code, line) of the last in-place change, and how many there were.
    _changed: Change | None = None
    _changes: int = 0
    _hooks: dict[int, Callable[..., Any]] | None = None
    _post_hooks: dict[int, Callable[..., Any]] | None = None
    _retains_grad: bool = False
    _pinned: bool = False
    _backward_hooks: None = None

    def __new__(cls, *data: Any, device: Any = None) -> Tensor:
        from tensorcore.tensor_types import default_tensor

        made = default_tensor(data, device)
        return made if cls is Tensor else wrap(made._array, made._kind, cls)

    # ---------------------------------------------------------------- what it is

    @property
    def shape(self) -> Size:
        """Length of each dimension."""
        return _new_size(Size, self._array.shape)

    @property
    def dtype(self) -> DType:
        """Format of the elements."""
        return self._kind.dtype

    @property
    def device(self) -> Device:
        """Where the elements are."""
        return self._kind.device

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._array.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._kind.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.itemsize

    @property
    def is_cuda(self) -> bool:
        """Whether the device is called ``cuda``."""
        return self._kind.device.type == "cuda"

    @property
    def is_cpu(self) -> bool:
        """Whether the device is called ``cpu``."""
        return self._kind.device.type == "cpu"

    is_quantized = False
    is_meta = False
    is_nested = False
    is_mps = False
    is_xpu = False

    @SizeProperty
    def size(self) -> Any:
        """Number of elements; called, as ``size()`` the shape and as ``size(dim)`` the length of a dimension."""
        shape = self._array.shape
        try:
            return _SIDES[shape]
        except KeyError:
            return sides(shape)

    def dim(self) -> int:
        """Number of dimensions."""
        return len(self._array.shape)

    ndimension = dim

    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self._array.shape)

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._kind.dtype.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Steps, in elements, between neighbours of each dimension, or of ``dim``."""
        shape = self._array.shape
        strides = self._kind.backend.strides(self._array)
        if strides is None or 0 in shape:
            # Engines give arrays without elements any strides.
            strides = contiguous_strides(shape)
        return strides if dim is None else strides[normalize_dim(dim, len(strides), "stride")]

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return self._kind.backend.is_contiguous(self._array)

    def data_ptr(self) -> int:
        """Address of the first element; 0 where the engine does not tell."""
        return self._kind.backend.data_ptr(self._array)

    def is_floating_point(self) -> bool:
        """Whether the dtype is real floating point."""
        return self._kind.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the dtype is complex."""
        return self._kind.dtype.is_complex

    def storage_offset(self) -> int:
        """Elements between the start of the memory that a view shares and its own first element."""
        root = root_of(self)
        if root is self or self._kind.backend.strides(self._array) is None:
            return 0
        return (self.data_ptr() - root.data_ptr()) // self.itemsize

    def get_device(self) -> int:
        """Index of the device, or -1 on the CPU."""
        return -1 if self.is_cpu else self.device.ordinal

    # ---------------------------------------------------------------- autograd

    @property
    def requires_grad(self) -> bool:
        """Whether backward computes a gradient for it; can be set on leaves."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if isinstance(self._node, Node):
            if not value:
                raise RuntimeError("requires_grad can only be changed on leaf tensors; use .detach() for others")
            return
        if value and self._kind.dtype.category < FLOATING:
            raise DTypeError(
                f"requires_grad: only floating-point and complex tensors can require grad, got {self._kind.dtype}"
            )
        self._node = LEAF if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward has added up for this leaf, or ``None``."""
        if capture.recordings:
            capture.grad_read(self)
        if self._grad is None and isinstance(self._node, Node):
            tell_of_non_leaf(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (
            getattr(value, "_kind", 0) is not self._kind or value.shape != self._array.shape or value is self
        ):
            check_gradient(self, value)
        if capture.recordings:
            capture.grad_written(self)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made it."""
        return not isinstance(self._node, Node)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that made it; ``None`` for a leaf."""
        return shown_node(self)

    @property
    def output_nr(self) -> int:
        """Which output of its op it is."""
        return self._node.index if isinstance(self._node, SelectNode) else 0

    @property
    def _base(self) -> Tensor | None:
        """The tensor that it is a view of, followed to the first; what was detached begins anew."""
        base = self
        while base._view is not None and base._view[1].shown != "DetachBackward0":
            base = base._view[0]
        return None if base is self else base

    def _is_view(self) -> bool:
        return self._base is not None

    @property
    def _version(self) -> int:
        """How often the memory has been changed in place."""
        return root_of(self)._changes

    @property
    def data(self) -> Tensor:
        """A tensor over the same memory, outside autograd, which does not notice what is written to it."""
        return wrap(self._array, self._kind) if self._kind.mutable else self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data: expected a tensor, got {type(value).__name__}")
        self._array, self._kind = value._array, value._kind

    if TYPE_CHECKING:
        # `tensorcore.autograd.engine.backward_of`, bound when the engine is imported.
        def backward(
            self,
            gradient: Tensor | None = None,
            retain_graph: bool | None = None,
            create_graph: bool = False,
            inputs: Any = None,
        ) -> None: ...

    def retain_grad(self) -> None:
        """Keep ``grad`` after backward though it is not a leaf."""
        if self._node is None:
            raise RuntimeError("retain_grad: the tensor does not require grad")
        if isinstance(self._node, Node) and not self._retains_grad:
            self._retains_grad = True
            retain(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this non-leaf."""
        return self._retains_grad

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Any:
        """Call ``hook(grad)`` when the gradient of this tensor is computed; it may return another."""
        return register(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Any:
        """Call ``hook(tensor)`` after backward has added to ``grad`` of this leaf."""
        if self._node is not LEAF:
            raise RuntimeError("register_post_accumulate_grad_hook: only leaf tensors that require grad have one")
        if self._post_hooks is None:
            self._post_hooks = {}
        return RemovableHandle.add(self._post_hooks, hook)

    # ---------------------------------------------------------------- to Python

    def item(self) -> Any:
        """The one element as a Python number; raises ShapeError if there are more."""
        if math.prod(self._array.shape) != 1:
            raise ShapeError(f"item: a tensor of {self.numel()} elements is no single number, shape {list(self.shape)}")
        capture.reading(self, "item")
        return self._kind.backend.item(self._array, self._kind.dtype)

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a number for a 0-d tensor."""
        capture.reading(self, "tolist")
        return self._kind.backend.to_list(self._array, self._kind.dtype)

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise ShapeError(
                f"bool: the truth of a tensor of {self.numel()} elements is ambiguous, shape {list(self.shape)}; "
                "use .any() or .all()"
            )
        return bool(self.item())

    def __int__(self) -> int:
        return int(self._real_item("int"))

    def __float__(self) -> float:
        return float(self._real_item("float"))

    def _real_item(self, wanted: str) -> Any:
        if self._kind.dtype.category > FLOATING:
            raise DTypeError(f"{wanted}: a complex number, {self.item()}, is no real one; take its .real or .abs()")
        return self.item()

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self._kind.dtype.category >= FLOATING or self.numel() != 1:
            raise TypeError(
                f"only integer tensors of one element are an index, got {self._kind.dtype} of shape {list(self.shape)}"
            )
        return int(self.item())

    def __len__(self) -> int:
        if not self._array.shape:
            raise TypeError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, (Tensor, int, float, complex)):
            raise DTypeError(f"in: a tensor holds numbers, got {element!r} of type {type(element).__name__}")
        return bool((self == element).any().item())

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self, *, tensor_contents: None = None) -> str:
        from tensorcore.printing import format_tensor

        return format_tensor(self)

    def __format__(self, spec: str) -> str:
        if self._array.shape:
            return object.__format__(self, spec)
        return format(self.item(), spec)

    def __copy__(self) -> Tensor:
        made = self.detach() if type(self) is Tensor else wrap(self._array, self._kind, type(self))
        made._node = self._node
        made.__dict__.update({name: value for name, value in self.__dict__.items() if not name.startswith("_")})
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if isinstance(self._node, Node):
            raise RuntimeError("deepcopy: only leaf tensors are copied; use .detach() or .clone() for others")
        import copy

        kernel, _ = self._kind.table[_copy_op()]  # type: ignore[misc]
        made = wrap(self._kind.as_array(kernel(self._array)), self._kind, type(self))
        made._node = self._node
        memo[id(self)] = made
        for name, value in self.__dict__.items():
            if name == "_grad" or not name.startswith("_"):
                setattr(made, name, copy.deepcopy(value, memo))
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._kind.sparse:
            from tensorcore.sparse.parts import reduced

            return reduced(self)
        data = bytes(self._kind.backend.to_host(self._array))
        state = (data, tuple(self._array.shape), self._kind.dtype, self._kind.device, self._node is not None)
        return (_rebuild, (type(self), *state))

    __array_priority__ = 1000


def wrap(array: Array, kind: Kind, cls: type[Tensor] = Tensor) -> Tensor:
    """A tensor over a native array."""
    out = _new(cls)
    out._array = array
    out._kind = kind
    out._node = None
    out._view = None
    return out


def from_values(values: list[Any], shape: tuple[int, ...], kind: Kind) -> Tensor:
    """A tensor of Python numbers in row-major order."""
    data = encode(values, kind.dtype)
    return wrap(kind.backend.from_host(data, kind.dtype, shape, kind.device.ordinal), kind)


def root_of(tensor: Tensor) -> Tensor:
    """The tensor whose memory a view shares; itself if it is none."""
    while tensor._view is not None:
        tensor = tensor._view[0]
    return tensor


def mark_changed(tensor: Tensor, op: str) -> None:
    """Note that ``op`` changes the memory of ``tensor``, for backward's check."""
    root = tensor if tensor._view is None else root_of(tensor)
    for prepare in before_changes:
        prepare(root)
    clock.now += 1
    mark = (clock.now, op, *_user_place())
    root._changed = mark
    root._changes += 1
    if isinstance(root._node, Node):
        root._node.overwritten = mark
    if root is not tensor and isinstance(tensor._node, Node):
        tensor._node.overwritten = mark


_own_modules: dict[str, bool] = {}


def user_line() -> str:
    """``file:line`` of the innermost frame outside the library."""
    code, line = _user_place()
    return f"{code.co_filename}:{line}"


def _user_place() -> tuple[Any, int]:
    frame: Any = sys._getframe(2)
    while frame.f_back is not None:
        name = frame.f_globals.get("__name__", "")
        own = _own_modules.get(name)
        if own is None:
            own = _own_modules[name] = name.split(".")[0].startswith("tensorcore")
        if not own:
            break
        frame = frame.f_back
    return frame.f_code, frame.f_lineno


def _copy_op() -> Any:
    from tensorcore.ops.record import REGISTRY

    return REGISTRY["copy"]


def _rebuild(cls: type, data: bytes, shape: tuple[int, ...], dtype: DType, device: Device, leaf: bool) -> Tensor:
    kind = device.kind(dtype)
    made = wrap(kind.backend.from_host(data, dtype, shape, device.ordinal), kind, cls)
    made._node = LEAF if leaf else None
    return made
