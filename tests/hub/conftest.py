"""The web server, and a cache folder of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web_server import site as site


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("TENSORCORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
