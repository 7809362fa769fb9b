"""The functions and methods that users call for an op, each compiled from its text at its first call.

They take ``out=`` besides, look at the types of attributes, and let errors name the op and the argument. Arguments that
have names cost a third of what starred ones do, and these functions are called for every step of a program; compiling
the two thousand of which a program calls fifty would take longer than importing all else.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType
from tensorcore.memory_format import layout, memory_format
from tensorcore.ops.outputs import signature, stored, takes_out
from tensorcore.ops.record import NUMPY_SPELLINGS

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["function", "guarded", "refused"]

#: Families whose fronts look at what they are given themselves, because they are called for every step of a program.
_LOOKING: Final = frozenset(("movement", "views", "parts", "conversion", "inplace", "memory"))


class _Missing:
    """The class of `MISSING`."""

    __slots__ = ()


#: Stands for an argument that is not given, so that the op can say which it misses.
MISSING: Final = _Missing()
# What the texts name besides what is imported here; an argument may be called as the type is.
_type: Final = type
_NAMED: Final = (DType, layout, memory_format, stored)


def function(op: Op) -> Callable[..., Any]:
    """What users call for an op: its front, which takes ``out=`` besides, and whose errors name the op and argument."""
    out = takes_out(op)
    made = _caller(op, out)
    if out:
        made.__signature__ = signature(op)
    return made


def guarded(op: Op) -> Callable[..., Any]:
    """The front of an op, which refuses attributes of wrong types, with errors that name the op and the argument."""
    return _caller(op, out=False)


def _caller(op: Op, out: bool) -> Any:
    """A function around the front of an op.

    With ``out=`` the op is called by its record, which autocast leaves alone; without, by a variable, where autocast
    puts itself.
    """
    front = op.front

    def call(*args: Any, **kwargs: Any) -> Any:
        settle(call, front)
        return call(*args, **kwargs)

    made: Any = functools.update_wrapper(call, front)
    made.op, made.out = op, out
    return made


def refused(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Exception:
    """The error of a call that failed; see `misuse`, which only such calls need."""
    from tensorcore.ops.misuse import refusal

    return refusal(op, args, kwargs, error)


# ------------------------------------------------------------------ texts


def settle(call: Any, front: Callable[..., Any]) -> None:
    """Let ``call``, a function closed over itself and its ``front``, become what is compiled from its text."""
    op: Op = call.op
    parameters = list(op.signature.parameters.values())
    starred = any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters)
    code = _compiled(_starred(op, call.out) if starred else _named(op, call.out))
    call.fitting = _fitting(op)
    # The defaults first: until the code is there, nothing reads them.
    by_name = [] if starred else [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    if not starred:
        call.__defaults__ = tuple([_default(each) for each in parameters if each not in by_name])
    call.__kwdefaults__ = {each.name: _default(each) for each in by_name} | ({"out": None} if call.out else {})
    call.__code__ = code


def _default(parameter: inspect.Parameter) -> Any:
    return MISSING if parameter.default is parameter.empty else parameter.default


@functools.cache
def _compiled(text: str) -> CodeType:
    scope: dict[str, Any] = {}
    exec(compile(text, "<function of an op>", "exec"), scope)
    code: CodeType = scope["make"](None, None).__code__
    return code


def _looks_itself(op: Op) -> bool:
    return (op.primitive and bool(op.operands)) or op.__wrapped__.__module__.rpartition(".")[2] in _LOOKING


_TEXT: Final = """\
def make(call, front):
    def function({parameters}):
        try:
            {usual}
            {irregular}
        except Exception as _error:
            raise {failed}
        return {result}
    return function
"""


def _fitting(op: Op) -> Any:
    """The types that fit the attributes of an op at once, by place and by name; of the rest, `check` decides."""
    if _looks_itself(op):
        return (), {}
    from tensorcore.ops.misuse import fitting

    return fitting(op)


def _starred(op: Op, out: bool) -> str:
    """The text for an op whose arguments have no names, or any."""
    plain = "return front(*args)"
    return _TEXT.format(
        parameters=f"*args, {'out=None, ' if out else ''}**kwargs",
        usual=f"if not kwargs{' and out is None' if out else ''}: {plain}" if not _fitting(op)[0] else "pass",
        irregular=f"_result = irregular(call, {'front if out is None else call.op.front' if out else 'front'}, args, "
        "kwargs)",
        failed="refused(call.op, args, kwargs, _error)",
        result="stored(call.op.name, _result, out)" if out else "_result",
    )


def _named(op: Op, out: bool) -> str:
    """The text for an op all of whose arguments have names."""
    parameters = op.signature.parameters.values()
    by_place = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    by_name = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    listed = [*by_place, "*_more", *by_name, *(["out"] if out else []), "**_others"]
    places = "".join(f"{name}, " for name in by_place)
    pairs = "".join(f"{name}={name}, " for name in by_name)
    given = f"({places}*_more), {{{''.join(f'{name!r}: {name}, ' for name in by_name)}**_others}}"
    doubts = " or ".join(["_more", "_others", *_doubts(op)])
    irregular = f"irregular(call, {'front if out is None else call.op.front' if out else 'front'}, {given})"
    plain = f"front({places}{pairs})"
    return _TEXT.format(
        parameters=", ".join([f"{name}=None" if name[0] != "*" else name for name in listed]),
        usual=f"if {doubts}: _result = {irregular}",
        irregular=f"elif out is None: return {plain}\n            else: _result = call.op.{plain}"
        if out
        else f"else: return {plain}",
        failed=f"failed(call.op, {given}, _error)",
        result="stored(call.op.name, _result, out)" if out else "_result",
    )


def _doubts(op: Op) -> list[str]:
    """For each argument that has to be looked at: when it is none of the types that fit it at once, or is missing."""
    types = _fitting(op)[1]
    doubts = []
    for name, parameter in op.signature.parameters.items():
        if name in types:
            kinds = sorted(kind.__name__ for kind in types[name] if kind is not type(None))
            others = [f"{name} is not None"] if type(None) in types[name] else []
            doubts.append("(" + " and ".join([*others, *(f"_type({name}) is not {kind}" for kind in kinds)]) + ")")
        elif parameter.default is parameter.empty and name not in op.operands:
            doubts.append(f"{name} is MISSING")
    return doubts


def as_given(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call without those that are missing, or are the defaults."""
    parameters = op.signature.parameters
    places = [name for name, each in parameters.items() if each.kind is not each.KEYWORD_ONLY]
    if len(args) > len(places):
        return args, kwargs
    named = {**dict(zip(places, args, strict=False)), **kwargs}
    return (), {
        name: value
        for name, value in named.items()
        if value is not MISSING and (name not in parameters or value is not parameters[name].default)
    }


def failed(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Exception:
    """`refused`, of a call with all its arguments, also those that are missing."""
    if any(each is MISSING for each in (*args, *kwargs.values())):
        # Whatever came of it.
        error = TypeError("an argument is missing")
    return refused(op, *as_given(op, args, kwargs), error)


def irregular(call: Any, front: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call that has to be looked at: of arguments by NumPy's names, of other types, missing or too many."""
    op: Op = call.op
    if call.__defaults__ is not None:
        args, kwargs = as_given(op, args, kwargs)
    places, names = call.fitting
    if kwargs:
        parameters = op.signature.parameters
        for name, other in NUMPY_SPELLINGS.items():
            if other in kwargs and name in parameters and other not in parameters:
                if kwargs.get(name, parameters[name].default) is not parameters[name].default:
                    raise TypeError(f"{op.name}: {name} and {other} are the same argument; give one")
                kwargs[name] = kwargs.pop(other)
        for name in kwargs:
            if name in names and type(kwargs[name]) not in names[name]:
                _check(op, name, kwargs[name])
    for place, kinds in places:
        if place < len(args) and type(args[place]) not in kinds:
            _check(op, place, args[place])
    return front(*args, **kwargs)


def _check(op: Op, which: str | int, value: Any) -> None:
    from tensorcore.ops.misuse import check

    check(op, which, value)
