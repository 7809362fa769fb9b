"""CUDA sources of kernels that work along rows: a block of threads for each row of a row-major matrix.

Rows are read from memory twice or three times, of which the second comes from the cache for rows up to some thousands
of elements. Sums and maxima are taken in float for 16-bit floats, and by a tree in shared memory.
"""

from __future__ import annotations

from tensorcore.dtypes import DType
from tensorcore_cuda.expressions import C_TYPES, compute_type
from tensorcore_cuda.prelude import DEVICE, PORTABLE

__all__ = ["ROW_OPS", "ROW_THREADS", "row_kernel", "row_source"]

#: Threads of a block, a power of 2.
ROW_THREADS = 256

_REDUCE = """
template <typename T> __device__ T total(T* shared, T mine) {
  shared[threadIdx.x] = mine;
  __syncthreads();
  for (int half = @THREADS@ / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  T found = shared[0];
  __syncthreads();
  return found;
}
template <typename T> __device__ T highest(T* shared, T mine) {
  shared[threadIdx.x] = mine;
  __syncthreads();
  for (int half = @THREADS@ / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      T other = shared[threadIdx.x + half];
      if (!(shared[threadIdx.x] >= other) && shared[threadIdx.x] == shared[threadIdx.x]) shared[threadIdx.x] = other;
    }
    __syncthreads();
  }
  T found = shared[0];
  __syncthreads();
  return found;
}
"""

_HEAD = """
extern "C" __global__ void __launch_bounds__(@THREADS@) @NAME@(const @T@* a, @SECOND@@T@* out, long long columns) {
  __shared__ @C@ shared[@THREADS@];
  const long long row = (long long)blockIdx.x * columns;
"""

_EACH = "for (long long i = threadIdx.x; i < columns; i += @THREADS@)"

_HIGHEST = f"""  @C@ high = -infinity<@C@>();
  {_EACH} {{
    @C@ x = load(a[row + i]);
    if (!(high >= x) && high == high) high = x;
  }}
  high = highest(shared, high);
  @C@ sum = 0;
  {_EACH} sum += @EXP@(load(a[row + i]) - high);
  sum = total(shared, sum);
"""

#: The bodies by op: one operand ``a``, or two, ``a`` and ``b``.
_BODIES = {
    "softmax": f"{_HIGHEST}  {_EACH} store(out[row + i], (@C@)(@EXP@(load(a[row + i]) - high) / sum));\n",
    "log_softmax": f"""{_HIGHEST}  const @C@ logarithm = @LOG@(sum);
  {_EACH} store(out[row + i], (@C@)((load(a[row + i]) - high) - logarithm));
""",
    "softmax_gradient": f"""  @C@ sum = 0;
  {_EACH} sum += load(a[row + i]) * load(b[row + i]);
  sum = total(shared, sum);
  {_EACH} {{
    @C@ y = load(b[row + i]);
    store(out[row + i], (@C@)(load(a[row + i]) * y - y * sum));
  }}
""",
    "log_softmax_gradient": f"""  @C@ sum = 0;
  {_EACH} sum += load(a[row + i]);
  sum = total(shared, sum);
  {_EACH} store(out[row + i], (@C@)(load(a[row + i]) - @EXP@(load(b[row + i])) * sum));
""",
}

ROW_OPS = frozenset(_BODIES)


def row_kernel(op: str, dtype: DType) -> tuple[str, str]:
    """The (name, text) of the kernel of a row op for ``dtype``, without what kernels share."""
    name = f"tc_{op}_{dtype.name}"
    computed = compute_type(dtype)
    suffix = "" if computed == "double" else "f"
    text = _HEAD + _BODIES[op] + "}\n"
    for mark, value in {
        "THREADS": str(ROW_THREADS), "NAME": name, "T": C_TYPES[dtype], "C": computed,
        "SECOND": f"const {C_TYPES[dtype]}* b, " if op.endswith("_gradient") else "", "EXP": f"exp{suffix}",
        "LOG": f"log{suffix}",
    }.items():  # fmt: skip
        text = text.replace(f"@{mark}@", value)
    return name, text.replace("@T@", C_TYPES[dtype])


def row_source(op: str, dtype: DType) -> str:
    """The source of the kernel of a row op."""
    return DEVICE + PORTABLE + row_shared() + row_kernel(op, dtype)[1]


def row_shared() -> str:
    """What row kernels share besides the prelude."""
    return _REDUCE.replace("@THREADS@", str(ROW_THREADS))
