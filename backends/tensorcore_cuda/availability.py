"""Whether CUDA can be used here, and if not, why, in words that say what to do."""

from __future__ import annotations

import os
from typing import Any, Final

from tensorcore.errors import BackendUnavailableError

__all__ = ["INSTALL", "reason_for", "usable_cupy"]

INSTALL: Final = 'pip install "tensorcore-framework[cuda13]"'

#: The oldest CuPy whose arrays and kernels the backend knows.
_OLDEST: Final = (14, 0)

# cudaError_t
_INSUFFICIENT_DRIVER: Final = 35
_NO_DEVICE: Final = 100


def usable_cupy() -> Any:
    """The module CuPy, with at least one device to use.

    Raises:
        BackendUnavailableError: with the reason: CuPy missing, broken or too old, no driver, one too old, no device.
    """
    try:
        import cupy
    except ImportError as error:
        raise BackendUnavailableError(f"CuPy cannot be imported: {error}; to install: {INSTALL}") from error
    if version_of(cupy.__version__) < _OLDEST:
        raise BackendUnavailableError(
            f"CuPy {cupy.__version__} is too old, {_OLDEST[0]}.{_OLDEST[1]} or later is needed; to install: {INSTALL}"
        )
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
        status = 0
    except runtime.CUDARuntimeError as error:
        count, status = 0, error.status
    if count:
        return cupy
    try:
        driver = runtime.driverGetVersion()
    except runtime.CUDARuntimeError:
        driver = 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    raise BackendUnavailableError(reason_for(status, driver, runtime.runtimeGetVersion(), visible))


def version_of(text: str) -> tuple[int, int]:
    """The first two numbers of a version."""
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def reason_for(status: int, driver: int, built_for: int, visible: str | None) -> str:
    """Why there is no device: from CUDA's error, the versions of driver and library (12040 is 12.4), the visible ones.

    Example:
        >>> from tensorcore_cuda.availability import reason_for
        >>> reason_for(35, 0, 13000, None)
        'no NVIDIA driver is installed, or it cannot be reached from here'
    """
    if driver == 0:
        return "no NVIDIA driver is installed, or it cannot be reached from here"
    if status == _INSUFFICIENT_DRIVER:
        return (
            f"the NVIDIA driver supports CUDA {_spelled(driver)}, CuPy is built for {_spelled(built_for)}: "
            "update the driver, or install a CuPy for the older CUDA"
        )
    if status in (0, _NO_DEVICE):
        hidden = f"; CUDA_VISIBLE_DEVICES is {visible!r}" if visible is not None else ""
        return f"no NVIDIA GPU is visible{hidden}"
    return f"CUDA reports error {status} when asked for its devices"


def _spelled(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
