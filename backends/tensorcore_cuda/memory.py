"""Device memory: CuPy's pool with peaks counted and refusals explained."""

from __future__ import annotations

from typing import Any

__all__ = ["CountedPool", "refusal"]


def refusal(size: int, index: int, allocated: int, reserved: int, free: int, total: int, limit: int) -> str:
    """What to say when ``size`` bytes cannot be had on device ``index``."""
    text = (
        f"cuda:{index} has no {size:,} bytes: tensors use {allocated:,}, the pool keeps {reserved - allocated:,} more, "
        f"the driver has {free:,} of {total:,} free"
    )
    if limit:
        text += f", and this process may use {limit:,}"
    if reserved - allocated >= size:
        text += "; the kept memory is in smaller pieces, which tensorcore.cuda.empty_cache() gives back"
    return text


class CountedPool:
    """Allocates from CuPy's default pool, so that CuPy's own counters agree, and keeps what the pool does not count.

    Args:
        cupy: the array module.
        pool: a CuPy memory pool.
        devices: number of devices.
    """

    def __init__(self, cupy: Any, pool: Any, devices: int) -> None:
        self._cupy = cupy
        self._pool = pool
        self._malloc = pool.malloc
        self._used = pool.used_bytes
        self._peaks = [0] * devices
        self._reserved_peaks = [0] * devices
        self._allocations = [0] * devices
        self._refusals = [0] * devices
        self._exhausted = cupy.cuda.memory.OutOfMemoryError

    def install(self) -> None:
        """Make CuPy allocate here, unless its user has chosen an allocator."""
        if self._cupy.cuda.get_allocator() == self._pool.malloc:
            self._cupy.cuda.set_allocator(self.malloc)

    def malloc(self, size: int) -> Any:
        """A pointer to ``size`` bytes on the current device; raises MemoryError with the pool's numbers."""
        try:
            pointer = self._malloc(size)
        except self._exhausted:
            raise MemoryError(self._explained(size)) from None
        index = pointer.device_id
        self._allocations[index] += 1
        used = self._used()
        if used > self._peaks[index]:
            self._peaks[index] = used
        return pointer

    def _explained(self, size: int) -> str:
        index = self._cupy.cuda.runtime.getDevice()
        self._refusals[index] += 1
        free, total = self._cupy.cuda.runtime.memGetInfo()
        pool = self._pool
        return refusal(size, index, pool.used_bytes(), pool.total_bytes(), free, total, pool.get_limit())

    # The pool answers for the current device.

    def statistics(self, index: int) -> dict[str, int]:
        """Counters of a device, in bytes and numbers of allocations."""
        with self._cupy.cuda.Device(index):
            allocated, reserved, limit = self._pool.used_bytes(), self._pool.total_bytes(), self._pool.get_limit()
        return {
            "allocated": allocated,
            "allocated_peak": max(allocated, self._peaks[index]),
            "reserved": reserved,
            # The pool grows only, until it is told to give memory back.
            "reserved_peak": max(reserved, self._reserved_peaks[index]),
            "allocations": self._allocations[index],
            "refusals": self._refusals[index],
            "limit": limit,
        }

    def reset_peaks(self, index: int) -> None:
        """Count peaks of a device from now on."""
        with self._cupy.cuda.Device(index):
            self._peaks[index] = self._pool.used_bytes()
            self._reserved_peaks[index] = 0

    def release(self) -> None:
        """Give free blocks of all devices back to the driver."""
        for index in range(len(self._peaks)):
            with self._cupy.cuda.Device(index):
                self._reserved_peaks[index] = max(self._reserved_peaks[index], self._pool.total_bytes())
                self._pool.free_all_blocks()

    def limit(self, fraction: float, index: int) -> None:
        """Refuse what exceeds a fraction of a device's memory; 1 removes the limit."""
        with self._cupy.cuda.Device(index):
            if fraction >= 1:
                self._pool.set_limit(size=0)
            else:
                # CuPy reads a limit of 0 as none.
                self._pool.set_limit(size=max(1, int(fraction * self._cupy.cuda.runtime.memGetInfo()[1])))
