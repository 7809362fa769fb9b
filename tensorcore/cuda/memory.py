"""Memory of CUDA devices: what tensors use, what the pool keeps, what the driver has.

Before CUDA has been started nothing is allocated, and the functions that count say so without starting it.
"""

from __future__ import annotations

from typing import Any

from tensorcore.cuda.runtime import DEVICE_TYPE, device_index, loaded, runtime

__all__ = [
    "empty_cache", "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_reserved",
    "memory_stats", "memory_summary", "reset_peak_memory_stats", "set_per_process_memory_fraction",
]  # fmt: skip


def _statistic(name: str, device: Any) -> int:
    engine = loaded()
    return 0 if engine is None else int(engine.memory_statistics(device_index(device))[name])


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors of a device use.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.memory_allocated() >= 0
        True
    """
    return _statistic("allocated", device)


def max_memory_allocated(device: Any = None) -> int:
    """Most bytes that tensors used at once, since the start or `reset_peak_memory_stats`.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.max_memory_allocated() >= tc.cuda.memory_allocated()
        True
    """
    return _statistic("allocated_peak", device)


def memory_reserved(device: Any = None) -> int:
    """Bytes that the pool holds, used by tensors or kept for the next ones.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.memory_reserved() >= tc.cuda.memory_allocated()
        True
    """
    return _statistic("reserved", device)


def max_memory_reserved(device: Any = None) -> int:
    """Most bytes that the pool held, since the start or `reset_peak_memory_stats`.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.max_memory_reserved() >= tc.cuda.memory_reserved()
        True
    """
    return _statistic("reserved_peak", device)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Count peaks from now on.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.reset_peak_memory_stats()
    """
    engine = loaded()
    if engine is not None:
        engine.reset_peaks(device_index(device))


def empty_cache() -> None:
    """Give the memory that the pool keeps and no tensor uses back to the driver.

    Example:
        >>> import tensorcore as tc
        >>> tc.cuda.empty_cache()
    """
    engine = loaded()
    if engine is not None:
        engine.release_cached_memory()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device, over all processes.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    return runtime().memory_info(device_index(device))


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Let tensors of this process use at most a fraction of a device's memory.

    Raises:
        ValueError: if ``fraction`` lies outside [0, 1].
        BackendUnavailableError: where CUDA is not available.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"set_per_process_memory_fraction: expected a fraction from 0 to 1, got {fraction}")
    runtime().limit_memory(float(fraction), device_index(device))


def memory_stats(device: Any = None) -> dict[str, int]:
    """The counters under PyTorch's names; empty before CUDA has been started.

    Example:
        >>> import tensorcore as tc
        >>> stats = tc.cuda.memory_stats()
        >>> not stats or stats["allocated_bytes.all.current"] >= 0
        True
    """
    engine = loaded()
    if engine is None:
        return {}
    found = engine.memory_statistics(device_index(device))
    return {
        "allocated_bytes.all.current": found["allocated"],
        "allocated_bytes.all.peak": found["allocated_peak"],
        "reserved_bytes.all.current": found["reserved"],
        "reserved_bytes.all.peak": found["reserved_peak"],
        "allocation.all.allocated": found["allocations"],
        "inactive_split_bytes.all.current": found["reserved"] - found["allocated"],
        "num_ooms": found["refusals"],
    }


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The counters as a table to print.

    Example:
        >>> import tensorcore as tc
        >>> "Allocated memory" in tc.cuda.memory_summary()
        True
    """
    engine = loaded()
    index = 0 if engine is None else device_index(device)
    found = {} if engine is None else engine.memory_statistics(index)
    rows = [
        ("Allocated memory", found.get("allocated", 0), found.get("allocated_peak", 0)),
        ("Reserved memory", found.get("reserved", 0), found.get("reserved_peak", 0)),
    ]
    title = f"memory of {DEVICE_TYPE}:{index}"
    lines = [f"{title:<24}{'current':>14}{'peak':>14}", "-" * 52]
    lines += [f"{name:<24}{_bytes(now):>14}{_bytes(peak):>14}" for name, now, peak in rows]
    if not abbreviated:
        lines.append(f"{'Allocations':<24}{found.get('allocations', 0):>14}")
        lines.append(f"{'Refused allocations':<24}{found.get('refusals', 0):>14}")
    return "\n".join(lines)


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError
