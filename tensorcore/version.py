"""What this is: the version, and that of the CUDA that is used, as in ``torch.version``."""

from __future__ import annotations

from typing import Any

from tensorcore import __version__

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "xpu"]

debug = False
hip = None
xpu = None
#: The revision of the source; unknown in an installed package.
git_version = "unknown"
cuda: str | None


def __getattr__(name: str) -> Any:
    # Found out when asked: it loads the backend.
    if name == "cuda":
        from tensorcore import cuda as device

        if not device.is_available():
            return None
        from tensorcore.devices import Device

        version = getattr(Device("cuda").backend, "cuda_version", None)
        return None if version is None else version()
    raise AttributeError(f"module 'tensorcore.version' has no attribute {name!r}")
