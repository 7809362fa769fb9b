"""Generated sources: what they contain, and that CUDA's compilers take every one of them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tensorcore.dtypes import ALL, COMPLEX, FLOATING, bool_, by_name, float16, float32, float64, int32
from tensorcore_cuda import expressions, indexcode, rowcode
from tensorcore_cuda.codegen import (
    Signature,
    cast_function,
    elementwise_function,
    elementwise_source,
    kernel_text,
    signature_of,
)
from tensorcore_cuda.optimizercode import UPDATES, update_kernel
from tensorcore_cuda.plans import plan_for
from tensorcore_cuda.prelude import DEVICE, PORTABLE

REAL = [dtype for dtype in ALL if dtype.category < COMPLEX]
FLOATS = [dtype for dtype in ALL if dtype.category == FLOATING]
NAMES = sorted(
    {*expressions._FLOATS, *expressions._INTEGERS, *expressions._BOOLEANS, *expressions.COMPARISONS, "where"}
)
NVCC = shutil.which("nvcc")


def functions():
    for name in NAMES:
        for dtype in REAL:
            function = elementwise_function(name, dtype)
            if function is not None:
                yield function
    for source in REAL:
        for target in REAL:
            yield cast_function(source, target)


def whole_program():
    """All kernels in one source: each function flat, some binary ones also with strides and with 64-bit places."""
    parts = [DEVICE, PORTABLE, indexcode.WORDS, rowcode.row_shared()]
    for function in functions():
        count = len(function.operands)
        signatures = [Signature("v" * count, 1, max(1, 16 // function.itemsize), False)]
        if count == 2 and function.operands[0] in (float16, float32, int32):
            signatures += [Signature("vo", 2, 2, False), Signature("gg", 3, 1, True)]
        for number, signature in enumerate(signatures):
            parts.append(kernel_text(function, signature, f"k{number}_{function.name}"))
    parts += [rowcode.row_kernel(op, dtype)[1] for op in sorted(rowcode.ROW_OPS) for dtype in FLOATS]
    parts += indexcode.PARTS.values()
    parts += [indexcode.place_kernel(size)[1] for size in (1, 2, 4, 8, 16)]
    for reduce in indexcode._REDUCTIONS:
        parts += [indexcode.combine_kernel(reduce, by_name(name))[1] for name in sorted(indexcode.COMBINED)]
    parts += [update_kernel(name, dtype, float32)[1] for name in sorted(UPDATES) for dtype in FLOATS]
    return "".join(parts)


@pytest.mark.skipif(NVCC is None, reason="nvcc is not installed")
def test_nvcc_compiles_every_kernel(tmp_path):
    source = tmp_path / "kernels.cu"
    source.write_text(whole_program())
    command = [NVCC, "-ptx", "-arch=compute_80", "-std=c++17", "-o", tmp_path / "kernels.ptx", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "kernels.ptx").read_text()
    start = text.index(".entry k0_add_float32(")
    add = text[start : text.index(".entry", start + 1)]
    assert add.count("ld.global.v4") == 2 and add.count("st.global.v4") == 1, "16 bytes at once"


def test_nvrtc_compiles_every_kernel_without_a_gpu_or_headers():
    pytest.importorskip("cupy")
    from cupy.cuda import nvrtc

    try:
        nvrtc.getVersion()
    except RuntimeError as error:
        pytest.skip(f"NVRTC cannot be loaded: {error}")
    program = nvrtc.createProgram(whole_program(), "kernels.cu", (), ())
    nvrtc.compileProgram(program, ("--gpu-architecture=compute_80", "-std=c++17"))
    assert nvrtc.getPTX(program)


def test_no_kernel_includes_a_header():
    # A wheel of CuPy has none of CUDA's, and NVRTC alone must do.
    assert "#include" not in whole_program()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_16_bytes_are_moved_at_once(dtype):
    function = elementwise_function("add", dtype)
    plan = plan_for((1 << 10,), [((1 << 10,), (1,))] * 2, function.itemsize)
    _, source = elementwise_source(function, signature_of(plan))
    assert f"const int W = {16 // dtype.itemsize};" in source
    assert "int first" in source and "long long first" not in source


def test_what_is_read_through_strides_takes_a_layout():
    function = elementwise_function("mul", float32)
    flat = kernel_text(function, Signature("vv", 1, 4, False), "flat")
    strided = kernel_text(function, Signature("gg", 2, 1, False), "strided")
    assert "Layout" not in flat
    assert "Layout_strided layout" in strided and "int sides[2]" in strided and "int steps[4]" in strided


def test_names_tell_functions_and_signatures_apart():
    names = set()
    for function in functions():
        count = len(function.operands)
        general = "g" * count
        for signature in (
            Signature("v" * count, 1, 4, False), Signature(general, 1, 1, False), Signature(general, 1, 1, True),
        ):  # fmt: skip
            name, source = elementwise_source(function, signature)
            assert name not in names
            assert f"{name}(" in source
            names.add(name)


@pytest.mark.parametrize(
    ("name", "dtype", "result"),
    [
        ("lt", float32, bool_),
        ("isnan", int32, bool_),
        ("add", float16, float16),
        ("order_high", float64, by_name("int64")),
    ],
)
def test_result_dtypes(name, dtype, result):
    assert elementwise_function(name, dtype).result is result


@pytest.mark.parametrize("name", ["exp", "div", "bitwise_and"])
def test_dtypes_that_an_op_does_not_take_have_no_expression(name):
    taken = {dtype for dtype in REAL if elementwise_function(name, dtype)}
    expected = {dtype for dtype in REAL if (dtype.category == FLOATING) != (name == "bitwise_and")}
    assert taken == expected


def test_complex_numbers_are_left_to_cupy():
    assert elementwise_function("add", by_name("complex64")) is None


def test_16_bit_floats_are_computed_in_float_and_float64_rounds_once_to_float16():
    assert elementwise_function("exp", float16).computed == "float"
    assert cast_function(float64, float16).computed == "double"
