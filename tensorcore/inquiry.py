"""Questions about tensors, dtypes and the process, as functions of the top-level namespace."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from tensorcore.dtypes import BOOL, DType
from tensorcore.errors import RangeError
from tensorcore.tensor import Tensor

__all__ = [
    "can_cast",
    "get_device",
    "get_num_threads",
    "is_complex",
    "is_conj",
    "is_distributed",
    "is_floating_point",
    "is_inference",
    "is_neg",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_tensor",
    "numel",
    "resolve_conj",
    "resolve_neg",
    "result_type",
    "set_num_threads",
    "typename",
]


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a tensor.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_tensor(tc.zeros(1)), tc.is_tensor(0)
        (True, False)
    """
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype of ``input`` is real floating point.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_floating_point(tc.zeros(1))
        True
    """
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the dtype of ``input`` is complex.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_complex(tc.zeros(1))
        False
    """
    return input.is_complex()


def is_signed(input: Tensor) -> bool:
    """Whether the dtype of ``input`` holds negative numbers.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_signed(tc.zeros(1, dtype=tc.uint8))
        False
    """
    return input.is_signed()


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of ``input`` is not zero; raises ShapeError if there are more.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_nonzero(tc.tensor([0.5]))
        True
    """
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_same_size(tc.zeros(2), tc.zeros(2, 1))
        False
    """
    return input.is_same_size(other)


def is_conj(input: Tensor) -> bool:
    """Whether conjugation is pending: never, it is done at once."""
    return input.is_conj()


def is_neg(input: Tensor) -> bool:
    """Whether negation is pending: never, it is done at once."""
    return input.is_neg()


def is_inference(input: Tensor) -> bool:
    """Whether ``input`` was made in inference mode; such tensors are ordinary ones here."""
    return input.is_inference()


def is_distributed(input: Tensor) -> bool:
    """Whether ``input`` is spread over processes: never."""
    return False


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugation is never pending.

    Example:
        >>> import tensorcore as tc
        >>> tc.resolve_conj(tc.tensor([1j]).conj())
        tensor([0.-1.j])
    """
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negation is never pending."""
    return input


def get_device(input: Tensor) -> int:
    """Index of the device of ``input``, or -1 on the CPU.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_device(tc.zeros(1))
        -1
    """
    return input.get_device()


def numel(input: Tensor) -> int:
    """Number of elements of ``input``.

    Example:
        >>> import tensorcore as tc
        >>> tc.numel(tc.zeros(2, 3))
        6
    """
    return input.numel()


def typename(obj: Any) -> str:
    """The name of a tensor's type, or of the class of anything else.

    Example:
        >>> import tensorcore as tc
        >>> tc.typename(tc.zeros(1))
        'tensorcore.FloatTensor'
    """
    from tensorcore.tensor_types import type_of

    return type_of(obj) if isinstance(obj, Tensor) else f"{type(obj).__module__}.{type(obj).__qualname__}"


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype of arithmetic between two tensors or numbers, by PyTorch's promotion.

    Raises:
        DTypeError: where no dtype holds both.

    Example:
        >>> import tensorcore as tc
        >>> tc.result_type(tc.tensor([1, 2]), 1.5)
        tensorcore.float32
    """
    from tensorcore.promotion import promoted

    return promoted("result_type", (tensor1, tensor2))


def can_cast(from_: DType, to: DType) -> bool:
    """Whether PyTorch's rules let a result of dtype ``from_`` be written into a tensor of dtype ``to``.

    Example:
        >>> import tensorcore as tc
        >>> tc.can_cast(tc.int64, tc.float16), tc.can_cast(tc.float32, tc.int64)
        (True, False)
    """
    # Categories only ever widen; bool holds nothing but bool.
    return from_.category <= to.category and not (to.category == BOOL and from_.category != BOOL)


_threads: int | None = None
#: Called with the number that `set_num_threads` sets, for libraries that have threads of their own.
thread_followers: Final[list[Callable[[int], None]]] = []


def get_num_threads() -> int:
    """How many threads a kernel may use.

    It is what `set_num_threads` set, or else the environment variable ``OMP_NUM_THREADS``, or the number of processors
    of this process.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_num_threads() > 0
        True
    """
    global _threads
    if _threads is None:
        stated = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
        _threads = int(stated) if stated.isdecimal() and int(stated) else _processors()
    return _threads


def _processors() -> int:
    """The processors of this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_num_threads(int: int) -> None:
    """Set how many threads a kernel may use; backends that run threads of their own keep to it.

    Raises:
        RangeError: for a number below 1.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_num_threads(tc.get_num_threads())
    """
    global _threads
    if int < 1:
        raise RangeError(f"set_num_threads: expected at least 1 thread, got {int}")
    _threads = int
    for follow in thread_followers:
        follow(int)
