"""The reference backend under test, and the way between its arrays and NumPy's, which are the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorcore import dtypes
from tensorcore_reference.backend import ReferenceBackend

Convert = Callable[[Any], Any]


@pytest.fixture(scope="session")
def backend() -> ReferenceBackend:
    return ReferenceBackend()


@pytest.fixture(scope="session")
def given(backend: ReferenceBackend) -> Convert:
    """A reference array of a NumPy array."""

    def make(values: Any) -> Any:
        values = np.asarray(values)
        dtype = dtypes.by_name(values.dtype.name)
        return backend.from_host(np.ascontiguousarray(values).tobytes(), dtype, values.shape, 0)

    return make


@pytest.fixture(scope="session")
def shown(backend: ReferenceBackend) -> Convert:
    """The NumPy array of a reference array, once its elements are known to be what its dtype says."""
    python = {dtypes.BOOL: bool, dtypes.INTEGER: int, dtypes.FLOATING: float, dtypes.COMPLEX: complex}

    def show(array: Any) -> Any:
        assert {type(value) for value in array.buffer} <= {python[array.dtype.category]}
        found = np.dtype(ml_dtypes.bfloat16) if array.dtype is dtypes.bfloat16 else np.dtype(array.dtype.name)
        values = np.frombuffer(backend.to_host(array), found).reshape(array.shape)
        # Kept exactly: the list holds what the bytes of the dtype hold.
        again = backend.from_host(values.tobytes(), array.dtype, array.shape, 0)
        listed = [repr(value) for value in again.buffer]
        assert listed == [repr(value) for value in backend.copy(array).buffer]
        return values

    return show
