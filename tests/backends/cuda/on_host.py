"""The CUDA backend on a host without a GPU: NumPy in CuPy's place, generated kernels compiled as C++.

What runs is the backend's own code and its own kernel sources: every thread of every block, one after another, or at
once where they share memory. Not covered is what only a GPU does: CuPy's kernels, PTX, the GPU's `expf`, timing.

Compiling each kernel alone would take minutes, so a set of cases is run twice: first kernels are only noted, then
all are compiled together and the cases run.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tensorcore.dtypes import bfloat16
from tensorcore_cuda.backend import CudaBackend
from tensorcore_cuda.indexcode import WORDS
from tensorcore_cuda.launch import Library
from tensorcore_cuda.natives import NATIVE
from tensorcore_cuda.prelude import DEVICE, PORTABLE
from tensorcore_cuda.rowcode import row_shared
from tensorcore_cuda.staging import Staging

COMPILER = shutil.which("g++")

#: What `DEVICE` has, without PTX.
HOST = r"""
#include <cmath>
#include <cstring>
#include <cstddef>
#include <thread>
#include <vector>
#include <pthread.h>
#define __device__
#define __global__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(x)
struct ulonglong2 { unsigned long long x, y; };
static thread_local struct { int x; } threadIdx, blockIdx, blockDim;
static pthread_barrier_t barrier;
static void __syncthreads() { pthread_barrier_wait(&barrier); }
struct half_bits { unsigned short bits; };
struct bfloat_bits { unsigned short bits; };
static unsigned int __float_as_uint(float f) { unsigned int w; memcpy(&w, &f, 4); return w; }
static float __uint_as_float(unsigned int w) { float f; memcpy(&f, &w, 4); return f; }
static float load(half_bits h) { _Float16 f; memcpy(&f, &h, 2); return (float)f; }
static float load(bfloat_bits h) { return __uint_as_float((unsigned int)h.bits << 16); }
template <typename T> static T load(T x) { return x; }
static void store(half_bits& h, float f) { _Float16 n = (_Float16)f; memcpy(&h, &n, 2); }
static void store(half_bits& h, double d) { _Float16 n = (_Float16)d; memcpy(&h, &n, 2); }
static void store(bfloat_bits& h, float f) {
  unsigned int word = __float_as_uint(f);
  h.bits = f != f ? 0x7fc0 : (unsigned short)((word + 0x7fff + (word >> 16 & 1)) >> 16);
}
template <typename T> static void store(T& place, T x) { place = x; }
template <typename T> static T infinity() { return (T)INFINITY; }
static int bits_of(float x) { int w; memcpy(&w, &x, 4); return w; }
static long long bits_of(double x) { long long w; memcpy(&w, &x, 8); return w; }
static double linear(double start, double step, double i) { volatile double p = step * i; return start + p; }
static float rsqrtf(float x) { return 1 / sqrtf(x); }
static double rsqrt(double x) { return 1 / sqrt(x); }
static unsigned int __umulhi(unsigned int a, unsigned int b) { return (unsigned long long)a * b >> 32; }
template <typename T> static void atomicAdd(T* place, T x) { *place += x; }
template <typename T> static void atomicMin(T* place, T x) { if (x < *place) *place = x; }
template <typename T> static void atomicMax(T* place, T x) { if (x > *place) *place = x; }
template <typename T> static T atomicCAS(T* place, T expected, T value) {
  T seen = *place; if (seen == expected) *place = value; return seen;
}
"""

_PARAMETERS = re.compile(r'extern "C" __global__ void (?:__launch_bounds__\(\d+\) )?(\w+)\((.*?)\) \{', re.S)


class HostKernels:
    """Stands in for ``cupy.RawKernel``: kernels are noted until `build`, and run from then on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}
        self.library: ctypes.CDLL | None = None

    def __call__(self, source: str, name: str, options: tuple[str, ...]) -> HostKernel:
        text = source
        for shared in (DEVICE, PORTABLE, WORDS, row_shared()):
            text = text.replace(shared, "")
        if self.library is None:
            self.texts[name] = text
        elif name not in self.texts:
            raise AssertionError(f"kernel {name} was not met in the first run")
        return HostKernel(self, name)

    def build(self) -> None:
        """Compile what was noted."""
        parts = [HOST, PORTABLE, WORDS, row_shared()]
        for text in self.texts.values():
            parts.append(text)
            parts += [_caller(name, parameters, "__shared__" in text) for name, parameters in _PARAMETERS.findall(text)]
        source, library = self.folder / "kernels.cpp", self.folder / "kernels.so"
        source.write_text("".join(parts))
        options = ["-std=c++17", "-O0", "-fPIC", "-shared", "-pthread", "-ffp-contract=off", "-w"]
        subprocess.run([str(COMPILER), *options, "-o", str(library), str(source)], check=True)
        self.library = ctypes.CDLL(str(library))


def _caller(name: str, parameters: str, together: bool) -> str:
    """A function that runs all threads of a kernel; those of a block together where they share memory."""
    names = ", ".join(part.split()[-1].lstrip("*") for part in parameters.split(","))
    one = f"blockIdx.x = block_; threadIdx.x = thread_; blockDim.x = threads_; {name}({names});"
    if together:
        body = (
            "pthread_barrier_init(&barrier, 0, threads_);\n"
            "  for (int block_ = 0; block_ < blocks_; ++block_) {\n    std::vector<std::thread> all;\n"
            f"    for (int thread_ = 0; thread_ < threads_; ++thread_) all.emplace_back([=] {{ {one} }});\n"
            "    for (auto& each : all) each.join();\n  }\n"
        )
    else:
        body = (
            "for (int block_ = 0; block_ < blocks_; ++block_)\n"
            f"    for (int thread_ = 0; thread_ < threads_; ++thread_) {{ {one} }}\n"
        )
    return f'extern "C" void run_{name}(int blocks_, int threads_, {parameters}) {{\n  {body}}}\n'


class HostKernel:
    """One kernel, launched as a ``RawKernel`` is."""

    def __init__(self, kernels: HostKernels, name: str) -> None:
        self.kernels = kernels
        self.name = name

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
        if self.kernels.library is not None:
            values: list[Any] = [ctypes.c_int(grid[0]), ctypes.c_int(block[0]), *map(_value, arguments)]
            getattr(self.kernels.library, f"run_{self.name}")(*values)


def _value(argument: Any) -> Any:
    if isinstance(argument, np.ndarray) and argument.dtype.names:
        layout = type("Layout", (ctypes.Structure,), {"_fields_": [("bytes", ctypes.c_char * argument.nbytes)]})
        return layout.from_buffer_copy(argument.tobytes())
    if isinstance(argument, np.ndarray):
        return ctypes.c_void_p(argument.ctypes.data)
    if argument is None:
        return ctypes.c_void_p(None)
    return ctypes.c_double(argument) if isinstance(argument, float) else ctypes.c_longlong(argument)


class Pointer:
    """What ``cupy.ndarray.data`` is."""

    def __init__(self, ptr: int, owner: Any) -> None:
        self.ptr = ptr
        self.owner = owner

    def __add__(self, offset: int) -> Pointer:
        return Pointer(self.ptr + offset, self.owner)

    def seen(self, shape: tuple[int, ...], dtype: Any, strides: Any) -> Any:
        """The memory from here on as an array of these strides in bytes, or in row-major order."""
        owner = self.owner
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        memory = np.asarray(owner).reshape(-1).view(np.uint8)
        start = self.ptr - memory.ctypes.data
        return np.ndarray(shape, dtype, memory.data, start, strides).view(HostArray)

    def copy_from_host_async(self, address: int, size: int) -> None:
        ctypes.memmove(self.ptr, address, size)

    def copy_to_host_async(self, address: int, size: int) -> None:
        ctypes.memmove(address, self.ptr, size)


class HostArray(np.ndarray):
    """A NumPy array with the attributes of CuPy's that the backend uses."""

    @property
    def _c_contiguous(self) -> bool:
        return self.flags.c_contiguous

    @property
    def data(self) -> Pointer:  # type: ignore[override]
        return Pointer(self.ctypes.data, self)

    @property
    def device(self) -> Any:  # type: ignore[override]
        return HostDevice(0)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return np.asarray(array).view(HostArray)


class HostDevice(contextlib.nullcontext):  # type: ignore[type-arg]
    """What ``cupy.cuda.Device`` is."""

    def __init__(self, id: int) -> None:
        super().__init__()
        self.id = id


class HostEvent:
    """An event that happened when it was recorded."""

    done = True

    def __init__(self, **options: bool) -> None:
        self.options = options

    def record(self, stream: Any = None) -> None:
        """Nothing is pending on a host."""

    def synchronize(self) -> None:
        """Nothing to wait for."""


class Pinned(np.ndarray):
    """A block of host memory with an address."""

    @property
    def ptr(self) -> int:
        return self.ctypes.data


class HostEngine:
    """NumPy's functions as a stand-in for CuPy's, on `HostArray`."""

    def __init__(self, noting: bool) -> None:
        self._noting = noting
        self.cuda = SimpleNamespace(
            Device=HostDevice,
            Event=HostEvent,
            alloc_pinned_memory=lambda size: np.empty(size, np.uint8).view(Pinned),
            pinned_memory=SimpleNamespace(is_memory_pinned=lambda address: False),
        )

    def ndarray(self, shape: Any, dtype: Any = np.float64, memory: Any = None, strides: Any = None) -> Any:
        """Memory seen by strides; or new: zeros while kernels are only noted, for indices in range, later anything."""
        if memory is not None:
            return memory.seen(tuple(shape), np.dtype(dtype), strides)
        made = np.zeros(shape, dtype).view(HostArray)
        if not self._noting and made.size:
            np.frombuffer(made.reshape(-1).view(np.uint8), np.uint8)[:] = 0x5A
        return made

    empty = ndarray

    def argsort(self, array: Any, axis: int = -1) -> Any:
        """CuPy's is stable, as Thrust's `stable_sort_by_key`."""
        return np.argsort(array, axis=axis, kind="stable").view(HostArray)

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if isinstance(found, type) or not callable(found):
            return found

        def function(*args: Any, **kwargs: Any) -> Any:
            return _host(found(*args, **kwargs))

        return function


def _host(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(_host, result))
    return np.asarray(result).view(HostArray) if isinstance(result, (np.ndarray, np.generic)) else result


class Unwilling:
    """A cuDNN that supports nothing, so that convolutions go by their expressions."""

    def run(self, *arguments: Any) -> bool:
        """Nothing is computed."""
        return False


class HostCuda(CudaBackend):
    """The backend over `HostEngine`."""

    def __init__(self, kernels: HostKernels) -> None:
        self.name = "cuda"
        self.xp = HostEngine(noting=kernels.library is None)
        self.mutable = True
        self.natives = NATIVE
        self.array_type = HostArray
        self.runtime = SimpleNamespace(
            device_count=lambda: 1, is_capturing=lambda: False, synchronize=lambda index: None,
            current_device=lambda: 0, current_stream=lambda index: "default", stream_handle=lambda stream: 0,
        )  # fmt: skip
        self.cudnn = Unwilling()
        self.library = Library(self.xp, kernels)
        self.staging = Staging(self.xp.cuda.alloc_pinned_memory, piece=64)
        self._computed = {}
        self._casts = {}
        from tensorcore.backend import Capabilities

        self._capabilities = Capabilities(deterministic=False, asynchronous=True)

    def as_array(self, value: Any) -> Any:
        return np.asarray(value).view(HostArray)

    def matmul(self, input: Any, other: Any) -> Any:
        # NumPy has no product of bfloat16; CuPy has.
        if input.dtype == NATIVE[bfloat16]:
            wide = super().matmul(input.astype(np.float32), other.astype(np.float32))
            return wide.astype(NATIVE[bfloat16])
        return super().matmul(input, other)
