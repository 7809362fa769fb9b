"""Collation and conversion of samples."""

from __future__ import annotations

from collections import OrderedDict, UserList, defaultdict, namedtuple
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.utils.data import collate, default_collate, default_convert

np = pytest.importorskip("numpy")

Point = namedtuple("Point", ["x", "y"])


def described(value: Any) -> Any:
    """``value`` with tensors as (values, dtype)."""
    if isinstance(value, tc.Tensor):
        return value.tolist(), str(value.dtype).removeprefix("tensorcore.")
    if isinstance(value, dict):
        return {key: described(each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(described, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(described, value))
    return value


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ([1, 2], ([1, 2], "int64")),
        ([True, False], ([True, False], "bool")),
        ([0.5, 2], ([0.5, 2.0], "float64")),
        (["a", "b"], ["a", "b"]),
        ([b"a"], [b"a"]),
        ([tc.tensor(1), tc.tensor(2)], ([1, 2], "int64")),
        ([tc.ones(0)], ([[]], "float32")),
        ([np.float32(1.5), np.float32(2)], ([1.5, 2.0], "float32")),
        ([np.float64(1.5)], ([1.5], "float64")),
        ([np.int16(3), np.int16(-3)], ([3, -3], "int16")),
        ([np.bool_(True)], ([True], "bool")),
        ([np.array([1, 2], dtype=np.int32)], ([[1, 2]], "int32")),
        ([np.array(7.0), np.array(8.0)], ([7.0, 8.0], "float64")),
        ([(1, "a"), (2, "b")], [([1, 2], "int64"), ("a", "b")]),
        ([[1, 2], [3, 4]], [([1, 3], "int64"), ([2, 4], "int64")]),
        ([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], {"a": ([1, 2], "int64"), "b": ["x", "y"]}),
        ([Point(1, 2.0), Point(3, 4.0)], Point(([1, 3], "int64"), ([2.0, 4.0], "float64"))),
        ([{"p": [(1,)]}, {"p": [(2,)]}], {"p": [[([1, 2], "int64")]]}),
        ([[], []], []),
    ],
)
def test_batches(batch: Any, expected: Any) -> None:
    assert described(default_collate(batch)) == expected


def test_containers_keep_their_type() -> None:
    ordered = default_collate([OrderedDict(b=1, a=2)])
    assert (type(ordered), list(ordered)) == (OrderedDict, ["b", "a"])
    sample = defaultdict(list, a=1)
    batch = default_collate([sample])
    assert batch.default_factory is list
    assert sample == {"a": 1}
    assert isinstance(default_collate([UserList([1, 2])]), UserList)
    assert described(default_collate([range(2), range(2)])) == [([0, 0], "int64"), ([1, 1], "int64")]


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ([None], TypeError, "must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'NoneType'>"),
        ([{1, 2}], TypeError, "found <class 'set'>"),
        ([np.array(["a"])], TypeError, "found <U1"),
        ([[1, 2], [3]], RuntimeError, r"equal size, got lengths \[2, 1\]"),
        ([(None,)], TypeError, "found <class 'NoneType'>"),
        ([tc.ones(2), tc.ones(3)], RuntimeError, "stack"),
        ([{"a": 1}, {"b": 1}], KeyError, "a"),
    ],
)
def test_bad_batches(batch: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        default_collate(batch)


def test_own_functions() -> None:
    def total(batch: Any, *, collate_fn_map: Any) -> Any:
        return sum(batch)

    assert collate([{"a": 1}, {"a": 2}], collate_fn_map={int: total}) == {"a": 3}
    assert collate([True, True], collate_fn_map={int: total}) == 2
    with pytest.raises(TypeError, match="found <class 'int'>"):
        collate([1])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (5, 5),
        ("ab", "ab"),
        (np.array([1, 2]), ([1, 2], "int64")),
        (np.float32(2.5), (2.5, "float32")),
        ((np.array([1.5]), "x"), [([1.5], "float64"), "x"]),
        ({"a": [np.array([1])]}, {"a": [([1], "int64")]}),
        (Point(np.array([1]), 2), Point(([1], "int64"), 2)),
        (None, None),
    ],
)
def test_conversion(data: Any, expected: Any) -> None:
    assert described(default_convert(data)) == expected


def test_conversion_leaves_tensors_and_text_alone() -> None:
    x = tc.ones(2)
    assert default_convert(x) is x
    words = np.array(["a", "b"])
    assert default_convert(words) is words
