"""The devices made of Array API libraries, and what their tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorcore as tc
from tensorcore.errors import BackendUnavailableError
from tensorcore.tensor import wrap

LIBRARIES = ("array_api_strict", "torch", "jax", "mlx", "dpnp")


def importable(library: str) -> None:
    """Skips where a library cannot be imported: installed in part, as MLX without what computes, is not installed."""
    pytest.importorskip("mlx.core" if library == "mlx" else library, exc_type=ImportError)


@pytest.fixture(params=LIBRARIES)
def device(request: pytest.FixtureRequest) -> str:
    """A device of each installed library; the strict one is always installed where tests run."""
    if request.param != "array_api_strict":
        importable(request.param)
    if request.param == "dpnp":
        try:
            tc.device("dpnp").capabilities  # noqa: B018
        except BackendUnavailableError as error:
            pytest.skip(str(error))
    return request.param


@pytest.fixture(scope="session")
def place() -> Callable[[Any, str], tc.Tensor]:
    """A tensor on a device with the elements of a NumPy array of any dtype."""

    def make(array: Any, device: str) -> tc.Tensor:
        kind = tc.device(device).kind(getattr(tc, array.dtype.name))
        data = np.ascontiguousarray(array).tobytes()
        return wrap(kind.backend.from_host(data, kind.dtype, array.shape, 0), kind)

    return make


@pytest.fixture(scope="session")
def fetch() -> Callable[[tc.Tensor], Any]:
    """The NumPy array of a tensor's elements, whatever the device and dtype."""

    def read(tensor: tc.Tensor) -> Any:
        name = tensor.dtype.name
        native = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
        data = bytes(tensor._kind.backend.to_host(tensor._array))
        return np.frombuffer(data, native).reshape(tuple(tensor.shape))

    return read
