"""CUDA sources of indexing kernels: bounds, writing and combining at places that come twice; ranges, random numbers."""

from __future__ import annotations

from typing import Final

from tensorcore.dtypes import DType
from tensorcore_cuda.expressions import C_TYPES
from tensorcore_cuda.prelude import DEVICE, PORTABLE

__all__ = ["COMBINED", "PARTS", "index_source", "part_text"]

#: Reductions at places, as what becomes of the element there, ``x``, and the one that comes, ``y``.
_REDUCTIONS: Final = {
    "sum": "x + y",
    "prod": "x * y",
    "amax": "(x >= y || x != x) ? x : y",
    "amin": "(x <= y || x != x) ? x : y",
}

#: The dtypes that `combine` kernels are made for: what compare-and-swap takes.
COMBINED: Final = frozenset(["int32", "uint32", "int64", "uint64", "float32", "float64"])

_HEAD = """  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= size) return;
"""

#: Kernels without a dtype: name -> text. Places below 0 or beyond the rows are left alone: they have been refused
#: before, or, while a graph is recorded, cannot be.
PARTS: Final = {
    # The first of `size` indices that lies outside [0, side), or `size`.
    "tc_bounds": (
        'extern "C" __global__ void tc_bounds('
        "const long long* indices, long long side, long long* first, long long size) {\n"
        + _HEAD
        + "  if (indices[i] < 0 || indices[i] >= side) atomicMin(first, i);\n}\n"
    ),
    # Which of the values for a row comes last.
    "tc_last": (
        'extern "C" __global__ void tc_last('
        "const long long* rows, long long count, long long* last, long long size) {\n"
        + _HEAD
        + "  if (rows[i] >= 0 && rows[i] < count) atomicMax(last + rows[i], i);\n}\n"
    ),
    "tc_ramp_int64": (
        'extern "C" __global__ void tc_ramp_int64(long long* out, long long start, long long step, long long size) {\n'
        + _HEAD
        + "  out[i] = (long long)((unsigned long long)start + (unsigned long long)step * (unsigned long long)i);\n}\n"
    ),
    "tc_ramp_float64": (
        'extern "C" __global__ void tc_ramp_float64(double* out, double start, double step, long long size) {\n'
        + _HEAD
        + "  out[i] = linear(start, step, (double)i);\n}\n"
    ),
    # Philox4x32-10 (Salmon et al., SC11): element i is word i % 4 of block offset + i / 4, its 24 low bits.
    "tc_philox_uniform": (
        'extern "C" __global__ void tc_philox_uniform(float* out, long long key, long long offset, long long size) {\n'
        "  const long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4;\n"
        "  if (i >= size) return;\n"
        "  const unsigned long long counter = (unsigned long long)offset + (unsigned long long)(i / 4);\n"
        "  unsigned int a = (unsigned int)counter, b = (unsigned int)(counter >> 32), c = 0, d = 0;\n"
        "  unsigned int k = (unsigned int)key, l = (unsigned int)((unsigned long long)key >> 32);\n"
        "  for (int round = 0; round < 10; ++round) {\n"
        "    const unsigned int left = __umulhi(0xD2511F53u, a), right = __umulhi(0xCD9E8D57u, c);\n"
        "    const unsigned int low_left = 0xD2511F53u * a, low_right = 0xCD9E8D57u * c;\n"
        "    a = right ^ b ^ k; b = low_right; c = left ^ d ^ l; d = low_left;\n"
        "    k += 0x9E3779B9u; l += 0xBB67AE85u;\n"
        "  }\n"
        "  const unsigned int words[4] = {a, b, c, d};\n"
        "  for (int j = 0; j < 4 && i + j < size; ++j)\n"
        "    out[i + j] = (float)(words[j] & 0xFFFFFFu) * 5.9604644775390625e-08f;\n}\n"
    ),
}

_UNITS = {1: "unsigned char", 2: "unsigned short", 4: "unsigned int", 8: "unsigned long long", 16: "ulonglong2"}


def place_kernel(itemsize: int) -> tuple[str, str]:
    """Writes row ``i`` of the values to row ``rows[i]``, the last where a row comes twice."""
    unit = _UNITS[itemsize]
    name = f"tc_place_{itemsize}"
    return name, (
        f'extern "C" __global__ void {name}({unit}* table, const long long* rows, const long long* last, '
        f"const {unit}* values, long long count, long long columns, long long size) {{\n{_HEAD}"
        "  const long long which = i / columns, row = rows[which];\n"
        "  if (row >= 0 && row < count && last[row] == which) table[row * columns + i % columns] = values[i];\n}\n"
    )


def combine_kernel(reduce: str, dtype: DType) -> tuple[str, str]:
    """Combines row ``i`` of the values into row ``rows[i]``, each element by compare-and-swap."""
    c_type = C_TYPES[dtype]
    word = "unsigned int" if dtype.itemsize == 4 else "unsigned long long"
    name = f"tc_combine_{reduce}_{dtype.name}"
    x = f"word_to<{c_type}>(seen)"
    if reduce == "sum":
        # The hardware adds; two's complement makes one addition of signed and unsigned.
        adds = c_type if dtype.is_floating_point or dtype.itemsize == 4 else word
        step = f"  atomicAdd(({adds}*)place, ({adds})y);\n"
    else:
        step = (
            f"  {word} seen = *({word}*)place, expected;\n  do {{\n    expected = seen;\n"
            f"    const {c_type} x = {x};\n"
            f"    seen = atomicCAS(({word}*)place, expected, to_word<{word}>(({c_type})({_REDUCTIONS[reduce]})));\n"
            "  } while (seen != expected);\n"
        )
    return name, (
        f'extern "C" __global__ void {name}({c_type}* table, const long long* rows, const {c_type}* values, '
        f"long long count, long long columns, long long size) {{\n{_HEAD}"
        "  const long long row = rows[i / columns];\n  if (row < 0 || row >= count) return;\n"
        f"  {c_type}* place = table + row * columns + i % columns;\n  const {c_type} y = values[i];\n{step}}}\n"
    )


WORDS: Final = """
template <typename T, typename W> __device__ __forceinline__ T word_to(W word) {
  union { W w; T t; } both; both.w = word; return both.t;
}
template <typename W, typename T> __device__ __forceinline__ W to_word(T value) {
  union { W w; T t; } both; both.t = value; return both.w;
}
"""


def part_text(name: str) -> str:
    """The text of a kernel without a dtype."""
    return PARTS[name]


def index_source(text: str) -> str:
    """The source of one of these kernels."""
    return DEVICE + PORTABLE + WORDS + text
