"""The memory under a tensor: its storage, and tensors made to look at other memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.autograd.inplace import check_inplace
from tensorcore.autograd.mode import mode
from tensorcore.errors import ArgumentError, DTypeError, InplaceError
from tensorcore.memory_format import check_format
from tensorcore.memory_format import memory_format as MemoryFormat
from tensorcore.ops.conversion import severed
from tensorcore.ops.inplace import reshaped
from tensorcore.ops.movement import cat
from tensorcore.ops.record import composite
from tensorcore.ops.strided import as_strided, extent
from tensorcore.shapes import contiguous_strides, normalize_shape
from tensorcore.tensor import root_of, wrap

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


@composite(namespaces=("Tensor",))
def untyped_storage(input: Tensor) -> Any:
    """The memory that the tensor and its views share, as bytes (`UntypedStorage`).

    Example:
        >>> x = tc.zeros(4)
        >>> x.untyped_storage().nbytes(), x[2:].untyped_storage() == x.untyped_storage()
        (16, True)
    """
    from tensorcore.storage import UntypedStorage

    return UntypedStorage.of(input)


@composite(namespaces=("Tensor",))
def storage(input: Tensor) -> Any:
    """The memory that the tensor and its views share, as elements of its dtype (`TypedStorage`).

    Example:
        >>> tc.tensor([1, 2]).storage().tolist()
        [1, 2]
    """
    from tensorcore.storage import TypedStorage

    return TypedStorage.of(input)


@composite(namespaces=("Tensor",))
def storage_type(input: Tensor) -> Any:
    """The old class of the tensor's storage, such as ``FloatStorage``.

    Example:
        >>> tc.ones(2).storage_type()
        <class 'tensorcore.FloatStorage'>
    """
    from tensorcore.storage import storage_type as found

    return found(input.dtype)


@composite(namespaces=("Tensor",))
def const_data_ptr(input: Tensor) -> int:
    """Address of the first element; 0 where the engine does not tell.

    Example:
        >>> x = tc.ones(2)
        >>> x.const_data_ptr() == x.data_ptr()
        True
    """
    return input.data_ptr()


@composite(namespaces=("Tensor",))
def dim_order(input: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions in the order of their strides, the largest first.

    Raises:
        RuntimeError: with ``ambiguity_check``, where several orders fit.

    Example:
        >>> tc.zeros(2, 3, 4).permute(2, 0, 1).dim_order()
        (1, 2, 0)
    """
    shape, strides = tuple(input.shape), input.stride()
    listed = isinstance(ambiguity_check, (list, tuple)) and all(isinstance(x, MemoryFormat) for x in ambiguity_check)
    if not listed and not isinstance(ambiguity_check, bool):
        raise TypeError(
            f"dim_order: ambiguity_check must be True, False or a list of memory formats, got {ambiguity_check!r:.60}"
        )
    order = tuple(sorted(range(len(shape)), key=lambda dim: (-strides[dim], -max(shape[dim], 1))))
    if ambiguity_check is not False and len({strides[d] for d in order if shape[d] > 1}) < len(shape):
        raise RuntimeError(
            f"dim_order: several orders fit shape {list(shape)} and strides {list(strides)}; sides of 1 and equal "
            "strides do not tell"
        )
    return order


@composite(namespaces=("Tensor",))
def is_set_to(input: Tensor, tensor: Tensor) -> bool:
    """Whether both look at the same memory in the same way: storage, offset, shape and strides.

    Example:
        >>> x = tc.ones(2, 2)
        >>> x.is_set_to(x.view(2, 2)), x.is_set_to(x[0])
        (True, False)
    """
    return (
        input.dtype is tensor.dtype
        and root_of(input) is root_of(tensor)
        and input.shape == tensor.shape
        and input.stride() == tensor.stride()
        and input.storage_offset() == tensor.storage_offset()
    )


def _holder(input: Any) -> Any:
    """The tensor whose memory is all of what ``input`` shares; a new one where that is ``input`` and is to shrink."""
    root = root_of(input)
    if root is not input:
        return root
    holder = wrap(input._array, input._kind)
    holder._changed, holder._changes = input._changed, input._changes
    return holder


def _look(input: Any, array: Any, root: Any) -> Any:
    """Make ``input`` look at ``array``, within the memory of ``root``."""
    check_inplace(input, "set_")
    input._array, input._view = array, None if root is None else (root, severed, {})
    return input


@composite(namespaces=("Tensor",))
def set_(input: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
    """Make this tensor share the memory of ``source``, a tensor or storage of its dtype; without one, empty.

    Of a storage, ``storage_offset``, ``size`` and ``stride`` say which part: by default all of it in one dimension.

    Example:
        >>> x = tc.arange(4)
        >>> tc.empty(0, dtype=tc.int64).set_(x.untyped_storage(), 1, (3,), (1,))
        tensor([1, 2, 3])
    """
    from tensorcore.storage import _Memory, _read

    if (size is not None or stride is not None) and not isinstance(size, (list, tuple)):
        raise ArgumentError(
            f"set_: size must be a tuple of ints where it or stride is given, got {type(size).__name__}"
        )
    if source is None:
        return _look(input, input.new_empty(0)._array, None)
    held = isinstance(source, _Memory)
    whole = _read(source._row, input.dtype) if isinstance(source, _Memory) else source
    if whole._kind is not input._kind:
        raise DTypeError(
            f"set_: expected a source of {input.dtype} on {str(input.device)!r}, got {whole.dtype} on "
            f"{str(whole.device)!r}"
        )
    if size is None and not storage_offset:
        return _look(input, whole._array, whole)
    if size is None:
        size = (max(extent(whole) - storage_offset, 0),)
    sides = normalize_shape((size,), "set_")
    steps = contiguous_strides(sides) if stride is None else stride
    with_grad, mode.grad = mode.grad, False
    try:
        part = as_strided(whole.detach() if not held else whole, sides, steps, storage_offset)
    finally:
        mode.grad = with_grad
    return _look(input, part._array, whole)


@composite(namespaces=("Tensor",))
def resize_(input: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Give this tensor another shape: the first elements of its memory are kept, new ones are zeros.

    Within its memory it goes on sharing it with its views; memory that is too small is replaced by larger.

    Raises:
        ShapeError: for a negative side.

    Example:
        >>> x = tc.tensor([1, 2, 3, 4])
        >>> x.resize_(2, 1)
        tensor([[1],
                [2]])
        >>> x.resize_(4)
        tensor([1, 2, 3, 4])
    """
    check_inplace(input, "resize_")
    if input._node is not None:
        raise InplaceError("resize_: a tensor that requires grad cannot be resized; use .detach()")
    shape = normalize_shape(sizes, "resize_")
    if shape == tuple(input._array.shape):
        return input
    count, offset = math.prod(shape), input.storage_offset()
    if offset + count <= extent(input):
        part = as_strided(input.detach(), shape, contiguous_strides(shape), offset)
        return _look(input, part._array, _holder(input))
    from tensorcore.storage import _read, memory_of

    memory = _read(memory_of(input), input.dtype)[offset:]
    whole = cat([memory, memory.new_zeros(count - memory.shape[0])])
    return _look(input, whole.reshape(shape)._array, None)


@composite(namespaces=("", "Tensor"))
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """`resize_` to the shape of ``the_template``.

    Example:
        >>> tc.tensor([1, 2, 3, 4]).resize_as_(tc.ones(2, 1))
        tensor([[1],
                [2]])
    """
    if memory_format is not None:
        check_format("resize_as_", memory_format)
    return resize_(input, tuple(the_template.shape))


@composite(namespaces=("", "Tensor"))
def as_strided_(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """`as_strided` in place: this tensor becomes the view of its memory.

    Example:
        >>> tc.arange(6).as_strided_((2, 2), (1, 2), 1)
        tensor([[1, 3],
                [2, 4]])
    """
    holder = _holder(input)
    reshaped(input, as_strided, size, stride, storage_offset)
    if input._view is None:
        input._view = (holder, severed, {})
    return input
