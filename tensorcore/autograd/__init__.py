"""Automatic differentiation: grad modes, backward, grad, and custom functions."""

from tensorcore.autograd.engine import backward, grad
from tensorcore.autograd.function import Function
from tensorcore.autograd.mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "Function",
    "backward",
    "enable_grad",
    "grad",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]
