"""A backend of choice behind the device ``cuda``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tensorcore.devices import forget_kinds
from tensorcore.plugins.host import host


@pytest.fixture(scope="module")
def install() -> Iterator[Callable[[Any], None]]:
    """Puts a backend behind the device ``cuda`` until the module's tests have run."""
    before = host.loaded("cuda")

    def put(backend: Any) -> None:
        host.require_known("cuda")
        host._loaded["cuda"] = backend
        forget_kinds({"cuda"})

    yield put
    if before is None:
        host._loaded.pop("cuda", None)
    else:
        host._loaded["cuda"] = before
    forget_kinds({"cuda"})
