"""The backend's class has what the records ask for, and uses nothing that CuPy lacks; no instance is made."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import tensorcore as tc
import tensorcore_cuda
from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Backend
from tensorcore.cuda import DeviceRuntime
from tensorcore.dtypes import ALL, BOOL, COMPLEX
from tensorcore.errors import DTypeError
from tensorcore.ops.record import REGISTRY
from tensorcore_cuda.backend import COMPLEX_UFUNCS, REAL_ONLY, CudaBackend
from tensorcore_cuda.codegen import elementwise_function
from tensorcore_cuda.natives import NATIVE, dtype_of_native
from tensorcore_cuda.runtime import CupyRuntime

PRIMITIVES = [op for op in REGISTRY.values() if op.primitive]

#: Composites with kernels written for them; all others that are overridden are elementwise.
OVERRIDES = (
    REAL_ONLY | {"fft_c2c", "fft_c2r", "fft_r2c", "philox_uniform", "linalg_lu_factor_ex", "linalg_solve_triangular"}
    | {"as_strided", "view_as_complex", "view_as_real"}
    | set(ArrayModuleBackend.EXTENSION)
)  # fmt: skip


def found(op, dtype):
    if dtype.category == COMPLEX:
        return op.name in COMPLEX_UFUNCS or hasattr(CudaBackend, op.name)
    return elementwise_function(op.name, dtype) is not None or hasattr(CudaBackend, op.name)


@pytest.mark.parametrize("op", PRIMITIVES, ids=lambda op: op.name)
def test_every_primitive_has_a_kernel_for_every_dtype_of_its_rule(op):
    missing = []
    for dtype in ALL:
        try:
            compute, _ = op.rule(dtype, op.name)
        except DTypeError:
            continue
        if compute is dtype and not found(op, dtype):
            missing.append(dtype.name)
    assert not missing, f"{op.name} has no kernel for {missing}"


def test_no_composite_is_overridden_by_accident():
    own = {op.name for op in REGISTRY.values() if not op.primitive and hasattr(CudaBackend, op.name)}
    assert own == OVERRIDES & set(REGISTRY)


@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if not op.primitive and op.operands != ()],
                         ids=lambda op: op.name)  # fmt: skip
def test_elementwise_kernels_of_composites_have_the_dtype_of_the_rule(op):
    for dtype in ALL:
        function = elementwise_function(op.name, dtype)
        if function is None or op.body is None:
            continue
        try:
            compute, result = op.rule(dtype, op.name)
        except DTypeError:
            continue
        if compute is dtype:
            assert function.result is result, f"{op.name} {dtype}"
            assert len(function.operands) == len(op.operands)


@pytest.mark.parametrize("op", [op for op in PRIMITIVES if hasattr(CudaBackend, op.name)], ids=lambda op: op.name)
def test_methods_take_what_emit_passes(op):
    method = inspect.signature(getattr(CudaBackend, op.name))
    base = getattr(ArrayModuleBackend, op.name, None) or getattr(Backend, op.name, None)
    if base is not None:
        wanted = set(inspect.signature(base).parameters)
        assert wanted <= set(method.parameters), f"{op.name}: {method}"


@pytest.mark.parametrize("name", sorted(OVERRIDES & set(REGISTRY)))
def test_overrides_take_what_emit_passes(name):
    op = REGISTRY[name]
    method = inspect.signature(getattr(CudaBackend, name))
    expected = set(inspect.signature(op.body).parameters) - {"kind"}
    assert expected <= set(method.parameters), f"{name}: {method}"


def test_the_runtime_has_what_the_core_asks_for():
    asked = {
        name: each
        for name, each in vars(DeviceRuntime).items()
        if inspect.isfunction(each) and not name.startswith("_")
    }
    assert asked
    for name, each in asked.items():
        own = getattr(CupyRuntime, name)
        assert list(inspect.signature(own).parameters) == list(inspect.signature(each).parameters), name


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_dtypes_map_both_ways(dtype):
    assert dtype_of_native(NATIVE[dtype]) is dtype
    assert NATIVE[dtype].itemsize == dtype.itemsize
    assert (NATIVE[dtype].kind == "b") == (dtype.category == BOOL)


def test_a_foreign_dtype_is_refused():
    import numpy as np

    with pytest.raises(
        tc.DTypeError if hasattr(tc, "DTypeError") else DTypeError, match="no dtype for CuPy's datetime64"
    ):
        dtype_of_native(np.dtype("datetime64[s]"))


# ---------------------------------------------------------------- against CuPy itself, which needs no GPU to be read


def attributes_of(name):
    """Attributes read from variables called ``name``, such as ``xp.take`` and ``self.xp.take``."""
    for path in Path(tensorcore_cuda.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                owner = node.value
                if (isinstance(owner, ast.Name) and owner.id == name) or (
                    isinstance(owner, ast.Attribute) and owner.attr == name
                ):
                    yield node.attr


@pytest.mark.parametrize(
    ("variable", "place"),
    [("xp", "cupy"), ("cupy", "cupy"), ("_cupy", "cupy"), ("cuda", "cupy.cuda"), ("_cuda", "cupy.cuda"),
     ("_driver", "cupy.cuda.runtime"), ("runtime", "cupy.cuda.runtime")],
)  # fmt: skip
def test_every_name_taken_from_cupy_exists(variable, place):
    cupy = pytest.importorskip("cupy")
    module = cupy
    for part in place.split(".")[1:]:
        module = getattr(module, part)
    own = {*dir(CupyRuntime), "before_capture"} if variable == "runtime" else set()
    missing = sorted({name for name in attributes_of(variable) if name not in own and not hasattr(module, name)})
    assert not missing, f"{place} has no {missing}"


@pytest.mark.parametrize("name", sorted(set(COMPLEX_UFUNCS.values())))
def test_cupy_has_the_function_for_complex_numbers(name):
    cupy = pytest.importorskip("cupy")
    function = getattr(cupy, name)
    types = getattr(function, "types", None)
    assert types is None or {each[0] for each in types} >= {"F", "D"}


def test_arrays_have_the_attributes_that_kernels_read():
    cupy = pytest.importorskip("cupy")
    names = "_c_contiguous shape strides itemsize nbytes size ndim data dtype device view fill astype copy reshape"
    assert [name for name in names.split() if not hasattr(cupy.ndarray, name)] == []


def test_nvmath_has_the_calls_for_recorded_products():
    pytest.importorskip("nvmath")
    from nvmath.bindings import cublas

    assert all(hasattr(cublas, name) for name in ("create", "set_stream", "set_workspace", "gemm_strided_batched_ex"))
    assert {"N", "T"} <= set(dir(cublas.Operation))
    assert {"COMPUTE_32F", "COMPUTE_64F"} <= set(dir(cublas.ComputeType))
