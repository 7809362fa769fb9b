"""CUDA sources of optimizer steps: each reads and writes memory once, where the expression in ops does so often.

Formulas and their order of evaluation are those of `tensorcore.ops.optimizer`.
"""

from __future__ import annotations

from typing import Final

from tensorcore.dtypes import DType
from tensorcore_cuda.expressions import C_TYPES, compute_type
from tensorcore_cuda.plans import BLOCK
from tensorcore_cuda.prelude import DEVICE, PORTABLE

__all__ = ["UPDATES", "update_kernel", "update_source"]

# Arrays that are read and, but for the gradient, written; an optional one is a null pointer where it is left out.
_ARRAYS: Final = {
    "sgd_update": ("param", "grad", "buffer"),
    "adam_update": ("param", "grad", "mean", "square", "largest"),
}
_OPTIONAL: Final = frozenset(("buffer", "largest"))

_SCALARS: Final = {
    "sgd_update": (
        "const double* rate, double lr, double momentum, double dampening, double weight_decay, "
        "long long nesterov, long long maximize"
    ),
    "adam_update": (
        "const @S@* step, const double* rate, double lr, double beta1, double beta2, double eps, double weight_decay, "
        "long long decoupled, long long maximize"
    ),
}

#: What a block computes once.
_ONCE: Final = {
    "sgd_update": "  const @C@ speed = (@C@)(rate ? *rate : lr);\n",
    # Bias corrections are differences of nearly equal numbers: in double, once for all threads of a block.
    "adam_update": """  __shared__ double shared[2];
  if (threadIdx.x == 0) {
    const double count = (double)load(*step);
    shared[0] = (rate ? *rate : lr) / (beta1 != 0 ? -expm1(count * log(beta1)) : 1.0);
    shared[1] = beta2 != 0 ? sqrt(-expm1(count * log(beta2))) : 1.0;
  }
  __syncthreads();
  const @C@ speed = (@C@)shared[0], root = (@C@)shared[1];
  const @C@ kept = (@C@)(1 - (rate ? *rate : lr) * weight_decay);
""",
}

_STEPS: Final = {
    "sgd_update": """      @C@ g = maximize ? -grad : grad;
      if (weight_decay != 0) g = g + param * (@C@)weight_decay;
      if (o_buffer) {
        buffer = buffer * (@C@)momentum + (dampening != 0 ? g * (@C@)(1 - dampening) : g);
        g = nesterov ? g + buffer * (@C@)momentum : buffer;
      }
      param = param - g * speed;
""",
    "adam_update": """      @C@ g = maximize ? -grad : grad;
      if (weight_decay != 0) {
        if (decoupled) param = param * kept;
        else g = g + param * (@C@)weight_decay;
      }
      mean = mean + (g - mean) * (@C@)(1 - beta1);
      square = square * (@C@)beta2 + g * g * (@C@)(1 - beta2);
      @C@ most = square;
      if (o_largest) {
        largest = (largest >= square || largest != largest) ? largest : square;
        most = largest;
      }
      param = param - mean / (@SQRT@(most) / root + (@C@)eps) * speed;
""",
}

UPDATES: Final = frozenset(_STEPS)


def update_kernel(name: str, dtype: DType, step: DType) -> tuple[str, str]:
    """The (name, text) of the kernel of an update rule for parameters of ``dtype``, the step counted in ``step``."""
    arrays = _ARRAYS[name]
    written = [each for each in arrays if each != "grad"]
    kernel = f"tc_{name}_{dtype.name}" + (f"_{step.name}" if name == "adam_update" else "")
    parameters = [f"const @T@* a_{each}" for each in arrays] + [f"@T@* o_{each}" for each in written]
    every = [f"a_{each}" for each in arrays] + [f"o_{each}" for each in written]
    aligned = " && ".join(f"(size_t)({each} + first) % sizeof(P) == 0" for each in every)

    def reads(form: str) -> str:
        lines = []
        for each in arrays:
            value = form.format(each)
            lines.append(f"      @C@ {each} = {f'o_{each} ? {value} : (@C@)0' if each in _OPTIONAL else value};\n")
        return "".join(lines)

    def writes(form: str) -> str:
        return "".join(
            f"      {f'if (o_{each}) ' if each in _OPTIONAL else ''}store({form.format(each)}, {each});\n"
            for each in written
        )

    def guarded(each: str, text: str) -> str:
        return f"if (o_{each}) {text}" if each in _OPTIONAL else text

    text = (
        f'extern "C" __global__ void __launch_bounds__({BLOCK}) {kernel}({", ".join(parameters)}, {_SCALARS[name]}, '
        "long long size) {\n"
        f"  const int W = {16 // dtype.itemsize};\n  typedef Pack<@T@, W> P;\n"
        f"{_ONCE[name]}"
        f"  const long long first = ((long long)blockIdx.x * {BLOCK} + threadIdx.x) * W;\n"
        "  if (first >= size) return;\n"
        f"  if (first + W <= size && {aligned}) {{\n"
        + "".join(f"    P v_{each}; {guarded(each, f'v_{each} = *(const P*)(a_{each} + first);')}\n" for each in arrays)
        + '    _Pragma("unroll")\n    for (int j = 0; j < W; ++j) {\n'
        + reads("load(v_{}.v[j])")
        + _STEPS[name]
        + writes("v_{}.v[j]")
        + "    }\n"
        + "".join(f"    {guarded(each, f'*(P*)(o_{each} + first) = v_{each};')}\n" for each in written)
        + "  } else {\n    for (long long i = first; i < first + W && i < size; ++i) {\n"
        + reads("load(a_{}[i])")
        + _STEPS[name]
        + writes("o_{}[i]")
        + "    }\n  }\n}\n"
    )
    computed = compute_type(dtype)
    marks = {
        "T": C_TYPES[dtype],
        "C": computed,
        "S": C_TYPES[step],
        "SQRT": "sqrt" if computed == "double" else "sqrtf",
    }
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return kernel, text


def update_source(name: str, dtype: DType, step: DType) -> str:
    """The source of the kernel of an update rule."""
    return DEVICE + PORTABLE + update_kernel(name, dtype, step)[1]
