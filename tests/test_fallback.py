"""A backend without some kernels: an error that says what to write, or the op on the host, counted."""

from __future__ import annotations

import sys
import warnings

import pytest

import tensorcore as tc
from tensorcore.errors import MissingKernelError
from tensorcore.plugins import BackendSpec, hookimpl
from tensorcore.plugins.host import host

MISSING = ("tanh", "sum", "sort", "ramp", "cat")


class Plugin:
    @hookimpl
    def tensorcore_backends(self):
        return [BackendSpec("partial", f"{__name__}:made")]


def made():
    from tensorcore_cpu.backend import CpuBackend

    class PartialBackend(CpuBackend):
        def kernel(self, name, dtype, index):
            return None if name in MISSING else super().kernel(name, dtype, index)

    backend = PartialBackend()
    backend.name = "partial"
    return backend


@pytest.fixture
def partial(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or __import__(__name__))
    host.register(Plugin(), "partial-plugin")
    tc.fallback.reset_counts()
    yield "partial"
    tc.fallback.set_policy("error")
    tc.fallback.reset_counts()
    host.unregister("partial-plugin")


def test_by_default_it_is_an_error(partial):
    x = tc.ones(2, 3, device=partial)
    with pytest.raises(
        MissingKernelError, match=r"tanh: backend 'partial' has no kernel for \(\[2, 3\] float32\) on 'par.*"
    ) as e:
        x.tanh()
    assert "its author adds a method tanh(input, ...) to PartialBackend" in str(e.value)
    assert (x + x).tolist() == [[2, 2, 2], [2, 2, 2]]
    assert tc.fallback.counts() == {}


def test_warned_once_an_op_and_counted(partial):
    tc.fallback.set_policy("warn")
    x = tc.tensor([0.5, -0.5], device=partial, requires_grad=True)
    with pytest.warns(UserWarning, match="tanh: runs on 'cpu', as 'partial' has no kernel for it"):
        y = x.tanh()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x.tanh()
    assert y.tolist() == tc.tensor([0.5, -0.5]).tanh().tolist()
    assert (str(y.device), tc.fallback.counts()) == ("partial", {("partial", "tanh"): 2})


def test_allowed_it_is_silent_for_every_kind_of_op(partial):
    tc.fallback.set_policy("allow")
    x = tc.arange(4, dtype=tc.float32, device=partial).requires_grad_()
    values, places = tc.sort(tc.cat([x, x]), descending=True)
    (values * values).sum().backward()
    assert (places.dtype, values.tolist()) == (tc.int64, [3, 3, 2, 2, 1, 1, 0, 0])
    assert (x.grad.tolist(), str(x.grad.device)) == ([0, 4, 8, 12], "partial")
    assert set(tc.fallback.counts()) == {("partial", name) for name in ("ramp", "cat", "sort", "sum")}
    tc.fallback.set_policy("error")
    with pytest.raises(MissingKernelError):
        x.sum()


def test_unknown_policies_are_refused():
    with pytest.raises(ValueError, match="policy must be one of 'error', 'warn', 'allow', got 'maybe'"):
        tc.fallback.set_policy("maybe")
    assert tc.fallback.get_policy() == "error"
