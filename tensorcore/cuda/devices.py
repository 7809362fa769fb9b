"""CUDA devices: how many there are, which is current, what they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tensorcore.cuda.runtime import device_index, loaded, runtime
from tensorcore.errors import BackendUnavailableError

__all__ = [
    "can_device_access_peer", "current_device", "device", "device_count", "device_of", "get_arch_list",
    "get_device_capability", "get_device_name", "get_device_properties", "init", "is_available", "is_bf16_supported",
    "is_initialized", "set_device", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Whether tensors can be made on the device ``cuda``; never raises.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.is_available() == (tc.cuda.device_count() > 0)
        True
    """
    return device_count() > 0


def device_count() -> int:
    """Number of CUDA devices; 0 where CUDA is not available.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.device_count() >= 0
        True
    """
    try:
        return runtime().device_count()
    except Exception:  # a probe: whatever is wrong, the answer is that there is none
        return 0


def init() -> None:
    """Start CUDA now; it starts by itself when it is first used.

    Raises:
        BackendUnavailableError: where it is not available; the message gives the reason.
    """
    runtime()


def is_initialized() -> bool:
    """Whether CUDA has been started.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.is_initialized() in (True, False)
        True
    """
    return loaded() is not None


def current_device() -> int:
    """Index of this thread's current device.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    return runtime().current_device()


def set_device(device: Any) -> None:
    """Make ``device`` this thread's current one; a negative index does nothing.

    Raises:
        BackendUnavailableError: where CUDA is not available.
        DeviceError: for a device that does not exist.
    """
    if isinstance(device, int) and device < 0:
        return
    runtime().set_device(device_index(device))


class device:  # noqa: N801 - PyTorch's name
    """A block in which another device is this thread's current one; ``None`` or a negative index changes nothing.

    Raises:
        BackendUnavailableError: where CUDA is not available.
        DeviceError: for a device that does not exist.
    """

    def __init__(self, device: Any) -> None:
        unchanged = device is None or (isinstance(device, int) and device < 0)
        self.idx = -1 if unchanged else device_index(device)
        self.prev_idx = -1

    def __enter__(self) -> device:
        if self.idx >= 0:
            self.prev_idx = runtime().current_device()
            if self.prev_idx != self.idx:
                runtime().set_device(self.idx)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.idx >= 0 and self.prev_idx != self.idx:
            runtime().set_device(self.prev_idx)


class device_of(device):  # noqa: N801 - PyTorch's name
    """A block in which the device of a tensor is current; a tensor elsewhere changes nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_cuda else -1)


class DeviceProperties(SimpleNamespace):
    """What is known of a device: ``name``, ``major``, ``minor``, ``total_memory``, ``multi_processor_count``, ..."""

    def __repr__(self) -> str:
        size = f"{self.total_memory // 2**20}MB"
        return (
            f"_CudaDeviceProperties(name={self.name!r}, major={self.major}, minor={self.minor}, "
            f"total_memory={size}, multi_processor_count={self.multi_processor_count})"
        )


def get_device_properties(device: Any = None) -> DeviceProperties:
    """The properties of a device, the current one by default.

    Raises:
        BackendUnavailableError: where CUDA is not available.
        DeviceError: for a device that does not exist.
    """
    return DeviceProperties(**runtime().device_properties(device_index(device)))


def get_device_name(device: Any = None) -> str:
    """The name of a device, such as ``"NVIDIA H200"``.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    return str(runtime().device_properties(device_index(device))["name"])


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a device as (major, minor).

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    found = runtime().device_properties(device_index(device))
    return int(found["major"]), int(found["minor"])


def get_arch_list() -> list[str]:
    """The architectures of the devices present, for which kernels are compiled when needed; empty without CUDA."""
    found = [runtime().device_properties(index) for index in range(device_count())]
    return sorted({f"sm_{each['major']}{each['minor']}" for each in found})


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be used on the current device; by hardware from compute capability 8.0 on."""
    try:
        return including_emulation or get_device_capability() >= (8, 0)
    except BackendUnavailableError:
        return False


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether one device can read the memory of another directly.

    Raises:
        BackendUnavailableError: where CUDA is not available.
        DeviceError: for a device that does not exist.
    """
    return runtime().can_access_peer(device_index(device, optional=False), device_index(peer_device, optional=False))


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on a device, the current one by default, is done.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    runtime().synchronize(device_index(device))
