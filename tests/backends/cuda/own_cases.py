"""The conformance suite's cases for the ops that the CUDA backend has kernels for."""

from __future__ import annotations

import warnings

from tensorcore.devices import Device
from tensorcore.dtypes import ALL
from tensorcore.ops.record import REGISTRY, Op
from tensorcore_conformance.cases import Case, Limits, forward_cases
from tensorcore_conformance.forward import check_forward, check_refused
from tensorcore_cuda.backend import CudaBackend
from tensorcore_cuda.codegen import elementwise_function

__all__ = ["LIMITS", "by_library", "cases_of", "check", "own_kernels"]

LIMITS = Limits(examples=0, long=False)


def own_kernels() -> list[Op]:
    """The ops that the backend has a kernel for, as opposed to their expressions."""
    return [
        op
        for op in REGISTRY.values()
        if hasattr(CudaBackend, op.name) or any(elementwise_function(op.name, dtype) for dtype in ALL)
    ]


def by_library(op: Op) -> bool:
    """Whether the kernel is calls of CuPy's linear algebra or stride tricks, which only a GPU runs."""
    kernel = getattr(CudaBackend, op.name, None)
    module = getattr(kernel, "__module__", "").rsplit(".", 1)[-1]
    views = ("as_strided", "view_as_real", "view_as_complex")
    return op.name in views or module in ("array_linalg", "array_solving", "factorizations", "solvers")


def cases_of(op: Op, limits: Limits = LIMITS) -> list[Case]:
    """Cases of an op in all dtypes."""
    return list(forward_cases(op, Device("cuda").capabilities.dtypes, limits))


def check(case: Case) -> None:
    """Run a case on the device ``cuda``; raises where it fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (check_refused if case.name.startswith("refused") else check_forward)(case.recipe, "cuda")
