"""Automatic differentiation: grad modes, backward, grad, custom functions, and checks of gradients."""

from tensorcore.autograd.engine import backward, grad
from tensorcore.autograd.function import Function
from tensorcore.autograd.gradcheck import gradcheck, gradgradcheck
from tensorcore.autograd.mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from tensorcore.autograd.variable import Variable

__all__ = [
    "Function",
    "Variable",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]
