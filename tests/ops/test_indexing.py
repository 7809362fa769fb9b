"""Index expressions against NumPy, which indexes as PyTorch does but for what is listed here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorcore as tc

#: Keys for shape (3, 4, 5); ``a`` makes an array of either library.
KEYS = (
    "0", "-1", "(2, 3)", "(1, 2, 3)", "...", "(..., 0)", "slice(1, None)", "slice(None, None, 2)",
    "slice(None, None, -1)", "slice(3, 0, -2)", "(slice(None), slice(5, 2, -1))", "slice(5, 9)", "None",
    "(None, 0, None)", "(0, None, ..., None)", "(slice(1, 2), ..., 3)", "True", "False",
    "a([0, 2])", "a([[0, 1], [2, -1]])", "(slice(None), a([1, 3]))", "(a([0, 1]), a([2, 3]))",
    "(a([0, 1]), slice(None), a([2, 3]))", "(0, slice(None), a([1, 2]))", "(a([1, 2]), 0)",
    "(a([[0], [1]]), a([0, 2]))", "(slice(None), a([0, 1]), a([0, 1]))", "(a([0, 1]), None, a([1, 2]))",
    "(..., a([1, 3]))", "(slice(None, None, -1), a([0, 3]), slice(None, None, -2))",
    "a([True, False, True])", "a(np.arange(60).reshape(3, 4, 5) % 7 > 3)",
    "(slice(None), a([True, False, True, False]))", "(a([True, False, True]), 0)",
    "(a([True, False, True]), a([1, 2]))", "a(np.zeros(3, bool))", "a(True)", "[0, 2]", "([0, 1], [1, 2])",
    "[[0, 1], [1, 2]]", "[True, False, True]", "np.array([0, 2])", "np.int8(1)", "a(np.zeros(0, 'int64'))", "[]",
    "range(2)", "a(1)", "(a(1), slice(None), a([2]))",
)  # fmt: skip


def key_for(text, array):
    return eval(text, {"a": array, "np": np})


def pair(dtype="int64"):
    x = np.arange(60).reshape(3, 4, 5).astype(dtype)
    return tc.tensor(x), x.copy()


@pytest.mark.parametrize("key", KEYS)
def test_reading(key):
    ours, theirs = pair()
    # Ints among arrays are arrays to NumPy, which moves the dimensions in front; PyTorch takes them out first.
    expected = theirs[0][:, [1, 2]] if key == "(0, slice(None), a([1, 2]))" else theirs[key_for(key, np.array)]
    got = ours[key_for(key, tc.tensor)]
    assert got.shape == expected.shape and got.tolist() == expected.tolist()


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("how", ["number", "part", "column"])
def test_writing(key, how):
    ours, theirs = pair()
    if key == "(0, slice(None), a([1, 2]))":
        key = "(0, slice(None), [1, 2])"
        view = theirs[0]
        shape = view[:, [1, 2]].shape
        value = np.array(-1) if how == "number" else np.arange(int(np.prod(shape))).reshape(shape) - 99
        view[:, [1, 2]] = value
    else:
        shape = theirs[key_for(key, np.array)].shape
        value = np.array(-1) if how == "number" else np.arange(int(np.prod(shape))).reshape(shape) - 99
        if how == "column" and shape:
            value = value[..., :1]
        theirs[key_for(key, np.array)] = value
    if how == "column" and shape:
        value = value[..., :1]
        if key == "(0, slice(None), [1, 2])":
            theirs[0][:, [1, 2]] = value
    ours[key_for(key, tc.tensor)] = tc.tensor(value)
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("key", [key for key in KEYS if "False)" not in key])
def test_gradients_of_reading_put_each_cotangent_back(key):
    x = tc.arange(60.0).reshape(3, 4, 5).requires_grad_()
    places = np.arange(60).reshape(3, 4, 5)
    got = tc.tensor(places)[key_for(key, tc.tensor)].numpy()
    y = x[key_for(key, tc.tensor)]
    y.backward(tc.ones_like(y))
    assert x.grad.reshape(-1).tolist() == np.bincount(got.reshape(-1), minlength=60).tolist()


@pytest.mark.parametrize(
    "key",
    [
        "0",
        "(..., slice(1, 3))",
        "a([0, 2])",
        "(a([0, 1]), slice(None), a([1, 2]))",
        "slice(None, 0, -1)",
        "a([True, False, True])",
        "(1, 2, 3)",
    ],
)
def test_gradients_of_writing(key):
    x, v = tc.arange(60.0).reshape(3, 4, 5).requires_grad_(), tc.tensor(2.0, requires_grad=True)
    y = x * 1
    y[key_for(key, tc.tensor)] = v
    y.sum().backward()
    written = np.zeros((3, 4, 5))
    written[key_for(key, np.array)] = 1
    assert x.grad.tolist() == (1 - written).tolist() and v.grad.item() == written.sum()


def test_a_leaf_written_whole_gets_its_gradient():
    x, v = tc.zeros(3), tc.tensor([1.0, 2.0], requires_grad=True)
    x[:2] = v
    (x * 3).sum().backward()
    assert v.grad.tolist() == [3, 3] and x.requires_grad


@pytest.mark.parametrize(
    ("key", "error", "says"),
    [
        (3, IndexError, r"index 3 is out of range for dimension 0 of shape \[3, 4, 5\]"),
        ((0, -5), IndexError, "index -5.*dimension 1"), ((0, 0, 0, 0), IndexError, "4 indices for a tensor of 3"),
        ((..., ...), IndexError, "once"), ([3], IndexError, "3"), ([-4], IndexError, "out of range"),
        (1.5, IndexError, "float"), ("a", TypeError, "str"), (tc.ones(1), IndexError, "float32"),
        ([True, False], IndexError, r"mask of shape \[2\].*\[3\]"),
        (([0, 1], [0, 1, 2]), IndexError, "do not broadcast"), (slice(0, 2, 0), ValueError, "zero"),
    ],
)  # fmt: skip
def test_bad_keys(key, error, says):
    x = tc.zeros(3, 4, 5)
    for call in (lambda: x[key], lambda: x.__setitem__(key, 0)):
        with pytest.raises(error, match=says):
            call()


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (tc.zeros(3), RuntimeError, r"\[3\] does not fit .*\[4, 5\]"),
        (1j, TypeError, "1j"),
        ("a", TypeError, "str"),
        (300, ValueError, "300 does not fit"),
        (tc.zeros(2, 4, 5), RuntimeError, "does not fit"),
    ],
)
def test_bad_values(value, error, says):
    with pytest.raises(error, match=says):
        tc.zeros(3, 4, 5, dtype=tc.int8)[0] = value


def test_values_are_converted_and_views_stay_views():
    x = tc.zeros(3, dtype=tc.int64)
    x[0], x[1:] = 2.7, tc.tensor([1.9, -1.9])
    assert x.tolist() == [2, 1, -1]
    x[::2][1] = 9
    x[[0, 1]][0] = 50
    assert x.tolist() == [2, 1, 9]
    x[1:] = x[:-1]
    assert x.tolist() == [2, 2, 1]


SELECTION = {
    "x.take(a([5, 0, -1]))": "x.take([5, 0, -1])", "x.index_select(1, a([2, 0, 0]))": "x[:, [2, 0, 0]]",
    "x.gather(1, a([[0, 2], [1, 1]]))": "np.take_along_axis(x[:2], np.array([[0, 2], [1, 1]]), 1)",
    "x.take_along_dim(a([[2], [0], [1]]), 1)": "np.take_along_axis(x, np.array([[2], [0], [1]]), 1)",
    "x.masked_select(x > 4)": "x[x > 4]", "x.masked_fill(x > 4, -1.0)": "np.where(x > 4, -1, x)",
    "x.index_fill(0, a([0, 2]), 7)": "np.where([[True], [False], [True]], 7, x)", "x.nonzero()": "np.argwhere(x)",
    "tc.argwhere(x > 2)": "np.argwhere(x > 2)",
    "x.put(a([0, -1]), tc.tensor([50.0, 60.0]))": "np.array([50.0, *range(1, 11), 60]).reshape(3, 4)",
    "x.index_copy(1, a([3, 0]), tc.zeros(3, 2))": "x * [0, 1, 1, 0]",
    "x.index_add(0, a([0, 0, 2]), tc.ones(3, 4), alpha=2)": "x + [[4], [0], [2]]",
    "x.scatter(1, a([[1], [0], [3]]), 99.0)": "np.array([[0, 99, 2, 3], [99, 5, 6, 7], [8, 9, 10, 99.0]])",
    "x.scatter_add(0, a([[0, 1, 2, 0]] * 2), tc.ones(2, 4))":
        "x + np.array([[2, 0, 0, 2], [0, 2, 0, 0], [0, 0, 2, 0]])",
    "x.masked_scatter(x > 9, tc.tensor([1.0, 2.0, 3.0]))": "np.array([*range(10), 1.0, 2]).reshape(3, 4)",
    "x.index_put((a([0, 0]),), tc.tensor(1.0), accumulate=True)": "x + [[2], [0], [0]]",
    "x.scatter_reduce(1, a([[0, 0]] * 3), tc.full((3, 2), 20.0), 'amax')": "np.concatenate([np.full((3, 1), 20.0), "
        "x[:, 1:]], 1)",
    "x.scatter_reduce(1, a([[0, 0]] * 3), tc.full((3, 2), 20.0), 'mean', include_self=False)":
        "np.concatenate([np.full((3, 1), 20.0), x[:, 1:]], 1)",
        "x.select_scatter(tc.zeros(4), 0, 1)": "x * [[1], [0], [1]]",
        "x.slice_scatter(tc.zeros(3, 2), 1, 0, 4, 2)": "x * [0, 1, 0, 1]",
        "x.diagonal_scatter(tc.zeros(3))": "x * (1 - np.eye(3, 4))",
}  # fmt: skip


@pytest.mark.parametrize("ours", SELECTION)
def test_ops_that_select(ours):
    x = np.arange(12.0).reshape(3, 4)
    got, expected = (
        eval(ours, {"x": tc.tensor(x.astype("float32")), "tc": tc, "a": tc.tensor}),
        eval(SELECTION[ours], {"x": x, "np": np}),
    )
    assert got.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda x: x.gather(0, tc.tensor([[5]])), RuntimeError, "gather: .*5"),
        (lambda x: x.gather(0, tc.tensor([0])), RuntimeError, "gather: index has 1 dimensions, input 2"),
        (lambda x: x.gather(0, tc.tensor([[0.5]])), TypeError, "gather: .*float32"),
        (lambda x: x.index_select(0, tc.tensor([[0]])), IndexError, "1-d"),
        (lambda x: x.index_select(0, tc.tensor([0.5])), RuntimeError, "integer"),
        (lambda x: x.scatter(0, tc.tensor([[0]]), tc.tensor([[1]])), RuntimeError, "dtype of input"),
        (lambda x: x.scatter(0, tc.tensor([[0]])), TypeError, "src or value"),
        (lambda x: x.scatter(0, tc.tensor([[0]]), 1, reduce="max"), ValueError, "'max'"),
        (lambda x: x.masked_fill(tc.tensor([1, 0]), 0), RuntimeError, "bool"),
        (lambda x: x.masked_scatter(x == 0, tc.tensor([])), RuntimeError, "1 places.* 0 elements"),
        (lambda x: x.take(tc.tensor([99])), IndexError, "99"),
        (lambda x: x.index_add(0, tc.tensor([0]), tc.ones(2, 4)), RuntimeError, r"\[2, 4\], expected \[1, 4\]"),
        (lambda x: x.scatter_reduce(0, tc.tensor([[0]]), tc.ones(1, 1), "median"), RuntimeError, "'median'"),
    ],
)  # fmt: skip
def test_errors_of_ops(call, error, says):
    with pytest.raises(error, match=says):
        call(tc.arange(12.0).reshape(3, 4))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda x: x[tc.tensor([2])], r"index 2 is out of range for dimension 0 of shape \[2, 3\]"),
        (lambda x: x[tc.tensor([0]), tc.tensor([-4])], "index -4 is out of range for dimension 1"),
        (lambda x: x[:, [0, 3]], "index 3 is out of range for dimension 1"),
        (lambda x: x.__setitem__(tc.tensor([0, -3]), 5.0), "index -3 is out of range for dimension 0"),
    ],
)
def test_index_tensors_out_of_range(write, message):
    x = tc.zeros(2, 3)
    with pytest.raises(IndexError, match=message):
        write(x)
    assert not x.any()


def test_writes_at_places_of_views_and_under_autograd():
    x = tc.arange(12.0).reshape(3, 4)
    x[1:][tc.tensor([-1])] = 7.0
    assert x[2].tolist() == [7] * 4
    x.t()[tc.tensor([0, 0])] = tc.tensor([[1.0, 2, 3], [4, 5, 6]])
    assert x[:, 0].tolist() == [4, 5, 6]
    w = tc.ones(3, requires_grad=True)
    y = w * 2
    y[tc.tensor([0])] = 5.0
    y.sum().backward()
    assert w.grad.tolist() == [0, 2, 2]
    z = w.exp()
    with tc.no_grad():
        z[tc.tensor([0])] = 1.0
    with pytest.raises(RuntimeError, match="changed in place by setitem"):
        z.sum().backward()
    for dtype in (tc.bool, tc.bfloat16, tc.int8, tc.complex64):
        few = tc.zeros(3, dtype=dtype)
        few[tc.tensor([1])] = 1
        assert few.tolist() == [0, 1, 0]
    with pytest.raises(RuntimeError, match="share one place in memory"):
        tc.zeros(1).expand(3)[tc.tensor([1])] = 2.0


# ------------------------------------------------------------------ any expression, against NumPy


def _slices(side):
    ends = st.one_of(st.none(), st.integers(-side - 2, side + 2))
    steps = st.one_of(st.none(), st.integers(-3, 3).filter(bool))
    return st.builds(slice, ends, ends, steps)


@st.composite
def _keys(draw):
    """A shape and a key that NumPy takes."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=1, max_size=4)))
    together = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    key, place = [], 0
    while place < len(shape):
        side = shape[place]
        kinds = ["slice", "slice", "mask"] + (["int", "array"] if side else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "int":
            key.append(draw(st.integers(-side, side - 1)))
        elif kind == "slice":
            key.append(draw(_slices(side)))
        elif kind == "array":
            count = int(np.prod(together))
            key.append(
                np.array(draw(st.lists(st.integers(-side, side - 1), min_size=count, max_size=count))).reshape(together)
            )
        else:
            key.append(np.array(draw(st.lists(st.booleans(), min_size=side, max_size=side)), bool))
        place += 1
        if draw(st.integers(0, 5)) == 0:
            key.append(None)
        if draw(st.integers(0, 4)) == 0:
            key.append(Ellipsis)
            place += draw(st.integers(0, len(shape) - place))
            key += [draw(_slices(side)) for side in shape[place:]]
            break
    return shape, tuple(key)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(_keys())
def test_any_key_reads_and_writes_what_numpys_does(drawn):
    shape, key = drawn
    x = np.arange(float(np.prod(shape))).reshape(shape)
    ours = tuple(tc.tensor(each) if isinstance(each, np.ndarray) else each for each in key)
    try:
        wanted = x[key]
    except IndexError:
        with pytest.raises(IndexError):
            tc.from_numpy(x)[ours]
        return
    got = tc.from_numpy(x)[ours]
    assert tuple(got.shape) == wanted.shape and np.array_equal(got.numpy(), wanted)
    written, there = x.copy(), tc.tensor(x)
    written[key] = -1
    there[ours] = -1
    assert np.array_equal(there.numpy(), written)
    places = np.arange(x.size).reshape(shape)[key].reshape(-1)
    y = tc.tensor(x, requires_grad=True)
    y[ours].sum().backward()
    assert np.array_equal(y.grad.numpy().reshape(-1), np.bincount(places, minlength=x.size)[: x.size])
    if np.unique(places).size == places.size:
        values = -np.arange(float(wanted.size)).reshape(wanted.shape) - 1
        written[key] = values
        there[ours] = tc.tensor(values)
        assert np.array_equal(there.numpy(), written)
