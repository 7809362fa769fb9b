"""Matrix products against NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

SHAPES = [
    ((3, 4), (4, 5)), ((1, 1), (1, 1)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)),
    ((0, 4), (4, 5)), ((3, 0), (0, 5)), ((3, 4), (4, 0)), ((0, 2, 3), (3, 2)), ((2, 3, 4), (1, 4, 2)),
]  # fmt: skip


@pytest.mark.parametrize("name", ("bool", "uint8", "int8", "int64", "float16", "float32", "float64", "complex64"))
@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_matmul(backend: Any, given: Any, shown: Any, name: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)

    def sample(shape: tuple[int, ...]) -> Any:
        if name == "complex64":
            return (generator.normal(size=shape) + 1j * generator.normal(size=shape)).astype(name)
        if name.startswith("float"):
            return generator.normal(size=shape).astype(name)
        return generator.integers(0, 2 if name == "bool" else 100, size=shape).astype(name)

    x, y = sample(left), sample(right)
    wide = {"f": np.float64, "c": np.complex128}.get(x.dtype.kind, x.dtype)
    found = shown(backend.matmul(given(x), given(y)))
    wanted = (x.astype(wide) @ y.astype(wide)).astype(name)
    np.testing.assert_allclose(found, wanted, rtol=1e-3 if name == "float16" else 1e-6, atol=1e-15)
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)


def test_matmul_of_views(backend: Any, given: Any, shown: Any) -> None:
    x, y = np.arange(24.0).reshape(2, 3, 4), np.arange(20.0).reshape(5, 4)
    turned = backend.permute(given(y), dims=(1, 0))
    np.testing.assert_array_equal(shown(backend.matmul(given(x), turned)), x @ y.T)
    stretched = backend.expand(given(x[:1, :, :1]), shape=(2, 3, 4))
    np.testing.assert_array_equal(
        shown(backend.matmul(stretched, turned)), np.broadcast_to(x[:1, :, :1], (2, 3, 4)) @ y.T
    )
    part = backend.basic_index(given(x), index=(1, slice(0, 3, 2), slice(1, 4, 2)))
    np.testing.assert_array_equal(
        shown(backend.matmul(part, backend.permute(part, dims=(1, 0)))), x[1, ::2, 1::2] @ x[1, ::2, 1::2].T
    )


def test_products_are_summed_in_float64(backend: Any, given: Any) -> None:
    x = given(np.array([[2.0**24, 1.0, -(2.0**24)]], np.float32))
    ones = given(np.ones((3, 1), np.float32))
    assert backend.matmul(x, ones).buffer == [1.0]


def test_special_values(backend: Any, given: Any) -> None:
    x = given(np.array([[math.inf, 0.0], [3e38, 3e38]], np.float32))
    y = given(np.array([[0.0, 1.0], [1.0, 10.0]], np.float32))
    assert backend.matmul(x, y).buffer == [
        pytest.approx(math.nan, nan_ok=True),
        math.inf,
        pytest.approx(3e38),
        math.inf,
    ]


@pytest.mark.parametrize(("left", "right"), [((2, 3), (2, 3)), ((2, 2, 3), (3, 3, 2))])
def test_misfits(backend: Any, given: Any, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not"):
        backend.matmul(given(np.zeros(left)), given(np.zeros(right)))
