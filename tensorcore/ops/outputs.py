"""The argument ``out=`` of functions: the result is stored in a tensor that exists, or several in a tuple of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import ArgumentError, DTypeError

if TYPE_CHECKING:
    from tensorcore.ops.record import Op


def takes_out(op: Op) -> bool:
    """Whether the function of an op is given the argument here: ops that make tensors of others."""
    parameters = op.signature.parameters
    starred = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters.values())
    makes = bool(op.operands) and parameters.keys().isdisjoint(("out", "inplace"))
    return makes and (not starred or op.name.endswith("_copy")) and op.name[-1] != "_"


def signature(op: Op) -> inspect.Signature:
    """The signature of an op's function."""
    if not takes_out(op):
        return op.signature
    parameters = list(op.signature.parameters.values())
    kind = "Tensor | None" if op.outputs == 1 else "Sequence[Tensor] | None"
    out = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
    at = len(parameters) - (bool(parameters) and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD)
    return op.signature.replace(parameters=[*parameters[:at], out, *parameters[at:]])


def function(op: Op) -> Callable[..., Any]:
    """What users call for an op: its front, which takes ``out=`` besides, and whose errors name the op and argument."""
    if not takes_out(op):
        return guarded(op)
    front, guard = op.front, guarded(op)

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs and "out" in kwargs:
            out = kwargs.pop("out")
            try:
                result = op.front(*args, **kwargs)
            except Exception as error:
                raise refused(op, args, kwargs, error)  # noqa: B904
            return stored(op.name, result, out)
        return guard(*args, **kwargs)

    made = call
    if _takes_operands_alone(op):
        made = _plain(op, out=True)
    functools.update_wrapper(made, front)
    made.__signature__ = signature(op)  # type: ignore[attr-defined]
    return made


def stored(op: str, result: Any, out: Any) -> Any:
    """The result of an op put into the tensor, or tensors, given as ``out=``; as it is where ``out`` is None."""
    if out is None:
        return result
    from tensorcore.ops.inplace import write_out

    if not isinstance(result, tuple):
        _check_out(op, "out", out, result)
        return write_out(out, result)
    if not isinstance(out, (tuple, list)) or len(out) != len(result):
        met = len(out) if isinstance(out, (tuple, list)) else type(out).__name__
        raise TypeError(f"{op}: out= must be a tuple of {len(result)} tensors, got {met}")
    for place, (each, wanted) in enumerate(zip(out, result, strict=True)):
        _check_out(op, f"out[{place}]", each, wanted)
        if each.dtype is not wanted.dtype:
            raise DTypeError(f"{op}: out[{place}] must be of dtype {wanted.dtype}, got {each.dtype}")
    written = [write_out(each, wanted) for each, wanted in zip(out, result, strict=True)]
    return result._make(written) if hasattr(result, "_make") else tuple(written)


def guarded(op: Op) -> Callable[..., Any]:
    """The front of an op, which refuses attributes of wrong types, with errors that name the op and the argument."""
    front = op.front
    if _takes_operands_alone(op):
        return functools.update_wrapper(_plain(op, out=False), front)
    if _looks_itself(op):

        def plain(*args: Any, **kwargs: Any) -> Any:
            try:
                return front(*args, **kwargs)
            except Exception as error:
                raise refused(op, args, kwargs, error)  # noqa: B904 - the refusal says what it comes from

        return functools.update_wrapper(plain, front)
    places: Any = ()
    names: Any = None

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal places, names
        try:
            if names is None:
                places, names = _kinds(op)
            if kwargs and names:
                for name in kwargs:
                    if name in names and type(kwargs[name]) not in names[name]:
                        _check(op, name, kwargs[name])
            if places and len(args) > 1:
                for place, kinds in places:
                    if place < len(args) and type(args[place]) not in kinds:
                        _check(op, place, args[place])
            return front(*args, **kwargs)
        except Exception as error:
            raise refused(op, args, kwargs, error)  # noqa: B904 - the refusal says what it comes from

    return functools.update_wrapper(call, front)


#: Families whose fronts look at what they are given themselves, because they are called for every step of a program.
_LOOKING: Final = frozenset(("movement", "views", "parts", "conversion", "inplace", "memory"))


def _looks_itself(op: Op) -> bool:
    return (op.primitive and bool(op.operands)) or op.__wrapped__.__module__.rpartition(".")[2] in _LOOKING


def _kinds(op: Op) -> tuple[Any, Any]:
    """The types that fit the attributes of an op at once, by place and by name; of the rest, `_check` decides."""
    from tensorcore.ops.misuse import fitting

    return fitting(op)


def _check(op: Op, which: str | int, value: Any) -> None:
    from tensorcore.ops.misuse import check

    check(op, which, value)


def refused(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Exception:
    """The error of a call that failed; see `misuse`, which only such calls need."""
    from tensorcore.ops.misuse import refusal

    return refusal(op, args, kwargs, error)


def _check_out(op: str, name: str, out: Any, result: Any) -> None:
    if not hasattr(out, "_array"):
        raise ArgumentError(f"{op}: {name} must be a tensor, got {type(out).__name__}")
    if not hasattr(result, "_array"):
        raise TypeError(f"{op}: the result is {type(result).__name__}, no tensor, and takes no out=")
    if result.dtype.category > out.dtype.category:
        raise DTypeError(f"{op}: {name} is of dtype {out.dtype}, which does not hold a result of {result.dtype}")


def _takes_operands_alone(op: Op) -> bool:
    parameters = op.signature.parameters.values()
    plain = all([p.kind is p.POSITIONAL_OR_KEYWORD and p.default in (p.empty, None) for p in parameters])
    return plain and tuple([parameter.name for parameter in parameters]) == op.operands


def _plain(op: Op, *, out: bool) -> Callable[..., Any]:
    """The function of an op that takes operands alone, and ``out``.

    Compiled from text, because named arguments cost half of what starred ones do, and these functions are called for
    every step of a program. With ``out=`` the op is called by its record, which autocast leaves alone; without, by a
    variable, where it puts itself.
    """
    given = ", ".join([p.name if p.default is p.empty else f"{p.name}=None" for p in op.signature.parameters.values()])
    scope: dict[str, Any] = {}
    exec(_text(", ".join(op.operands), given, out), scope)
    made: Callable[..., Any] = scope["make"](op, op.front, stored, refused)
    return made


@functools.cache
def _text(names: str, given: str, out: bool) -> Any:
    stored_in_out = f"            result = op.front({names})\n" if out else ""
    return compile(
        "def make(op, front, stored, refused):\n"
        f"    def call({given}{', *, out=None' if out else ''}):\n"
        "        try:\n"
        f"            {'if out is None: ' if out else ''}return front({names})\n"
        f"{stored_in_out}"
        "        except Exception as error:\n"
        f"            raise refused(op, ({names},), {{}}, error)\n"
        f"{'        return stored(op.name, result, out)' if out else ''}\n"
        "    return call\n",
        "<function of an op>",
        "exec",
    )
