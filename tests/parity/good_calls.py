"""Calls of ops as they should be, to be run here and in PyTorch: the samples of the records, and a table of others."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import tensorcore as tc
import tensorcore.nn.functional
from tensorcore.ops.record import Op
from tensorcore_conformance.cases import recipe_from
from tensorcore_conformance.samples import samples_of

torch = pytest.importorskip("torch")


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
        given = [*map(shown, self.args), *(f"{name}={shown(value)}" for name, value in self.kwargs.items())]
        return f"{self.path}({', '.join(given)})"


def shown(value: Any) -> str:
    if isinstance(value, Operand):
        return f"{value.dtype}{list(value.values.shape)}{value.form and f' {value.form}'}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
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
