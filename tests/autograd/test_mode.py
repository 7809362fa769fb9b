"""Grad modes as context managers, decorators and per thread."""

from __future__ import annotations

import threading

import pytest

import tensorcore as tc


@pytest.fixture
def x():
    return tc.ones(2, requires_grad=True)


def test_no_grad_and_enable_grad_nest(x):
    with tc.no_grad():
        assert not (x * 2).requires_grad
        with tc.enable_grad():
            assert (x * 2).requires_grad
        assert not tc.is_grad_enabled()
    assert tc.is_grad_enabled()


@pytest.mark.parametrize("decorate", [tc.no_grad, tc.no_grad(), tc.inference_mode(), tc.set_grad_enabled])
def test_decorators(x, decorate):
    if decorate is tc.set_grad_enabled:
        decorate = tc.set_grad_enabled(False)

    @decorate
    def double(value):
        return value * 2

    assert tc.is_grad_enabled()
    assert not double(x).requires_grad
    assert double.__name__ == "double"


def test_set_grad_enabled_as_call_and_block(x):
    tc.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    tc.set_grad_enabled(True)
    with tc.set_grad_enabled(False):
        assert not tc.is_grad_enabled()
    assert tc.is_grad_enabled()


def test_inference_mode_cannot_be_undone_inside(x):
    with tc.inference_mode(), tc.enable_grad():
        assert not (x * 2).requires_grad


def test_modes_are_restored_after_errors():
    with pytest.raises(ZeroDivisionError), tc.no_grad():
        1 / 0  # noqa: B018 - the error is the point
    assert tc.is_grad_enabled()


def test_modes_are_per_thread():
    seen = []
    with tc.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tc.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]
