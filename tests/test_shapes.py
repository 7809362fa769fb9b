"""Size, broadcasting, and dimension arithmetic."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.shapes import infer_reshape, normalize_dim, normalize_dims, normalize_shape

SHAPES = [(), (1,), (3,), (2, 1), (2, 3), (1, 1, 3), (0,), (2, 0), (4, 1, 1, 3)]


def test_size_is_a_tuple_that_stays_a_size():
    size = tc.Size([2, 3])
    assert size == (2, 3) and hash(size) == hash((2, 3)) and size.numel() == 6
    joined = (size + (4,), (1,) + size)  # noqa: RUF005 - what is tested
    for made in (*joined, size[:1], size * 2, pickle.loads(pickle.dumps(size))):
        assert type(made) is tc.Size
    assert repr(size) == "tensorcore.Size([2, 3])" and tc.Size() == () and tc.Size(np.array([2, 3])) == (2, 3)


@pytest.mark.parametrize("sides", [[1.5], "ab", [None]])
def test_a_size_holds_ints(sides):
    with pytest.raises(TypeError, match="ints"):
        tc.Size(sides)


@pytest.mark.parametrize("first", SHAPES)
@pytest.mark.parametrize("second", SHAPES)
def test_broadcasting_is_numpys(first, second):
    try:
        expected = np.broadcast_shapes(first, second)
    except ValueError:
        with pytest.raises(ValueError, match=r"do not broadcast: at dimension -\d"):
            tc.broadcast_shapes(first, second)
        with pytest.raises(RuntimeError, match=r"add: .*do not broadcast"):
            tc.zeros(first) + tc.zeros(second)
    else:
        assert tc.broadcast_shapes(first, second) == expected == (tc.zeros(first) + tc.zeros(second)).shape


@pytest.mark.parametrize(
    ("dim", "ndim", "place"),
    [(0, 3, 0), (-1, 3, 2), (-3, 3, 0), (0, 0, 0), (-1, 0, 0), (np.int64(1), 2, 1), (True, 2, 1)],
)
def test_dimensions_counted_from_either_end(dim, ndim, place):
    assert normalize_dim(dim, ndim, "op") == place


@pytest.mark.parametrize(("dim", "ndim"), [(3, 3), (-4, 3), (1, 0)])
def test_a_dimension_out_of_range(dim, ndim):
    with pytest.raises(
        IndexError, match=rf"op: dimension {dim} is out of range for a tensor of {ndim} dimensions \(expected"
    ):
        normalize_dim(dim, ndim, "op")


@pytest.mark.parametrize("dim", [1.0, "0", None])
def test_a_dimension_is_an_int(dim):
    with pytest.raises(TypeError, match="op: dim must be an int, got"):
        normalize_dim(dim, 2, "op")


def test_dimensions_to_reduce():
    assert (
        normalize_dims(None, 3, "op") == (0, 1, 2)
        and normalize_dims((-1, 0), 3, "op") == (2, 0)
        and normalize_dims(0, 0, "op") == ()
    )
    with pytest.raises(RuntimeError, match="twice"):
        normalize_dims((0, -3), 3, "op")


@pytest.mark.parametrize(
    ("given", "shape"),
    [((2, 3), (2, 3)), (((2, 3),), (2, 3)), (([2],), (2,)), ((), ()), (((),), ()), ((np.int32(2),), (2,))],
)
def test_shapes_as_ints_or_one_sequence(given, shape):
    assert normalize_shape(given, "op") == shape


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [((-1,), ValueError, "negative side -1"), ((1.5,), TypeError, "ints"), (("ab",), TypeError, "ints")],
)
def test_bad_shapes(given, error, says):
    with pytest.raises(error, match=f"op: .*{says}"):
        normalize_shape(given, "op")


@pytest.mark.parametrize(
    ("wanted", "old"),
    [((-1,), (2, 3)), ((3, -1), (2, 3)), ((6, 1), (2, 3)), ((0, 5), (0,)), ((-1, 2), (0, 2)), ((), ())],
)
def test_reshaping_is_numpys(wanted, old):
    assert infer_reshape(wanted, int(np.prod(old)), old, "op") == np.zeros(old).reshape(wanted).shape


@pytest.mark.parametrize("wanted", [(4,), (-1, -1), (-2, 3), (-1, 4), (-1, 0)])
def test_bad_reshapes_name_both_shapes(wanted):
    with pytest.raises(RuntimeError, match=r"op: shape \[.*\] is invalid for \[2, 3\], which holds 6 elements"):
        infer_reshape(wanted, 6, (2, 3), "op")
