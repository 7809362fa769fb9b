"""PyTorch's old name for a tensor that takes part in autograd."""

from __future__ import annotations

from typing import Any

from tensorcore.tensor import Tensor

__all__ = ["Variable"]


class _TensorsToo(type):
    """Makes every tensor an instance, as in PyTorch, where the two classes became one."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)

    @property
    def _execution_engine(cls) -> Any:
        from tensorcore.autograd.run import ExecutionEngine

        return ExecutionEngine


class Variable(metaclass=_TensorsToo):
    """The tensor ``data`` without its graph, as a leaf; what programs older than PyTorch 0.4 wrap their data in.

    Raises:
        TypeError: if ``data`` is not a tensor.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.Variable(tc.ones(2), requires_grad=True)
        tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable: data must be a tensor, got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
