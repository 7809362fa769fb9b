"""Calls made wrong on purpose: the samples of the op records, each with one fault, run here and in PyTorch.

A fault is a wrong dtype, rank, size, dimension, type, number or name. Both libraries must give the same, or both must
refuse: with a class that the same ``except`` catches, and here with a message that names the op.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import tensorcore as tc
import tensorcore.nn.functional
from tensorcore.ops.record import REGISTRY, Op
from tensorcore_conformance.cases import recipe_from
from tensorcore_conformance.samples import samples_of

torch = pytest.importorskip("torch")

DTYPES = ("bool", "uint8", "int64", "float16", "float32", "float64", "complex64", "bfloat16")
#: From special to general: what an ``except`` clause written for PyTorch names.
CLASSES = (IndexError, TypeError, ValueError, RuntimeError)
TOLERANCE = {"float16": 2e-2, "bfloat16": 1e-1, "float64": 1e-6, "complex128": 1e-6}


@dataclass(frozen=True)
class Operand:
    """A tensor to be made in both libraries; a fresh one each time, as some functions write to their operand."""

    values: Any
    dtype: str
    #: One of `FORMS`.
    form: str = ""

    def make(self, lib: Any) -> Any:
        made = _made(lib, self.values.tobytes(), self.values.dtype.str, self.values.shape, self.dtype).clone()
        return FORMS[self.form](made)

    def of(self, shape: tuple[int, ...]) -> Operand:
        """The same elements, repeated as often as needed, under another shape."""
        values = self.values if self.values.size else np.ones(1, self.values.dtype)
        return Operand(np.resize(values, shape), self.dtype)


#: What a tensor may be besides a plain one.
FORMS: dict[str, Any] = {
    "": lambda x: x,
    "a leaf": lambda x: x.requires_grad_(),
    "a view of a leaf": lambda x: x.requires_grad_().view_as(x),
    "in a graph": lambda x: x.requires_grad_() * 1,
    "expanded": lambda x: x[:1].expand(x.shape),
}


@cache
def _made(lib: Any, data: bytes, kind: str, shape: tuple[int, ...], dtype: str) -> Any:
    if 0 in shape:
        # NumPy gives arrays without elements strides of their own.
        return lib.zeros(shape, dtype=getattr(lib, dtype))
    values = np.frombuffer(data, kind).reshape(shape).copy()
    return lib.from_numpy(values).to(getattr(lib, dtype))


@dataclass(frozen=True)
class Call:
    """A call of a function by its path, and the fault it was given."""

    path: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    fault: str = ""

    def run(self, lib: Any) -> Any:
        """The result; of a method that writes into its tensor, also the tensor, and whether it is the result."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            args = made(lib, list(self.args))
            kwargs = {name: made(lib, value) for name, value in self.kwargs.items()}
            if self.path[-1] != "_" or not args or not isinstance(args[0], lib.Tensor):
                return found(lib, self.path)(*args, **kwargs)
            before = repr(args[0].tolist())
            try:
                result = found(lib, self.path)(*args, **kwargs)
            except Exception as error:
                if repr(args[0].tolist()) != before:
                    raise AssertionError(f"{self.path} wrote, and then raised {error}") from error
                raise
            return result, args[0], result is args[0]

    def __str__(self) -> str:
        given = [*map(_shown, self.args), *(f"{name}={_shown(value)}" for name, value in self.kwargs.items())]
        return f"{self.path}({', '.join(given)})"


def _shown(value: Any) -> str:
    if isinstance(value, Operand):
        return f"{value.dtype}{list(value.values.shape)}{value.form and f' {value.form}'}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return repr(value)


def made(lib: Any, value: Any) -> Any:
    if isinstance(value, Operand):
        return value.make(lib)
    if isinstance(value, tc.dtype):
        return getattr(lib, value.name)
    if isinstance(value, list | tuple):
        return type(value)(made(lib, each) for each in value)
    return value


def found(lib: Any, path: str) -> Any:
    for part in path.split("."):
        lib = getattr(lib, part, None)
    return lib


# ------------------------------------------------------------------ good calls

_X = Operand(np.array([[0.1, 0.5, 0.25], [0.75, 0.3, 0.6]], np.float32), "float32")
_Z = Operand(np.array([[1 + 2j, 3 - 1j]], np.complex64), "complex64")
_M = Operand(np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.3], [0.1, 0.3, 1.5]], np.float32), "float32")
_IMAGE = Operand(np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4), "float32")


def _ones(*shape: int, dtype: str = "float32") -> Operand:
    return Operand(np.ones(shape, dtype), dtype)


def _of(*shape: int, dtype: str = "float32", low: float = 0.05, high: float = 0.95) -> Operand:
    values = low + (high - low) * np.modf(np.arange(np.prod(shape)) * 0.6180339887)[0].reshape(shape)
    return Operand(values.astype(dtype), dtype)


def _weights(gates: int) -> list[Operand]:
    return [_of(gates * 2, 3), _of(gates * 2, 2), _of(gates * 2), _of(gates * 2)]


#: Calls of ops whose records have no samples, because their results are drawn or lie elsewhere; keywords come last.
UNSAMPLED: dict[str, tuple[Any, ...]] = {
    "dropout": (_X, 0.5), "alpha_dropout": (_X, 0.5), "feature_alpha_dropout": (_X, 0.5), "rrelu": (_X, 0.1, 0.3),
    "gumbel_softmax": (_X, 1.0), "rand": (2, 3), "randn": (2, 3), "randint": (0, 10, (2, 3)), "randperm": (5,),
    "rand_like": (_X,), "randn_like": (_X,), "randint_like": (_X, 0, 10), "normal": (0.0, 1.0, (2, 3)),
    "bernoulli": (_X,), "multinomial": (_X, 2), "poisson": (_X,), "empty": (2, 3), "new_empty": (_X, (2, 3)),
    "view_as_real": (_Z,), "imag": (_Z,), "empty_strided": ((2, 3), (3, 1)), "empty_permuted": ((2, 3), (1, 0)),
    "dropout1d": (_of(2, 3, 4), 0.5), "dropout2d": (_of(2, 3, 4, 2), 0.5), "dropout3d": (_of(2, 3, 4, 2, 2), 0.5),
    "binomial": (_of(2, 3, low=1, high=9), _of(2, 3)), "chalf": (_X,), "cpu": (_X,), "dim_order": (_X,),
    "is_set_to": (_X, _X), "const_data_ptr": (_X,),
    "fake_quantize_per_channel_affine": (_X, _of(3), _of(3, dtype="int32", high=9), 1, 0, 15),
    "fractional_max_pool2d": (_of(2, 3, 6, 5), 2, (3, 2), None, False, _of(2, 3, 2)),
    "fractional_max_pool2d_with_indices": (_of(2, 3, 6, 5), 2, (3, 2), None, False, _of(2, 3, 2)),
    "fractional_max_pool3d": (_of(2, 3, 6, 5, 4), 2, (3, 2, 2), None, False, _of(2, 3, 3)),
    "fractional_max_pool3d_with_indices": (_of(2, 3, 6, 5, 4), 2, (3, 2, 2), None, False, _of(2, 3, 3)),
    "lobpcg": (Operand(np.diag(np.arange(1, 10)).astype(np.float32), "float32"), 2),
    # PyTorch's `lstm` dies of wrong shapes.
    "gru": (_of(4, 2, 3), _of(1, 2, 2), _weights(3), True, 1, 0.0, False, False, False),
    "lstm_cell": (_of(2, 3), [_of(2, 2), _of(2, 2)], *_weights(4)),
    "multi_head_attention_forward": (
        _ones(3, 2, 4), _ones(5, 2, 4), _ones(5, 2, 4), 4, 2, _ones(12, 4), _ones(12), None, None, False, 0.0,
        _ones(4, 4), _ones(4),
    ),
    "new_empty_strided": (_X, (2, 3), (3, 1)), "new_tensor": (_X, [1.0, 2.0]), "pca_lowrank": (_X, 2),
    "rnn_tanh": (_ones(2, 1, 3), _ones(1, 1, 3), [_ones(3, 3), _ones(3, 3)], False, 1, 0.0, False, False, False),
    "rnn_relu": (_ones(2, 1, 3), _ones(1, 1, 3), [_ones(3, 3), _ones(3, 3)], False, 1, 0.0, False, False, False),
    "sample_dirichlet": (_X,), "standard_gamma": (_X,), "svd_lowrank": (_M, 2), "to": (_X, tc.float64),
    "segment_reduce": (_X, "sum", {"lengths": _ones(2, dtype="int64")}), "storage": (_X,), "storage_type": (_X,),
    "slice_inverse": (_X, _X, 1, 0, 3, 1), "untyped_storage": (_X,), "view_as_real_copy": (_Z,),
    "upsample": (_IMAGE, 8), "upsample_bilinear": (_IMAGE, 8), "upsample_nearest": (_IMAGE, 8),
    # In place
    "bernoulli_": (_X, 0.5), "cauchy_": (_X, 0.0, 1.0), "exponential_": (_X, 1.0), "geometric_": (_X, 0.5),
    "log_normal_": (_X, 0.0, 1.0), "normal_": (_X, 0.0, 1.0), "random_": (_X, 0, 10), "uniform_": (_X, 0.0, 1.0),
    "polygamma_": (_X, 1), "resize_": (_X, 3, 2), "resize_as_": (_X, _M), "set_": (_X, _M),
    "squeeze_": (_ones(1, 3), 0), "t_": (_X,), "transpose_": (_X, 0, 1), "unsqueeze_": (_X, 0), "zero_": (_X,),
    "copy_": (_X, _ones(3)),
    "fill_": (_X, 1.5), "detach_": (_X,), "fill_diagonal_": (_M, 1.0), "conj_physical_": (_Z,),
    "as_strided_": (_X, (2, 2), (1, 1)), "float_power_": (_of(2, 3, dtype="float64"), 2),
    "addmm_": (_X, _of(2, 4), _of(4, 3)), "baddbmm_": (_of(2, 2, 3), _of(2, 2, 4), _of(2, 4, 3)),
}  # fmt: skip
#: Ops that leave open which of equal elements they mean, or meet operands here that they do not order.
FREE = frozenset((
    "topk", "kthvalue", "searchsorted", "bucketize", "histogram", "histogramdd", "pinverse", "matrix_exp", "poisson",
    # What memory held before
    "resize_", "resize_as_",
    "const_data_ptr", "lobpcg",
))  # fmt: skip
#: Calls, by op and fault (or whatever the fault), of which PyTorch's process dies; they are not made.
CRASHES = frozenset((("lu_unpack", None), ("range", "out="), ("linalg_ldl_solve", None), ("native_batch_norm", None)))


def path_of(op: Op) -> str | None:
    """Where both libraries have the op: as a function, else as a method."""
    named = [path for path in op.paths if path[-1] != "_" or op.name[-1] == "_"]
    both = [path for path in named if callable(found(torch, path))]
    # PyTorch's own `dropout` and its kin ask for more than those of `nn.functional`.
    return next((path for path in both if path.startswith("nn.") and op.random), both[0] if both else None)


def good_calls(op: Op, path: str) -> Iterator[Call]:
    """The samples of the op that PyTorch takes under this path."""
    name = path.rpartition(".")[2] if path[-1] == "_" else op.name
    if name in UNSAMPLED:
        *args, last = UNSAMPLED[name]
        yield Call(path, tuple(args), last) if isinstance(last, dict) else Call(path, (*args, last), {})
    for sample in samples_of(op):
        whole = op.rule.__name__ in ("bits", "integers")
        recipe = recipe_from(op, sample, "int64" if whole else "float32", "refusals")
        operands = [
            None
            if x is None
            else Operand(np.ascontiguousarray(x.astype(np.float64) if dtype == "bfloat16" else x), dtype)
            for x, dtype in zip(recipe.operands(), recipe.dtypes, strict=True)
        ]
        operands = [
            x if x is None else Operand(x.values.reshape(shape), x.dtype)
            for x, shape in zip(operands, recipe.shapes, strict=True)
        ]
        args, kwargs = recipe.arranged(operands)
        while args and args[-1] is None:
            args.pop()
        call = Call(path, tuple(args), kwargs)
        try:
            call.run(torch)
        except Exception:
            continue
        yield call


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
            yield replace(call, kwargs={**call.kwargs, name: wrong}, fault=f"{name}={_shown(wrong)}")


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
            yield f"{what}: {_shown(wrong)}", wrong
    elif isinstance(value, float):
        for wrong in (-1.0, "nonsense", None, 1j, [1.0], Operand(np.ones(3), "float32")):
            yield f"{what}: {_shown(wrong)}", wrong
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
        yield f"{what}: {_shown(wrong) if not isinstance(wrong, np.ndarray) else 'a NumPy array'}", wrong


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
