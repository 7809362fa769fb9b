"""Regions in which ops run in lower precision where that is safe: `autocast`."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from tensorcore.amp.casting import install
from tensorcore.amp.state import get_autocast_dtype, is_autocast_available, state
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import DType, bfloat16, float16, float64
from tensorcore.tensor import Tensor

__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]


class autocast:  # noqa: N801 - PyTorch's name
    """A region in which ops run in the dtype that suits them: products in 16 bits, what needs range in float32.

    A context manager and a decorator. Which op runs in which dtype is PyTorch's: the lists of its CPU on ``cpu``, of
    its accelerators elsewhere. Tensors in float64 and operands of in-place and ``out=`` forms are left as they are.
    Gradients have the dtype of what they are the gradient of, so parameters in float32 get float32. Regions nest; one
    with ``enabled=False`` is an island in which ops run as they always do.

    Args:
        device_type: such as ``"cpu"`` or ``"cuda"``; ops on other devices are unaffected.
        dtype: float16 or bfloat16; `get_autocast_dtype` by default.
        enabled: whether autocast is on in the region.
        cache_enabled: whether casts of parameters are kept for the region; as it was by default.

    Raises:
        DeviceError: for a device that there is not.

    Example:
        >>> import tensorcore as tc
        >>> layer, x = tc.nn.Linear(4, 2), tc.ones(3, 4)
        >>> with tc.autocast("cpu", dtype=tc.bfloat16):
        ...     y = layer(x)
        >>> y.dtype, tc.autograd.grad(y.sum(), layer.weight)[0].dtype
        (tensorcore.bfloat16, tensorcore.float32)
    """

    def __init__(
        self, device_type: str, dtype: DType | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"autocast: expected device_type of type str, got {type(device_type).__name__}")
        is_autocast_available(device_type)
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = state.caching if cache_enabled is None else cache_enabled
        self._enabled = enabled and self._can_run()
        self._before: list[tuple[Any, ...]] = []

    def _can_run(self) -> bool:
        if self.device == "cuda":
            from tensorcore import cuda

            if not cuda.is_available():
                warnings.warn("CUDA is not available. Disabling autocast.", stacklevel=3)
                return False
        if self.fast_dtype not in (bfloat16, float16):
            name = self.device.upper()
            warnings.warn(
                f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{name} Autocast only supports dtypes of {bfloat16}, {float16} currently, got {self.fast_dtype}.",
                stacklevel=3,
            )
            return False
        return True

    def __enter__(self) -> Self:
        active, device = mode.autocast, self.device
        self._before.append((active, state.caching, state.dtypes.get(device)))
        if self._enabled:
            install()
            mode.autocast = {**active, device: self.fast_dtype}
        elif device in active:
            mode.autocast = {name: dtype for name, dtype in active.items() if name != device}
        state.dtypes[device] = self.fast_dtype
        state.caching = self._cache_enabled
        state.nesting += 1
        return self

    def __exit__(self, *exc: object) -> None:
        state.nesting -= 1
        if not state.nesting:
            state.casts.clear()
        mode.autocast, state.caching, dtype = self._before.pop()
        if dtype is None:
            del state.dtypes[self.device]
        else:
            state.dtypes[self.device] = dtype

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use autocast as "
                "a context manager? For example:\n    with tensorcore.autocast(device_type=...):\n        ..."
            )
        return autocast_decorator(self, func)


def autocast_decorator(autocast_instance: autocast, func: Callable[..., Any]) -> Callable[..., Any]:
    """``func`` run in a region."""

    @functools.wraps(func)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with autocast_instance:
            return func(*args, **kwargs)

    return decorated


def _cast(value: Any, device_type: str, dtype: DType) -> Any:
    """The floating-point tensors of a device in a structure cast to ``dtype``, but for those in float64."""
    if isinstance(value, Tensor):
        fits = value.is_floating_point() and value.device.type == device_type and value.dtype is not float64
        return value.to(dtype) if fits else value
    if isinstance(value, (str, bytes)) or hasattr(value, "__array_interface__"):
        return value
    if isinstance(value, Mapping):
        return {_cast(key, device_type, dtype): _cast(each, device_type, dtype) for key, each in value.items()}
    if isinstance(value, Iterable):
        each = (_cast(part, device_type, dtype) for part in value)
        return type(value)(each) if isinstance(value, (list, tuple)) else each
    return value


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: DType | None = None) -> Any:
    """Decorator for ``forward`` of an `autograd.Function`: what it does under autocast.

    Args:
        device_type: whose autocast.
        cast_inputs: tensors are cast to it, and ``forward`` runs outside autocast; ``None`` runs it in the region.

    Example:
        >>> import tensorcore as tc
        >>> class Square(tc.autograd.Function):
        ...     @staticmethod
        ...     @tc.amp.custom_fwd(device_type="cpu", cast_inputs=tc.float32)
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     @tc.amp.custom_bwd(device_type="cpu")
        ...     def backward(ctx, g):
        ...         return 2 * g * ctx.saved_tensors[0]
        >>> with tc.autocast("cpu"):
        ...     Square.apply(tc.ones(2, dtype=tc.bfloat16)).dtype
        tensorcore.float32
    """
    if not isinstance(device_type, str):
        raise ValueError(f"custom_fwd: expected device_type of type str, got {type(device_type).__name__}")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        on = device_type in mode.autocast
        args[0]._dtype = get_autocast_dtype(device_type)
        args[0]._fwd_used_autocast = on and cast_inputs is None
        if cast_inputs is None or not on:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorated


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """Decorator for ``backward`` of an `autograd.Function`: it runs under autocast if ``forward`` did."""
    if not isinstance(device_type, str):
        raise ValueError(f"custom_bwd: expected device_type of type str, got {type(device_type).__name__}")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorated
