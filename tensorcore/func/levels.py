"""Transforms as backends: kinds whose arrays wrap tensors of the level below.

A running transform is a `Level`. Its tensors are of `LevelKind`, whose backend is a `TransformBackend`: one for each
transform, depth of nesting and device, kept between runs, so that kernels are looked up once. A kernel gets wrapped
arrays and calls the ops themselves on what they wrap; levels further out, and autograd there, come by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from tensorcore.backend.contract import Backend, Capabilities
from tensorcore.devices import Device, Kind, Table
from tensorcore.dtypes import DType
from tensorcore.errors import TransformError
from tensorcore.levels import running
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["Level", "LevelKind", "TransformBackend", "gradient_op", "op_named"]


class LevelKind(Kind):
    """The tensors of one dtype at one level."""

    __slots__ = ("base", "level")

    level: TransformBackend

    def __init__(self, backend: TransformBackend, base: Kind) -> None:
        self.base = base
        self.level = backend
        self.device = base.device
        self.ordinal = base.ordinal
        self.dtype = base.dtype
        self.backend = backend
        self.array_type = backend.array_type
        self.as_array = backend.as_array
        self.assign = backend.assign
        self.mutable = backend.mutable
        self.views = True
        self.table = Table(self)
        self.scalars = {}
        self.writers = {}

    def sibling(self, dtype: DType) -> Kind:
        if dtype is self.dtype:
            return self
        return self.level.kind(self.base.sibling(dtype))

    def writer(self, op: Op) -> None:
        return None

    def scalar(self, value: complex) -> Tensor:
        key = (type(value), value) if value else (type(value), str(value))
        found = self.scalars.get(key)
        if found is None:
            found = wrap(self.level.constant(self.base.scalar(value)), self)
            if len(self.scalars) < 1024 and value == value:
                self.scalars[key] = found
        return found

    def __repr__(self) -> str:
        return f"<kind {self.dtype.name} of {self.level.name} at depth {self.level.depth} on {self.device}>"


class TransformBackend(Backend):
    """What `vmap` and forward mode share: kinds over the kinds below, lifting, and the conversions."""

    #: Whether arrays are written in place, as the tensors they wrap.
    mutable: ClassVar[bool] = False

    def __init__(self, depth: int, device: Device) -> None:
        self.depth = depth
        self.device = device
        self._kinds: dict[Kind, LevelKind] = {}

    _known: ClassVar[dict[tuple[type, int, Device], Any]] = {}

    @classmethod
    def at(cls, depth: int, device: Device) -> Self:
        """The backend of this transform at a depth of nesting, for tensors of ``device``."""
        found = cls._known.get((cls, depth, device))
        if found is None:
            found = cls._known.setdefault((cls, depth, device), cls(depth, device))
        return found

    def kind(self, base: Kind) -> LevelKind:
        """The kind of this level over the kind ``base`` of a device."""
        found = self._kinds.get(base)
        return self._kinds.setdefault(base, LevelKind(self, base)) if found is None else found

    def kind_of(self, tensor: Tensor) -> LevelKind:
        """The kind of this level for what wraps ``tensor``, which may be of a level further out."""
        kind = tensor._kind
        return self.kind(kind.base if isinstance(kind, LevelKind) else kind)

    def constant(self, tensor: Tensor) -> Any:
        """The array of a tensor from further out: the same for all examples, without a tangent."""
        raise NotImplementedError

    def wrapped(self, array: Any) -> Tensor:
        """The tensor of this level over ``array``."""
        return wrap(array, self.kind_of(array.outer))

    def lift(self, tensor: Tensor) -> Tensor:
        """A tensor from further out as one of this level."""
        if self.depth > len(running.levels):
            raise TransformError(
                f"a tensor made inside {self.name} met one outside of it, after {self.name} had returned; return it "
                "from the function instead of keeping it elsewhere"
            )
        return wrap(self.constant(tensor), self.kind_of(tensor))

    def lifted(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Operands, each as a tensor of this level."""
        return tuple([x if x is None or x._kind.level is self else self.lift(x) for x in inputs])

    # ---------------------------------------------------------------- the contract

    def capabilities(self, index: int) -> Capabilities:
        return self.device.capabilities

    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Any:
        base = self.device.kind(dtype)
        return self.constant(wrap(base.backend.from_host(data, dtype, shape, index), base))

    def dtype_of(self, array: Any) -> DType:
        return array.outer._kind.dtype

    def detached(self, array: Any) -> Any:
        """The array outside the graph of the levels further out."""
        raise NotImplementedError

    def moved(self, array: Any, device: Device) -> Tensor:
        """The tensor of ``array`` on another device."""
        raise NotImplementedError

    def entering(self, op: str, target: Tensor, result: Tensor) -> Tensor:
        """``result``, of this level, as what is written to ``target``, which is from further out."""
        raise NotImplementedError

    def filled(self, tensor: Tensor) -> Tensor:
        """A tensor made like one of this level, with memory of its own for each example at every level."""
        for level in running.levels[: self.depth]:
            tensor = level.on(self.device).spread(tensor)
        return tensor

    def spread(self, tensor: Tensor) -> Tensor:
        """A tensor from further out with memory of its own for each example of this level."""
        return self.lift(tensor)


class Level:
    """A running transform; a context manager."""

    backend: ClassVar[type[TransformBackend]]
    #: Whether it is `vmap`.
    maps: ClassVar[bool] = False

    def __enter__(self) -> Self:
        self.before = running.levels
        running.levels = (*self.before, self)
        self.depth = len(running.levels)
        return self

    def __exit__(self, *exc: object) -> None:
        running.levels = self.before

    def on(self, device: Device) -> TransformBackend:
        """Its backend for tensors of a device."""
        return self.backend.at(self.depth, device)


_GRADIENTS: Final = "_gradient"


def op_named(name: str) -> Op:
    """The op of a kernel's name, gradient rules that are ops of their own included."""
    found = REGISTRY.get(name)
    return gradient_op(name) if found is None else found


def gradient_op(name: str) -> Op:
    """The gradient rule called ``name`` of an op."""
    found = REGISTRY[name.removesuffix(_GRADIENTS)].gradient
    assert found is not None
    return found
