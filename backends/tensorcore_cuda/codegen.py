"""CUDA sources of elementwise kernels, as strings; nothing here needs a GPU or CuPy.

Each thread computes ``width`` neighbouring elements. Where all pointers are aligned it moves them as one vector of up
to 16 bytes; a view that begins elsewhere goes element by element, decided in the kernel, which costs the host nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tensorcore.dtypes import DType, bool_, float16, float64
from tensorcore_cuda.expressions import C_TYPES, compute_type, converted, expression, result_dtype
from tensorcore_cuda.plans import BLOCK, GENERAL, ONE, VECTOR, Plan
from tensorcore_cuda.prelude import DEVICE, PORTABLE

__all__ = ["Function", "Signature", "cast_function", "elementwise_function", "elementwise_source", "signature_of"]


@dataclass(frozen=True, slots=True)
class Function:
    """What is computed for each element.

    Attributes:
        name: for the kernel's name.
        operands: dtypes of the operands.
        result: dtype of the result.
        expression: C expression of the operands ``x0``, ``x1``, ...
        computed: C type of the expression's value.
    """

    name: str
    operands: tuple[DType, ...]
    result: DType
    expression: str
    computed: str

    @property
    def itemsize(self) -> int:
        """Size of the largest element read or written."""
        return max(dtype.itemsize for dtype in (*self.operands, self.result))


@dataclass(frozen=True, slots=True)
class Signature:
    """What distinguishes the kernels of one function: how operands are read and how many dimensions are walked."""

    modes: str
    rank: int
    width: int
    wide: bool

    @property
    def flat(self) -> bool:
        """Whether the kernel takes no strides."""
        return self.rank == 1 and GENERAL not in self.modes


def signature_of(plan: Plan) -> Signature:
    """The signature of the kernel that walks as ``plan`` says."""
    return Signature(plan.modes, len(plan.sides), plan.width, plan.wide)


_ARITY = {"where": 3} | dict.fromkeys(
    [
        "add",
        "sub",
        "mul",
        "div",
        "floor_divide",
        "truncated_divide",
        "remainder",
        "fmod",
        "pow",
        "maximum",
        "minimum",
        "atan2",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "bitwise_left_shift",
        "bitwise_right_shift",
        "logical_and",
        "logical_or",
        "logical_xor",
        "relu_gradient",
        "sigmoid_gradient",
        "silu_gradient",
        "gelu_gradient_none",
        "gelu_gradient_tanh",
    ],
    2,
)


def elementwise_function(name: str, dtype: DType) -> Function | None:
    """The function of op ``name`` on operands of ``dtype``, or ``None`` where it is not generated."""
    text = expression(name, dtype)
    if text is None:
        return None
    arity = _ARITY.get(name, 1)
    operands = (bool_, dtype, dtype) if name == "where" else (dtype,) * arity
    result = result_dtype(name, dtype)
    return Function(f"{name}_{dtype.name}", operands, result, text, compute_type(result))


def cast_function(source: DType, target: DType) -> Function:
    """The conversion from ``source`` to ``target``."""
    computed = "double" if source is float64 and target is float16 else compute_type(target)
    return Function(f"cast_{source.name}_{target.name}", (source,), target, converted(source, target), computed)


def elementwise_source(function: Function, signature: Signature, prelude: str = DEVICE) -> tuple[str, str]:
    """The (name, source) of the kernel of ``function`` for ``signature``.

    Its arguments are the operands' pointers, the result's, the number of elements as ``long long`` and, unless
    the signature is flat, a struct of sides and steps.
    """
    tail = f"{signature.modes}_{signature.rank}_{signature.width}{'_wide' if signature.wide else ''}"
    name = f"tc_{function.name}_{tail}"
    return name, prelude + PORTABLE + kernel_text(function, signature, name)


def kernel_text(function: Function, signature: Signature, name: str) -> str:
    """The kernel alone, without what kernels share."""
    types = [C_TYPES[dtype] for dtype in function.operands]
    result = C_TYPES[function.result]
    index = "long long" if signature.wide else "int"
    parameters = [f"const {c_type}* a{k}" for k, c_type in enumerate(types)]
    parameters += [f"{result}* out", "long long size"]
    layout = ""
    if not signature.flat:
        layout = (
            f"struct Layout_{name} {{ {index} sides[{signature.rank}]; "
            f"{index} steps[{len(types) * signature.rank}]; }};\n"
        )
        parameters.append(f"Layout_{name} layout")
    evaluate = ", ".join(f"{_read_type(dtype)} x{k}" for k, dtype in enumerate(function.operands))
    return (
        f"{layout}__device__ __forceinline__ {function.computed} f_{name}({evaluate}) {{\n"
        f"  return ({function.computed})({function.expression});\n}}\n"
        f'extern "C" __global__ void __launch_bounds__({BLOCK}) {name}({", ".join(parameters)}) {{\n'
        f"  const int W = {signature.width};\n"
        f"  {index} first = (({index})blockIdx.x * {BLOCK} + threadIdx.x) * W;\n"
        "  if (first >= size) return;\n"
        f"{_places(signature, len(types), index)}"
        f"{_body(function, signature, types, result, name)}"
        "}\n"
    )


def _read_type(dtype: DType) -> str:
    return compute_type(dtype)


def _places(signature: Signature, count: int, index: str) -> str:
    """Where each operand's first element of this thread lies."""
    if signature.flat:
        return "".join(
            f"  const {index} p{k} = {'0' if mode == ONE else 'first'};\n" for k, mode in enumerate(signature.modes)
        )
    rank = signature.rank
    lines = [f"  {index} rest = first;\n"]
    lines += [f"  {index} p{k} = 0;\n" for k in range(count)]
    for place in range(rank - 1, -1, -1):
        if place == 0:
            lines.append("  { const " + index + " at = rest;")
        else:
            lines.append(f"  {{ const {index} at = rest % layout.sides[{place}]; rest /= layout.sides[{place}];")
        lines.append("".join(f" p{k} += at * layout.steps[{k * rank + place}];" for k in range(count)) + " }\n")
    return "".join(lines)


def _body(function: Function, signature: Signature, types: Sequence[str], result: str, name: str) -> str:
    modes = signature.modes
    places = range(len(types))
    if signature.width == 1:
        arguments = ", ".join(f"load(a{k}[p{k}])" for k in places)
        return f"  store(out[first], f_{name}({arguments}));\n"
    lines = [
        f"  const {_read_type(function.operands[k])} s{k} = load(a{k}[p{k}]);\n" for k in places if modes[k] == ONE
    ]
    packs = [k for k in places if modes[k] == VECTOR]
    # A row never ends within a vector, so only the flat walk has a tail.
    checks = ["first + W <= size"] if signature.flat else []
    checks += [f"(size_t)(a{k} + p{k}) % sizeof(Pack<{types[k]}, W>) == 0" for k in packs]
    checks.append(f"(size_t)(out + first) % sizeof(Pack<{result}, W>) == 0")
    in_vector = ", ".join(f"s{k}" if modes[k] == ONE else f"load(v{k}.v[j])" for k in places)
    one_by_one = ", ".join(f"s{k}" if modes[k] == ONE else f"load(a{k}[p{k} + j])" for k in places)
    lines.append(f"  if ({' && '.join(checks)}) {{\n")
    lines += [f"    const auto v{k} = *(const Pack<{types[k]}, W>*)(a{k} + p{k});\n" for k in packs]
    lines.append(f'    Pack<{result}, W> packed;\n    _Pragma("unroll")\n')
    lines.append(f"    for (int j = 0; j < W; ++j) store(packed.v[j], f_{name}({in_vector}));\n")
    lines.append(f"    *(Pack<{result}, W>*)(out + first) = packed;\n")
    bound = "W" if not signature.flat else "(size - first < W ? (int)(size - first) : W)"
    lines.append(f"  }} else {{\n    const int count = {bound};\n")
    lines.append(f"    for (int j = 0; j < count; ++j) store(out[first + j], f_{name}({one_by_one}));\n  }}\n")
    return "".join(lines)
