"""What all tests share: each starts from the library's defaults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    """Seed 0 before each test; the default device and dtype put back after it."""
    from tensorcore.devices import set_default_device
    from tensorcore.dtypes import float32, set_default_dtype
    from tensorcore.random import manual_seed

    manual_seed(0)
    yield
    set_default_device(None)
    set_default_dtype(float32)
