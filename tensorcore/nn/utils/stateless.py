"""Calling a module with other tensors in place of its own; `tensorcore.func.functional_call` does the same."""

from __future__ import annotations

import warnings
from typing import Any

from tensorcore.func.functional import functional_call as call
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Module, parameters_and_buffers: dict[str, Tensor], args: Any = None, kwargs: dict[str, Any] | None = None,
    *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """``module(*args, **kwargs)`` with other tensors; deprecated, as in PyTorch.

    Example:
        >>> import tensorcore as tc, warnings
        >>> with warnings.catch_warnings(action="ignore"):
        ...     tc.nn.utils.stateless.functional_call(tc.nn.Linear(1, 1), {"bias": tc.ones(1)}, tc.zeros(1)).tolist()
        [1.0]
    """
    warnings.warn(
        "`tensorcore.nn.utils.stateless.functional_call` is deprecated. "
        "Please use `tensorcore.func.functional_call` instead.",
        FutureWarning,
        stacklevel=2,
    )
    return call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)
