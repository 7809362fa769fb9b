"""The backend ``cuda``: CuPy, with generated kernels for elementwise ops. CuPy is imported when the backend is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from tensorcore.backend.contract import Array, Capabilities, Kernel
from tensorcore.dtypes import COMPLEX, FLOATING, DType, bfloat16, bool_, float64, int64
from tensorcore_cuda.availability import usable_cupy
from tensorcore_cuda.codegen import cast_function, elementwise_function
from tensorcore_cuda.convolution import CONVOLUTIONS, ConvolutionKernels
from tensorcore_cuda.factorizations import FactorizationKernels
from tensorcore_cuda.fourier import TransformKernels
from tensorcore_cuda.fused import FusedKernels, signed
from tensorcore_cuda.indexcode import index_source, part_text
from tensorcore_cuda.indexing import IndexingKernels
from tensorcore_cuda.launch import Elementwise, Library
from tensorcore_cuda.natives import NATIVE, dtype_of_native
from tensorcore_cuda.optimizercode import UPDATES
from tensorcore_cuda.optimizers import OptimizerKernels
from tensorcore_cuda.plans import BLOCK, blocks
from tensorcore_cuda.products import ProductKernels
from tensorcore_cuda.reductions import ReductionKernels
from tensorcore_cuda.rowcode import ROW_OPS
from tensorcore_cuda.runtime import CupyRuntime
from tensorcore_cuda.solvers import SolverKernels
from tensorcore_cuda.staging import Staging

__all__ = ["COMPLEX_UFUNCS", "REAL_ONLY", "CudaBackend"]

#: CuPy's functions for complex numbers, which are not generated.
COMPLEX_UFUNCS: Final = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "true_divide", "pow": "power", "neg": "negative",
    "abs": "absolute", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "sqrt": "sqrt", "sin": "sin",
    "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "conj_physical": "conjugate",
    "eq": "equal", "ne": "not_equal", "where": "where", "isnan": "isnan",
}  # fmt: skip

#: Composites whose kernels here are for real numbers.
REAL_ONLY: Final = UPDATES | ROW_OPS | CONVOLUTIONS | {"gelu", "gelu_gradient"}

#: DLPack's device types.
_DLPACK_CPU: Final = 1
_DLPACK_CUDA: Final = 2


class CudaBackend(
    TransformKernels, FactorizationKernels, SolverKernels, FusedKernels, ConvolutionKernels, OptimizerKernels,
    ReductionKernels, IndexingKernels, ProductKernels,
):  # fmt: skip
    """CuPy arrays in the memory of NVIDIA GPUs.

    Raises:
        BackendUnavailableError: where CuPy, a driver or a GPU is missing; the message says which.
    """

    host_memory: ClassVar[bool] = False

    def __init__(self) -> None:
        self.name = "cuda"
        self.xp = usable_cupy()
        self.mutable = True
        self.natives = NATIVE
        self.array_type = self.xp.ndarray
        self.runtime = CupyRuntime(self.xp)
        self.library = Library(self.xp)
        self.staging = Staging(self.xp.cuda.alloc_pinned_memory)
        self.runtime.before_capture = self.prepare_recording
        self._computed: dict[tuple[str, DType], Elementwise] = {}
        self._casts: dict[tuple[DType, DType], Elementwise] = {}
        self._capabilities = Capabilities(
            dtypes=frozenset(NATIVE),
            # Sums at places that come twice add in the order in which threads arrive.
            deterministic=False,
            asynchronous=True,
        )

    # ---------------------------------------------------------------- devices

    def capabilities(self, index: int) -> Capabilities:
        return self._capabilities

    def device_count(self) -> int:
        return self.runtime.device_count()

    def native_device(self, index: int) -> Any:
        return self.xp.cuda.Device(index)

    def synchronize(self, index: int) -> None:
        self.runtime.synchronize(index)

    # ---------------------------------------------------------------- choice of kernels

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        found = self._found(name, dtype)
        if found is None or self.runtime.device_count() == 1:
            return found
        return on_device(found, index, self.xp.cuda)

    def _found(self, name: str, dtype: DType) -> Kernel | None:
        if dtype.category == COMPLEX:
            ufunc = COMPLEX_UFUNCS.get(name)
            if ufunc:
                return getattr(self.xp, ufunc)
            return None if name in REAL_ONLY else getattr(self, name, None)
        if elementwise_function(name, dtype) is not None:
            return self.compute(name, dtype)
        if name in CONVOLUTIONS and not self.has_convolution(dtype):
            return None
        return getattr(self, name, None)

    def compute(self, name: str, dtype: DType) -> Elementwise:
        """The generated kernel of an elementwise function; raises KeyError where there is none."""
        found = self._computed.get((name, dtype))
        if found is None:
            function = elementwise_function(name, dtype)
            if function is None:
                raise KeyError(f"no elementwise kernel {name!r} for {dtype}")
            found = self._computed[name, dtype] = Elementwise(self.library, function)
        return found

    def inplace_kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        found: Kernel
        if name in UPDATES and dtype.category == FLOATING:
            found = getattr(self, name)
        else:
            function = elementwise_function(name, dtype)
            if function is None or function.result is not dtype or name == "where":
                return None
            found = self.compute(name, dtype)
        return found if self.runtime.device_count() == 1 else on_device(found, index, self.xp.cuda)

    # ---------------------------------------------------------------- host memory

    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int, non_blocking: bool = False) -> Array:
        view = memoryview(data).cast("B")
        with self.native_device(index):
            out = self.xp.ndarray(tuple(shape), NATIVE[dtype])
            if len(view):
                if is_pinned(self.xp, view):
                    self._send(out, 0, np.frombuffer(view, np.uint8).ctypes.data, len(view))
                    if not non_blocking:
                        # The caller may change its memory as soon as this returns.
                        self._mark().synchronize()
                else:
                    self.staging.upload(view, lambda *piece: self._send(out, *piece), self._mark)
        return out

    def upload(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        return self.from_host(data, dtype, shape, index, non_blocking=True)

    def move(self, array: Array, index: int) -> Array:
        # CuPy copies from device to device when an array is taken over under another current device.
        with self.native_device(index):
            return self.xp.array(array)

    def current_index(self) -> int:
        return self.runtime.current_device()

    def to_host(self, array: Array) -> memoryview:
        with array.device:
            rows = self.row_major(array)
            if rows.nbytes == 0:
                return memoryview(b"")
            return self.staging.download(rows.nbytes, lambda *piece: self._receive(rows, *piece), self._mark)

    def _send(self, array: Array, offset: int, address: int, size: int) -> None:
        (array.data + offset).copy_from_host_async(address, size)

    def _receive(self, array: Array, offset: int, address: int, size: int) -> None:
        (array.data + offset).copy_to_host_async(address, size)

    def _mark(self) -> Any:
        event = self.xp.cuda.Event(disable_timing=True)
        event.record()
        return event

    def pinned_memory(self, size: int) -> Any:
        """A writable buffer of ``size`` bytes of pinned host memory, which transfers read and write directly."""
        return np.frombuffer(self.xp.cuda.alloc_pinned_memory(size), np.uint8, size)

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        value = array.item()
        return float(value) if dtype is bfloat16 else value

    def to_numpy(self, array: Array) -> None:
        """Always ``None``: memory of a GPU is not the host's."""
        return None

    def dtype_of(self, array: Array) -> DType:
        return dtype_of_native(array.dtype)

    def as_array(self, value: Any) -> Array:
        return self.xp.asarray(value)

    def strides(self, array: Array) -> tuple[int, ...]:
        size = array.itemsize
        return tuple([step // size for step in array.strides])

    def data_ptr(self, array: Array) -> int:
        return int(array.data.ptr)

    def assign(self, target: Array, source: Array) -> Array:
        if self.runtime.device_count() == 1:
            self.bits(target)[...] = self.bits(source)
        else:
            with target.device:
                self.bits(target)[...] = self.bits(source)
        return target

    # ---------------------------------------------------------------- DLPack

    def from_dlpack(self, capsule_owner: Any, index: int, copy: bool | None) -> Array:
        kind, number = capsule_owner.__dlpack_device__()
        if kind == _DLPACK_CPU:
            if copy is False:
                raise BufferError("DLPack: host memory cannot be shared with the device 'cuda'; it has to be copied")
            array = np.from_dlpack(capsule_owner)
            return self.from_host(np.ascontiguousarray(array).reshape(-1).view(np.uint8),
                                  dtype_of_native(array.dtype), array.shape, index)  # fmt: skip
        if kind != _DLPACK_CUDA:
            raise BufferError(f"DLPack: memory of device type {kind} cannot be read by the device 'cuda'")
        with self.native_device(number):
            array = self.xp.from_dlpack(capsule_owner)
        if number != index:
            if copy is False:
                raise BufferError(f"DLPack: the memory is on cuda:{number}, not on cuda:{index}; it has to be copied")
            with self.native_device(index):
                return self.xp.array(array, order="C")
        return self.copy(array) if copy else array

    def to_dlpack(self, array: Array, **options: Any) -> Any:
        with array.device:
            return array.__dlpack__(**options)

    def dlpack_device(self, array: Array) -> tuple[int, int]:
        return _DLPACK_CUDA, int(array.device.id)

    # ---------------------------------------------------------------- creation and conversion

    def full(self, *, shape: tuple[int, ...], value: Any, dtype: DType, index: int) -> Array:
        if not value and not is_negative_zero(value):
            # Cleared, not filled: no kernel runs.
            return self.xp.zeros(shape, NATIVE[dtype])
        out = self.xp.ndarray(shape, NATIVE[dtype])
        # A float beyond the format's range becomes infinite, which NumPy would warn of.
        with np.errstate(over="ignore"):
            number = np.asarray(value).astype(NATIVE[dtype])
        if dtype is bfloat16:
            self.bits(out).fill(number.view(np.uint16)[()])
        else:
            out.fill(number[()])
        return out

    def ramp(self, *, start: Any, step: Any, count: int, dtype: DType, index: int) -> Array:
        # Exact in int64 or rounded once from float64.
        whole = isinstance(start, int) and isinstance(step, int)
        wide = int64 if whole else float64
        out = self.xp.ndarray((count,), NATIVE[wide])
        if count:
            name = f"tc_ramp_{wide.name}"
            kernel = self.library.get(name, lambda: index_source(part_text(name)))
            first, each = (signed(start), signed(step)) if whole else (float(start), float(step))
            kernel((blocks(count),), (BLOCK,), (out, first, each, count))
        return out if dtype is wide else self.cast(out, dtype=dtype)

    def cast(self, input: Array, *, dtype: DType) -> Array:
        source = dtype_of_native(input.dtype)
        if source.category == COMPLEX or dtype.category == COMPLEX:
            return self._cast_complex(input, source, dtype)
        found = self._casts.get((source, dtype))
        if found is None:
            found = self._casts[source, dtype] = Elementwise(self.library, cast_function(source, dtype))
        return found(input)

    def _cast_complex(self, input: Array, source: DType, dtype: DType) -> Array:
        if dtype is bool_:
            return input != 0
        if dtype.category == COMPLEX:
            if source is bfloat16:
                input = self.cast(input, dtype=dtype.to_real())
            return input.astype(NATIVE[dtype])
        part = input.real
        return part.astype(NATIVE[dtype]) if source.to_real() is dtype else self.cast(part, dtype=dtype)

    def copy(self, input: Array) -> Array:
        return self.as_elements(self.bits(input).copy(order="C"), input.dtype)

    def row_major(self, array: Array) -> Array:
        """The array itself if its elements lie in row-major order, else a copy."""
        return array if array._c_contiguous else self.copy(array)

    def bits(self, array: Array) -> Array:
        """bfloat16 as the integers of its bits, for kernels of CuPy that move elements; others as they are."""
        return array.view(np.uint16) if array.dtype == NATIVE[bfloat16] else array

    def as_elements(self, array: Array, native: Any) -> Array:
        """What `bits` made integers as elements of ``native`` again."""
        return array if array.dtype == native else array.view(native)

    # ---------------------------------------------------------------- parts of complex numbers

    def real_part(self, input: Array) -> Array:
        # CuPy's is a view, and the op is none.
        return input.real.copy(order="C")

    def imag_part(self, input: Array) -> Array:
        return input.imag.copy(order="C")

    # ---------------------------------------------------------------- shape

    def reshape(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        return self.as_elements(self.bits(input).reshape(shape), input.dtype)

    def permute(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        return input.transpose(dims) if dims else input.view()

    def expand(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        return self.xp.broadcast_to(input, shape)

    def alias(self, input: Array) -> Array:
        return input.view()

    def as_strided(
        self, input: Array, *, size: tuple[int, ...], stride: tuple[int, ...], shift: int, own: tuple[int, ...]
    ) -> Array:
        steps = tuple([step * input.itemsize for step in stride])
        return self._seen(input, input.dtype, size, steps, shift * input.itemsize)

    def _seen(
        self, input: Array, native: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0
    ) -> Array:
        """The memory of ``input`` from ``offset`` bytes on, as an array of these strides in bytes."""
        return self.xp.ndarray(shape, native, input.data + offset, strides)

    def view_as_real(self, input: Array) -> Array:
        width = input.itemsize // 2
        native = np.dtype(f"f{width}")
        return self._seen(input, native, (*input.shape, 2), (*input.strides, width))

    def view_as_complex(self, input: Array) -> Array:
        return self._seen(input, np.dtype(f"c{2 * input.itemsize}"), input.shape[:-1], input.strides[:-1])

    def flip(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        # PyTorch copies; a view with negative strides would surprise those who read strides.
        return self.copy(self.xp.flip(input, dims) if dims else input)

    def cat(self, *tensors: Array, dim: int) -> Array:
        joined = self.xp.concatenate([self.bits(each) for each in tensors], axis=dim)
        return self.as_elements(joined, tensors[0].dtype)


def on_device(kernel: Callable[..., Any], index: int, cuda: Any) -> Callable[..., Any]:
    """``kernel`` run with device ``index`` current; nothing is switched where it is already."""
    current = cuda.runtime.getDevice
    device = cuda.Device

    def run(*arrays: Any, **attributes: Any) -> Any:
        if current() == index:
            return kernel(*arrays, **attributes)
        with device(index):
            return kernel(*arrays, **attributes)

    return run


def is_pinned(cupy: Any, view: memoryview) -> bool:
    """Whether a host buffer lies in pinned memory, as large ones that are sent again and again should."""
    # Asking the driver costs a microsecond, which small copies would feel.
    if len(view) < 2**16:
        return False
    return bool(cupy.cuda.pinned_memory.is_memory_pinned(np.frombuffer(view, np.uint8).ctypes.data))


def is_negative_zero(value: Any) -> bool:
    """Whether a number is zero with a sign bit set."""
    if not isinstance(value, (float, complex)):
        return False
    return any(math.copysign(1.0, part) < 0 for part in (value.real, value.imag))
