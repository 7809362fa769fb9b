"""Short programs run on both libraries, and what they give compared: values, dtypes, shapes, or the class of the error.

A program is a string of statements, the last of which is an expression; ``t`` is the library.
"""

from __future__ import annotations

import ast
import copy
import math
import pickle
import warnings
from functools import cache

import numpy as np
import pytest

import tensorcore as tc

torch = pytest.importorskip("torch")

#: From special to general: a program that fails in PyTorch fails here with an error that the same `except` catches.
CLASSES = (
    IndexError,
    TypeError,
    ValueError,
    BufferError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
)
#: relative tolerance by dtype; what is not finite, and zero's sign, must agree.
TOLERANCE = {
    "float64": 1e-12,
    "float32": 1e-6,
    "float16": 1e-3,
    "bfloat16": 8e-3,
    "complex64": 1e-6,
    "complex128": 1e-12,
}


@cache
def compiled(source):
    body = ast.parse(source).body
    last = body.pop()
    assert isinstance(last, ast.Expr), source
    return compile(ast.Module(body, []), source, "exec"), compile(ast.Expression(last.value), source, "eval")


def run(lib, source):
    before, result = compiled(source)
    scope = {"t": lib, "np": np, "copy": copy, "pickle": pickle, "math": math, "INF": math.inf, "NAN": math.nan}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(before, scope)
        return eval(result, scope)


def plain(value):
    """The value in Python's own types, the same for both libraries."""
    if isinstance(value, (tc.Tensor, torch.Tensor)):
        value = value.detach()
        name = str(value.dtype).split(".")[-1]
        if isinstance(value, torch.Tensor):
            value = value.resolve_conj().resolve_neg()
        return ("tensor", name, tuple(value.shape), value.tolist())
    if isinstance(value, (tc.dtype, torch.dtype)):
        return str(value).split(".")[-1]
    if isinstance(value, (tc.Size, torch.Size)):
        return ("size", *value)
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.shape, value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def differ(ours, theirs, tolerance):
    """Where two plain values differ, or ``None``."""
    if isinstance(theirs, (list, tuple)):
        if not isinstance(ours, (list, tuple)) or len(ours) != len(theirs):
            return f"{ours!r} != {theirs!r}"
        if theirs and theirs[0] == "tensor":
            tolerance = TOLERANCE.get(theirs[1], 0.0)
        return next((found for a, b in zip(ours, theirs, strict=True) if (found := differ(a, b, tolerance))), None)
    if isinstance(theirs, complex) and isinstance(ours, complex):
        return differ(ours.real, theirs.real, tolerance) or differ(ours.imag, theirs.imag, tolerance)
    if isinstance(theirs, float) and isinstance(ours, float):
        if math.isnan(theirs) or math.isnan(ours):
            same = math.isnan(theirs) and math.isnan(ours)
        elif theirs == 0 or ours == 0:
            same = theirs == ours and math.copysign(1, theirs) == math.copysign(1, ours)
        else:
            same = ours == theirs or math.isclose(ours, theirs, rel_tol=tolerance)
    else:
        same = type(ours) is type(theirs) and ours == theirs
    return None if same else f"{ours!r} != {theirs!r}"


#: Programs that deliberately differ, by the heading of docs/differences.md that says so.
DELIBERATE = {
    "Programs that PyTorch refuses": (
        "t.tensor([True]) - 1", "t.tensor([15, 25]).round(decimals=-1)", "t.tensor([1]).rsub(2)",
        "t.maximum(t.tensor([1]), 2)", "t.addcdiv(t.tensor([1]), t.tensor([2]), t.tensor([4]))",
        "t.lerp(t.tensor([1]), t.tensor([3]), 0.5)",
        "t.tensor([1.0]).sum(0, 1)", "t.ones(2, 2).sum(0, 1)", "t.tensor([[True]]) @ t.tensor([[True]])",
        "t.tensor([[1]]) @ t.tensor([[1.0]])", "t.tensor([[1.0]]) @ t.tensor([[1.0]], dtype=t.float64)",
        "t.tensor([t.tensor([1, 2]), t.tensor([3, 4])])", "t.from_numpy(np.arange(4)[::-1])",
        "t.frombuffer(bytearray(0), dtype=t.float32)", "t.full(2, 3)", "t.arange(3, dtype=t.bool)",
        "x = t.tensor([1, 2]); x.to(t.float32, t.float64)", "x = t.tensor([1, 2]); x.to(other=t.zeros(1))",
        "np.array([1, 2]) + t.tensor([1, 2])", "np.mean(t.tensor([1.0, 2.0]))", "t.ones(2).pin_memory()",
        "t.device(None)",
        "x = t.arange(60).reshape(3, 4, 5); x[t.tensor([0, 2])] = t.zeros(2, 4, 5); x",
        "x = t.arange(60).reshape(3, 4, 5); x[t.tensor([0, 2]), :, t.tensor([1, 3])] = t.zeros(2, 4); x",
        "x = t.arange(60).reshape(3, 4, 5); x[0] = [[1] * 5] * 4; x",
        "x = t.arange(60).reshape(3, 4, 5); x[0, 0] = [1, 2, 3, 4, 5]; x",
        "x = t.arange(60).reshape(3, 4, 5); x[0, 0] = np.arange(5); x",
        "x = t.arange(60).reshape(3, 4, 5); x[0, 0] = (1, 2, 3, 4, 5); x",
        "x = t.arange(60).reshape(3, 4, 5); x[:2] = x[1:]; x",
        "x = t.arange(60).reshape(3, 4, 5); x[t.tensor([0, 1]), None] = t.zeros(2, 1, 4, 5); x",
        "x = t.zeros(3); x[t.tensor([0, 1])] = t.tensor([1.0, 2.0], dtype=t.float64); x",
        "x = t.zeros(3); x[t.tensor([True, False, True])] = t.tensor([1, 2]); x",
        "x = t.zeros(3); x[0] = np.float32(2); x", "x = t.zeros(2, 2); x[0] = np.ones(2); x",
        "t.linalg.lu_factor(t.eye(2), pivot=False)[:]",
        "x = t.ones(3, 2, requires_grad=True); t.geqrf(x)[1].sum().backward()",
        "x = t.eye(2, requires_grad=True); t.linalg.ldl_factor(x)[0].sum().backward()",
    ),
    "Classes of errors": (
        "t.tensor(['a'])", "t.tensor([[1, 2], 3])", "t.tensor([1, [2, 3]])", "t.tensor([[1, 2], [3, [4]]])",
        "t.from_numpy(np.array([1], dtype='>i4'))", "t.frombuffer([1], dtype=t.float32)", "t.arange(1j)",
        "t.from_dlpack(5)",
    ),
    "Distributions": (
        "t.distributions.Kumaraswamy(2.0, 3.0).mode",
        "t.distributions.Multinomial(3, t.tensor([0.3, 0.7])).expand((2,)).entropy()",
        "t.distributions.GeneralizedPareto(0.0, 1.0, t.tensor([0.5]).double()).log_prob(t.tensor([1.0]).double())",
    ),
    "Names": ("t.tensor([1.0]).type()", "t.device('cpu') == t.device('cpu:0')"),
    "No complex32": (
        "t.set_default_dtype(t.float16); r = t.tensor(1j); t.set_default_dtype(t.float32); r",
        "t.set_default_dtype(t.float16); r = t.tensor([1]) * 1j; t.set_default_dtype(t.float32); r",
        "t.float32.itemsize, t.complex64.to_real(), t.float16.to_complex(), t.int8.is_signed, t.uint8.is_signed, "
            "t.bool.is_signed",
    ),
    "Rounding": ("t.log1p(t.tensor([1e-45]))", "t.tensor([-0.0, -INF]) ** -0.5",
    "x = t.tensor([1.0, -2.0, 3.5]); y = x.remainder_(2); (x, y is x)"),
    "Indexing": (
        "x = t.arange(60).reshape(3, 4, 5); x[[[0, 1], [1, 2]]]",
        "x = t.arange(60).reshape(3, 4, 5); x[[[0, 1], [1, 2]]] = -1; x",
        "x = t.arange(60).reshape(3, 4, 5); x[..., ...]", "x = t.arange(60).reshape(3, 4, 5); x[..., ...] = -1; x",
    ),
    "Gradients": (
        "x = t.arange(12.0).reshape(3, 4).requires_grad_(); y = x.as_strided_scatter(x[0, :2] * 2, (2,), (5,)); "
        "(y * y.detach()).sum().backward(); x.grad",
        "x = t.tensor([3.0, 4.0], requires_grad=True); x.scatter_reduce(0, t.tensor([0]), x[:1] * 1, 'amax', "
        "include_self=False).sum().backward(); x.grad",
        "x = t.arange(60.0).reshape(3, 4, 5).requires_grad_(); z = x * 1; v = t.ones(()).requires_grad_(); z[None] = "
            "v; (z * x.detach()).sum().backward(); (x.grad, v.grad)",
        "A = t.ones(2, 2, requires_grad=True); t.det(A).backward(); A.grad",
        "L = t.tensor([[2.0, 0.0], [1.0, 2.0]], requires_grad=True); t.cholesky_inverse(L).sum().backward(); L.grad",
    ),
}  # fmt: skip
HEADINGS = {source: heading for heading, sources in DELIBERATE.items() for source in sources}


def agree(source):
    """Assert that the program gives the same in both libraries, or differs where that is deliberate."""
    if source not in HEADINGS:
        compare(source)
        return
    try:
        compare(source)
    except Exception:
        return
    raise AssertionError(f"{source}\nno longer differs; take it from DELIBERATE[{HEADINGS[source]!r}]")


def compare(source):
    """Assert that the program gives the same in both libraries."""
    try:
        theirs = plain(run(torch, source))
    except Exception as error:
        expected = next((kind for kind in CLASSES if isinstance(error, kind)), Exception)
        try:
            ours = plain(run(tc, source))
        except expected as met:
            assert str(met), source
            return
        except Exception as met:
            raise AssertionError(f"{source}\nraises {met!r}\nPyTorch: {error!r}"[:1500]) from met
        raise AssertionError(f"{source}\ngives {ours}\nPyTorch raises {error!r}"[:1500]) from None
    ours = plain(run(tc, source))
    found = differ(ours, theirs, 1e-12)
    assert found is None, f"{source}\n{found}\nours:    {ours}\nPyTorch: {theirs}"[:1500]
