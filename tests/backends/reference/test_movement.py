"""Views, writing through them, joining, creation, and conversion."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorcore import dtypes
from tensorcore.dtypes import DType

INF, NAN = math.inf, math.nan

# ------------------------------------------------------------------ views


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((3, 4), (2, 6)),
        ((3, 4), (12,)),
        ((), (1, 1)),
        ((1,), ()),
        ((0, 4), (4, 0)),
        ((2, 3, 4), (6, 4)),
        ((2, 3, 1, 4), (2, 3, 4)),
    ],
)
def test_reshape_shares_memory(backend: Any, given: Any, shown: Any, shape: Any, sides: Any) -> None:
    x = np.arange(float(math.prod(shape))).reshape(shape)
    array = given(x)
    view = backend.reshape(array, shape=sides)
    np.testing.assert_array_equal(shown(view), x.reshape(sides))
    assert view.buffer is array.buffer


@pytest.mark.parametrize(
    ("shape", "dims", "sides", "shares"),
    [
        ((2, 3), (1, 0), (6,), False),
        ((2, 3), (1, 0), (3, 2, 1), True),
        ((2, 3, 4), (1, 0, 2), (3, 8), False),
        ((2, 3, 4), (0, 2, 1), (2, 2, 2, 3), True),
        ((2, 3, 4), (2, 0, 1), (4, 6), True),
        ((2, 3, 4), (2, 0, 1), (24,), False),
        ((1, 3, 1), (2, 1, 0), (3,), True),
    ],
)
def test_reshape_of_permuted(
    backend: Any, given: Any, shown: Any, shape: Any, dims: Any, sides: Any, shares: bool
) -> None:
    x = np.arange(float(math.prod(shape))).reshape(shape)
    array = given(x)
    permuted = backend.permute(array, dims=dims)
    np.testing.assert_array_equal(shown(permuted), x.transpose(dims))
    view = backend.reshape(permuted, shape=sides)
    np.testing.assert_array_equal(shown(view), x.transpose(dims).reshape(sides))
    assert (view.buffer is array.buffer) == shares


def test_reshape_to_another_size(backend: Any, given: Any) -> None:
    with pytest.raises(ValueError, match=r"\[4\] does not hold the elements of shape \[3\]"):
        backend.reshape(given(np.zeros(3)), shape=(4,))


@pytest.mark.parametrize(
    ("shape", "sides"), [((3, 1), (2, 3, 4)), ((), (2,)), ((1,), (0,)), ((2, 3), (2, 3)), ((1, 3), (3, 3))]
)
def test_expand(backend: Any, given: Any, shown: Any, shape: Any, sides: Any) -> None:
    x = np.arange(float(math.prod(shape))).reshape(shape)
    array = given(x)
    view = backend.expand(array, shape=sides)
    np.testing.assert_array_equal(shown(view), np.broadcast_to(x, sides))
    assert view.buffer is array.buffer
    assert (
        np.array(view.strides).tolist() == [s // 8 for s in np.broadcast_to(x, sides).strides]
        or 0 in sides
        or 1 in sides
    )


@pytest.mark.parametrize(("shape", "sides"), [((2,), (3,)), ((2, 3), (3,)), ((2,), (2, 3))])
def test_expand_misfits(backend: Any, given: Any, shape: Any, sides: Any) -> None:
    with pytest.raises(ValueError, match="does not stretch"):
        backend.expand(given(np.zeros(shape)), shape=sides)


INDICES = [
    (slice(0, 3, 1), slice(0, 4, 2)), (1, slice(1, 4, 1)), (slice(0, 3, 2), 3), (2, 3),
    (slice(0, 0, 1), slice(0, 4, 1)), (slice(1, 3, 1), slice(1, 4, 2)), (slice(2, 3, 5), slice(3, 4, 1)),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES)
def test_basic_index_and_writing_through_it(backend: Any, given: Any, shown: Any, index: Any) -> None:
    x = np.arange(12.0).reshape(3, 4)
    array = given(x)
    view = backend.basic_index(array, index=index)
    np.testing.assert_array_equal(shown(view), x[index])
    value = np.full(x[index].shape, -5.0)
    put = backend.basic_index_put(array, given(value), index=index)
    np.testing.assert_array_equal(shown(array), np.arange(12.0).reshape(3, 4))
    x[index] = value
    np.testing.assert_array_equal(shown(put), x)
    assert backend.assign(view, given(value)) is view
    np.testing.assert_array_equal(shown(array), x)


def test_views_of_views(backend: Any, given: Any, shown: Any) -> None:
    x = np.arange(60.0).reshape(3, 4, 5)
    array = given(x)
    view = backend.permute(backend.basic_index(array, index=(slice(1, 3, 1), slice(0, 4, 3), 2)), dims=(1, 0))
    np.testing.assert_array_equal(shown(view), x[1:3, ::3, 2].T)
    backend.assign(view, given(np.array([[-1.0], [-2.0]])))
    x[1:3, ::3, 2].T[...] = [[-1.0], [-2.0]]
    np.testing.assert_array_equal(shown(array), x)


# ------------------------------------------------------------------ assign


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0, 1)])
def test_assign_broadcasts(backend: Any, given: Any, shown: Any, shape: tuple[int, ...]) -> None:
    target = given(np.zeros(shape, np.float32))
    backend.assign(target, given(np.float32(7)))
    np.testing.assert_array_equal(shown(target), np.full(shape, 7, np.float32))


def test_assign_from_overlapping_memory(backend: Any, given: Any, shown: Any) -> None:
    x = np.arange(6.0)
    array = given(x)
    backend.assign(
        backend.basic_index(array, index=(slice(1, 6, 1),)), backend.basic_index(array, index=(slice(0, 5, 1),))
    )
    np.testing.assert_array_equal(shown(array), [0, 0, 1, 2, 3, 4])
    square = given(np.arange(9.0).reshape(3, 3))
    backend.assign(square, backend.permute(square, dims=(1, 0)))
    np.testing.assert_array_equal(shown(square), np.arange(9.0).reshape(3, 3).T)
    turned = given(np.arange(9.0).reshape(3, 3))
    backend.assign(backend.permute(turned, dims=(1, 0)), turned)
    np.testing.assert_array_equal(shown(turned), np.arange(9.0).reshape(3, 3).T)


def test_assign_refuses(backend: Any, given: Any) -> None:
    with pytest.raises(ValueError, match="share memory"):
        backend.assign(backend.expand(given(np.zeros(1)), shape=(3,)), given(np.zeros(3)))
    with pytest.raises(ValueError, match="does not stretch"):
        backend.assign(given(np.zeros(3)), given(np.zeros(2)))


def test_copies_do_not_share(backend: Any, given: Any) -> None:
    x = given(np.array([1.0, 2.0]))
    for copy in (
        backend.copy(x), backend.cast(x, dtype=dtypes.float64), backend.cat(x, dim=0), backend.flip(x, dims=()),
        backend.from_host(backend.to_host(x), x.dtype, x.shape, 0),
    ):  # fmt: skip
        backend.assign(copy, given(np.array(9.0)))
    assert x.buffer == [1.0, 2.0]
    backend.assign(backend.alias(x), given(np.array(9.0)))
    assert x.buffer == [9.0, 9.0]


# ------------------------------------------------------------------ reordering, joining, creation


@pytest.mark.parametrize("dims", [(), (0,), (1,), (0, 2), (0, 1, 2)])
def test_flip(backend: Any, given: Any, shown: Any, dims: tuple[int, ...]) -> None:
    x = np.arange(24).reshape(2, 3, 4)
    view = backend.permute(given(x), dims=(2, 1, 0))
    np.testing.assert_array_equal(shown(backend.flip(view, dims=dims)), np.flip(x.T, dims))
    assert shown(backend.flip(given(np.zeros((0, 3))), dims=(0, 1))).shape == (0, 3)


@pytest.mark.parametrize(
    ("shapes", "dim"), [(((2, 3), (1, 3)), 0), (((2, 3), (2, 0), (2, 1)), 1), (((2, 1, 2), (2, 3, 2)), 1), (((3,),), 0)]
)
def test_cat(backend: Any, given: Any, shown: Any, shapes: Any, dim: int) -> None:
    parts = [np.arange(float(math.prod(shape))).reshape(shape) + 10 * i for i, shape in enumerate(shapes)]
    np.testing.assert_array_equal(shown(backend.cat(*map(given, parts), dim=dim)), np.concatenate(parts, dim))


def test_cat_misfit(backend: Any, given: Any) -> None:
    with pytest.raises(ValueError, match="do not join along 0"):
        backend.cat(given(np.zeros((1, 2))), given(np.zeros((1, 3))), dim=0)


@pytest.mark.parametrize("dtype", dtypes.ALL)
def test_full(backend: Any, shown: Any, dtype: DType) -> None:
    for shape in ((), (2, 3), (0, 3)):
        found = shown(backend.full(shape=shape, value=1, dtype=dtype, index=0))
        assert found.shape == shape
        assert (found == 1).all()


@pytest.mark.parametrize(
    ("start", "step", "count", "dtype", "wanted"),
    [
        (0, 1, 4, dtypes.int64, [0, 1, 2, 3]),
        (2**62, 2**61, 3, dtypes.int64, [2**62, 2**62 + 2**61, -(2**63)]),
        (250, 5, 3, dtypes.uint8, [250, 255, 4]),
        (1.0, -0.25, 3, dtypes.float32, [1.0, 0.75, 0.5]),
        (0, 0.1, 4, dtypes.float64, [0.0, 0.1, 0.2, 0.1 * 3]),
        (0.5, 1.5, 3, dtypes.int32, [0, 2, 3]),
        (0, 1, 3, dtypes.bool_, [False, True, True]),
        (0, 1, 2, dtypes.complex64, [0j, 1 + 0j]),
        (0, 1, 0, dtypes.float32, []),
    ],
)
def test_ramp(backend: Any, start: Any, step: Any, count: int, dtype: DType, wanted: list[Any]) -> None:
    made = backend.ramp(start=start, step=step, count=count, dtype=dtype, index=0)
    assert made.buffer == wanted
    assert made.shape == (count,)


# ------------------------------------------------------------------ conversion


def numpy_dtype(dtype: DType) -> Any:
    return np.dtype(ml_dtypes.bfloat16) if dtype is dtypes.bfloat16 else np.dtype(dtype.name)


@pytest.mark.parametrize("source", dtypes.ALL)
@pytest.mark.parametrize("target", dtypes.ALL)
def test_cast(backend: Any, given: Any, shown: Any, source: DType, target: DType) -> None:
    values = [0, 1, 2, 3, 100, 127]
    if source.is_signed:
        values += [-1, -3, -128] if target.is_signed or not source.category >= dtypes.FLOATING else []
    x = np.array(values).astype(numpy_dtype(source))
    if source.category >= dtypes.FLOATING:
        x = np.concatenate([x, np.array([0.5, 1.75, 2.5]).astype(x.dtype)])
        if target.category >= dtypes.FLOATING:
            x = np.concatenate([x, np.array([-0.0, INF, -INF, NAN, 1e-7, 6e4]).astype(x.dtype)])
    with np.errstate(all="ignore"):
        real = x.real if source.is_complex and not target.is_complex and target.category != dtypes.BOOL else x
        wanted = real.astype(numpy_dtype(target))
    found = shown(backend.cast(given(x), dtype=target))
    both_nan = (found != found) & (wanted != wanted)
    assert (both_nan | (found == wanted)).all()
    if target.is_floating_point:
        assert (both_nan | (np.signbit(found) == np.signbit(wanted))).all()


@pytest.mark.parametrize("source", [dtypes.int64, dtypes.uint64, dtypes.int32])
@pytest.mark.parametrize("target", dtypes.ALL)
def test_cast_of_large_integers(backend: Any, given: Any, shown: Any, source: DType, target: DType) -> None:
    info = np.iinfo(source.name)
    values = [
        info.max,
        info.max - 1,
        info.min,
        info.max // 2 + 1,
        info.max // 3,
        2**24 + 1,
        16777219,
        65519,
        65520,
        65535,
    ]
    if source is not dtypes.int32:
        # Beside ties of float32: rounding to float64 first would go wrong.
        values += [2**60 + 2**36 + 1, 2**60 + 2**36 - 1, 2**61 + 3 * 2**37 - 1, 2**60 + 2**36]
    if source is dtypes.int64:
        values += [-(2**60) - 2**36 - 1, -(2**60) - 2**36 + 1]
    x = np.array(values, source.name)
    with np.errstate(all="ignore"):
        # ml_dtypes rounds integers to float32 first, as the library does.
        through = np.dtype(np.float32) if target is dtypes.bfloat16 else numpy_dtype(target)
        wanted = x.astype(through).astype(numpy_dtype(target))
    np.testing.assert_array_equal(shown(backend.cast(given(x), dtype=target)), wanted)


_LOW32, _LOW64 = -(2**31), -(2**63)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (dtypes.int8, [0, 0, 0, 44, 0]),
        (dtypes.uint8, [0, 0, 0, 44, 0]),
        (dtypes.int16, [0, 0, 0, 300, 0]),
        (dtypes.uint16, [0, 0, 0, 300, 0]),
        (dtypes.int32, [_LOW32, _LOW32, _LOW32, 300, _LOW32]),
        (dtypes.uint32, [2**31, 0, 2**31, 300, 0]),
        (dtypes.int64, [_LOW64, _LOW64, _LOW64, 300, _LOW64]),
        (dtypes.uint64, [2**63, 0, 2**63, 300, 0]),
        (dtypes.bool_, [True, True, True, True, True]),
    ],
)
def test_cast_of_what_no_integer_holds(backend: Any, given: Any, target: DType, wanted: list[Any]) -> None:
    x = given(np.array([NAN, INF, -INF, 300.7, 1e20]))
    assert backend.cast(x, dtype=target).buffer == wanted


@pytest.mark.parametrize("name", ("float16", "bfloat16", "float32"))
def test_rounding_to_the_nearest_even(backend: Any, given: Any, shown: Any, name: str) -> None:
    target = dtypes.by_name(name)
    eps, tiny, top = (
        float(getattr(ml_dtypes.finfo(numpy_dtype(target)), each)) for each in ("eps", "smallest_subnormal", "max")
    )
    x = np.array([
        1 + eps / 2, 1 + eps * 1.5, 1 + eps * 0.51, tiny / 2, tiny * 1.5, tiny * 0.51, -tiny / 2, top,
        top * (1 + eps / 8), top * (1 + eps / 2), -top * (1 + eps / 2), 1e308, NAN, -INF, -0.0,
    ])  # fmt: skip
    with np.errstate(over="ignore"):
        wanted = x.astype(np.float32).astype(numpy_dtype(target))
    found = shown(backend.cast(given(x), dtype=target))
    both_nan = (found != found) & (wanted != wanted)
    assert (both_nan | ((found == wanted) & (np.signbit(found) == np.signbit(wanted)))).all()


# ------------------------------------------------------------------ host memory and facts


@pytest.mark.parametrize("dtype", dtypes.ALL)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_host_memory_round_trip(backend: Any, dtype: DType, shape: tuple[int, ...]) -> None:
    data = (np.arange(math.prod(shape)) % 2).astype(numpy_dtype(dtype)).tobytes()
    array = backend.from_host(data, dtype, shape, 0)
    assert (array.shape, backend.dtype_of(array)) == (shape, dtype)
    assert bytes(backend.to_host(array)) == data
    assert backend.to_host(array).contiguous


def test_host_bytes_of_a_view_are_row_major(backend: Any, given: Any) -> None:
    x = np.arange(6, dtype=np.int16).reshape(2, 3)
    assert bytes(backend.to_host(backend.permute(given(x), dims=(1, 0)))) == np.ascontiguousarray(x.T).tobytes()


def test_item_strides_and_identity(backend: Any, given: Any) -> None:
    array = given(np.arange(6, dtype=np.float32).reshape(2, 3))
    assert backend.strides(array) == (3, 1)
    view = backend.basic_index(array, index=(1, slice(0, 3, 2)))
    assert backend.strides(view) == (2,)
    assert backend.data_ptr(view) == backend.data_ptr(array) + 12
    assert backend.data_ptr(backend.copy(array)) != backend.data_ptr(array)
    value = backend.item(backend.basic_index(array, index=(1, 2)), dtypes.float32)
    assert (value, type(value)) == (5.0, float)
    able = backend.capabilities(0)
    assert able.dtypes == frozenset(dtypes.ALL)
    assert able.mutable
    assert able.views
    assert "shape [2, 3]" in repr(array)
