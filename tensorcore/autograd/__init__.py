"""Automatic differentiation: grad modes, backward, grad, custom functions, and checks of gradients."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from tensorcore.autograd.anomaly import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from tensorcore.autograd.engine import backward, grad
from tensorcore.autograd.function import Function
from tensorcore.autograd.grad_mode import is_multithreading_enabled, set_multithreading_enabled
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
    from tensorcore.autograd import anomaly_mode as anomaly_mode
    from tensorcore.autograd import forward_ad as forward_ad
    from tensorcore.autograd import functional as functional
    from tensorcore.autograd import profiler as profiler
    from tensorcore.autograd import profiler_util as profiler_util

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
    "is_multithreading_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


def __getattr__(name: str) -> object:
    # They need the transforms of `tensorcore.func`, or the profiler, which are imported when first used.
    if name in ("anomaly_mode", "forward_ad", "functional", "profiler", "profiler_util"):
        import importlib

        return importlib.import_module(f"tensorcore.autograd.{name}")
    raise AttributeError(f"module 'tensorcore.autograd' has no attribute {name!r}")
