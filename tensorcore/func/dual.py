"""Forward mode as a backend: arrays of a value and its tangent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import FLOATING
from tensorcore.errors import ArgumentError, DTypeError, ShapeError
from tensorcore.func.levels import Level, TransformBackend, op_named
from tensorcore.ops.conversion import detach
from tensorcore.ops.movement import expand
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.backend.contract import Kernel
    from tensorcore.devices import Device
    from tensorcore.dtypes import DType

__all__ = ["Dual", "DualBackend", "DualLevel"]


class Dual:
    """A tensor and its tangent as one array; ``tangent`` is ``None`` where it is zero throughout."""

    __slots__ = ("outer", "shape", "tangent")

    def __init__(self, outer: Tensor, tangent: Tensor | None) -> None:
        self.outer = outer
        self.tangent = tangent
        self.shape = outer._array.shape


class DualBackend(TransformBackend):
    """Kernels that run an op on values, and its derivative on tangents.

    Arrays are immutable: a change in place makes new ones, and reaches the tensors that a view was taken from as on any
    backend of immutable arrays.
    """

    name = "forward mode"
    array_type = Dual

    def constant(self, tensor: Tensor) -> Dual:
        return Dual(tensor, None)

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        from tensorcore.func.tangents import kernel_of

        return kernel_of(op_named(name), self)

    def assign(self, target: Dual, source: Dual) -> Dual:
        shape = tuple(target.shape)
        if tuple(source.shape) == shape:
            return source
        tangent = source.tangent
        return Dual(
            expand.emit(source.outer, shape=shape), None if tangent is None else expand.emit(tangent, shape=shape)
        )

    def entering(self, op: str, target: Tensor, result: Tensor) -> Tensor:
        # The tensor gets a tangent, and so do those it is a view of.
        part: Any = target
        while part is not None:
            lifted = self.lift(wrap(part._array, part._kind))
            lifted._array.outer._node = part._node
            part._node = None
            part._array, part._kind = lifted._array, lifted._kind
            part = None if part._view is None else part._view[0]
        return result

    def to_host(self, array: Dual) -> memoryview:
        kind = array.outer._kind
        return kind.backend.to_host(array.outer._array)

    def item(self, array: Dual, dtype: DType) -> Any:
        return array.outer._kind.backend.item(array.outer._array, dtype)

    def strides(self, array: Dual) -> tuple[int, ...] | None:
        return array.outer._kind.backend.strides(array.outer._array)

    def data_ptr(self, array: Dual) -> int:
        return array.outer.data_ptr()

    def detached(self, array: Dual) -> Dual:
        return Dual(detach(array.outer), None)

    def moved(self, array: Dual, device: Device) -> Tensor:
        tangent = None if array.tangent is None else array.tangent.to(device)
        return type(self).at(self.depth, device).wrapped(Dual(array.outer.to(device), tangent))


class DualLevel(Level):
    """A running forward derivative."""

    backend = DualBackend

    def joined(self, op: str, primal: Any, tangent: Any) -> Tensor:
        """The tensor of a value and its tangent.

        Raises:
            ArgumentError: for a value that is neither floating point nor complex.
            DTypeError: for a tangent of another dtype.
            ShapeError: for a tangent of another shape.
        """
        if not isinstance(primal, Tensor) or not isinstance(tangent, Tensor):
            met = f"{type(primal).__name__} and {type(tangent).__name__}"
            raise TypeError(f"{op}: expected a tensor and its tangent, got {met}")
        if primal._kind.dtype.category < FLOATING:
            raise ArgumentError(f"{op}: only floating-point and complex tensors have tangents, got {primal.dtype}")
        if tuple(primal._array.shape) != tuple(tangent._array.shape):
            raise ShapeError(
                f"{op}: a tangent of shape {list(tangent.shape)} for a tensor of shape {list(primal.shape)}"
            )
        if primal._kind.dtype is not tangent._kind.dtype:
            raise DTypeError(f"{op}: a tangent of {tangent.dtype} for a tensor of {primal.dtype}")
        return self.on(primal._kind.device).wrapped(Dual(primal, tangent))

    def parted(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """A result's value and tangent; ``None`` where it does not depend on what has tangents."""
        kind = x._kind
        if kind.level is None or kind.level.depth != self.depth:
            return x, None
        return x._array.outer, x._array.tangent
