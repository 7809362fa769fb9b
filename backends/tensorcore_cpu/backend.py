"""The backend ``cpu``: what NumPy does otherwise than the Array API standard, or better."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array, Kernel
from tensorcore.devices import Device
from tensorcore.dtypes import INTEGER, DType, bfloat16, bool_, by_name, float16, float32, float64
from tensorcore.errors import DTypeError
from tensorcore.inquiry import thread_followers
from tensorcore.random import generator, mt19937
from tensorcore_cpu.attention import AttentionKernels
from tensorcore_cpu.blas import set_threads
from tensorcore_cpu.creating import CreationKernels
from tensorcore_cpu.dlpack import exported, imported
from tensorcore_cpu.draws import NAMES as DRAWS
from tensorcore_cpu.draws import DrawKernels
from tensorcore_cpu.embedding import EmbeddingKernels
from tensorcore_cpu.factorizations import FactorizationKernels
from tensorcore_cpu.fourier import TransformKernels
from tensorcore_cpu.grids import GridKernels
from tensorcore_cpu.indexing import IndexKernels
from tensorcore_cpu.jit.arithmetic import ARITHMETIC, arithmetic_into
from tensorcore_cpu.jit.conversions import converted
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.fused import compiled_kernel
from tensorcore_cpu.jit.places import shuffled
from tensorcore_cpu.joining import JoinKernels
from tensorcore_cpu.layers import LayerKernels
from tensorcore_cpu.losses import LossKernels
from tensorcore_cpu.memory import keep_freed_memory
from tensorcore_cpu.norms import NormKernels
from tensorcore_cpu.optimizer import OptimizerKernels
from tensorcore_cpu.ordering import OrderKernels
from tensorcore_cpu.pools import PoolKernels
from tensorcore_cpu.products import ProductKernels, matmul, matrix_product
from tensorcore_cpu.quiet import quiet, quiet1, quiet2, quiet3, quiet_out, quiet_reduce
from tensorcore_cpu.recurrent import RecurrentKernels
from tensorcore_cpu.resampling import ResampleKernels
from tensorcore_cpu.searching import SearchKernels
from tensorcore_cpu.select import SelectKernels, against_number
from tensorcore_cpu.solvers import SolveKernels
from tensorcore_cpu.sums import ChoiceKernels, product, total
from tensorcore_cpu.twister import fastest
from tensorcore_cpu.vectors import VectorKernels
from tensorcore_cpu.views import ViewKernels

_NATIVE: dict[DType, Any] = {
    by_name(name): np.dtype(name)
    for name in [
        "bool",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
}
_NATIVE[bfloat16] = np.dtype(ml_dtypes.bfloat16)
_DTYPES = {native: dtype for dtype, native in _NATIVE.items()}
_FLOAT32 = np.dtype("float32")

#: Ops that move elements and never compute with them.
_MOVES = frozenset(
    [
        "reshape",
        "permute",
        "expand",
        "flip",
        "cat",
        "stack",
        "roll",
        "repeat",
        "extended",
        "placed_in",
        "embedding",
        "basic_index",
        "basic_index_put",
        "index",
        "gather",
        "copy",
        "alias",
        "assign",
        "where",
        "from_front",
        "eye",
        "tril",
        "triu",
        "diagonal",
        "diag_embed",
        "index_select",
        "resampled_nearest",
        "as_strided",
        "view_as_real",
        "view_as_complex",
    ]
)
#: Ops whose kernels give NumPy no reason to warn, or keep it quiet where they call it.
_QUIET = frozenset((
    "all", "any", "argmax", "argmin", "full", "index_put", "one_hot", "random_words", "scatter", "search",
))  # fmt: skip
#: NumPy's name where it is not the standard's or the other is faster.
_UFUNCS = {
    "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "neg": np.negative, "pow": np.power,
    "round": np.rint, "conj_physical": np.conjugate, "atan2": np.arctan2, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "floor_divide": np.floor_divide,
    "remainder": np.remainder, "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
    "gt": np.greater, "ge": np.greater_equal, "bitwise_not": np.invert, "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
}  # fmt: skip


class CpuBackend(
    AttentionKernels,
    ChoiceKernels,
    CreationKernels,
    DrawKernels,
    EmbeddingKernels,
    GridKernels,
    FactorizationKernels,
    IndexKernels,
    JoinKernels,
    LayerKernels,
    LossKernels,
    NormKernels,
    OptimizerKernels,
    OrderKernels,
    PoolKernels,
    ProductKernels,
    SearchKernels,
    RecurrentKernels,
    ResampleKernels,
    SelectKernels,
    SolveKernels,
    TransformKernels,
    VectorKernels,
    ViewKernels,
    ArrayModuleBackend,
):
    """NumPy arrays in host memory."""

    def __init__(self) -> None:
        super().__init__("cpu", np, mutable=True)
        self.array_type = np.ndarray
        # Else 2.8 ms instead of 0.2 for x * y + y of a million elements, which is mostly page faults.
        keep_freed_memory()
        thread_followers.append(set_threads)
        mt19937.offer(fastest())
        self.drop_draws()
        generator.offer(shuffled)

    def native_dtypes(self) -> dict[DType, Any]:
        return _NATIVE

    def native_device(self, index: int) -> Any:
        return "cpu"

    # ---------------------------------------------------------------- choice of kernels

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        if name in ("cast", "linspace"):
            return quiet(getattr(self, name))
        half = dtype in (float16, bfloat16)
        plain = self._plain_kernel(name, float32 if half and name not in _MOVES else dtype, index)
        if name in _MOVES:
            return plain
        found = compiled_kernel(name, float32 if half else dtype, Device(self.name), plain)
        if found is None or not half:
            return found
        return quiet(_through_float32(found, _NATIVE[dtype], hasattr(OptimizerKernels, name)))

    def _plain_kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        """What NumPy does, or the code around it in this package, for all dtypes but those of 16 bits."""
        if dtype is bool_ and name in self.ON_BOOL:
            return getattr(np, self.ON_BOOL[name])
        if name == "leaky_relu" and not dtype.is_floating_point:
            return None  # the expression's comparison refuses complex numbers
        found: Any = _ufunc(name, dtype)
        if found is None:
            found = super().kernel(name, dtype, index)
        if found is None or name in _MOVES or name in _QUIET or name in DRAWS:
            return found
        if name == "ramp":
            # Made in the dtype asked for, beyond whose largest number is infinity.
            return quiet(found)
        if dtype.category <= INTEGER and name not in ("floor_divide", "remainder", "pow", "bitwise_left_shift", "cast"):
            return found
        if name in ("sum", "prod"):
            return quiet_reduce(product if name == "prod" else total, _NATIVE)
        if name in ("maximum", "minimum"):
            return quiet2(against_number(found))
        if name == "linear":
            return quiet3(found)
        if name == "matmul":
            return matrix_product(_NATIVE[dtype], quiet2(matmul))
        if isinstance(found, np.ufunc):
            return (quiet1 if found.nin == 1 else quiet2)(found)
        return quiet(found)

    def inplace_kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        if name == "basic_index_put":
            return self.put_part
        if name in ("tril", "triu"):
            return partial(self.clear_triangle, lower=name == "tril")
        if dtype in (float16, bfloat16):
            return None
        if name in ("index_put", "scatter"):
            return self.put_into if name == "index_put" else self.scatter_into
        if dtype is bool_:
            return None
        own = getattr(OptimizerKernels, name, None)
        if own is not None:
            return quiet(getattr(self, name))
        found = _ufunc(name, dtype)
        if found is None:
            return None
        plain = quiet_out(found)
        compiled = name in ARITHMETIC and dtype in (float32, float64) and isa() is not None
        return arithmetic_into(name, _NATIVE[dtype], plain) if compiled else plain

    # ---------------------------------------------------------------- host memory

    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        native = _NATIVE[dtype]
        if not math.prod(shape):
            return np.empty(tuple(shape), native)
        return np.array(np.frombuffer(data, native)).reshape(shape)

    def to_host(self, array: Array) -> memoryview:
        return memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8))

    def share_host(self, data: Any, dtype: DType, shape: Sequence[int], strides: Sequence[int]) -> Array | None:
        native = _NATIVE[dtype]
        if not (isinstance(data, np.ndarray) and data.dtype == native and data.shape == tuple(shape)):
            data = np.ndarray(tuple(shape), _NATIVE[dtype], data, 0, tuple(strides))
        return np.asarray(data) if data.flags.writeable else None

    def reinterpret(self, array: Array, dtype: DType) -> Array | None:
        return array.view(_NATIVE[dtype])

    def to_numpy(self, array: Array) -> Any:
        return array

    def dtype_of(self, array: Array) -> DType:
        try:
            return _DTYPES[array.dtype]
        except KeyError:
            raise DTypeError(f"device 'cpu': tensors have no dtype for NumPy's {array.dtype}") from None

    def as_array(self, value: Any) -> Array:
        return np.asarray(value)

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        value = array.item()
        return float(value) if dtype is bfloat16 else value

    def to_list(self, array: Array, dtype: DType) -> Any:
        return (array.astype(_FLOAT32) if dtype is bfloat16 else array).tolist()

    def strides(self, array: Array) -> tuple[int, ...]:
        size = array.itemsize
        return tuple([step // size for step in array.strides])

    def is_contiguous(self, array: Array) -> bool:
        return bool(array.flags.c_contiguous)

    def data_ptr(self, array: Array) -> int:
        return int(array.ctypes.data)

    def from_dlpack(self, capsule_owner: Any, index: int, copy: bool | None) -> Array:
        array = imported(capsule_owner, copy)
        return array if array.flags.writeable or copy is False else array.copy()

    def to_dlpack(self, array: Array, **options: Any) -> Any:
        return exported(array, **options)

    # ---------------------------------------------------------------- kernels

    def copy(self, input: Array) -> Array:
        return np.array(input, order="C")

    def cast(self, input: Array, *, dtype: DType) -> Array:
        native = _NATIVE[dtype]
        if input.dtype.kind == "c" and native.kind not in "cb":
            input = input.real
        return _as(input, native)

    def complex(self, real: Array, imag: Array) -> Array:
        wide = np.result_type(real.dtype, np.complex64) if real.dtype.kind == "f" else np.dtype(np.complex64)
        out = np.empty(np.broadcast_shapes(real.shape, imag.shape), wide)
        out.real, out.imag = real, imag
        return out

    def frexp(self, input: Array) -> tuple[Array, Array]:
        mantissa, exponent = np.empty(input.shape, input.dtype), np.empty(input.shape, np.int32)
        np.frexp(input, mantissa, exponent)
        finite = np.isfinite(input)
        if not finite.all():
            # Of what is not finite, the C library may say anything.
            exponent[~finite] = 0
        return mantissa, exponent

    def signbit(self, input: Array) -> Array:
        # One pass, and unlike the expression it sees the sign of NaN.
        return np.signbit(input)

    def reshape(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        return input.reshape(shape)

    def permute(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        return input.transpose(dims)

    def expand(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        # `np.broadcast_to` takes 4 µs; the constructor over the same memory takes 0.4.
        old = input.shape
        lead = len(shape) - len(old)
        if not input.flags.c_contiguous:
            return np.broadcast_to(input, shape)
        strides = [0] * lead + [
            0 if side != wide else step for side, wide, step in zip(old, shape[lead:], input.strides, strict=True)
        ]
        return np.ndarray(shape, input.dtype, input, 0, strides)

    def basic_index(self, input: Array, *, index: tuple[Any, ...]) -> Array:
        # Ints alone give NumPy's scalar, a copy; with an ellipsis they give a 0-d view.
        return input[(*index, ...)]

    def basic_index_put(self, input: Array, value: Array, *, index: tuple[Any, ...]) -> Array:
        out = np.array(input, order="C")
        out[index] = value
        return out

    def sum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return total(input, dim, _NATIVE[dtype], None, keepdim)

    def prod(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return product(input, dim, _NATIVE[dtype], None, keepdim)

    def amax(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return np.maximum.reduce(input, dim, None, None, keepdim)

    def amin(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return np.minimum.reduce(input, dim, None, None, keepdim)


def _ufunc(name: str, dtype: DType) -> Any:
    if dtype.category <= INTEGER and name in ("floor", "ceil", "trunc", "round"):
        return np.positive
    if name == "pow" and dtype.category == INTEGER:
        return None
    found = _UFUNCS.get(name) or (getattr(np, name, None) if name in ArrayModuleBackend.DIRECT else None)
    return found if isinstance(found, np.ufunc) else None


def _as(array: Array, native: Any) -> Array:
    """A copy of ``array`` as NumPy's ``native``; float16 goes through float32, which holds all its numbers."""
    found = converted(array, native)
    if found is not None:
        return found
    if array.dtype == _NATIVE[bfloat16] and native == _FLOAT32:
        # The upper half of the bits: half the time of its own conversion.
        bits = array.view(np.uint16).astype(np.uint32)
        bits <<= 16
        return bits.view(_FLOAT32)
    if array.dtype.char == "e" and native.kind == "f" and native.itemsize > 4:
        wide = converted(array, _FLOAT32)
        array = array if wide is None else wide
    return array.astype(native)


def _through_float32(function: Callable[..., Any], native: Any, whole: bool) -> Callable[..., Any]:
    """A kernel for 16-bit floats: computed in float32, rounded once.

    Of several outputs, those after the first are statistics, which stay float32 as in the expressions, unless
    ``whole``.
    """

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        wide = [_as(a, _FLOAT32) if a is not None and a.dtype == native else a for a in arrays]
        target = attributes.get("dtype")
        if target is not None and _NATIVE[target] == native:
            attributes["dtype"] = by_name("float32")
        result = function(*wide, **attributes)
        if isinstance(result, tuple):
            rounded = len(result) if whole else 1
            return tuple(_as(r, native) if r.dtype == _FLOAT32 and i < rounded else r for i, r in enumerate(result))
        asked = target is None or _NATIVE[target] == native
        return _as(result, native) if asked and result.dtype == _FLOAT32 else result

    return kernel
