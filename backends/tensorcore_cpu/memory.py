"""The allocator's thresholds: memory of freed arrays is kept for the next ones.

A step of training frees and asks for arrays of the same sizes over and over. By its defaults glibc gives the memory
back to the system whenever twice the size of the largest freed array lies at the end of the heap, and each new array
then costs a page fault for every 4 KiB, which takes longer than the arithmetic.
"""

from __future__ import annotations

import os
import platform

#: Freed bytes at the end of the heap that stay with the process.
KEPT = 256 << 20
#: Arrays from this size on come of the system directly, and go back to it; glibc before 2.26 accepts no more than this.
LARGEST = 32 << 20

# The numbers of M_TRIM_THRESHOLD and M_MMAP_THRESHOLD in malloc.h.
_TRIM, _MMAP = -1, -3
#: What users set to choose for themselves.
_CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")


def keep_freed_memory() -> bool:
    """Raise the thresholds of glibc's allocator for this process; tells whether that was done.

    Left alone are other C libraries, and thresholds that the environment sets, by glibc's own variables
    ``MALLOC_TRIM_THRESHOLD_`` and ``MALLOC_MMAP_THRESHOLD_`` or in ``GLIBC_TUNABLES``.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    if any(name in os.environ for name in _CHOICES) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # Both, as setting one of them ends glibc's own adjustment of the other.
    return mallopt is not None and all([mallopt(_MMAP, LARGEST), mallopt(_TRIM, KEPT)])
