"""What all tests share: each starts from the library's defaults."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores interrupts, and programs inherit that; tests interrupt programs.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many of the deliberately wrong backends the conformance suite has caught."""
    ran = {word: terminalreporter.stats.get(word, []) for word in ("passed", "failed")}
    caught, survived = ([each for each in ran[word] if "::test_a_mutant_is_caught[" in each.nodeid] for word in ran)
    if caught or survived:
        names = ", ".join(each.nodeid.partition("[")[2].removesuffix("]") for each in survived)
        lived = f"; alive: {names}" if survived else ""
        terminalreporter.write_line(f"conformance mutants: {len(caught)}/{len(caught) + len(survived)} killed{lived}")
