"""Parameters and buffers: the tensors that modules own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.autograd.graph import LEAF
from tensorcore.dtypes import FLOATING
from tensorcore.errors import DTypeError
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Buffer", "Parameter"]


def _owned(cls: type[Tensor], data: Any) -> Tensor:
    """A leaf of class ``cls`` over the memory of ``data``; an empty tensor where there is none."""
    if data is None:
        from tensorcore.ops.creation import empty

        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(f"{cls.__name__}: expected a tensor, got {type(data).__name__}")
    return wrap(data._array, data._kind, cls)


class Parameter(Tensor):
    """A leaf tensor that a `Module` registers as its parameter when it is assigned as an attribute.

    Args:
        data: the tensor whose memory it takes over, of any shape.
        requires_grad: whether backward computes a gradient for it.

    Raises:
        DTypeError: if it should require grad and the dtype is neither floating point nor complex.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Parameter(tc.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        made = _owned(cls, data)
        if requires_grad:
            if made._kind.dtype.category < FLOATING:
                raise DTypeError(
                    f"Parameter: only floating-point and complex tensors can require grad, got {made.dtype}; "
                    "pass requires_grad=False"
                )
            made._node = LEAF
        return made  # type: ignore[return-value]

    def __repr__(self, *, tensor_contents: None = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a `Module` registers as its buffer when it is assigned as an attribute.

    Args:
        data: the tensor whose memory it takes over, of any shape and dtype.
        persistent: whether ``state_dict`` has it.

    Example:
        >>> import tensorcore as tc
        >>> m = tc.nn.Module()
        >>> m.mean = tc.nn.Buffer(tc.zeros(2))
        >>> list(m.state_dict())
        ['mean']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        made: Any = _owned(cls, data)
        made._node = LEAF if data is not None and data._node is not None else None
        made.persistent = persistent
        return made
