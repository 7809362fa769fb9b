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
CLASSES = (IndexError, TypeError, ValueError, BufferError, AttributeError, OverflowError, ZeroDivisionError, RuntimeError)
#: relative tolerance by dtype; what is not finite, and zero's sign, must agree.
TOLERANCE = {"float64": 1e-12, "float32": 1e-6, "float16": 1e-3, "bfloat16": 8e-3, "complex64": 1e-6, "complex128": 1e-12}


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


def agree(source):
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
