"""Areas: what is checked beside single ops. Each yields checks under fixed names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorcore as tc
import tensorcore.nn.functional as F  # the custom
from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, native, to_numpy
from tensorcore_conformance.checks import Check, area_check
from tensorcore_conformance.forward import ConformanceError, oracle_device
from tensorcore_conformance.interchange import interchange_area, overlap_area, writes_to_views
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.memory_area import memory_area
from tensorcore_conformance.process_areas import async_area, determinism_area, threads_area
from tensorcore_conformance.refusals import errors_area
from tensorcore_conformance.training import compile_area, training_area

__all__ = ["AREAS"]


# ------------------------------------------------------------------ indexing

#: Index expressions, as written between the brackets of an array of shape (4, 5, 3). ``mask`` and ``rows`` are bool.
KEYS = (
    "0", "-1", "1:3", "::2", "::-1", "3:0:-2", "...", "None", "..., 0", "1, ...", "0, 1, 2", ":, None, 1", "-2:, 1:-1",
    "5:2", "0:0", ":, ::-1, ::2", "[0, 2]", "[[0, 1], [3, 0]]", "[-1, 0]", ":, [1, 0, 0]", "0, [1, 2]",
    "[0, 1], [1, 2]", "[0, 1], :, [2, 0]", "1:3, [0, 4]", "..., [0, 2]", "[0, 3], 1:4, 0", "mask", "rows", "rows, 1",
    "True", "False", "[]", "[[0], [1]], [0, 2]", "None, [1, 2], 0", "::-1, [0, 1]", "::3, 1::3", "1:4:3, 4:1",
    ":, [[0, 1], [4, 4]], 1:", "rows, ..., 1", "[2, 2, 2, 2, 0, 2]", "-4, -5, -3", "[-4], :, [-3]", "mask[0, 0, 0]",
)  # fmt: skip
#: Index expressions that must raise IndexError.
OUTSIDE = ("4", "-5", "0, 5", "[4]", "[-5]", ":, [0, 5]", "0, 0, 0, 0", "[0, 1, 7]")
SHAPE = (4, 5, 3)


def _key(text: str) -> Any:
    rng = np.random.default_rng(5)
    names = {
        "np": np,
        "mask": rng.integers(0, 2, SHAPE).astype(bool),
        "rows": rng.integers(0, 2, SHAPE[:1]).astype(bool),
    }
    return eval(f"np.s_[{text}]", names)


def indexing(device: str, limits: Limits) -> Iterator[Check]:
    """``x[key]`` and ``x[key] = value`` against NumPy, and indices out of range."""
    for dtype in ("float32", "int64", "bool"):
        if dtypes.by_name(dtype) in Device(device).capabilities.dtypes:
            for key in KEYS if dtype == "float32" else KEYS[::4]:
                yield area_check(device, "indexing", f"get/{dtype}/{key}", dtype, partial(_get, device, dtype, key))
                yield area_check(device, "indexing", f"set/{dtype}/{key}", dtype, partial(_set, device, dtype, key))
    for key in OUTSIDE:
        yield area_check(device, "indexing", f"outside/{key}", "float32", partial(_outside, device, key))
    for op in ("index", "gather", "scatter", "index_put"):
        for place in (-1, 4, -5, 2**40):
            name = f"outside/{op}/{place}"
            yield area_check(device, "indexing", name, "float32", partial(_kernel_outside, device, op, place))


def _numbers(dtype: str) -> Any:
    return (np.arange(60).reshape(SHAPE) % 7).astype(native(dtype))


def _get(device: str, dtype: str, key: str) -> None:
    array = _numbers(dtype)
    _equal(f"x[{key}]", to_numpy(from_numpy(array, device)[_key(key)]), array[_key(key)])


def _set(device: str, dtype: str, key: str) -> None:
    array = _numbers(dtype)
    x = from_numpy(array, device)
    part = array[_key(key)]
    whole = np.arange(1, part.size + 1).reshape(part.shape) % 5
    values = {"a number": np.full((), 1), "an array": whole}
    if part.ndim and part.size:
        values["a row"], values["a column"] = whole[(0,) * (part.ndim - 1)], whole[..., :1]
    for told, value in values.items():
        value = value.astype(native(dtype))
        x[_key(key)] = from_numpy(np.ascontiguousarray(value), device)
        array[_key(key)] = value
        _equal(f"x after x[{key}] = {told}", to_numpy(x), array)


def _equal(what: str, got: Any, wanted: Any) -> None:
    wanted = np.asarray(wanted)
    if got.shape != wanted.shape:
        raise ConformanceError(f"{what}: expected shape {list(wanted.shape)}, got {list(got.shape)}")
    if got.dtype != wanted.dtype:
        raise ConformanceError(f"{what}: expected dtype {wanted.dtype}, got {got.dtype}")
    if got.tobytes() != np.ascontiguousarray(wanted).tobytes():
        raise ConformanceError(f"{what}: expected {wanted.tolist()}, got {got.tolist()}")


def _outside(device: str, key: str) -> None:
    x = from_numpy(_numbers("float32"), device)
    _must_raise(f"x[{key}] of shape {list(SHAPE)}", lambda: to_numpy(x[_key(key)]))


def _kernel_outside(device: str, op: str, place: int) -> None:
    from tensorcore.ops.record import REGISTRY

    x = from_numpy(np.arange(4, dtype=np.float32), device)
    at = from_numpy(np.array([0, place]), device)
    value = from_numpy(np.array([8, 9], np.float32), device)
    calls: dict[str, Callable[[], Any]] = {
        "index": lambda: REGISTRY["index"].emit(x, at),
        "gather": lambda: REGISTRY["gather"].emit(x, at, dim=0),
        "scatter": lambda: REGISTRY["scatter"].emit(x, at, value, dim=0, reduce="set"),
        "index_put": lambda: REGISTRY["index_put"].emit(x, value, at, accumulate=False),
    }
    _must_raise(f"the kernel of {op} with index {place} into a side of 4", lambda: to_numpy(calls[op]()))


def _must_raise(what: str, call: Callable[[], Any]) -> None:
    try:
        got = call()
    except IndexError:
        return
    raise ConformanceError(f"{what}: expected IndexError, got {np.asarray(got).tolist()}")


# ------------------------------------------------------------------ in-place writes without a pure form


def writing(device: str, limits: Limits) -> Iterator[Check]:
    """``copy_``, ``fill_``, ``zero_`` in every dtype."""
    for dtype in sorted(Device(device).capabilities.dtypes, key=lambda each: each.name):
        yield area_check(device, "writing", f"fill/{dtype.name}", dtype.name, partial(_fill, device, dtype.name))
        yield area_check(device, "writing", f"copy/{dtype.name}", dtype.name, partial(_copy, device, dtype.name))
    yield from writes_to_views(device)


def _fill(device: str, dtype: str) -> None:
    x = from_numpy(np.zeros((2, 3), native(dtype)), device)
    x[1].fill_(1)
    _equal("zeros after x[1].fill_(1)", to_numpy(x), np.array([[0] * 3, [1] * 3]).astype(native(dtype)))
    x.zero_()
    _equal("x after x.zero_()", to_numpy(x), np.zeros((2, 3), native(dtype)))


def _copy(device: str, dtype: str) -> None:
    x = from_numpy(np.zeros((2, 3), native(dtype)), device)
    x.copy_(from_numpy(np.array([1, 0, 1], np.int64), device))
    _equal("zeros after copy_([1, 0, 1])", to_numpy(x), np.array([[1, 0, 1]] * 2).astype(native(dtype)))


# ------------------------------------------------------------------ transfers


def transfers(device: str, limits: Limits) -> Iterator[Check]:
    """Host to device and back, bit by bit, in every dtype and layout; and by way of another device."""
    for dtype in sorted(Device(device).capabilities.dtypes, key=lambda each: each.name):
        for name, run in (("bits", _bits), ("layouts", _layouts), ("between", _between), ("item", _item)):
            yield area_check(device, "transfers", f"{name}/{dtype.name}", dtype.name, partial(run, device, dtype))
    yield area_check(device, "transfers", "dlpack", "float32", partial(_dlpack, device))


def _patterns(dtype: dtypes.DType) -> Any:
    """Elements with every kind of bit pattern: random bytes, so NaN payloads, infinities and subnormal numbers too."""
    if dtype.category == dtypes.BOOL:
        return np.array([True, False, True, True, False, False])
    rng = np.random.default_rng(11)
    kind = native(dtype)
    noise = np.frombuffer(rng.bytes(kind.itemsize * 60), kind)
    if dtype.category < dtypes.FLOATING:
        return noise
    special = np.array([0.0, -0.0, np.inf, -np.inf, 1.0, -1.0]).astype(kind)
    noise = noise[np.isfinite(noise.astype(np.complex128 if dtype.category == dtypes.COMPLEX else np.float64))]
    # Quiet NaN with bits of its own; signalling ones may become quiet on the way.
    if kind.itemsize in (4, 8) and dtype.category == dtypes.FLOATING:
        word, bits = (np.uint32, 0xFFC12345) if kind.itemsize == 4 else (np.uint64, 0x7FF8123456789ABC)
        special = np.concatenate([special, np.array([bits], word).view(kind)])
    return np.concatenate([special, noise])


def _raw(x: Tensor) -> bytes:
    return bytes(x._kind.backend.to_host(x._array))


def _bits(device: str, dtype: dtypes.DType) -> None:
    for array in (_patterns(dtype), _patterns(dtype)[:0], _patterns(dtype)[:1].reshape(())):
        back = _raw(from_numpy(array, device))
        if back != array.tobytes():
            raise ConformanceError(
                f"{dtype.name} of shape {list(array.shape)} came back with other bits: "
                f"sent {array.tobytes().hex()}, got {back.hex()}"
            )


def _layouts(device: str, dtype: dtypes.DType) -> None:
    array = _patterns(dtype)[:6].reshape(2, 3)
    x = from_numpy(array, device)
    _equal("the transpose, read back", to_numpy(x.transpose(0, 1)), array.T)
    _equal("every second column, read back", to_numpy(x[:, ::2]), array[:, ::2])
    _equal("an expanded row, read back", to_numpy(x[:1].expand(3, 3)), np.broadcast_to(array[:1], (3, 3)))
    _equal("an element, read back", to_numpy(x[1, 2]), array[1, 2])
    _equal("an expanded element, read back", to_numpy(x[1, 1].expand(2, 3)), np.broadcast_to(array[1, 1], (2, 3)))
    _equal("a row of a column, read back", to_numpy(x[1:, 1:2]), array[1:, 1:2])


def _between(device: str, dtype: dtypes.DType) -> None:
    array = _patterns(dtype)
    there = from_numpy(array, device).to(oracle_device(device))
    if there.device != Device(oracle_device(device)):
        raise ConformanceError(f"to({oracle_device(device)!r}): the result is on {str(there.device)!r}")
    _equal(f"sent on to {oracle_device(device)}", to_numpy(there), array)
    _equal("sent on and back", to_numpy(there.to(device)), array)


def _item(device: str, dtype: dtypes.DType) -> None:
    array: Any = np.array([1, 0, 1]).astype(native(dtype))
    x = from_numpy(array, device)
    kind = {0: bool, 1: int, 2: float, 3: complex}[dtype.category]
    for place, number in enumerate((1, 0, 1)):
        got = x[place].item()
        if type(got) is not kind or got != number:
            raise ConformanceError(f"item() of {number} in {dtype.name}: expected {kind(number)!r}, got {got!r}")
    if x.tolist() != [kind(1), kind(0), kind(1)]:
        raise ConformanceError(f"tolist(): expected {[1, 0, 1]} as {kind.__name__}, got {x.tolist()!r}")


def _dlpack(device: str) -> None:
    array: Any = np.arange(6, dtype=np.float32).reshape(2, 3)
    x = from_numpy(array, device)
    try:
        again = tc.from_dlpack(x, device=device)
        exported = np.array(np.from_dlpack(x)) if x.device.backend.host_memory else array
    except BufferError:
        return  # not offered, and said so
    _equal("tensorcore.from_dlpack of a tensor of the same device", to_numpy(again), array)
    _equal("numpy.from_dlpack of a tensor", exported, array)


# ------------------------------------------------------------------ random numbers

_DRAWS: dict[str, tuple[str, float]] = {
    "tc.rand(5, 3, device=d)": ("float32", 0.0),
    "tc.rand(40, dtype=tc.float64, device=d)": ("float64", 0.0),
    "tc.randn(5, 3, device=d)": ("float32", 2e-6),
    "tc.randn(100, device=d)": ("float32", 2e-6),
    "tc.randint(-3, 9, (20,), device=d)": ("int64", 0.0),
    "tc.randperm(12, device=d)": ("int64", 0.0),
    "tc.bernoulli(tc.full((30,), 0.3, device=d))": ("float32", 0.0),
    "tc.zeros(4, 5, device=d).uniform_(-1, 1)": ("float32", 0.0),
    "tc.zeros(4, 5, device=d).normal_(1, 2)": ("float32", 4e-6),
    # Odd sizes, more than a block, every width, the ends of ranges.
    "tc.randn(1, device=d)": ("float32", 2e-6),
    "tc.randn(37, 3, device=d)": ("float32", 2e-6),
    "tc.randn(5003, device=d)": ("float32", 2e-6),
    "tc.randn(19, dtype=tc.float64, device=d)": ("float64", 1e-12),
    "tc.randn(64, dtype=tc.float16, device=d)": ("float16", 0.0),
    "tc.rand(66_001, device=d)": ("float32", 0.0),
    "tc.rand(33, dtype=tc.bfloat16, device=d)": ("bfloat16", 0.0),
    "tc.randint(-2**40, 2**40, (20,), device=d)": ("int64", 0.0),
    "tc.randint(-7, -2, (9,), device=d)": ("int64", 0.0),
    "tc.randint(5, 6, (9,), device=d)": ("int64", 0.0),
    "tc.randperm(1, device=d)": ("int64", 0.0),
    "tc.randperm(1009, device=d)": ("int64", 0.0),
    "tc.bernoulli(tc.tensor([0., 1.] * 20, device=d))": ("float32", 0.0),
    "tc.zeros(31, device=d).exponential_(2.5)": ("float32", 2e-6),
    "tc.multinomial(tc.tensor([0.2, 0., 0.5], device=d), 2)": ("int64", 0.0),
}
_SAMPLES = {
    "dropout": "F.dropout(tc.ones(64, device=d), 0.4)",
    "dropout of none": "F.dropout(tc.ones(64, device=d), 0.0)",
    "dropout of all": "F.dropout(tc.ones(64, device=d), 1.0)",
    "dropout of channels": "F.dropout2d(tc.ones(5, 7, 2, 3, device=d), 0.4)",
    "gradient of dropout": (
        "(lambda x, y: (tc.autograd.grad((lambda z: (y.append(z), z.sum())[1])(F.dropout(x, 0.4)), x)[0] - y[0])"
        ".detach())(tc.ones(64, device=d).requires_grad_(), [])"
    ),
}


def random(device: str, limits: Limits) -> Iterator[Check]:
    """The same seed gives the same tensor as on the reference device, draw after draw."""
    able = Device(device).capabilities.dtypes
    for call, (dtype, budget) in _DRAWS.items():
        if dtypes.by_name(dtype) in able:
            yield area_check(device, "random", call, dtype, partial(_draw, device, call, budget))
    if dtypes.int64 in able and hasattr(F, "dropout"):
        for name, call in _SAMPLES.items():
            yield area_check(device, "random", name, "float32", partial(_draw, device, call, 0.0))


def _draw(device: str, call: str, budget: float) -> None:
    drawn = []
    for place in (device, oracle_device(device)):
        tc.manual_seed(1234)
        drawn.append([to_numpy(eval(call, {"tc": tc, "F": F, "d": place})) for _ in range(2)])
    for turn, (got, wanted) in enumerate(zip(*drawn, strict=True)):
        got, wanted = (x.astype(np.float64) if x.dtype.name in ("bfloat16", "float16") else x for x in (got, wanted))
        if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=budget, atol=budget):
            raise ConformanceError(
                f"{call} after manual_seed(1234), draw {turn}: expected {wanted.tolist()} as on "
                f"{oracle_device(device)!r}, got {got.tolist()}"
            )


# ------------------------------------------------------------------ claims


def claims(device: str, limits: Limits) -> Iterator[Check]:
    """What `capabilities` says is so."""
    able = Device(device).capabilities
    for dtype in sorted(able.dtypes, key=lambda each: each.name):
        yield area_check(device, "claims", f"dtype/{dtype.name}", dtype.name, partial(_makes, device, dtype))
    yield area_check(device, "claims", "mutable", "float32", partial(_mutable, device))
    if able.subnormals and dtypes.float32 in able.dtypes:
        yield area_check(device, "claims", "subnormals", "float32", partial(_subnormals, device))


def _makes(device: str, dtype: dtypes.DType) -> None:
    x = tc.zeros((2,), dtype=dtype, device=device)
    kept = x._kind.backend.dtype_of(x._array)
    if kept is not dtype:
        raise ConformanceError(f"capabilities name {dtype.name}; an array of it is {kept.name}")


def _mutable(device: str) -> None:
    place = Device(device)
    backend = place.backend
    target, source = (from_numpy(np.full(3, v, np.float32), device)._array for v in (1, 2))
    got = backend.assign(target, source)
    if place.capabilities.mutable and bytes(backend.to_host(target)) != np.full(3, 2, np.float32).tobytes():
        raise ConformanceError("capabilities say mutable, and assign did not write into its target")
    if not place.capabilities.mutable and bytes(backend.to_host(target)) != np.full(3, 1, np.float32).tobytes():
        raise ConformanceError("capabilities say immutable, and assign wrote into its target")
    if bytes(backend.to_host(got)) != np.full(3, 2, np.float32).tobytes():
        raise ConformanceError("assign must return an array holding the source")


def _subnormals(device: str) -> None:
    tiny = np.array([1e-40, -3e-39], np.float32)
    got = to_numpy(from_numpy(tiny, device) * 1.0)
    if got.tobytes() != tiny.tobytes():
        raise ConformanceError(
            f"capabilities say that subnormal numbers are kept; {tiny.tolist()} * 1 gave {got.tolist()}"
        )


#: What is checked beside single ops, by name.
AREAS: dict[str, Callable[[str, Limits], Iterator[Check]]] = {
    "claims": claims,
    "transfers": transfers,
    "interchange": interchange_area,
    "indexing": indexing,
    "writing": writing,
    "overlap": overlap_area,
    "errors": errors_area,
    "random": random,
    "determinism": determinism_area,
    "threads": threads_area,
    "async": async_area,
    "memory": memory_area,
    "compile": compile_area,
    "training": training_area,
}
