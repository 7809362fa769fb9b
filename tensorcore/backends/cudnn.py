"""cuDNN, which the device ``cuda`` convolves by where ``nvidia-cudnn-frontend`` is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["allow_tf32", "benchmark", "benchmark_limit", "deterministic", "enabled", "flags", "is_available", "version"]

#: Whether cuDNN may be used. Kernels choose by what is installed and do not read it.
enabled: bool = True
#: Whether to try several algorithms for each shape. Plans are always chosen by cuDNN's heuristics.
benchmark: bool = False
benchmark_limit: int | None = 10
#: Whether only deterministic algorithms may be chosen.
deterministic: bool = False
#: Whether float32 convolutions may round to TF32, which takes half the time or less. PyTorch's default is true.
allow_tf32: bool = False


def _library() -> Any:
    from tensorcore import cuda
    from tensorcore.devices import Device

    return getattr(Device("cuda").backend, "cudnn", None) if cuda.is_available() else None


def is_available() -> bool:
    """Whether convolutions on the device ``cuda`` run in cuDNN.

    Example:
        >>> import tensorcore as tc
        >>> tc.backends.cudnn.is_available() <= tc.cuda.is_available()
        True
    """
    return _library() is not None


def version() -> int | None:
    """cuDNN's version number, such as 91900; ``None`` where it is not used."""
    found = _library()
    return None if found is None else int(found.version())


@contextmanager
def flags(
    enabled: bool = False, benchmark: bool = False, benchmark_limit: int = 10, deterministic: bool = False,
    allow_tf32: bool = True, fp32_precision: str = "none",
) -> Iterator[None]:  # fmt: skip
    """Set the switches for a block."""
    wanted = {
        "enabled": enabled, "benchmark": benchmark, "benchmark_limit": benchmark_limit,
        "deterministic": deterministic, "allow_tf32": allow_tf32,
    }  # fmt: skip
    before = {name: globals()[name] for name in wanted}
    globals().update(wanted)
    try:
        yield
    finally:
        globals().update(before)
