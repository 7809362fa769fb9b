"""What all tests share: each starts from the library's defaults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    """Put the default device and dtype back after each test."""
    yield
    from tensorcore.devices import set_default_device
    from tensorcore.dtypes import float32, set_default_dtype

    set_default_device(None)
    set_default_dtype(float32)
