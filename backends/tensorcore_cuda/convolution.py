"""Convolutions by cuDNN, through the graphs of ``nvidia-cudnn-frontend``; without it, ops' expressions run instead.

A plan is made once per shape, dtype and attributes, which takes some milliseconds, and kept. What cuDNN does not
support is computed by the op's expression.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array
from tensorcore.backends import cudnn as switches
from tensorcore.dtypes import FLOATING, DType
from tensorcore.shapes import contiguous_strides
from tensorcore_cuda.natives import dtype_of_native

__all__ = ["CONVOLUTIONS", "ConvolutionKernels", "Cudnn", "Problem", "lifted"]

#: cuDNN's name of each op, and of its operands.
_NODES: Final = {
    "convolution_of": ("conv_fprop", "image", "weight"),
    "convolution_input_gradient": ("conv_dgrad", "loss", "filter"),
    "convolution_weight_gradient": ("conv_wgrad", "image", "loss"),
}

CONVOLUTIONS: Final = frozenset(_NODES)

_DATA_TYPES: Final = {"float16": "HALF", "bfloat16": "BFLOAT16", "float32": "FLOAT", "float64": "DOUBLE"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A convolution as cuDNN is asked for it; all arrays are row-major."""

    op: str
    dtype: DType
    first: tuple[int, ...]
    second: tuple[int, ...]
    out: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]


def lifted(problem: Problem) -> Problem:
    """The same convolution with two spatial dimensions or more, which cuDNN asks for: a row is an image of height 1."""
    if len(problem.out) != 3:
        return problem

    def flat(shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:2], 1, shape[2])

    return Problem(
        problem.op, problem.dtype, flat(problem.first), flat(problem.second), flat(problem.out),
        (1, *problem.stride), (0, *problem.padding), (1, *problem.dilation),
    )  # fmt: skip


class Cudnn:
    """cuDNN's handles and plans.

    Args:
        cudnn: the module of that name, ``nvidia-cudnn-frontend``.
        cupy: the array module.
    """

    def __init__(self, cudnn: Any, cupy: Any) -> None:
        self._cudnn = cudnn
        self._cupy = cupy
        self._handles: dict[tuple[int, int], Any] = {}
        self._plans: dict[tuple[int, Problem, bool], Any] = {}

    def version(self) -> int:
        """The library's version, such as 91900."""
        return int(self._cudnn.backend_version())

    def handle(self, device: int, stream: int) -> Any:
        """The handle for a stream."""
        found = self._handles.get((device, stream))
        if found is None:
            found = self._handles[device, stream] = self._cudnn.create_handle()
            self._cudnn.set_stream(found, stream)
        return found

    def described(self, problem: Problem, handle: Any = None) -> tuple[Any, Any, Any, Any]:
        """The graph of a problem, and its tensors: the operands and the result."""
        cudnn = self._cudnn
        kind = getattr(cudnn.data_type, _DATA_TYPES[problem.dtype.name])
        compute = cudnn.data_type.DOUBLE if problem.dtype.itemsize == 8 else cudnn.data_type.FLOAT
        graph = cudnn.pygraph(
            io_data_type=kind, intermediate_data_type=compute, compute_data_type=compute, handle=handle
        )
        node, *names = _NODES[problem.op]
        first, second = (
            graph.tensor(name=name, dim=list(shape), stride=list(contiguous_strides(shape)), data_type=kind)
            for name, shape in zip(names, (problem.first, problem.second), strict=True)
        )
        out = getattr(graph, node)(
            **dict(zip(names, (first, second), strict=True)), pre_padding=list(problem.padding),
            post_padding=list(problem.padding), stride=list(problem.stride), dilation=list(problem.dilation),
            compute_data_type=compute,
        )  # fmt: skip
        out.set_output(True).set_dim(list(problem.out)).set_stride(list(contiguous_strides(problem.out)))
        out.set_data_type(kind)
        return graph, first, second, out

    def _plan(self, problem: Problem, handle: Any, tensor_float: bool) -> Any:
        cudnn = self._cudnn
        try:
            graph, *tensors = self.described(problem, handle)
            graph.validate()
            graph.build_operation_graph()
            graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
            if problem.dtype.name == "float32" and not tensor_float:
                # Tensor cores would round float32 operands to 10 bits.
                graph.deselect_numeric_notes([cudnn.numerical_note.TENSOR_CORE])
            graph.check_support()
            graph.build_plans()
        except cudnn.cudnnGraphNotSupportedError:
            return None
        return graph, tensors, int(graph.get_workspace_size())

    def run(
        self, problem: Problem, device: int, stream: int, first: Array, second: Array, out: Array, tensor_float: bool
    ) -> bool:
        """Compute ``out``; false where cuDNN does not support the problem."""
        handle = self.handle(device, stream)
        key = (device, problem, tensor_float)
        if key not in self._plans:
            self._plans[key] = self._plan(problem, handle, tensor_float)
        plan = self._plans[key]
        if plan is None:
            return False
        graph, tensors, size = plan
        workspace = self._cupy.cuda.alloc(max(size, 1))
        pointers = {tensor: array.data.ptr for tensor, array in zip(tensors, (first, second, out), strict=True)}
        # Freed behind the kernels on the stream that reads it.
        graph.execute(pointers, workspace.ptr, handle=handle)
        return True


class ConvolutionKernels(ArrayModuleBackend):
    """The convolution and its two gradients."""

    runtime: Any

    #: Whether float32 convolutions may use tensor cores, which round operands to 10 bits: twice the speed or more.
    allow_tf32: bool = False

    @cached_property
    def cudnn(self) -> Cudnn | None:
        """cuDNN, where ``nvidia-cudnn-frontend`` and the library are installed."""
        try:
            import cudnn

            cudnn.backend_version()
        except (ImportError, OSError, RuntimeError):
            return None
        return Cudnn(cudnn, self.xp)

    def has_convolution(self, dtype: DType) -> bool:
        """Whether cuDNN may be asked; else ops' expressions are used."""
        return dtype.category == FLOATING and self.cudnn is not None

    def convolution_of(
        self, input: Array, weight: Array, bias: Array | None = None, *, stride: tuple[int, ...],
        padding: tuple[int, ...], dilation: tuple[int, ...], groups: int,
    ) -> Array:  # fmt: skip
        counts = [
            (side + 2 * p - (k - 1) * d - 1) // s + 1
            for side, k, s, p, d in zip(input.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True)
        ]
        shape = (input.shape[0], weight.shape[0], *counts)
        attributes = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        out = self._convolved("convolution_of", input, weight, shape, attributes)
        if out is None:
            return self._composed("convolution_of", (input, weight, bias), attributes)
        if bias is None:
            return out
        return self.compute("add", dtype_of_native(out.dtype))(out, bias.reshape((-1,) + (1,) * len(counts)))

    def convolution_input_gradient(
        self, grad: Array, weight: Array, *, size: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...],
        dilation: tuple[int, ...], groups: int,
    ) -> Array:  # fmt: skip
        shape = (grad.shape[0], weight.shape[1] * groups, *size)
        attributes = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        out = self._convolved("convolution_input_gradient", grad, weight, shape, attributes)
        if out is None:
            return self._composed("convolution_input_gradient", (grad, weight), {"size": size, **attributes})
        return out

    def convolution_weight_gradient(
        self, input: Array, grad: Array, *, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...],
        dilation: tuple[int, ...], groups: int,
    ) -> Array:  # fmt: skip
        shape = (grad.shape[1], input.shape[1] // groups, *kernel)
        attributes = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        out = self._convolved("convolution_weight_gradient", input, grad, shape, attributes)
        if out is None:
            return self._composed("convolution_weight_gradient", (input, grad), {"kernel": kernel, **attributes})
        return out

    def _convolved(
        self, op: str, first: Array, second: Array, shape: Sequence[int], attributes: dict[str, Any]
    ) -> Array | None:
        if self.cudnn is None or 0 in (math.prod(first.shape), math.prod(second.shape), math.prod(shape)):
            return None
        dtype = dtype_of_native(first.dtype)
        first, second = self.row_major(first), self.row_major(second)
        out = self.xp.empty(tuple(shape), first.dtype)
        problem = lifted(
            Problem(
                op,
                dtype,
                tuple(first.shape),
                tuple(second.shape),
                tuple(shape),
                tuple(attributes["stride"]),
                tuple(attributes["padding"]),
                tuple(attributes["dilation"]),
            )
        )
        device = self.runtime.current_device()
        stream = self.runtime.stream_handle(self.runtime.current_stream(device))
        done = self.cudnn.run(problem, device, stream, first, second, out, self.allow_tf32 or switches.allow_tf32)
        return out if done else None

    def _composed(self, op: str, arrays: tuple[Array | None, ...], attributes: dict[str, Any]) -> Any:
        """What the op's expression gives: an array, or a tuple of several."""
        from tensorcore.autograd.mode import no_grad
        from tensorcore.devices import Device
        from tensorcore.ops.record import REGISTRY
        from tensorcore.tensor import wrap

        first = arrays[0]
        assert first is not None
        kind = Device(self.name, self.runtime.current_device()).kind(dtype_of_native(first.dtype))
        body = REGISTRY[op].body
        assert body is not None
        with no_grad():
            result = body(*[None if each is None else wrap(each, kind) for each in arrays], **attributes)
        return tuple([each._array for each in result]) if isinstance(result, tuple) else result._array
