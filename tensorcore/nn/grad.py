"""Gradients of convolutions with respect to one operand, as in ``torch.nn.grad``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorcore.autograd import enable_grad
from tensorcore.autograd.engine import grad
from tensorcore.functions import conv1d, conv2d, conv3d, zeros
from tensorcore.tensor import Tensor

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _gradient(conv: Callable[..., Any], count: int, of_input: bool) -> Callable[..., Tensor]:
    """The gradient of a convolution, which is linear in the operand: its value does not matter, its shape does."""

    def gradient(
        first: Any, second: Any, grad_output: Tensor, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:  # fmt: skip
        with enable_grad():
            shape, other = (first, second) if of_input else (second, first)
            wanted = zeros(tuple(shape), dtype=grad_output.dtype, device=grad_output.device, requires_grad=True)
            operands = (wanted, other) if of_input else (other, wanted)
            out = conv(*operands, None, stride, padding, dilation, groups)
            if out.shape != grad_output.shape:
                raise RuntimeError(
                    f"{gradient.__name__}: the convolution gives shape {list(out.shape)}, and grad_output has "
                    f"{list(grad_output.shape)}"
                )
            # Those who differentiate again do so by the other operand and by grad_output.
            again = other.requires_grad or grad_output.requires_grad
            (found,) = grad(out, wanted, grad_output, create_graph=again)
        assert found is not None
        return found

    what, shapes = ("input", "input_size, weight") if of_input else ("weight", "input, weight_size")
    gradient.__name__ = gradient.__qualname__ = f"conv{count}d_{what}"
    gradient.__doc__ = f"The gradient of `conv{count}d` with respect to ``{what}``: ``({shapes}, grad_output, ...)``."
    return gradient


conv1d_input = _gradient(conv1d, 1, True)
conv1d_weight = _gradient(conv1d, 1, False)
conv2d_input = _gradient(conv2d, 2, True)
conv2d_weight = _gradient(conv2d, 2, False)
conv3d_input = _gradient(conv3d, 3, True)
conv3d_weight = _gradient(conv3d, 3, False)
