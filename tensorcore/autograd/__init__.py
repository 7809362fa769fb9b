"""Automatic differentiation: grad modes, backward, grad, custom functions, and checks of gradients."""

from tensorcore.autograd.anomaly import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from typing import TYPE_CHECKING as _TYPE_CHECKING

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

if _TYPE_CHECKING:
    from tensorcore.autograd import forward_ad as forward_ad
    from tensorcore.autograd import functional as functional

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]


def __getattr__(name: str) -> object:
    # They need the transforms of `tensorcore.func`, which are imported when first used.
    if name in ("forward_ad", "functional"):
        import importlib

        return importlib.import_module(f"tensorcore.autograd.{name}")
    raise AttributeError(f"module 'tensorcore.autograd' has no attribute {name!r}")
