"""What a report of a fault should say about the machine: ``python -m tensorcore.utils.collect_env``."""

from __future__ import annotations

import os
import platform
import sys
from typing import Final

__all__ = ["get_env_info", "get_pretty_env_info", "main", "versions"]

#: Distributions whose versions help to understand a report of a fault.
_LIBRARIES: Final = (
    "pluggy", "numpy", "array-api-compat", "ml-dtypes", "numba", "cupy-cuda12x", "cupy-cuda13x", "nvmath-python",
    "nvidia-cudnn-frontend", "torch", "jax", "array-api-strict", "safetensors", "tensorboard", "pillow", "matplotlib",
    "typer", "rich",
)  # fmt: skip


def get_env_info() -> dict[str, str]:
    """Facts about tensorcore, Python, the machine, the devices and libraries, as text by name.

    Example:
        >>> from tensorcore.utils.collect_env import get_env_info
        >>> get_env_info()["default device"]
        'cpu'
    """
    import tensorcore

    facts = {
        "tensorcore": tensorcore.__version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()}, {8 * _pointer()} bit)",
        "platform": platform.platform(),
        "processor": _processor(),
        "processors": str(os.cpu_count() or "unknown"),
        "memory": _memory(),
        "threads": str(tensorcore.get_num_threads()),
        "default device": _default_device(),
    }
    facts |= {name: value for name, value in sorted(os.environ.items()) if name.startswith(("TENSORCORE_", "OMP_"))}
    return facts | versions()


def get_pretty_env_info() -> str:
    """The facts of `get_env_info`, a line each.

    Example:
        >>> from tensorcore.utils.collect_env import get_pretty_env_info
        >>> get_pretty_env_info().splitlines()[0].split(":")[0]
        'tensorcore'
    """
    return "\n".join(f"{name}: {value}" for name, value in get_env_info().items())


def main() -> None:
    """Print the facts."""
    print(get_pretty_env_info())


def _pointer() -> int:
    return (sys.maxsize.bit_length() + 1) // 8


def _default_device() -> str:
    from tensorcore.devices import get_default_device
    from tensorcore.errors import TensorcoreError

    try:
        return str(get_default_device())
    except TensorcoreError as error:
        return f"none: {error}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return "unknown"
    return f"{size / 2**30:.1f} GiB"


def versions() -> dict[str, str]:
    """The versions of the libraries that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
