"""Every primitive with operands, by the samples of its record: values and gradients equal those of ``cpu``."""

from __future__ import annotations

import math
import zlib

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.ops.record import REGISTRY

PRIMITIVES = [op.name for op in REGISTRY.values() if op.primitive and op.operands and op.name != "assign"]
FLOATS = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
INTEGERS = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
#: JAX compiles a program for each op, shape and dtype: one dtype of each sort.
DTYPES = {"jax": ("bfloat16", "float32", "complex64", "bool", "uint64", "int64")}
SINGLE, DOUBLE = 5e-6, 1e-12
TOLERANCE = {
    "float16": 2e-3, "bfloat16": 2e-2, "float32": SINGLE, "complex64": SINGLE, "float64": DOUBLE, "complex128": DOUBLE,
}  # fmt: skip
#: Complex numbers have no order; the record does not refuse them.
UNORDERED = {"sort"}


def operands(op, sample, dtype, special):
    """NumPy arrays for one call of ``op``, with some special values among them."""
    draw = np.random.default_rng(zlib.crc32(f"{op.name}{sample}{dtype}".encode()))
    dtypes = [own or dtype for own in sample.get("dtypes", (None,) * len(sample["shapes"]))]
    domains = sample.get("domains", (None,) * len(dtypes))
    if op.name == "where":
        dtypes[0] = "bool"
    for shape, name, domain in zip(sample["shapes"], dtypes, domains, strict=True):
        low, high = domain or op.domain
        if name == "bool":
            yield draw.integers(0, 2, shape).astype(bool)
        elif name in INTEGERS:
            unsigned = name.startswith("u")
            made = draw.integers(max(math.ceil(low), 0) if unsigned else math.ceil(low), max(math.ceil(high), 1), shape)
            if special and domain is None and made.size and "shift" not in op.name and op.name != "pow":
                made = np.asarray(made, name)
                made.flat[0] = np.iinfo(name).max
                made.flat[-1] = np.iinfo(name).min
            yield np.asarray(made).astype(name)
        else:
            made = np.asarray(draw.uniform(low, high, shape)).astype("float64")
            if special and made.size > 4:
                made.flat[:4] = (np.nan, np.inf, -np.inf, -0.0)
            yield made.astype(dtype_of(name))


def dtype_of(name):
    import ml_dtypes

    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def call(op, sample, tensors):
    named = {k: v for k, v in sample.items() if k not in ("shapes", "dtypes", "domains", "args", "order", "distinct")}
    order = sample.get("order")
    if order:
        arguments = [named.pop(each) if isinstance(each, str) else tensors[each] for each in order]
    else:
        arguments = [tensors] if op.variadic and len(op.operands) == 1 else tensors
    result = op(*arguments, *sample.get("args", ()), **named)
    return list(result) if isinstance(result, tuple) else [result]


def cases(op, device):
    samples = (op.samples() if callable(op.samples) else op.samples) or ({"shapes": ((3, 4),) * len(op.operands)},)
    have = {each.name for each in tc.device(device).capabilities.dtypes}
    for sample in samples:
        for dtype in DTYPES.get(device, FLOATS + INTEGERS):
            if dtype not in have or (op.name in UNORDERED and dtype.startswith("complex")):
                continue
            yield sample, dtype, False
            # Infinite parts of complex numbers, and whole numbers of NaN, are left open by all libraries.
            if not dtype.startswith("complex") and op.name != "cast":
                yield sample, dtype, True


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitive_equals_cpu(name, device, place, fetch):
    op = REGISTRY[name]
    ran = 0
    for sample, dtype, special in cases(op, device):
        arrays = list(operands(op, sample, dtype, special))
        graded = op.vjp is not None and dtype in ("float32", "float64")
        here, there = ([place(each, where) for each in arrays] for where in ("cpu", device))
        if graded:
            for tensor in (*here, *there):
                tensor.requires_grad = tensor.dtype.is_floating_point
        try:
            expected = call(op, sample, here)
        except (TypeError, RuntimeError, ValueError):
            continue  # the record's rule refuses the dtype
        got = call(op, sample, there)
        ran += 1
        label = f"{name} on {device} of {dtype} {sample}"
        for mine, its in zip(got, expected, strict=True):
            assert (mine.dtype, mine.shape, str(mine.device)) == (its.dtype, its.shape, device), label
            same(fetch(mine.detach()), fetch(its.detach()), label)
        if graded and got[0].requires_grad and not special:
            for outs in (got, expected):
                (outs[0] * outs[0]).sum().backward()
            for mine, its in zip(there, here, strict=True):
                if its.grad is not None:
                    same(fetch(mine.grad), fetch(its.grad), f"gradient of {label}")
    assert ran


def same(mine, its, label):
    tolerance = TOLERANCE.get(its.dtype.name)
    if tolerance is None:
        np.testing.assert_array_equal(mine, its, label)
        return
    wide = "complex128" if its.dtype.kind == "c" else "float64"
    mine, its = mine.astype(wide), its.astype(wide)
    scale = np.max(np.abs(its[np.isfinite(its)]), initial=0)
    np.testing.assert_allclose(mine, its, rtol=tolerance, atol=0.2 * tolerance * min(scale, 100), err_msg=label)


@pytest.mark.parametrize("dtype", ["int8", "int64"])
def test_negative_powers_of_integers(device, dtype):
    kind = getattr(tc, dtype)
    x, exponent = tc.tensor([2, 1, -1, -1, 0, 3, -2], dtype=kind), tc.tensor([-1, -5, -3, -2, -1, 4, 3], dtype=kind)
    made = x.to(device) ** exponent.to(device)
    assert made.dtype is kind and made.tolist() == [0, 1, -1, 1, 0, 81, -8]
