"""A check: one thing to try on a device, with a name and the program that shows it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["LISTENERS", "Check", "area_check", "program_of", "pulse"]


@dataclass(frozen=True)
class Check:
    """One thing to try.

    Attributes:
        name: fixed name; up to the first ``/`` the group of checks.
        dtype: name of the dtype it is about; empty for none.
        run: what runs it; raises where the device fails.
        program: three lines of Python that run it again.
        shapes: shapes of the operands as text, such as ``"(3,4)"``.
    """

    name: str
    dtype: str
    run: Callable[[], Any]
    program: str
    shapes: tuple[str, ...] = ()


def program_of(function: str, *arguments: str) -> str:
    """Three lines of Python that call one of the functions that repeat a case."""
    call = f"{function}({', '.join(arguments)})"
    return f"import tensorcore\nfrom tensorcore_conformance import {function}\n{call}"


def area_check(device: str, area: str, name: str, dtype: str, run: Callable[[], Any]) -> Check:
    """The check ``name`` of an area."""
    return Check(name, dtype, run, program_of("replay_area", repr(device), repr(area), repr(name)))


#: Who wants to know that a case of many calls goes on.
LISTENERS: list[Callable[[], None]] = []


def pulse() -> None:
    """Tell that the running case goes on, so that its time limit is that of a call."""
    for listener in LISTENERS:
        listener()
