"""Compiled kernels of cpu: their functions against a wider format, and against NumPy on both instruction sets."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.autograd.pulls import by_rule
from tensorcore.ops.record import REGISTRY, Op
from tensorcore.tensor import wrap
from tensorcore_conformance.cases import recipe_from
from tensorcore_conformance.samples import samples_of
from tensorcore_cpu.jit import vectors
from tensorcore_cpu.jit.compiling import LIMIT, elementwise
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.fused import COMPILED, Fused
from tensorcore_cpu.jit.rows import Rows, compiled_rows
from tensorcore_cpu.jit.vectors import Body, Vector, contracted
from tensorcore_cpu.jit.x86 import AVX2, AVX512, Isa

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
ISAS = [AVX2, AVX512] if BEST == AVX512 else [AVX2]
each_isa = pytest.mark.parametrize("chosen", ISAS, ids=lambda isa: isa.name)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def built(chosen: Isa, dtype: Any, scalars: tuple[int, ...], function: Callable[..., Vector], count: int) -> Any:
    """The function of arrays that computes ``function`` of vectors."""
    body = Body(dtype is np.float64, chosen.wide)
    body.store(0, function(*[body.input(1 + place) for place in range(count)]))
    numbers = [1 + place for place in scalars]
    program = loaded(elementwise(contracted(body), chosen, numbers, data_offset()), 1 + count)

    def run(*arrays: Any) -> Any:
        size = max(x.size for x in arrays)
        # What lies behind the end is not to be touched.
        out = np.full(size + 64, 7, dtype)
        program(0, size, id(out), *map(id, arrays))
        assert (out[size:] == 7).all()
        return out[:size]

    return run


def grid(dtype: Any) -> Any:
    """Numbers of every size, close ones around 0 and 1, and those that are none."""
    limits = np.finfo(dtype)
    sizes = np.geomspace(float(limits.smallest_subnormal), float(limits.max) * 0.999, 20003).astype(dtype)
    near = [np.linspace(-3, 3, 40001), np.linspace(-110, 110, 30001), np.linspace(-760, 760, 10001)]
    odd = [0, -0.0, 1, -1, np.inf, -np.inf, np.nan]
    return np.concatenate([sizes, -sizes, *near, 1 + np.linspace(-1e-3, 1e-3, 5001), odd]).astype(dtype)


@pytest.mark.parametrize("name, ulp", [
    ("exp", 1.1), ("exp2", 1.3), ("expm1", 2), ("tanh", 2.6), ("log", 1), ("log1p", 1), ("floor", 0), ("ceil", 0),
    ("trunc", 0), ("round", 0), ("sqrt", 0.51), ("abs", 0), ("neg", 0),
])  # fmt: skip
@each_dtype
@each_isa
def test_functions_against_a_wider_format(chosen, dtype, name, ulp):
    x = grid(dtype)
    made = built(chosen, dtype, (), LOWERINGS[name], 1)(x)
    reference = {"round": np.rint, "neg": np.negative}.get(name) or getattr(np, name)
    with np.errstate(all="ignore"):
        wide = reference(x.astype(np.longdouble))
        wanted = wide.astype(dtype)
        error = np.abs(made.astype(np.longdouble) - wide) / np.spacing(np.abs(wanted)).astype(np.longdouble)
    exact = (made == wanted) | (np.isnan(made) & np.isnan(wanted))
    assert (np.signbit(made) == np.signbit(wanted))[wanted == 0].all()
    assert np.all(exact | (error <= ulp)), x[~(exact | (error <= ulp))][:5]


def crowded(x: Vector, y: Vector, s: Vector) -> Vector:
    """More values at a time than there are registers, and each kind of operation."""
    terms = [x * float(i) + y for i in range(40)]
    total = sum(terms[1:], terms[0])
    for term in terms:
        total = total.max(term)
    chosen = x.compare(vectors.GT, 0.5).select(x * y - s, s - x * y)
    return total * 0.001 + chosen + (x * x + x) * (y * y + s) + x.round(vectors.FLOOR) / (s + 2.0)


def crowded_numpy(x: Any, y: Any, s: Any) -> Any:
    terms = [x * i + y for i in range(40)]
    total = np.maximum.reduce([sum(terms), *terms])
    return total * 0.001 + np.where(x > 0.5, x * y - s, s - x * y) + (x * x + x) * (y * y + s) + np.floor(x) / (s + 2)


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 1000])
@each_dtype
@each_isa
def test_spilled_values_scalars_and_the_tail(chosen, dtype, size):
    rng = np.random.default_rng(size)
    x, y, s = rng.random(size).astype(dtype), rng.normal(size=size).astype(dtype), np.array(0.3, dtype)
    made = built(chosen, dtype, (2,), crowded, 3)(x, y, s) if size else np.empty(0, dtype)
    wanted = crowded_numpy(*(each.astype(np.float64) for each in (x, y, s)))
    np.testing.assert_allclose(made, wanted, rtol=1e-4 if dtype is np.float32 else 1e-12, atol=1e-5)


@each_dtype
@each_isa
def test_maximum_and_minimum_keep_nan(chosen, dtype):
    values = np.array([np.nan, 1, -0.0, 0.0, np.inf, -np.inf], dtype)
    x, y = (np.ascontiguousarray(each).reshape(-1) for each in np.meshgrid(values, values))
    for name, reference in (("maximum", np.maximum), ("minimum", np.minimum)):
        np.testing.assert_array_equal(built(chosen, dtype, (), LOWERINGS[name], 2)(x, y), reference(x, y))


def normalizing(chosen: Isa, dtype: Any) -> Any:
    """Rows less their mean over their deviation, times one vector plus another; also the largest and the product."""
    rows = Rows(("matrix", "row", "row", "matrix", "column", "column", "number"), dtype is np.float64, chosen.wide)
    body = rows.over_row()
    x = body.input(3)
    total, largest, product = rows.total("add", x), rows.total("max", x), rows.total("mul", x)
    body = rows.once()
    mean = rows.keep(body.carried(total) * body.input(6))
    body.store(1, body.carried(largest))
    body.store(2, body.carried(product))
    body = rows.over_row()
    distance = body.input(3) - body.carried(mean)
    squares = rows.total("add", distance * distance)
    body = rows.once()
    scale = rows.keep(1.0 / (body.carried(squares) * body.input(6)).sqrt())
    body = rows.over_row()
    body.store(0, (body.input(3) - body.carried(mean)) * body.carried(scale) * body.input(4) + body.input(5))
    return loaded(compiled_rows(rows, chosen, data_offset()), 8)


@pytest.mark.parametrize(
    "shape", [(0, 5), (1, 1), (3, 2), (2, 7), (5, 8), (5, 16), (3, 17), (4, 64), (2, 300)], ids=str
)
@each_dtype
@each_isa
def test_rows(chosen, dtype, shape):
    rng = np.random.default_rng(sum(shape))
    count, columns = shape
    x = rng.uniform(0.5, 1.5, shape).astype(dtype)
    weight, bias = (rng.normal(size=columns).astype(dtype) for _ in range(2))
    share = np.array(1 / columns, dtype)
    out, largest, product = np.full((count + 1, columns), 7, dtype), np.empty(count, dtype), np.empty(count, dtype)
    program = normalizing(chosen, dtype)
    arrays = [id(each) for each in (out, largest, product, x, weight, bias, share)]
    # In two parts, as threads would.
    with np.errstate(all="ignore"):
        program(0, count // 2, columns, *arrays)
        program(count // 2, count, columns, *arrays)
        wide = x.astype(np.float64)
        deviation = np.sqrt(wide.var(-1, keepdims=True))
        wanted = (wide - wide.mean(-1, keepdims=True)) / deviation * weight + bias
    close = {"rtol": 1e-3, "atol": 1e-4} if dtype is np.float32 else {"rtol": 1e-9, "atol": 1e-12}
    assert (out[count:] == 7).all()
    if columns > 1:
        np.testing.assert_allclose(out[:count], wanted, **close)
    np.testing.assert_array_equal(largest, x.max(-1, initial=0))
    np.testing.assert_allclose(product, wide.prod(-1), **close)


@pytest.mark.parametrize("name", ["remainder", "floor_divide"])
@pytest.mark.parametrize("kind", ["numbers", "whole", "tenths", "odd", "huge"])
@each_dtype
def test_division_with_rest(name, kind, dtype):
    rng = np.random.default_rng(3)
    size = 1003
    x = rng.normal(size=size) * 10 ** rng.uniform(-3, 4, size)
    y = rng.normal(size=size) * 10 ** rng.uniform(-1, 2, size)
    if kind == "whole":
        x, y = np.round(x), np.round(y) + (np.round(y) == 0)
    x, y = x.astype(dtype), y.astype(dtype)
    if kind == "tenths":
        x, y = rng.integers(-100, 100, size) * dtype(0.1), np.full(size, dtype(0.1))
    elif kind == "odd":
        x[:8] = [0, -0.0, np.nan, 5, -5, 5, 0, 7]
        y[:8] = [-1, 1, 2, np.inf, np.inf, -np.inf, np.nan, np.nan]
    elif kind == "huge":
        x[:4], y[:4] = [np.inf, 1e30, 1, 0], [1, 1e-3, 0, 0]
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x, y)
    made = getattr(tc, name)(tc.from_numpy(x), tc.from_numpy(y)).numpy()
    np.testing.assert_array_equal(made, wanted)
    np.testing.assert_array_equal(np.signbit(made)[wanted == 0], np.signbit(wanted)[wanted == 0])
    one = getattr(tc, name)(tc.from_numpy(x), float(y[9])).numpy()
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(one, getattr(np, name)(x, y[9]))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 1003])
def test_conversion_to_float16_and_back(size):
    rng = np.random.default_rng(4)
    x = (rng.normal(size=size) * 10 ** rng.uniform(-8, 6, size)).astype(np.float32)
    x[:4] = [np.nan, np.inf, -0.0, 1e-8][:size]
    with np.errstate(all="ignore"):
        half = x.astype(np.float16)
    made = tc.from_numpy(x).half()
    np.testing.assert_array_equal(made.numpy(), half)
    np.testing.assert_array_equal(made.float().numpy(), half.astype(np.float32))


def overridable() -> dict[str, tuple[Op, Op]]:
    """Every record a kernel could take the place of, with the op whose samples reach it."""
    found = {}
    for op in REGISTRY.values():
        for record in (op, op.gradient):
            if record is not None and record.body is not None and record.outputs == 1 and not op.random:
                found[record.name] = (record, op)
    return found


def reached(record: Op, op: Op, dtype: Any, monkeypatch: Any, kernel: Callable[..., Any]) -> None:
    """Call ``op`` on its samples with ``kernel`` in the place of ``record``'s expression."""
    kind = tc.device("cpu").kind(dtype)
    monkeypatch.setitem(kind.table, record, (kernel, kind))
    for sample in samples_of(op):
        recipe = recipe_from(op, sample, dtype.name, "jit")
        tensors = recipe.tensors("cpu")
        for x in tensors:
            if record is not op and x is not None and x.is_floating_point():
                x.requires_grad_()
        out = recipe.call(tensors, "cpu")
        if record is not op:
            for plan in op.plans.values():
                # Programs that earlier tests have left call the kernels of then.
                monkeypatch.setattr(plan, "pull", by_rule)
            out.sum().backward()


@pytest.mark.parametrize("name", sorted(COMPILED))
@pytest.mark.parametrize("dtype", [tc.float32, tc.float64], ids=["float32", "float64"])
def test_kernels_agree_with_their_expressions(name, dtype, monkeypatch):
    record, op = overridable()[name]
    kind = tc.device("cpu").kind(dtype)
    kernel = Fused(record, kind, np.dtype(dtype.name))
    calls = []

    def checked(*arrays: Any, **attributes: Any) -> Any:
        with tc.no_grad():
            wanted = record.body(*[wrap(x, kind) for x in arrays], **attributes).numpy()
        made = kernel(*arrays, **attributes)
        assert made.shape == wanted.shape
        np.testing.assert_allclose(made, wanted, rtol=64 * tc.finfo(dtype).eps, atol=4 * tc.finfo(dtype).eps)
        calls.append(name)
        return made

    reached(record, op, dtype, monkeypatch, checked)
    assert calls


#: Elementwise, but one pass of NumPy's does it.
PLAIN = {
    "alias_copy", "deg2rad", "detach_copy", "exp_gradient", "expand_as", "expm1_gradient", "ldexp", "log_gradient",
    "positive", "rad2deg", "reciprocal", "square", "type_as",
}  # fmt: skip
# A kernel of 16-bit dtypes would be made of that of float32, whose neighbours are others.
PLAIN.add("nextafter")


@pytest.mark.parametrize("name", sorted(overridable().keys() - COMPILED))
def test_what_is_not_listed_cannot_be_compiled(name, monkeypatch):
    """An op whose expression is elementwise belongs into the list `COMPILED`."""
    record, op = overridable()[name]
    kind = tc.device("cpu").kind(tc.float32)
    outcomes = []

    def probe(*arrays: Any, **attributes: Any) -> Any:
        try:
            assert all(x is not None and x.dtype == np.float32 for x in arrays) and len(arrays) < LIMIT
            Fused(record, kind, np.dtype(np.float32))(*arrays, **attributes)
        except Exception:
            outcomes.append(False)
        else:
            outcomes.append(True)
        return record.body(*[x if x is None else wrap(x, kind) for x in arrays], **attributes).numpy()

    with contextlib.suppress(Exception):
        reached(record, op, tc.float32, monkeypatch, probe)
    assert name in PLAIN or not outcomes or not all(outcomes)


@pytest.mark.parametrize("layout", ["transposed", "broadcast", "number"])
def test_operands_that_do_not_lie_in_one_row(layout):
    x = tc.linspace(-3, 3, 12).reshape(3, 4)
    y = {"transposed": x.T.contiguous().T, "broadcast": x[:1].expand(3, 4), "number": tc.tensor(2.0)}[layout]
    expected = np.logaddexp(x.numpy(), y.numpy())
    np.testing.assert_allclose(tc.logaddexp(x, y).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(tc.logaddexp(y, x).numpy(), expected, rtol=1e-6)


def test_numbers_that_change_at_each_call_do_not_pile_up():
    x = tc.ones(3)
    for place in range(200):
        assert tc.nn.functional.elu(-x, alpha=float(place)).tolist() == pytest.approx([np.expm1(-1) * place] * 3)


@pytest.mark.parametrize("setting", ["0", "avx2"])
def test_the_environment_variable(setting):
    program = (
        "import tensorcore as tc, tensorcore.nn.functional as F; from tensorcore_cpu.jit.executable import isa;"
        "print(isa() and isa().name); print(F.gelu(tc.tensor([-1.0, 0.5, 2.0])).tolist())"
    )
    environment = {**os.environ, "TENSORCORE_JIT": setting}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    name, values = done.stdout.splitlines()
    assert name == ("None" if setting == "0" else "avx2")
    np.testing.assert_allclose(eval(values), [-0.15865525, 0.34573123, 1.9544997], rtol=1e-6)
