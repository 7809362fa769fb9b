"""Calls made wrong on purpose: the good calls of each op, each with one fault, run here and in PyTorch.

A fault is a wrong dtype, rank, size, dimension, type, number or name. Both libraries must give the same, or both must
refuse: with a class that the same ``except`` catches, and here with a message that names the op.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from good_calls import FORMS, Call, Operand, found, good_calls, path_of, shown, torch

import tensorcore as tc
from tensorcore.ops.record import REGISTRY, Op
from tensorcore_conformance.samples import samples_of

DTYPES = ("bool", "uint8", "int64", "float16", "float32", "float64", "complex64", "bfloat16")
#: From special to general: what an ``except`` clause written for PyTorch names.
CLASSES = (IndexError, TypeError, ValueError, RuntimeError)
TOLERANCE = {"float16": 2e-2, "bfloat16": 1e-1, "float64": 1e-6, "complex128": 1e-6}
#: Ops that leave open which of equal elements they mean, or meet operands here that they do not order.
FREE = frozenset((
    "topk", "kthvalue", "searchsorted", "bucketize", "histogram", "histogramdd", "pinverse", "matrix_exp", "poisson",
    # What memory held before
    "resize_", "resize_as_",
    "const_data_ptr", "lobpcg",
))  # fmt: skip
#: Calls, by op and fault (or whatever the fault), of which PyTorch's process dies; they are not made.
CRASHES = frozenset((
    ("lu_unpack", None), ("range", "out="), ("linalg_ldl_solve", None), ("native_batch_norm", None),
    ("positional_embedding_bag", None),
))  # fmt: skip

# ------------------------------------------------------------------ faults


def faulty_calls(op: Op, call: Call) -> Iterator[Call]:
    """The call with each fault in turn."""
    for place, value in enumerate(call.args):
        if place == 0 and call.path.startswith("Tensor."):
            # Nobody calls a method of what is no tensor.
            for fault, wrong in wrong_operands(value, "self"):
                if isinstance(wrong, Operand):
                    yield replace(call, args=(wrong, *call.args[1:]), fault=fault)
            continue
        for fault, wrong in wrong_values(value, f"argument {place}"):
            yield replace(call, args=(*call.args[:place], wrong, *call.args[place + 1 :]), fault=fault)
    if call.path[-1] == "_":
        for form in FORMS:
            if call.args[0].values.ndim if form == "expanded" else form and "int" not in call.args[0].dtype:
                yield replace(call, args=(replace(call.args[0], form=form), *call.args[1:]), fault=f"self: {form}")
    for name, value in call.kwargs.items():
        for fault, wrong in wrong_values(value, name):
            yield replace(call, kwargs={**call.kwargs, name: wrong}, fault=fault)
    yield from together(call)
    yield from unnamed(op, call)
    yield replace(call, kwargs={**call.kwargs, "nonsense": 1}, fault="unknown keyword")
    yield replace(call, args=(*call.args, *[1] * 12), fault="too many arguments")
    yield replace(call, args=call.args[:-1], fault="an argument too few")
    if not path_is_method(call.path):
        for wrong in ("x", 5, Operand(np.zeros((0,)), "uint8"), Operand(np.zeros((0,)), "bool")):
            yield replace(call, kwargs={**call.kwargs, "out": wrong}, fault="out=")


def path_is_method(path: str) -> bool:
    return path.startswith(("Tensor.", "nn."))


def together(call: Call) -> Iterator[Call]:
    """All operands of one dtype in another."""
    chosen = [x.dtype for x in flat(call.args) if isinstance(x, Operand)]
    for dtype in DTYPES if chosen else ():

        def changed(value: Any, dtype: str = dtype) -> Any:
            if isinstance(value, list | tuple):
                return type(value)(map(changed, value))
            return Operand(value.values, dtype) if isinstance(value, Operand) and value.dtype == chosen[0] else value

        yield replace(call, args=tuple(map(changed, call.args)), fault=f"operands of {dtype}")


def unnamed(op: Op, call: Call) -> Iterator[Call]:
    """Arguments that the call leaves at their defaults, given wrong."""
    parameters = list(op.signature.parameters.values())
    for parameter in parameters[len(call.args) :]:
        name, default = parameter.name, parameter.default
        if name in call.kwargs or default is parameter.empty or name in ("out", "device", "shape", "sides"):
            continue
        wrongs: list[Any] = ["nonsense"]
        if name in ("dim", "dims"):
            wrongs += [5, -6, (0, 0), 1.5, None]
        elif isinstance(default, bool):
            wrongs = ["nonsense", None]
        elif isinstance(default, int):
            wrongs += [-7, 1.5, None]
        elif isinstance(default, float):
            wrongs += [None]
        elif isinstance(default, str):
            wrongs += [3, None]
        else:
            wrongs += [Operand(np.ones((7,)), "float32")]
        for wrong in wrongs:
            yield replace(call, kwargs={**call.kwargs, name: wrong}, fault=f"{name}={shown(wrong)}")


def wrong_values(value: Any, what: str) -> Iterator[tuple[str, Any]]:
    """What may not be given for ``value``."""
    if isinstance(value, Operand):
        yield from wrong_operands(value, what)
    elif isinstance(value, bool) or value is None:
        yield f"{what}: a string", "nonsense"
    elif isinstance(value, str):
        yield f"{what}: unknown", "nonsense"
        yield f"{what}: a number", 3
    elif isinstance(value, int):
        for wrong in (7, -8, -1, 0, 1.5, "nonsense", None, (0, 0), Operand(np.ones(3), "float32")):
            yield f"{what}: {shown(wrong)}", wrong
    elif isinstance(value, float):
        for wrong in (-1.0, "nonsense", None, 1j, [1.0], Operand(np.ones(3), "float32")):
            yield f"{what}: {shown(wrong)}", wrong
    elif isinstance(value, list | tuple) and value:
        if isinstance(value[0], Operand):
            yield f"{what}: none", type(value)()
            for wrong in (1, "nonsense", None):
                yield f"{what}: {wrong!r} among them", type(value)((*value, wrong))
        elif all(isinstance(each, int) for each in value):
            first = value[0]
            changes = [(-9,), (-1,), (0,), (7,), (1.5,), ("nonsense",), (None,), (first, first), ()]
            for change in changes:
                yield f"{what}: {list(change)} in front", type(value)((*change, *value[1:]))
            yield f"{what}: one more", type(value)((*value, first))
            yield f"{what}: one fewer", value[:-1]
            yield f"{what}: 5", 5
            yield f"{what}: a fraction", 2.5
        yield f"{what}: a string", "nonsense"
        yield f"{what}: nothing", None
        for place, each in enumerate(value):
            if isinstance(each, Operand):
                for fault, wrong in wrong_operands(each, f"{what}[{place}]"):
                    yield fault, type(value)((*value[:place], wrong, *value[place + 1 :]))


def wrong_operands(x: Operand, what: str) -> Iterator[tuple[str, Any]]:
    for dtype in DTYPES:
        if dtype != x.dtype:
            yield f"{what}: {dtype}", Operand(x.values, dtype)
    shape = x.values.shape
    shapes = {"0-d": (), "a dimension more": (1, *shape), "two dimensions more": (2, 1, *shape)}
    if shape:
        shapes |= {
            "a dimension fewer": shape[1:],
            "longer": (*shape[:-1], shape[-1] + 1), "higher": (shape[0] + 1, *shape[1:]),
            "no columns": (*shape[:-1], 0), "no rows": (0, *shape[1:]),
        }  # fmt: skip
    for fault, other in shapes.items():
        if other != shape:
            yield f"{what}: {fault}", x.of(other)
    for wrong in (None, [1.0, 2.0], 3, 2.5, "nonsense", True, np.ones(shape)):
        yield f"{what}: {shown(wrong) if not isinstance(wrong, np.ndarray) else 'a NumPy array'}", wrong


def flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from flat(value)
        else:
            yield value


# ------------------------------------------------------------------ comparison


def disagreement(op: Op, call: Call) -> str | None:
    """How the libraries differ for a call, or ``None``."""
    theirs = their_error = ours = error = None
    try:
        theirs = call.run(torch)
    except Exception as met:
        their_error = met
    try:
        ours = call.run(tc)
    except Exception as met:
        error = met
    if their_error is None and error is None:
        return differ(ours, theirs, is_free(op), tolerance_of(call))
    if their_error is None:
        return f"raises {type(error).__name__}: {first_line(error)}; PyTorch gives {brief(theirs)}"
    if error is None:
        return f"gives {brief(ours)}; PyTorch raises {type(their_error).__name__}: {first_line(their_error)}"
    return unlike(error, their_error) or unclear(op, call, error)


def tolerance_of(call: Call) -> float:
    """What the narrowest operand allows: where dtypes are mixed, either library may round to it on the way."""
    dtypes = {x.dtype for x in flat((*call.args, *call.kwargs.values())) if isinstance(x, Operand)}
    return max((TOLERANCE[each] for each in dtypes if each in ("float16", "bfloat16")), default=0.0)


def is_free(op: Op) -> bool:
    """Whether the values are drawn, or left open: of signs and phases, of the order of equal elements."""
    return op.random or "empty" in op.name or op.name in FREE or any("observe" in each for each in samples_of(op))


def first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0][:200]


def unlike(error: Exception, their_error: Exception) -> str | None:
    """Whether the class of the error is not one that the same ``except`` catches."""
    expected = next((kind for kind in CLASSES if isinstance(their_error, kind)), Exception)
    if isinstance(error, expected):
        return None
    return (f"raises {type(error).__name__}: {first_line(error)}; "
            f"PyTorch raises {type(their_error).__name__}: {first_line(their_error)}")  # fmt: skip


def unclear(op: Op, call: Call, error: Exception) -> str | None:
    """What is wrong with the message of an error, if anything."""
    names = {op.name, *(path.rpartition(".")[2] for path in op.paths)}
    message = str(error)
    if not any(re.search(rf"(?<!\w){name}(?!\w)", message) for name in names):
        return f"does not name the op: {type(error).__name__}: {first_line(error)}"
    if isinstance(error, AttributeError) or "the kernel on" in message:
        return f"bare message: {type(error).__name__}: {first_line(error)}"
    return None


def differ(ours: Any, theirs: Any, random: bool, tolerance: float = 0.0) -> str | None:
    """How two results differ, by more than ``tolerance``, or ``None``; random ones, in dtypes and shapes alone."""
    if isinstance(theirs, tuple | list):
        if not isinstance(ours, tuple | list) or len(ours) != len(theirs):
            return f"gives {brief(ours)}; PyTorch gives {brief(theirs)}"
        return next((why for a, b in zip(ours, theirs, strict=True) if (why := differ(a, b, random, tolerance))), None)
    if not isinstance(theirs, torch.Tensor):
        if isinstance(theirs, torch.dtype | torch.device | torch.Size) or callable(theirs):
            return None
        same = type(ours) is type(theirs) and (ours == theirs or random or isinstance(theirs, float))
        return (
            None
            if same or str(ours).replace("tensorcore", "torch") == str(theirs)
            else f"gives {ours!r}; PyTorch gives {theirs!r}"
        )
    name = str(theirs.dtype).removeprefix("torch.")
    if not isinstance(ours, tc.Tensor) or ours.dtype.name != name or tuple(ours.shape) != tuple(theirs.shape):
        return f"gives {brief(ours)}; PyTorch gives {brief(theirs)}"
    if random:
        return None
    if theirs._is_zerotensor():
        theirs = torch.zeros_like(theirs)
    wide = theirs.dtype.is_floating_point
    a = np.asarray(ours.detach().to(tc.float64 if wide else ours.dtype).numpy())
    b = np.asarray(theirs.detach().resolve_conj().resolve_neg().to(torch.float64 if wide else theirs.dtype).numpy())
    tolerance = max(tolerance, TOLERANCE.get(name, 1e-3))
    scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0)) if b.dtype.kind in "fc" else 0
    if b.dtype.kind in "fc":
        with np.errstate(all="ignore"):
            close = np.isclose(a, b, tolerance, tolerance * scale + 1e-30, equal_nan=True)
    else:
        close = a == b
    if np.all(close):
        return None
    at = tuple(np.argwhere(~close)[0])
    return f"gives {a[at]} at {[int(i) for i in at]} of {list(a.shape)} {name}; PyTorch gives {b[at]}"


def brief(value: Any) -> str:
    if isinstance(value, tc.Tensor | torch.Tensor):
        dtype = str(value.dtype).rpartition(".")[2]
        return f"{dtype}{list(value.shape)}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(brief, value))})"
    return repr(value)[:60]


def calls(op: Op, path: str | None = None, samples: int = 2) -> Iterator[Call]:
    """The good calls of an op, and each with its faults; each call once."""
    path = path or path_of(op)
    if path is None:
        return
    seen: set[str] = set()
    for place, good in enumerate(good_calls(op, path)):
        if place >= samples:
            break
        for call in (good, *faulty_calls(op, good)):
            if str(call) not in seen:
                seen.add(str(call))
                yield call


OPS = tuple(op for op in REGISTRY.values() if path_of(op) is not None)
#: The in-place methods of ops, with their ops; those that are ops themselves are among the others.
METHODS = {
    name + "_": op
    for op in REGISTRY.values()
    for name in op.inplace_names
    if found(torch, f"Tensor.{name}_") is not None
}
