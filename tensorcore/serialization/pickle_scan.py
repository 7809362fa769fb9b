"""A look through a pickle that makes nothing: where it ends, what it names, and its persistent ids."""

from __future__ import annotations

import pickletools
from dataclasses import dataclass, field
from typing import IO, Any, Final

from tensorcore.errors import CheckpointError

__all__ = ["Name", "Scan", "scan"]


class Name(str):
    """The name of a class or function, as opposed to text."""

    __slots__ = ()


@dataclass(slots=True)
class Scan:
    """What a pickle holds."""

    #: Names in the order in which they come, each once.
    names: list[str] = field(default_factory=list)
    #: Persistent ids; what in them is no name, text, number or tuple is None.
    ids: list[Any] = field(default_factory=list)


_MARK: Final = object()
_GETS: Final = frozenset(("GET", "BINGET", "LONG_BINGET"))
_PUTS: Final = frozenset(("PUT", "BINPUT", "LONG_BINPUT"))
_TUPLES: Final = frozenset(("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"))
#: The names of Python 2, which protocol 2 keeps using.
_PYTHON_2: Final = {"__builtin__": "builtins", "copy_reg": "copyreg"}


def scan(file: IO[bytes]) -> Scan:
    """Look through the pickle at the file's position, which is its end afterwards.

    Raises:
        CheckpointError: if it is truncated or damaged.
    """
    found, stack, memo = Scan(), [], {}  # type: tuple[Scan, list[Any], dict[int, Any]]
    place = file.tell()
    try:
        for opcode, arg, _ in pickletools.genops(file):
            _step(opcode, arg, stack, memo, found)
    except (ValueError, LookupError, OverflowError, MemoryError, TypeError) as error:
        raise CheckpointError(f"truncated or damaged: the pickle at byte {place}: {error}") from None
    found.names = list(dict.fromkeys(found.names))
    return found


def _step(opcode: Any, arg: Any, stack: list[Any], memo: dict[int, Any], found: Scan) -> None:
    code = opcode.name
    if code in _PUTS:
        memo[arg] = stack[-1]
        return
    if code == "POP" and stack[-1] is _MARK:
        stack.pop()
        return
    taken = _take(opcode.stack_before, stack)
    value: Any = None
    if code == "MARK":
        value = _MARK
    elif code in _GETS:
        value = memo[arg]
    elif code in _TUPLES:
        value = tuple(taken)
    elif code in ("GLOBAL", "INST"):
        value = _named(found, *arg.split(" ", 1))
    elif code == "STACK_GLOBAL":
        value = _named(found, *taken)
    elif code in ("PERSID", "BINPERSID"):
        found.ids.append(arg if code == "PERSID" else taken[0])
    elif code in ("DUP", "MEMOIZE"):
        value = taken[0]
        if code == "MEMOIZE":
            memo[len(memo)] = value
    elif isinstance(arg, str | int):
        value = arg
    stack.extend([value] * len(opcode.stack_after))


def _take(before: list[Any], stack: list[Any]) -> list[Any]:
    """Remove what an opcode takes; returns it, or what lay above the mark."""
    if pickletools.stackslice in before:
        place = len(stack) - 1 - stack[::-1].index(_MARK)
        taken = stack[place + 1 :]
        del stack[place - before.index(pickletools.markobject) :]
        return taken
    if len(before) > len(stack):
        raise ValueError("it takes more than there is")
    taken = stack[len(stack) - len(before) :]
    del stack[len(stack) - len(before) :]
    return taken


def _named(found: Scan, module: Any, name: Any) -> Name:
    full = Name(f"{_PYTHON_2.get(module, module)}.{name}")
    found.names.append(str(full))
    return full
