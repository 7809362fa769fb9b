"""`vmap` as a backend: arrays that stand for one example each, and hold all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from tensorcore.errors import DimensionError, InplaceError, ReadError
from tensorcore.func.levels import Level, TransformBackend, op_named
from tensorcore.levels import running
from tensorcore.ops.conversion import detach
from tensorcore.ops.movement import expand, permute, reshaped
from tensorcore.tensor import Tensor, user_line

if TYPE_CHECKING:
    from tensorcore.backend.contract import Kernel
    from tensorcore.devices import Device
    from tensorcore.dtypes import DType

__all__ = ["BatchBackend", "Batched", "VmapLevel", "filled", "front", "moved_to", "shape_of_one", "size_of"]

_permute = permute.emit
_expand = expand.emit


class Batched:
    """A tensor of all examples as the array of one; ``dim`` counts them, ``None`` where all share it."""

    __slots__ = ("dim", "outer", "shape")

    def __init__(self, outer: Tensor, dim: int | None) -> None:
        shape = outer._array.shape
        self.outer = outer
        self.dim = dim
        self.shape = shape if dim is None else shape[1:] if dim == 0 else shape[:dim] + shape[dim + 1 :]


def moved_to(tensor: Any, source: int, destination: int) -> Any:
    """``tensor`` with one dimension at another place."""
    if source == destination:
        return tensor
    order = [place for place in range(len(tensor._array.shape)) if place != source]
    order.insert(destination, source)
    return _permute(tensor, dims=tuple(order))


def front(array: Batched) -> Any:
    """The tensor of all examples, with their dimension in front."""
    return array.outer if array.dim == 0 else moved_to(array.outer, array.dim, 0)  # type: ignore[arg-type]


def size_of(arrays: tuple[Any, ...]) -> int | None:
    """How many examples there are; ``None`` where no operand is batched."""
    for array in arrays:
        if array is not None and array.dim is not None:
            return array.outer._array.shape[array.dim]
    return None


def filled(array: Batched, size: int) -> Any:
    """The tensor of all examples with their dimension in front, stretched where they share one."""
    if array.dim is None:
        return _expand(array.outer, shape=(size, *array.shape))
    return front(array)


def shape_of_one(array: Any) -> tuple[int, ...]:
    """The shape of one example as a tuple."""
    return tuple(array.shape)


class BatchBackend(TransformBackend):
    """Kernels that run an op on all examples at once."""

    name = "vmap"
    array_type = Batched
    mutable: ClassVar[bool] = True

    def constant(self, tensor: Tensor) -> Batched:
        return Batched(tensor, None)

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        from tensorcore.func.batching import kernel_of

        return kernel_of(op_named(name), self)

    def assign(self, target: Batched, source: Batched) -> Batched:
        from tensorcore.ops.inplace import write

        if target.dim is None:
            if source.dim is not None:
                _refuse_shared("assign", target)
            value = source.outer
            place = target.outer
        else:
            place = front(target)
            value = source.outer if source.dim is None else front(source)
            lead = len(place._array.shape) - 1 - len(source.shape)
            if source.dim is not None and lead:
                value = reshaped(value, (value._array.shape[0], *(1,) * lead, *source.shape))
        if value._array.shape != place._array.shape:
            value = _expand(value, shape=tuple(place._array.shape))
        write(place, value, "assign")
        return target

    def to_host(self, array: Batched) -> NoReturn:
        self._refuse("the values of a tensor are read")

    def item(self, array: Batched, dtype: DType) -> NoReturn:
        self._refuse("a tensor is made a Python number (.item(), or bool() as by `if` and `while`)")

    def _refuse(self, what: str) -> NoReturn:
        raise ReadError(
            f"vmap: {what} at {user_line()}, but it holds as many values as there are examples; choose between "
            "results with tc.where, or move what reads values out of the function"
        )

    def entering(self, op: str, target: Tensor, result: Tensor) -> Tensor:
        if result._array.dim is not None:
            _refuse_shared(op, target)
        return result._array.outer

    def strides(self, array: Batched) -> tuple[int, ...] | None:
        strides = array.outer._kind.backend.strides(array.outer._array)
        if strides is None or array.dim is None:
            return strides
        return (*strides[: array.dim], *strides[array.dim + 1 :])

    def data_ptr(self, array: Batched) -> int:
        return array.outer.data_ptr()

    def detached(self, array: Batched) -> Batched:
        return Batched(detach(array.outer), array.dim)

    def moved(self, array: Batched, device: Device) -> Tensor:
        return type(self).at(self.depth, device).wrapped(Batched(array.outer.to(device), array.dim))

    def spread(self, tensor: Tensor) -> Tensor:
        from tensorcore.ops.conversion import copy

        level = running.levels[self.depth - 1]
        whole = copy.emit(_expand(tensor, shape=(level.size, *tensor._array.shape)))  # type: ignore[attr-defined]
        return self.wrapped(Batched(whole, 0))


def _refuse_shared(op: str, target: Any) -> NoReturn:
    raise InplaceError(
        f"vmap: {op}: a tensor that all examples share cannot be changed in place by values that differ between them: "
        f"its shape is {list(target.shape)}, the same for each; make it of a batched tensor (x.new_zeros(...), "
        "zeros_like(x)), or use the op without the underscore"
    )


class VmapLevel(Level):
    """A running `vmap`: how many examples, and what random draws do."""

    backend = BatchBackend
    maps: ClassVar[bool] = True

    def __init__(self, size: int, randomness: str) -> None:
        self.size = size
        self.randomness = randomness

    def wrapped(self, tensor: Tensor, dim: int) -> Tensor:
        """A tensor of all examples as that of one."""
        return self.on(tensor._kind.device).wrapped(Batched(tensor, dim))

    def unwrapped(self, tensor: Tensor, dim: int) -> Tensor:
        """The tensor of all examples, with their dimension at ``dim`` of the result."""
        kind = tensor._kind
        if kind.level is not None and kind.level.depth == self.depth:
            array = tensor._array
            ndim = len(array.shape) + 1
        else:
            array = Batched(tensor, None)
            ndim = len(array.shape) + 1
        if not -ndim <= dim < ndim:
            raise DimensionError(
                f"vmap: out_dims asks for dimension {dim} of a result of {ndim} dimensions (an example has shape "
                f"{list(array.shape)})"
            )
        place = dim % ndim
        if array.dim is None:
            whole = _expand(array.outer, shape=(self.size, *array.shape))
            return moved_to(whole, 0, place)
        return moved_to(array.outer, array.dim, place)
