"""Why CUDA cannot be used, in words."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from tensorcore.errors import BackendUnavailableError
from tensorcore_cuda.availability import reason_for, usable_cupy, version_of


@pytest.mark.parametrize(
    ("status", "driver", "visible", "expected"),
    [
        (35, 0, None, "no NVIDIA driver is installed, or it cannot be reached from here"),
        (35, 12040, None, "the NVIDIA driver supports CUDA 12.4, CuPy is built for 13.0"),
        (100, 13000, None, "no NVIDIA GPU is visible"),
        (100, 13000, "", "no NVIDIA GPU is visible; CUDA_VISIBLE_DEVICES is ''"),
        (0, 13000, "7", "no NVIDIA GPU is visible; CUDA_VISIBLE_DEVICES is '7'"),
        (999, 13000, None, "CUDA reports error 999 when asked for its devices"),
    ],
)
def test_the_reason_is_told(status, driver, visible, expected):
    assert reason_for(status, driver, 13000, visible).startswith(expected)


@pytest.mark.parametrize(("text", "version"), [("14.2.0", (14, 2)), ("13.6.0rc1", (13, 6)), ("15.0.0a1", (15, 0))])
def test_versions_are_read(text, version):
    assert version_of(text) == version


class FakeError(RuntimeError):
    def __init__(self, status):
        super().__init__(f"error {status}")
        self.status = status


def fake_cupy(count, version="14.2.0", driver=13000):
    def devices():
        if isinstance(count, int):
            return count
        raise count

    runtime = SimpleNamespace(
        CUDARuntimeError=FakeError,
        getDeviceCount=devices,
        driverGetVersion=lambda: driver,
        runtimeGetVersion=lambda: 13000,
    )
    return SimpleNamespace(__version__=version, cuda=SimpleNamespace(runtime=runtime))


def test_a_device_makes_cupy_usable(monkeypatch):
    cupy = fake_cupy(1)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert usable_cupy() is cupy


@pytest.mark.parametrize(
    ("cupy", "message"),
    [
        (None, "CuPy cannot be imported: .*cupy.*; to install: pip install"),
        (fake_cupy(2, version="13.4.0"), "CuPy 13.4.0 is too old, 14.0 or later is needed"),
        (fake_cupy(FakeError(35), driver=0), "no NVIDIA driver is installed"),
        (fake_cupy(FakeError(35), driver=12020), "supports CUDA 12.2, CuPy is built for 13.0"),
        (fake_cupy(FakeError(100)), "no NVIDIA GPU is visible"),
        (fake_cupy(0), "no NVIDIA GPU is visible"),
    ],
)
def test_what_is_missing_is_named(monkeypatch, cupy, message):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(BackendUnavailableError, match=message):
        usable_cupy()


def test_an_installed_cupy_without_a_gpu_is_told_from_a_missing_one():
    cupy = pytest.importorskip("cupy")
    if cupy.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(BackendUnavailableError, match=r"no NVIDIA driver|no NVIDIA GPU|driver supports"):
        usable_cupy()
