"""Calls compared with PyTorch's: values, dtypes, shapes, gradients, second derivatives, errors.

A case names the function once and its arguments once; `compare` makes them in both libraries, runs both and compares.
"""

from __future__ import annotations

import math
import random
import warnings

import pytest

import tensorcore as tc
import tensorcore.nn.functional

torch = pytest.importorskip("torch")

INF, NAN = math.inf, math.nan
#: relative tolerance by dtype; 16-bit floats are compared with PyTorch's own rounding in between.
TOLERANCE = {
    "float64": 1e-9, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2, "complex128": 1e-9, "complex64": 2e-5
}  # fmt: skip
#: fields of named tuples, which PyTorch's types list among much else.
FIELDS = (
    "values", "indices", "sign", "logabsdet", "result", "info", "inverse", "solution", "residuals", "rank",
    "singular_values", "cloned_coefficient",
)  # fmt: skip


class T:
    """A tensor to be made in both libraries: of a shape, drawn uniformly, or of given values.

    ``diagonal`` is added to the diagonals of matrices, which makes them regular.
    """

    def __init__(self, *shape, dtype="float64", low=-3.0, high=3.0, values=None, grad=True, seed=0, diagonal=0):
        self.shape, self.dtype, self.values = shape, dtype, values
        self.low, self.high, self.seed, self.diagonal = low, high, seed, diagonal
        self.grad = grad and dtype.startswith(("float", "bfloat", "complex"))

    def __repr__(self):
        # Cases are named by what they are given, alike in every process.
        what = "v" if self.values is not None else list(self.shape)
        return f"T{what}{self.dtype}"

    def make(self, lib):
        values = self.values
        if values is None:
            draw = random.Random(f"{self.shape}{self.seed}")
            count = math.prod(self.shape)
            if self.dtype == "bool":
                values = [draw.random() < 0.5 for _ in range(count)]
            elif self.dtype.startswith(("int", "uint")):
                values = [draw.randrange(int(self.low), int(self.high)) for _ in range(count)]
            else:
                values = [draw.uniform(self.low, self.high) for _ in range(count)]
                if self.dtype.startswith("complex"):
                    values = [complex(value, draw.uniform(self.low, self.high)) for value in values]
            if self.diagonal:
                rows, columns = self.shape[-2:]
                on = [place // columns % rows == place % columns for place in range(count)]
                values = [value + self.diagonal * each for value, each in zip(values, on, strict=True)]
            wide = self.grad and not self.dtype.startswith("complex")
            made = lib.tensor(values, dtype=lib.float64 if wide else getattr(lib, self.dtype)).reshape(self.shape)
        else:
            made = lib.tensor(values, dtype=getattr(lib, self.dtype))
        made = made.to(getattr(lib, self.dtype))
        return made.detach().requires_grad_() if self.grad else made


def I(*shape, high, low=0, **facts):  # noqa: E743, N802
    return T(*shape, dtype="int64", low=low, high=high, **facts)


def V(values, dtype="float64", **facts):  # noqa: N802
    return T(values=values, dtype=dtype, **facts)


def resolve(lib, path):
    if path.startswith("F."):
        return getattr(lib.nn.functional, path[2:])
    if path.startswith("x."):
        return lambda x, *args, **kwargs: getattr(x, path[2:])(*args, **kwargs)
    found = lib
    for part in path.split("."):
        found = getattr(found, part)
    return found


def made(lib, value):
    if isinstance(value, T):
        return value.make(lib)
    if isinstance(value, str) and value.startswith("dtype:"):
        return getattr(lib, value[6:])
    if isinstance(value, list | tuple):
        return type(value)(made(lib, each) for each in value)
    return value


def run(lib, path, args, kwargs):
    args = made(lib, tuple(args))
    kwargs = {name: made(lib, value) for name, value in kwargs.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = resolve(lib, path)(*args, **kwargs)
    inputs = [x for x in [*flat(args), *kwargs.values()] if isinstance(x, lib.Tensor)]
    return inputs, result


def flat(values):
    for value in values:
        if isinstance(value, list | tuple):
            yield from flat(value)
        else:
            yield value


def outputs(lib, result):
    if isinstance(result, lib.Tensor):
        return [result]
    if isinstance(result, tuple | list):
        return [out for each in result for out in outputs(lib, each)]
    return [result]


def same(ours, theirs, what, tolerance=None):
    if not isinstance(theirs, torch.Tensor):
        assert ours == theirs, what
        return
    assert isinstance(ours, tc.Tensor), what
    theirs = torch.zeros_like(theirs) if theirs._is_zerotensor() else theirs
    assert tuple(ours.shape) == tuple(theirs.shape), what
    name = str(theirs.dtype).removeprefix("torch.")
    assert ours.dtype.name == name, what
    mine = ours.detach().to(tc.float64 if theirs.is_floating_point() else ours.dtype).reshape(-1).tolist()
    its = theirs.detach().to(torch.float64 if theirs.is_floating_point() else theirs.dtype).reshape(-1).tolist()
    if theirs.is_complex():
        mine, its = ([part for value in values for part in (value.real, value.imag)] for values in (mine, its))
    elif not theirs.is_floating_point():
        assert mine == its, what
        return
    tolerance = tolerance or TOLERANCE[name]
    scale = max((abs(x) for x in its if math.isfinite(x)), default=1.0)
    for place, (a, b) in enumerate(zip(mine, its, strict=True)):
        equal = a == b or (math.isnan(a) and math.isnan(b))
        assert equal or abs(a - b) <= tolerance * (abs(b) + 0.05 * scale), f"{what}: element {place}: {a} != {b}"


def weights_like(lib, outs):
    draw = random.Random(7)
    return [
        lib.tensor([draw.uniform(0.5, 1.5) for _ in range(out.numel())], dtype=lib.float64)
        .reshape(out.shape)
        .to(out.dtype)
        for out in outs
    ]


def gradients(lib, inputs, result, second):
    outs = [out for out in outputs(lib, result) if isinstance(out, lib.Tensor) and out.requires_grad]
    leaves = [x for x in inputs if x.requires_grad and x.is_leaf]
    if not outs or not leaves:
        return [], []
    found = lib.autograd.grad(outs, leaves, weights_like(lib, outs), create_graph=second, allow_unused=True)
    if not second:
        return list(found), []
    again = [g for g in found if g is not None and g.requires_grad]
    if not again:
        return list(found), []
    return list(found), list(lib.autograd.grad(again, leaves, weights_like(lib, again), allow_unused=True))


def compare(path, *args, second=True, tolerance=None, **kwargs):
    """Run the function in both libraries and compare all there is to compare."""
    try:
        their_inputs, theirs = run(torch, path, args, kwargs)
    except Exception as error:
        kind = next(
            k
            for k in (IndexError, TypeError, ValueError, NotImplementedError, RuntimeError, Exception)
            if isinstance(error, k)
        )
        with pytest.raises(RuntimeError if kind is NotImplementedError else kind) as raised:
            run(tc, path, args, kwargs)
        assert str(raised.value)
        return
    my_inputs, ours = run(tc, path, args, kwargs)
    mine, its = outputs(tc, ours), outputs(torch, theirs)
    assert len(mine) == len(its)
    if hasattr(theirs, "_fields") or hasattr(type(theirs), "n_fields"):
        fields = [name for name in dir(theirs) if name in FIELDS]
        assert all(hasattr(ours, name) for name in fields)
    for place, (a, b) in enumerate(zip(mine, its, strict=True)):
        same(a, b, f"output {place}", tolerance)
        if isinstance(b, torch.Tensor):
            assert a.requires_grad == b.requires_grad, f"requires_grad of output {place}"
    tolerance = max([tolerance or 0.0, *(TOLERANCE.get(str(getattr(x, "dtype", ""))[6:], 0.0) for x in its)])
    double = second and all(
        x.dtype is not torch.float16 and x.dtype is not torch.bfloat16 for x in its if isinstance(x, torch.Tensor)
    )
    try:
        first_torch, second_torch = gradients(torch, their_inputs, theirs, double)
    except (RuntimeError, NotImplementedError):
        double = False
        their_inputs, theirs = run(torch, path, args, kwargs)
        first_torch, second_torch = gradients(torch, their_inputs, theirs, double)
    first, again = gradients(tc, my_inputs, ours, double)
    for what, mine_all, its_all in (("gradient", first, first_torch), ("second gradient", again, second_torch)):
        for place, (a, b) in enumerate(zip(mine_all, its_all, strict=False)):
            if a is None or b is None:
                zero = a if b is None else b
                assert zero is None or not bool((zero != 0).any()), f"{what} {place}: {a} and {b}"
            else:
                same(a, b, f"{what} {place}", max(tolerance, TOLERANCE[str(b.dtype).removeprefix("torch.")]))


def case(path, *args, **kwargs):
    shown = ",".join(
        f"{list(a.shape) if a.values is None else 'v'}{'' if a.dtype == 'float64' else a.dtype}"
        if isinstance(a, T)
        else str(a)
        for a in args
    )
    more = ",".join(f"{name}={'T' if isinstance(value, T) else value}" for name, value in kwargs.items())
    return pytest.param(path, args, kwargs, id=f"{path}({shown}{',' if more else ''}{more})"[:110])
