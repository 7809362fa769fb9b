"""Areas about memory: what tensors say of it, share with the host and other libraries, and with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorcore as tc
from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore.tensor import Tensor, wrap
from tensorcore_conformance.arrays import from_numpy, native, to_numpy
from tensorcore_conformance.checks import Check, area_check
from tensorcore_conformance.forward import ConformanceError, Measured
from tensorcore_conformance.limits import Limits

__all__ = ["interchange_area", "overlap_area", "writes_to_views"]

#: Views of an array of shape (4, 6), as written after its name; the same for NumPy's arrays and tensors.
VIEWS = (
    "", "[1:]", "[:, 2:5]", "[:, ::2]", "[1::2, 1::3]", ".T", ".T[1:]", "[2]", "[:, 3]", ".reshape(2, 2, 6)", "[1:, 0]",
    "[1:2]", "[:, 2:3]", "[1:2, 2:3]", "[:, 2:3].T", "[2, 3, ...]", "[2:2]",
)  # fmt: skip


def _viewed(x: Any, view: str) -> Any:
    return eval(f"x{view}", {"x": x})


def _numbers(dtype: str) -> Any:
    """24 numbers that are all different, of any dtype but bool."""
    base = np.arange(24).reshape(4, 6)
    made: Any = base % 2 if dtype == "bool" else base * (1 + 2j) if dtype.startswith("complex") else base
    return made.astype(native(dtype))


def _equal(what: str, got: Any, wanted: Any) -> None:
    wanted = np.array(wanted, order="C")
    if got.shape != wanted.shape or got.dtype != wanted.dtype or got.tobytes() != wanted.tobytes():
        raise ConformanceError(
            f"{what}: expected {wanted.dtype} {wanted.tolist()}, got {got.dtype} {np.asarray(got).tolist()}"
        )


def interchange_area(device: str, limits: Limits) -> Iterator[Check]:
    """Numbers one by one, memory read as another dtype, shared with the host and by DLPack, strides as they are."""
    able = sorted(limits.dtypes or (each.name for each in Device(device).capabilities.dtypes))
    check = partial(area_check, device, "interchange")
    for dtype in able:
        for name, run in (("numbers", _single_numbers), ("shared", _shared), ("dlpack", _dlpack)):
            yield check(f"{name}/{dtype}", dtype, partial(run, device, dtype))
    for view in VIEWS:
        yield check(f"strides/x{view}", "float32", partial(_strides, device, view))
    yield check("strides/expand", "float32", partial(_expanded_strides, device))
    for source, target in _REREAD:
        if source in able and target in able:
            yield check(f"reread/{source}/{target}", source, partial(_reread, device, source, target))
        if source in able and target in able:
            yield check(f"reread/{source}/{target}/memory", source, partial(_reread_memory, device, source, target))
    yield check("dlpack/copy", "float32", partial(_dlpack_copies, device))
    yield check("dlpack/shared", "float32", partial(_dlpack_shared, device))
    yield check("lists", "float32", partial(_lists, device))
    yield check("read-only", "float32", partial(_read_only, device))


# ------------------------------------------------------------------ numbers

#: What does not survive a way through a narrower format.
_EXACT: dict[str, Any] = {
    "int": (2**53 + 1, -(2**62) - 1, 7),
    "uint": (2**64 - 1, 2**53 + 1, 7),
    "float": (0.1, -1 / 3, 1e300),
    "complex": (0.1 + 0.7j, -1j, 3),
}


def _single_numbers(device: str, dtype: str) -> None:
    array: Any = _numbers("bool")[:1, :3] if dtype == "bool" else None
    if array is None:
        kind = native(dtype)
        numbers: Any = _EXACT[dtype.rstrip("0123456789").removeprefix("b")]
        if kind.kind in "iu":
            limits = np.iinfo(kind)
            numbers = [min(max(each, limits.min), limits.max) for each in numbers]
        array = np.array([numbers]).astype(kind) if kind.kind not in "iu" else np.array([numbers], kind)
    x = from_numpy(np.concatenate([array, array[:, ::-1]]), device)
    wanted = (array.astype(np.float64) if array.dtype.name == "bfloat16" else array)[0].tolist()
    got = [x[0, place].item() for place in range(3)]
    if [type(each) for each in got] != [type(each) for each in wanted] or not _alike(got, wanted):
        raise ConformanceError(f"item() of {wanted} in {dtype}: got {got}")
    rows = x.tolist()
    if len(rows) != 2 or not _alike(rows[0], wanted) or not _alike(rows[1], wanted[::-1]):
        raise ConformanceError(f"tolist() of {[wanted, wanted[::-1]]} in {dtype}: got {rows}")


def _alike(got: Any, wanted: Any) -> bool:
    # Infinities are equal; no number here is NaN.
    return len(got) == len(wanted) and all(a == b for a, b in zip(got, wanted, strict=True))


# ------------------------------------------------------------------ memory read as another dtype

_REREAD = (
    ("float32", "int32"), ("float64", "int64"), ("int32", "float32"), ("float32", "uint8"), ("int16", "int64"),
    ("float16", "int16"), ("complex64", "float32"),
)  # fmt: skip


def _reread(device: str, source: str, target: str) -> None:
    array = np.arange(8).reshape(2, 4).astype(native(source)) + np.ones((), native(source))
    got = to_numpy(from_numpy(array, device).view(dtypes.by_name(target)))
    _equal(f"{source} read as {target}", got, array.view(native(target)))


def _reread_memory(device: str, source: str, target: str) -> Measured | None:
    """What reads a tensor's memory as another dtype sees what is written to it."""
    x = from_numpy(np.ones((2, 4)).astype(native(source)), device)
    y = x.view(dtypes.by_name(target))
    if not y._is_view() or not Device(device).capabilities.mutable:
        return Measured(oracle="a copy")
    x[1].fill_(3)
    array = np.array([[1] * 4, [3] * 4]).astype(native(source))
    _equal(f"{source} read as {target}, after a write", to_numpy(y), array.view(native(target)))
    return None


def _lists(device: str) -> None:
    """Nested lists of views, of nothing, and of numbers that are none."""
    for view in (*VIEWS, "[:, 3:3]"):
        array = _viewed(_numbers("float32"), view)
        got = _viewed(from_numpy(_numbers("float32"), device), view).tolist()
        if got != array.tolist():
            raise ConformanceError(f"tolist() of x{view}, x of shape [4, 6]: expected {array.tolist()}, got {got}")
    for numbers in ([float("nan"), float("inf"), -0.0, 1e-40], [[], []], [[[]]]):
        array = np.array(numbers, np.float32)
        got = from_numpy(array, device).tolist()
        if repr(got) != repr(array.tolist()):
            raise ConformanceError(f"tolist(): expected {array.tolist()}, got {got}")


def _read_only(device: str) -> Measured | None:
    """Host memory that must not be written is not shared, or writes to the tensor leave it as it is."""
    kind = Device(device).kind(dtypes.float32)
    array = _numbers("float32")
    array.flags.writeable = False
    shared = kind.backend.share_host(array, kind.dtype, array.shape, array.strides)
    if shared is None:
        return Measured(oracle="not offered")
    try:
        wrap(shared, kind).fill_(7)
    except (RuntimeError, ValueError):
        return None
    _equal("read-only host memory after a write to what shares it", array, _numbers("float32"))
    return None


# ------------------------------------------------------------------ strides


def _has_strides(x: Tensor) -> bool:
    return Device(x.device).capabilities.views and x._kind.backend.strides(x._array) is not None


def _strides(device: str, view: str) -> Measured | None:
    whole = from_numpy(_numbers("float32"), device)
    if not _has_strides(whole):
        return Measured(oracle="not offered")
    array = _numbers("float32")
    _same_layout(f"x{view}, x of shape [4, 6]", whole, _viewed(whole, view), array, _viewed(array, view))
    return None


def _expanded_strides(device: str) -> Measured | None:
    whole = from_numpy(_numbers("float32")[:, :1], device)
    if not _has_strides(whole):
        return Measured(oracle="not offered")
    array = np.ascontiguousarray(_numbers("float32")[:, :1])
    _same_layout("x.expand(4, 5), x of shape [4, 1]", whole, whole.expand(4, 5), array, np.broadcast_to(array, (4, 5)))
    return None


def _same_layout(what: str, whole: Tensor, x: Tensor, base: Any, array: Any) -> None:
    wanted = tuple(step // array.itemsize for step in array.strides)
    if tuple(x.stride()) != wanted:
        raise ConformanceError(f"{what}: expected strides {wanted}, got {tuple(x.stride())}")
    if x.is_contiguous() is not bool(array.flags.c_contiguous):
        raise ConformanceError(f"{what}: expected is_contiguous() to be {array.flags.c_contiguous}")
    if whole.data_ptr():
        gap = array.ctypes.data - base.ctypes.data
        met = x.data_ptr() - whole.data_ptr()
        if met != gap and array.size:
            raise ConformanceError(f"{what}: expected data_ptr() {gap} after that of x, got {met}")
    _equal(f"the elements of {what}", to_numpy(x), array)


# ------------------------------------------------------------------ the host's memory

#: Layouts of the host's arrays, the last two with negative strides.
_HOST = ("", "[1:, 2:]", "[:, ::3]", ".T", "[::-1]", "[:, ::-2]")


def _shared(device: str, dtype: str) -> Measured | None:
    """Where the backend reads the host's memory in place, it reads it as it lies, and writes go both ways."""
    place = Device(device)
    kind = place.kind(dtypes.by_name(dtype))
    met = False
    for view in _HOST:
        array = _viewed(_numbers(dtype), view)
        shared = kind.backend.share_host(array, kind.dtype, array.shape, array.strides)
        if shared is None:
            continue
        met = True
        x = wrap(shared, kind)
        what = f"a host array {view or 'as it is'}, shared"
        _equal(what, to_numpy(x), array)
        _equal(f"the copy of {what}", to_numpy(x.clone()), array)
        _equal(f"part of {what}", to_numpy(x[1:, :2]), array[1:, :2])
        array[...] = array[::-1].copy()
        _equal(f"{what}, after a write by the host", to_numpy(x), array)
        if place.capabilities.mutable:
            x[1].fill_(1)
            _equal("the host's array after a write to the tensor that shares it", array[1].copy(), to_numpy(x)[1])
            if not (array[1] == np.ones((), array.dtype)).all():
                raise ConformanceError(f"{what}: a write to the tensor must show in the host's array")
    return None if met else Measured(oracle="not offered")


# ------------------------------------------------------------------ DLPack


def _dlpack(device: str, dtype: str) -> Measured | None:
    """Strided views go by DLPack as they lie, in and out."""
    met = False
    for view in VIEWS:
        array = _viewed(_numbers(dtype), view)
        for what, run in (("from", _imported), ("to", _exported)):
            try:
                got = run(device, view, dtype)
            except (BufferError, RuntimeError, TypeError):
                continue  # not offered
            if got is not None:
                met = True
                _equal(f"x{view} {what} DLPack, x of {dtype} and shape [4, 6]", got, array)
    return None if met else Measured(oracle="not offered")


def _imported(device: str, view: str, dtype: str) -> Any:
    array = _viewed(_numbers(dtype), view)
    return to_numpy(tc.from_dlpack(array, device=device)) if Device(device).backend.host_memory else None


def _exported(device: str, view: str, dtype: str) -> Any:
    x = _viewed(from_numpy(_numbers(dtype), device), view)
    on_host = Device(device).backend.host_memory
    return np.array(np.from_dlpack(x)) if on_host else to_numpy(tc.from_dlpack(x, device=device))


def _dlpack_shared(device: str) -> Measured | None:
    """Where memory is the host's and can be written, what is exported shares it; also with negative strides."""
    place = Device(device)
    kind = place.kind(dtypes.float32)
    if not (place.backend.host_memory and place.capabilities.mutable and place.capabilities.views):
        return Measured(oracle="not offered")
    x = from_numpy(_numbers("float32"), device)
    if tuple(x.__dlpack_device__()) != tuple(_numbers("float32").__dlpack_device__()):
        raise ConformanceError(f"__dlpack_device__(): memory of the host, and it says {tuple(x.__dlpack_device__())}")
    try:
        exported = np.from_dlpack(x)
    except (BufferError, RuntimeError):
        return Measured(oracle="not offered")
    x.fill_(5)
    _equal(
        "what was exported by DLPack, after a write to the tensor", np.array(exported), np.full((4, 6), 5, np.float32)
    )
    for view in ("[::-1]", "[2, ::-1]", "[::-1, ::2]"):
        array = _viewed(_numbers("float32"), view)
        shared = kind.backend.share_host(array, kind.dtype, array.shape, array.strides)
        if shared is not None:
            try:
                got = np.array(np.from_dlpack(wrap(shared, kind)))
            except (BufferError, RuntimeError):
                continue  # not offered
            _equal(f"a host array {view}, shared, to DLPack", got, array)
    return None


def _dlpack_copies(device: str) -> Measured | None:
    """``copy=True`` shares nothing; ``copy=False`` shares, or is refused."""
    if not Device(device).backend.host_memory:
        return Measured(oracle="not offered")
    for copy in (True, False):
        array = _numbers("float32")
        try:
            x = tc.from_dlpack(array, device=device, copy=copy)
        except (BufferError, RuntimeError, TypeError, ValueError):
            continue  # not offered
        array[0, 0] = 99
        shares = to_numpy(x)[0, 0] == 99
        if shares == copy:
            word = "shares the memory" if shares else "holds a copy"
            raise ConformanceError(f"from_dlpack with copy={copy}: the tensor {word}")
    return None


# ------------------------------------------------------------------ writes where source and target overlap


def writes_to_views(device: str) -> Iterator[Check]:
    """Writes to parts of a tensor, however they lie: from whole arrays, rows, numbers and what is transposed."""
    for view in (*VIEWS, *_HOST[-2:]):
        yield area_check(device, "writing", f"view/x{view}", "float32", partial(_written_view, device, view))


def _written_view(device: str, view: str) -> None:
    kind = Device(device).kind(dtypes.float32)
    if not Device(device).capabilities.mutable and "-" in view:
        return
    for told in ("a whole array", "a row", "a number", "a transpose", "a sum"):
        array = _numbers("float32")
        if view in _HOST[-2:]:  # slices of tensors have positive steps
            shared = kind.backend.share_host(array, kind.dtype, array.shape, array.strides)
            turned = _viewed(array, view)
            part = kind.backend.share_host(turned, kind.dtype, turned.shape, turned.strides)
            if shared is None or part is None:
                return
            x, target = wrap(shared, kind), wrap(part, kind)
            array = array.copy()
        else:
            x = from_numpy(array, device)
            target = _viewed(x, view)
        wanted = _viewed(array, view)
        full: Any = -1 - np.arange(wanted.size, dtype=np.float32).reshape(wanted.shape)
        value = {"a row": full[(0,) * (full.ndim - 1)] if full.ndim and full.size else full, "a number": np.float32(-9)}
        source = np.asarray(value.get(told, full), np.float32)
        given = from_numpy(np.array(source.T, order="C"), device).permute(*range(source.ndim)[::-1])
        if told == "a sum":
            target.add_(given).mul_(2)
            new = (wanted + source) * 2
        else:
            target.copy_(given if told == "a transpose" else from_numpy(source, device))
            new = source
        if view in _HOST[-2:] or wanted.ndim == 0:
            again = _numbers("float32")
            (again[2:3, 3:4] if wanted.ndim == 0 else _viewed(again, view))[...] = new
            array = again
        else:
            wanted[...] = new
        _equal(f"x after {told} was written to x{view}, x of shape [4, 6]", to_numpy(x), array)


PLACES: Any = np.array([1, 0, 2])
#: Statements on ``x``, of shape (6,) or (4, 4), and what they must do, by NumPy with the source copied first.
_WRITES: dict[str, tuple[tuple[int, ...], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "x[1:].copy_(x[:-1])": ((6,), lambda x: x[1:].copy_(x[:-1]), lambda x: _put(x, np.s_[1:], x[:-1])),
    "x[:-1].copy_(x[1:])": ((6,), lambda x: x[:-1].copy_(x[1:]), lambda x: _put(x, np.s_[:-1], x[1:])),
    "x[1:] = x[:-1]": ((6,), lambda x: x.__setitem__(slice(1, None), x[:-1]), lambda x: _put(x, np.s_[1:], x[:-1])),
    "x[::2] = x[:3]": ((6,), lambda x: x.__setitem__(np.s_[::2], x[:3]), lambda x: _put(x, np.s_[::2], x[:3])),
    "x[1:].add_(x[:-1])": ((6,), lambda x: x[1:].add_(x[:-1]), lambda x: _put(x, np.s_[1:], x[1:] + x[:-1])),
    "x[:-1].mul_(x[1:])": ((6,), lambda x: x[:-1].mul_(x[1:]), lambda x: _put(x, np.s_[:-1], x[:-1] * x[1:])),
    "x[1:].sub_(x[:-1])": ((6,), lambda x: x[1:].sub_(x[:-1]), lambda x: _put(x, np.s_[1:], x[1:] - x[:-1])),
    "x.sub_(x)": ((6,), lambda x: x.sub_(x), lambda x: _put(x, ..., x - x)),
    "x.copy_(x.T)": ((4, 4), lambda x: x.copy_(x.T), lambda x: _put(x, ..., x.T)),
    "x.add_(x.T)": ((4, 4), lambda x: x.add_(x.T), lambda x: _put(x, ..., x + x.T)),
    "x.div_(x[0])": ((4, 4), lambda x: x.div_(x[0]), lambda x: _put(x, ..., x / x[0])),
    "x.sub_(x[:, :1])": ((4, 4), lambda x: x.sub_(x[:, :1]), lambda x: _put(x, ..., x - x[:, :1])),
    "sub(x + 1, x, out=x)": ((6,), lambda x: tc.sub(x + 1, x, out=x), lambda x: _put(x, ..., x + 1 - x)),
    "sub(x.T * 2, x, out=x)": ((4, 4), lambda x: tc.sub(x.T * 2, x, out=x), lambda x: _put(x, ..., x.T * 2 - x)),
    "matmul(x, x, out=x)": ((4, 4), lambda x: tc.matmul(x, x, out=x), lambda x: _put(x, ..., x @ x)),
    "x[places] = x[:3]": ((6,), lambda x: x.__setitem__(_places(x), x[:3]), lambda x: _put(x, PLACES, x[:3])),
    "x.index_copy_": ((6,), lambda x: x.index_copy_(0, _places(x), x[:3]), lambda x: _put(x, PLACES, x[:3])),
    "x.scatter_": ((6,), lambda x: x.scatter_(0, _places(x), x[:3]), lambda x: _put(x, PLACES, x[:3])),
}  # fmt: skip


def _places(x: Tensor) -> Tensor:
    return from_numpy(PLACES, str(x.device))


def _put(x: Any, where: Any, value: Any) -> None:
    x[where] = np.array(value)


def overlap_area(device: str, limits: Limits) -> Iterator[Check]:
    """Writes whose source lies in the memory that is written give what they give with a copy of the source.

    A device may refuse them, as PyTorch does (`RuntimeError`), and leave the memory as it was.
    """
    for name, (shape, write, expected) in _WRITES.items():
        for dtype in ("float32", "int64"):
            if dtypes.by_name(dtype) in Device(device).capabilities.dtypes and not (dtype == "int64" and "div" in name):
                run = partial(_overlapping, device, dtype, shape, name, write, expected)
                yield area_check(device, "overlap", f"{dtype}/{name}", dtype, run)


def _overlapping(device: str, dtype: str, shape: Any, name: str, write: Any, expected: Any) -> Measured | None:
    array = (1 + np.arange(np.prod(shape)).reshape(shape)).astype(native(dtype))
    x = from_numpy(array, device)
    try:
        write(x)
    except RuntimeError:
        _equal(f"x after {name} was refused", to_numpy(x), array)
        return Measured(oracle="refusal")
    expected(array)
    got = to_numpy(x)
    if not np.allclose(got, array, rtol=1e-6):
        raise ConformanceError(f"x after {name}: expected {array.tolist()}, got {got.tolist()}")
    return None
