"""Programs written as functions of the library, run in both; what they give, or raise, is compared."""

from __future__ import annotations

import threading
import warnings

import pytest

import tensorcore as tc

torch = pytest.importorskip("torch")


def collected():
    """A list of programs, and the decorator that puts a function into it."""
    programs = []

    def program(function):
        programs.append(function)
        return function

    return programs, program


def plain(value):
    if isinstance(value, (tc.Tensor, torch.Tensor)):
        return ("tensor", str(value.dtype).split(".")[-1], value.detach().tolist())
    if isinstance(value, (tc.Size, torch.Size)):
        return tuple(value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def outcome(function, lib):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(function(lib)), None
        except Exception as error:
            return None, error


def agree_on(function):
    """The two libraries give the same, or refuse with the same class."""
    theirs, refused = outcome(function, torch)
    ours, error = outcome(function, tc)
    if refused is not None:
        assert isinstance(error, type(refused)), f"PyTorch raises {refused!r}, got {error!r}, {ours!r}"
    elif error is not None:
        raise error
    else:
        assert ours == theirs


def run_in_threads(work, count=4):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
