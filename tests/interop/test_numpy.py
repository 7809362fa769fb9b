"""NumPy's functions and operators on tensors: what becomes a tensor, what an array, and what would lose a gradient."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tensorcore as tc

ARRAY = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def x() -> tc.Tensor:
    return tc.tensor(ARRAY)


@pytest.mark.parametrize(
    "call",
    """
    np.add(x, a); np.add(a, x); np.add(1, x); np.maximum(x, a); np.sqrt(x); np.exp(x); np.isnan(x); np.matmul(x, a.T)
    a + x; a - x; a * x; a / (x + 1); a ** x; a % (x + 1); a // (x + 1); a @ x.T; a < x; a == x; a != x; x + a; x - a
    x @ a.T; x > a; np.float32(2) * x; np.float64(2) / (x + 1); np.int64(2) - x; x * np.float32(2); np.float32(2) < x
    np.float64(1) - x[0, 1]; np.sum(x); np.sum(x, axis=0); np.mean(x, axis=(0, 1)); np.max(x, axis=1, keepdims=True)
    np.amin(x); np.std(x, ddof=1); np.var(x, axis=0); np.prod(x + 1, axis=-1); np.any(x > 4); np.all(x > 4, axis=0)
    np.count_nonzero(x, axis=1); np.argmax(x); np.clip(x, 1, 4); np.round(x * 1.3); np.transpose(x)
    np.transpose(x, (1, 0)); np.reshape(x, (3, 2)); np.squeeze(x[:1]); np.cumsum(x, axis=1)
    """.replace("\n", ";").split(";"),
)
def test_what_becomes_a_tensor(call, x):
    if not call.strip():
        return
    got = eval(call.strip(), {"np": np, "a": ARRAY, "x": x})
    want = eval(call.strip(), {"np": np, "a": ARRAY, "x": ARRAY})
    assert isinstance(got, tc.Tensor) and got.dtype.name == want.dtype.name and got.shape == want.shape
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-14)


@pytest.mark.parametrize(
    "call",
    [
        "np.sort(x)",
        "np.concatenate([x, a])",
        "np.stack([x, x])",
        "np.where(x > 1, x, 0)",
        "np.dot(x, a.T)",
        "np.unique(x)",
        "np.median(x)",
        "np.percentile(x, 50)",
        "np.linalg.norm(x)",
        "np.einsum('ij,ij->', x, a)",
        "np.fft.fft(x)",
        "np.array([x, x])",
        "np.array([x[0, 0], x[0, 1]])",
        "np.asarray(x, dtype='float32')",
        "np.zeros_like(x)",
        "np.add(a, x, out=a.copy())",
        "np.isclose(x, a)",
        "a[x[0].long() % 2]",
        "np.sum(x, dtype='float32')",
        "np.sum(x, initial=5.0)",
        "np.mean(x, where=[True, False, True])",
        "np.broadcast_to(x, (2, 2, 3))",
        "np.tile(x, 2)",
    ],
)
def test_what_becomes_an_array(call, x):
    got = eval(call, {"np": np, "a": ARRAY, "x": x})
    reads = call.replace("x[0].long()", "x[0].astype(int)")
    want = eval(reads, {"np": np, "a": ARRAY, "x": ARRAY})
    assert isinstance(got, (np.ndarray, np.generic)) and got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


def test_reductions_keep_gradients(x):
    x.requires_grad_()
    (np.mean(x) + np.std(x, axis=0, ddof=1).sum() + np.max(x)).backward()
    want = 1 / 6 + np.asarray([[-1.0] * 3, [1.0] * 3]) / np.sqrt(2) + (ARRAY == 5)
    np.testing.assert_allclose(x.grad.numpy(), want)
    (ARRAY * x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), want + ARRAY)


@pytest.mark.parametrize(
    "call",
    [
        np.asarray,
        np.sqrt,
        np.sort,
        lambda g: np.add(g, ARRAY),
        lambda g: np.stack([g, g]),
        lambda g: np.array([g, g]),
        lambda g: np.sum(g, initial=1.0),
        lambda g: g.numpy(),
        lambda g: np.linalg.norm(g),
        lambda g: np.concatenate([g]),
    ],
)
def test_what_would_lose_a_gradient_is_refused(call, x):
    with pytest.raises(RuntimeError, match=r"requires grad, which an array would lose; use \.detach\(\)\.numpy\(\)"):
        call(x.requires_grad_())


def test_in_place_operators_take_arrays():
    x = tc.zeros(2, 3)
    same = x
    x += ARRAY
    x *= np.float64(2)
    x -= np.ones(3, dtype="int8")
    assert same is x and x.dtype is tc.float32 and x.tolist() == (ARRAY * 2 - 1).tolist()
    array = ARRAY.copy()
    array += tc.ones(3)
    assert array.tolist() == (ARRAY + 1).tolist()
    with pytest.raises(RuntimeError, match=r"__iadd__: the result is tensorcore\.float64"):
        tc.arange(3).__iadd__(np.ones(3))


def test_an_array_of_a_dtype_or_a_copy(x):
    assert np.shares_memory(np.asarray(x), x.numpy()) and not np.shares_memory(np.array(x), x.numpy())
    assert (
        np.asarray(x, dtype="float32").dtype == "float32" and x.__array__(np.dtype("float64"), copy=True).base is None
    )
    assert np.shares_memory(x.__array__(copy=False), x.numpy())
    with pytest.raises(ValueError, match="a conversion from float64 to float32 needs a copy"):
        np.asarray(x, dtype="float32", copy=False)


@pytest.mark.parametrize("make", [lambda a: a, memoryview, lambda a: a[::-1], lambda a: a.T])
def test_buffers_come_in(make):
    assert tc.tensor(make(ARRAY)).tolist() == np.asarray(make(ARRAY)).tolist()
    assert tc.array_api.asarray(make(ARRAY)).dtype is tc.float64


def test_arrays_and_numbers_index(x):
    assert x[np.asarray([1, 0])].tolist() == ARRAY[[1, 0]].tolist() and x[np.int64(1)].tolist() == ARRAY[1].tolist()
    assert x[np.asarray([True, False])].tolist() == ARRAY[:1].tolist() and x[:, np.arange(2)].shape == (2, 2)


@pytest.mark.parametrize("name", ["bool", "uint64", "int8", "float16", "bfloat16", "float64", "complex64"])
@pytest.mark.parametrize("again", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy, copy.copy, tc.clone])
def test_copies_of_every_kind(name, again):
    t = tc.tensor([[0, 1], [2, 3]]).to(tc.dtypes.by_name(name) if name != "bool" else tc.bool)
    made = again(t.T)
    assert made.dtype is t.dtype and made.tolist() == t.T.tolist() and made.tolist()[0][1] == t[1, 0].item()
