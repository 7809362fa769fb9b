"""Compiled code in forked processes."""

from __future__ import annotations

import ctypes
import os

import pytest

pytest.importorskip("numpy")

from tensorcore_cpu.jit.executable import isa, loaded


def returning(number: int) -> bytes:
    """Machine code of a function that returns ``number``: ``mov eax, number; ret``."""
    return b"\xb8" + number.to_bytes(4, "little") + b"\xc3"


@pytest.mark.skipif(not hasattr(os, "fork") or isa() is None, reason="needs fork, and a processor with compiled code")
def test_the_code_of_a_fork_is_its_own() -> None:
    loaded(returning(1), 0)
    child = os.fork()
    if not child:
        right = loaded(returning(2), 0, ctypes.c_int)(0, 0) == 2
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    ours = loaded(returning(3), 0, ctypes.c_int)
    child = os.fork()
    if not child:
        os._exit(ours(0, 0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    # One that was forked before, and compiles after us.
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.read(reader, 1)
        loaded(returning(4), 0, ctypes.c_int)
        os._exit(0)
    ours = loaded(returning(5), 0, ctypes.c_int)
    os.write(writer, b"x")
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)
    assert ours(0, 0) == 5
