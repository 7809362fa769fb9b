"""The device ``torch``: PyTorch's CPU tensors as arrays, outside its own autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import array_api_compat.torch as compat
import numpy as np
import torch

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array, Kernel
from tensorcore.dtypes import BOOL, COMPLEX, DType, bfloat16, bool_, uint16, uint32, uint64
from tensorcore_array_api.backend import LibraryBackend
from tensorcore_array_api.torch_solving import TorchSolving

#: Formats of which PyTorch has arrays and conversions, but few kernels.
_WIDE_UNSIGNED: Final = (uint16, uint32, uint64)
#: What it has for them all the same.
_ON_WIDE_UNSIGNED: Final = frozenset(
    (
        "alias", "assign", "basic_index", "cast", "cat", "copy", "eq", "expand", "full", "ne", "permute",
        "random_words", "reshape", "sort", "where",
    )
)  # fmt: skip
#: Binary ops whose function takes ``out=`` and runs at full speed over one of its operands.
_WRITERS: Final = frozenset(("add", "sub", "mul", "div", "maximum", "minimum", "pow"))

_TRANSFORMS: Final = frozenset(("fft_c2c", "fft_r2c", "fft_c2r"))


class TorchBackend(TorchSolving, LibraryBackend):
    """Tensors of PyTorch that never require grad, in host memory."""

    tensorcore_conformance_exceptions = (
        {"op": "remainder", "cases": "special/*", "reason": "PyTorch's is NaN in vectors where the quotient overflows"},
        {"op": "fmod", "cases": "special/*", "reason": "made of PyTorch's remainder"},
        {"op": "matmul", "cases": "long/*", "dtypes": ("float32",), "reason": "PyTorch adds long columns one by one"},
        {
            "op": "cast",
            "cases": "halves/float64/float16",
            "dtypes": ("float64",),
            "reason": "PyTorch goes from float64 to float16 by float32, which rounds twice",
        },
    )

    def __init__(self) -> None:
        super().__init__("torch", compat)
        self.array_type = torch.Tensor
        self._over_numpy = ArrayModuleBackend("torch", np)
        self._wide_unsigned = {self.natives[each] for each in _WIDE_UNSIGNED}

    def native_dtypes(self) -> dict[DType, Any]:
        return {**super().native_dtypes(), bfloat16: torch.bfloat16}

    def native_device(self, index: int) -> Any:
        return None

    # ---------------------------------------------------------------- choice of kernels

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        if dtype in _WIDE_UNSIGNED and name not in _ON_WIDE_UNSIGNED:
            found = self._over_numpy.kernel(name, dtype, index)
            return None if found is None else _through_numpy(found)
        own = getattr(self, name, None)
        if name in _TRANSFORMS:
            # MKL refuses batches of no transforms.
            empty = _through_numpy(getattr(self._over_numpy, name))
            return lambda input, **asked: (own if input.numel() else empty)(input, **asked)
        if own is None and name in self.DIRECT and dtype is not bool_:
            # The compatibility layer promotes dtypes, which the core has done: PyTorch's own function is faster.
            return getattr(torch, name)
        return super().kernel(name, dtype, index)

    def inplace_kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        if name in _WRITERS and dtype.category != BOOL and dtype not in _WIDE_UNSIGNED:
            return getattr(torch, name)
        return None

    # ---------------------------------------------------------------- host memory

    def from_numpy(self, array: Any, dtype: DType, index: int) -> Array:
        # NumPy has no bfloat16 that PyTorch knows: its bits travel as int16.
        bits = array.view(np.int16) if dtype is bfloat16 else array
        made = torch.from_numpy(np.array(bits, order="C"))
        return made.view(torch.bfloat16) if dtype is bfloat16 else made

    def as_numpy(self, array: Array) -> Any:
        array = array.resolve_conj().resolve_neg()
        return array.view(torch.int16).numpy() if array.dtype is torch.bfloat16 else array.numpy()

    def to_numpy(self, array: Array) -> Any:
        return None if array.dtype is torch.bfloat16 else self.as_numpy(array)

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        return array.item()

    def share_host(self, data: Any, dtype: DType, shape: Sequence[int], strides: Sequence[int]) -> Array | None:
        # PyTorch has no negative strides and warns of memory that must not be written.
        if dtype is bfloat16 or any(step < 0 for step in strides):
            return None
        array = np.asarray(data) if isinstance(data, np.ndarray) else np.ndarray(
            tuple(shape), dtype.name, data, 0, tuple(strides)
        )  # fmt: skip
        return torch.from_numpy(array) if array.flags.writeable else None

    def strides(self, array: Array) -> tuple[int, ...]:
        return array.stride()

    def data_ptr(self, array: Array) -> int:
        return array.data_ptr()

    def from_dlpack(self, capsule_owner: Any, index: int, copy: bool | None) -> Array:
        made = torch.from_dlpack(capsule_owner)
        return made.clone() if copy else made

    def to_dlpack(self, array: Array, **options: Any) -> Any:
        return array.__dlpack__(**options)

    def assign(self, target: Array, source: Array) -> Array:
        if target.untyped_storage().data_ptr() == source.untyped_storage().data_ptr():
            # `copy_` refuses some overlapping memory and gets some wrong.
            source = source.clone()
        return target.copy_(source)

    # ---------------------------------------------------------------- creation and conversion

    def full(self, *, shape: tuple[int, ...], value: Any, dtype: DType, index: int) -> Array:
        if dtype is uint64 and value >= 1 << 63:
            # `torch.full` takes the value as int64.
            value -= 1 << 64
        return torch.full(shape, value, dtype=self.natives[dtype])

    def cast(self, input: Array, *, dtype: DType) -> Array:
        if input.dtype.is_complex and BOOL < dtype.category < COMPLEX:
            input = input.real
        return input.to(self.natives[dtype])

    def complex(self, real: Array, imag: Array) -> Array:
        # PyTorch's complex numbers of 16-bit parts are none of tensorcore's dtypes.
        parts = (real, imag) if real.dtype is torch.float64 else (real.float(), imag.float())
        return torch.complex(*parts)

    def copy(self, input: Array) -> Array:
        return input.clone(memory_format=torch.contiguous_format)

    def as_strided(
        self, input: Array, *, size: tuple[int, ...], stride: tuple[int, ...], shift: int, own: tuple[int, ...]
    ) -> Array:
        return torch.as_strided(input, size, stride, input.storage_offset() + shift)

    def view_as_real(self, input: Array) -> Array:
        return torch.view_as_real(input.resolve_conj())

    def view_as_complex(self, input: Array) -> Array:
        # Of tensors without elements PyTorch takes any strides for a gap.
        return torch.view_as_complex(input if input.numel() else input.new_empty(input.shape))

    def conj_physical(self, input: Array) -> Array:
        # PyTorch's returns real numbers themselves.
        return torch.conj_physical(input) if input.is_complex() else input.clone()

    def floor_divide(self, input: Array, other: Array) -> Array:
        return torch.floor_divide(input, other) if input.is_floating_point() else super().floor_divide(input, other)

    def remainder(self, input: Array, other: Array) -> Array:
        return torch.remainder(input, other) if input.is_floating_point() else super().remainder(input, other)

    # ---------------------------------------------------------------- reductions

    def sum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        # An empty ``dim`` means all of them to PyTorch, and none to the record.
        if not dim:
            return input.to(self.natives[dtype], copy=True)
        return torch.sum(input, dim, keepdim, dtype=self.natives[dtype])

    def amax(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return torch.amax(input, dim, keepdim) if dim else input.clone()

    def amin(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return torch.amin(input, dim, keepdim) if dim else input.clone()

    def any(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return torch.any(input != 0, dim, keepdim) if dim else input != 0

    def all(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return torch.all(input != 0, dim, keepdim) if dim else input != 0

    def cumsum(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return torch.cumsum(input, dim, dtype=self.natives[dtype])

    def cumprod(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return torch.cumprod(input, dim, dtype=self.natives[dtype])

    def sort(self, input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        native = input.dtype
        if native in self._wide_unsigned:
            # In the order of int64: uint64 keeps its order when the sign bit is turned.
            turn = torch.iinfo(torch.int64).min if native is torch.uint64 else 0
            keys = input.view(torch.int64) ^ turn if turn else input.to(torch.int64)
            values, places = torch.sort(keys, dim=dim, descending=descending, stable=True)
            return ((values ^ turn).view(native) if turn else values.to(native)), places
        values, places = torch.sort(input, dim=dim, descending=descending, stable=True)
        return values, places

    # ---------------------------------------------------------------- shape

    def reshape(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        return input.reshape(shape)

    def permute(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        return input.permute(dims)

    def expand(self, input: Array, *, shape: tuple[int, ...]) -> Array:
        return input.expand(shape)

    def flip(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        return torch.flip(input, dims)

    def cat(self, *tensors: Array, dim: int) -> Array:
        return torch.cat(tensors, dim)

    # ---------------------------------------------------------------- indexing by arrays

    def _check(self, sides: Sequence[int], indices: Sequence[Array]) -> None:
        # PyTorch counts negative ones from the end, and the core has done that already.
        for side, index in zip(sides, indices, strict=False):
            if index.numel():
                low, high = (each.item() for each in torch.aminmax(index))
                if low < 0 or high >= side:
                    raise IndexError(f"indices from {low} to {high} are out of range for a side of {side}")

    def index(self, input: Array, *indices: Array) -> Array:
        self._check(input.shape, indices)
        return input[indices]

    def index_put(self, input: Array, value: Array, *indices: Array, accumulate: bool) -> Array:
        self._check(input.shape, indices)
        if not accumulate:
            return self._written(input, lambda out, new: out.__setitem__(tuple(i.numpy() for i in indices), new), value)
        count = len(indices)
        rest = input.shape[count:]
        places = torch.zeros((), dtype=torch.int64)
        for side, index in zip(input.shape, indices, strict=False):
            places = places * side + index
        # `index_put` adds floats in any order when there are many; `index_add` has one order.
        rows = input.reshape(-1, *rest).index_add(0, places.reshape(-1), value.reshape(-1, *rest))
        return rows.reshape(input.shape)

    def _written(self, input: Array, write: Callable[[Any, Any], None], value: Array) -> Array:
        """A copy of ``input`` that ``write(copy, value)`` writes into, as NumPy arrays of bits.

        NumPy keeps the last of several values for one place; PyTorch leaves open which.
        """
        out = self.copy(input)
        write(_bits(out), _bits(value.resolve_conj()))
        return out

    def gather(self, input: Array, index: Array, *, dim: int) -> Array:
        self._check((input.shape[dim],), (index,))
        return torch.gather(input, dim, index)

    def scatter(self, input: Array, index: Array, src: Array, *, dim: int, reduce: str) -> Array:
        self._check((input.shape[dim],), (index,))
        if reduce == "set":
            places: list[Any] = list(np.ogrid[tuple(slice(side) for side in index.shape)])
            places[dim] = index.numpy()
            return self._written(input, lambda out, new: out.__setitem__(tuple(places), new), src)
        if reduce == "sum":
            return torch.scatter_add(input, dim, index, src)
        if input.is_complex():
            # `scatter_reduce` has no complex product.
            return super().scatter(input, index, src, dim=dim, reduce=reduce)
        return torch.scatter_reduce(input, dim, index, src, reduce, include_self=True)

    def nonzero_places(self, input: Array) -> Array:
        return torch.nonzero(input)


def _bits(array: Any) -> Any:
    """The memory of a tensor as a NumPy array of a dtype that NumPy has."""
    if array.dtype is torch.bfloat16:
        array = array.view(torch.int16)
    return array.numpy()


def _through_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function over the same memory."""

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        with np.errstate(all="ignore"):
            result = function(*[each if each is None else each.numpy() for each in arrays], **attributes)
        if isinstance(result, tuple):
            return tuple(torch.from_numpy(np.ascontiguousarray(each)) for each in result)
        # NumPy returns scalars for 0-d results.
        return torch.from_numpy(np.require(result, requirements=("C", "W")))

    return kernel
