"""Programs written for the standard give what its strict test engine gives: values, dtypes, shapes, refusals."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest

import tensorcore as tc

xp = tc.array_api

RNG = np.random.default_rng(0)
DATA: dict[str, Any] = {
    "f": RNG.normal(size=(3, 4)).astype("float32"),
    "d": RNG.normal(size=(3, 4)),
    "v": np.asarray([3.0, 1.0, np.nan, -0.0, 1.0, np.inf, -2.5]),
    "i": RNG.integers(-5, 5, (3, 4), dtype="int32"),
    "n": RNG.integers(-3, 3, (7,), dtype="int64"),
    "u": RNG.integers(0, 255, (3, 4), dtype="uint8"),
    "w": RNG.integers(0, 9, (3, 4), dtype="uint32"),
    "b": RNG.random((3, 4)) > 0.5,
    "c": (RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))).astype("complex64"),
    "z": RNG.normal(size=(2, 3, 3)) + 1j * RNG.normal(size=(2, 3, 3)),
    "m": RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3),
    "s": np.asarray(2.5),
    "h": np.asarray(7, dtype="int64"),
    "e": np.zeros((0, 3)),
    "r": np.asarray([[2, 0], [1, 1], [0, 2]]),
}

SAME = """
xp.abs(c); xp.conj(c); xp.real(c); xp.imag(c); xp.real(f); xp.sign(v); xp.sign(c); xp.round(c); xp.round(v)
xp.signbit(f); xp.bitwise_invert(u); xp.bitwise_left_shift(u, w); xp.square(i); xp.reciprocal(f); xp.positive(i)
xp.logical_not(i > 0); xp.add(i, u); xp.add(h, i); xp.multiply(s, f); xp.pow(f * f, s); xp.subtract(10, i)
xp.divide(1.5, f); xp.pow(2, w); xp.maximum(i, 0); xp.minimum(2.0, f); xp.hypot(f, 1.0); xp.copysign(f, -1.0)
xp.logaddexp(f, 0.0); xp.atan2(f, d); xp.logical_and(b, True); xp.equal(f, f); xp.not_equal(i, u); xp.less(i, u)
xp.greater_equal(f, 0.0); xp.remainder(i, 3); xp.clip(f, -0.5, 0.5); xp.clip(f, f - 1.0, 5.0); xp.clip(i, max=2)
xp.clip(v, 0.0); xp.clip(f); xp.floor_divide(i, 2); xp.bitwise_and(u, w); xp.where(b, f, 0.0); xp.where(b, i, u)
xp.where(b, 1, i); xp.isfinite(v); xp.isnan(c); xp.isinf(v); xp.sum(u); xp.sum(w, axis=0); xp.sum(i, axis=1)
xp.sum(f, axis=()); xp.sum(f, axis=(0, 1), keepdims=True); xp.sum(i, dtype=xp.int32); xp.prod(u[0, :2])
xp.prod(f, axis=-1); xp.prod(e, axis=0); xp.mean(f, axis=0); xp.mean(d, axis=()); xp.std(f); xp.std(f, correction=1.0)
xp.std(d, axis=(0, 1), keepdims=True); xp.var(f, axis=1, correction=0.5); xp.var(d, axis=()); xp.max(f)
xp.max(i, axis=0, keepdims=True); xp.min(f, axis=(0, 1)); xp.max(v); xp.max(i, axis=()); xp.min(u); xp.argmax(f)
xp.argmax(f, axis=1, keepdims=True); xp.argmin(i, axis=0); xp.argmin(i, keepdims=True); xp.cumulative_sum(n)
xp.cumulative_sum(u, axis=1); xp.cumulative_sum(f, axis=0, include_initial=True)
xp.cumulative_sum(i, axis=-1, dtype=xp.float64); xp.cumulative_prod(n)
xp.cumulative_prod(f, axis=1, include_initial=True); xp.all(b); xp.any(b, axis=0); xp.all(b, axis=(), keepdims=True)
xp.any(i, axis=(0, 1)); xp.all(u); xp.all(e); xp.diff(f); xp.diff(i, axis=0, n=2)
xp.diff(n, prepend=xp.asarray([1]), append=xp.asarray([2, 3])); xp.count_nonzero(i); xp.count_nonzero(b, axis=0)
xp.count_nonzero(i, axis=(0, 1), keepdims=True); xp.nonzero(i); xp.sort(f); xp.sort(f, axis=0, descending=True)
xp.argsort(n); xp.argsort(n, descending=True); xp.argsort(f, axis=0); xp.searchsorted(xp.sort(n), n)
xp.searchsorted(xp.sort(n), r, side="right"); xp.searchsorted(n, n, sorter=xp.argsort(n))
xp.searchsorted(xp.sort(n), 1); xp.isin(n, n[:2]); xp.isin(i, 3); xp.isin(n, n[:1]); xp.take(f, r[:, 0], axis=0)
xp.take(f, xp.asarray([-1, 0]), axis=1); xp.take(n, r[0, :]); xp.take_along_axis(f, xp.argsort(f))
xp.take_along_axis(f, r[:, :1], axis=1); xp.take_along_axis(f, r, axis=-1); xp.take_along_axis(f, r[:2, :1], axis=0)
xp.concat([f, d]); xp.concat([i, u], axis=1); xp.concat([f, f], axis=None); xp.stack([i, w], axis=-1)
xp.unstack(f, axis=1); xp.expand_dims(f, 0); xp.expand_dims(f, -1); xp.expand_dims(f, (0, 2))
xp.squeeze(xp.expand_dims(f, 0), 0); xp.squeeze(xp.zeros((1, 3, 1), dtype=xp.int8), (0, -1)); xp.flip(f)
xp.flip(f, axis=0); xp.flip(s); xp.roll(f, 1); xp.roll(f, (1, -2), axis=(0, 1)); xp.roll(f, -1, axis=0)
xp.tile(i, (2,)); xp.tile(i, (2, 1, 3)); xp.repeat(i, 2); xp.repeat(i, 2, axis=1); xp.repeat(i, r[:, 0], axis=0)
xp.repeat(n, xp.asarray([2])); xp.reshape(f, (4, -1)); xp.reshape(f, (2, 6), copy=True)
xp.reshape(f, (12,), copy=False); xp.moveaxis(z, 0, -1); xp.moveaxis(z, (0, 1), (1, 0)); xp.permute_dims(z, (2, 0, 1))
xp.broadcast_to(n, (2, 7)); xp.broadcast_arrays(f, f[:, :1], s); xp.broadcast_shapes((3, 1), (4,))
xp.matrix_transpose(z); xp.tril(i); xp.triu(f, k=1); xp.tril(z, k=-1); xp.triu(b); xp.matmul(f, f.T)
xp.matmul(i, w.T); xp.matmul(z, z); xp.matmul(m, m[0, 0, :]); xp.tensordot(f, f, axes=2)
xp.tensordot(f, d, axes=((0,), (0,))); xp.tensordot(n, n, axes=0); xp.vecdot(c, c); xp.vecdot(f, f[0, :], axis=-1)
xp.vecdot(i, u); xp.unique_all(n); xp.unique_all(v); xp.unique_counts(u); xp.unique_inverse(i); xp.unique_values(f)
xp.unique_values(b); xp.unique_values(c); xp.unique_all(e); xp.unique_counts(s)
xp.unique_inverse(xp.asarray([1 + 2j, 1 - 2j, 1 + 2j], dtype=xp.complex128)); xp.arange(5); xp.arange(2, 9, 3)
xp.arange(5, 0); xp.arange(5, 0, -2); xp.arange(1, 2, 0.25, dtype=xp.float64); xp.linspace(0, 1, 5, dtype=xp.float64)
xp.linspace(0, 1, 4, endpoint=False, dtype=xp.float64); xp.linspace(1, 2, 1, dtype=xp.float64)
xp.eye(3, dtype=xp.int8); xp.eye(2, 4, k=1, dtype=xp.bool); xp.eye(3, k=-1, dtype=xp.complex64)
xp.eye(0, 2, dtype=xp.int64); xp.full((2,), 7); xp.full((), True); xp.full(3, 2.5, dtype=xp.float32)
xp.full_like(f, 2); xp.full_like(i, 2, dtype=xp.uint8); xp.zeros((2, 0), dtype=xp.int16); xp.ones(3, dtype=xp.uint16)
xp.zeros_like(c); xp.ones_like(b); xp.meshgrid(n[:2], n[:3]); xp.meshgrid(n[:2], n[:3], indexing="ij"); xp.meshgrid(n)
xp.asarray([[1, 2], [3, 4]]); xp.asarray(True); xp.asarray(f, copy=True); xp.asarray([1, 2], dtype=xp.uint64)
xp.asarray(i, dtype=xp.float32); xp.astype(f, xp.int32); xp.astype(i, xp.bool); xp.astype(u, xp.complex128)
xp.astype(f, xp.float32, copy=False); xp.result_type(i, u); xp.result_type(xp.int8, xp.uint8, 3)
xp.result_type(f, 1.0); xp.result_type(s, f); xp.result_type(xp.float32, 1j); xp.can_cast(xp.int8, xp.int16)
xp.can_cast(f, xp.int32); xp.can_cast(xp.uint8, xp.int16); xp.isdtype(xp.int8, "integral")
xp.isdtype(xp.bool, "numeric"); xp.isdtype(xp.float32, ("real floating", xp.int8)); xp.isdtype(xp.uint8, xp.uint8)
xp.isdtype(xp.uint8, "signed integer"); xp.finfo(xp.float32).eps; xp.finfo(c).bits; xp.finfo(d).max
xp.iinfo(xp.uint64).max; xp.iinfo(i).min; xp.finfo(f).smallest_normal; f[::-1, :]; f[..., None, 1]; f[b]; f[1:, ::-2]
i[r[:, 0], r[:, 1]]; n[n > 0]; s[()]; z[..., 0, :]; f[xp.asarray(1), 2]; e[..., 1]; f[None, ...]; u.T; z.mT; f.size
f.ndim; i & 3; 2 ** w; -i; ~b; i // 2; i % 3; u >> 1; f @ f.T; h + n; s * d; xp.linalg.cross(f[:, :3], d[:, 1:])
xp.linalg.diagonal(z, offset=1); xp.linalg.trace(i); xp.linalg.trace(u, offset=-1); xp.linalg.trace(z)
xp.linalg.outer(n, n); xp.linalg.vecdot(f, f); xp.linalg.vector_norm(f); xp.linalg.vector_norm(f, axis=0, ord=1)
xp.linalg.vector_norm(d, axis=(0, 1), ord=xp.inf, keepdims=True); xp.linalg.vector_norm(c, axis=1, ord=3)
xp.linalg.matrix_norm(m); xp.linalg.matrix_norm(m, ord=1, keepdims=True); xp.linalg.matrix_norm(m, ord="nuc")
xp.linalg.matrix_norm(m, ord=-2); xp.linalg.matrix_transpose(m); xp.linalg.matmul(m, m)
xp.linalg.tensordot(f, f.T, axes=1); xp.linalg.det(m); xp.linalg.inv(m); xp.linalg.slogdet(m); xp.linalg.slogdet(z)
xp.linalg.solve(m, m); xp.linalg.solve(m, m[0, 0, :]); xp.linalg.solve(m[0, ...], m); xp.linalg.cholesky(m @ m.mT)
xp.linalg.cholesky(m @ m.mT, upper=True); xp.linalg.matrix_power(m, 3); xp.linalg.matrix_power(m, -2)
xp.linalg.matrix_rank(m); xp.linalg.matrix_rank(m, rtol=0.5); xp.linalg.pinv(m); xp.linalg.pinv(f)
xp.linalg.pinv(m, rtol=0.5); xp.linalg.svdvals(m); xp.linalg.eigvalsh(m @ m.mT); xp.linalg.eigh(m @ m.mT).eigenvalues
xp.linalg.svd(f).S; xp.abs(xp.linalg.qr(m).R); xp.abs(xp.linalg.svd(m, full_matrices=False).U)
xp.abs(xp.linalg.qr(f.T, mode="complete").Q[:, :3]); xp.fft.fft(z); xp.fft.ifft(z, n=5, axis=0, norm="ortho")
xp.fft.fftn(z); xp.fft.ifftn(z, s=(2, 2), axes=(1, 2)); xp.fft.rfft(m); xp.fft.irfft(z); xp.fft.irfft(z, n=5)
xp.fft.rfftn(m, axes=(0, 1)); xp.fft.irfftn(z, norm="forward"); xp.fft.hfft(z); xp.fft.ihfft(m)
xp.fft.fftfreq(5, d=0.5, dtype=xp.float64); xp.fft.rfftfreq(6, dtype=xp.float64); xp.fft.fftshift(f)
xp.fft.fftshift(f, axes=1); xp.fft.ifftshift(f, axes=(0,)); xp.nextafter(f, d)
xp.nextafter(xp.asarray([0.0, 1.0], dtype=xp.float32), -1.0)
"""

REFUSED = """
xp.expand_dims(f, 5); xp.squeeze(f, 0); xp.broadcast_shapes((2,), (3,)); xp.nonzero(s); xp.take(f, r[0, :])
xp.concat([f, s]); xp.cumulative_sum(f); xp.vecdot(f, n); xp.matmul(s, f); xp.max(e); xp.argmax(e)
xp.isdtype(xp.int8, "int"); xp.permute_dims(f, (0,)); xp.reshape(f, (5,)); xp.unstack(s); xp.mean(i); xp.add(f, n)
f[:, :, 0]; f[b[:, :2]]; xp.tril(s); xp.linalg.cross(f, f); xp.linalg.cholesky(f); xp.take_along_axis(f, n)
xp.broadcast_to(f, (4, 3)); xp.meshgrid(n, indexing="a"); xp.searchsorted(n, n, side="up")
xp.asarray([1, 2], copy=False); f.__array_namespace__(api_version="1999.01"); xp.stack([])
"""


def cases(text: str) -> list[str]:
    return [case.strip() for case in text.replace("\n", ";").split(";") if case.strip()]


def flat(found: Any) -> list[Any]:
    if isinstance(found, tuple) and not isinstance(found, tc.Size):
        return [part for each in found for part in flat(each)]
    return [tuple(found) if isinstance(found, tc.Size) else found]


def inputs(library: Any, make: Any) -> dict[str, Any]:
    return {"xp": library, **{name: make(array) for name, array in DATA.items()}}


@pytest.fixture(scope="module")
def strict():
    """The strict engine in its newest version, which warns that some of it may yet change."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with array_api_strict.ArrayAPIStrictFlags(api_version="2025.12"):
            yield array_api_strict


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("case", cases(SAME))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_it_gives(case, device, strict):
    want = flat(eval(case, inputs(strict, strict.asarray)))
    with tc.device(device):
        got = flat(eval(case, inputs(xp, tc.tensor)))
    assert len(got) == len(want)
    for mine, its in zip(got, want, strict=True):
        if isinstance(mine, tc.Tensor):
            assert isinstance(its, type(strict.asarray(0))) and mine.shape == its.shape
            assert mine.dtype.name == str(its.dtype).rpartition(".")[2]
            precise = mine.dtype not in (tc.float32, tc.complex64)
            tolerance = 1e-11 if precise else 3e-5
            np.testing.assert_allclose(np.asarray(mine), its._array, rtol=tolerance, atol=tolerance)
        elif isinstance(mine, tc.dtype):
            assert mine.name == str(its).rpartition(".")[2]
        else:
            assert type(mine) in (bool, int, float, tuple) or isinstance(mine, int)
            assert mine == its


@pytest.mark.parametrize("case", cases(REFUSED))
def test_what_it_refuses(case, strict):
    with pytest.raises(Exception) as its:
        eval(case, inputs(strict, strict.asarray))
    with pytest.raises((ValueError, IndexError, TypeError)) as mine:
        eval(case, inputs(xp, tc.tensor))
    assert str(mine.value) and type(its.value)
