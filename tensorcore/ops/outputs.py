"""The argument ``out=`` of functions: the result is stored in a tensor that exists, or several in a tuple of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.errors import DTypeError

if TYPE_CHECKING:
    from tensorcore.ops.record import Op


def takes_out(op: Op) -> bool:
    """Whether the function of an op is given the argument here: ops that make tensors of others."""
    parameters = op.signature.parameters
    starred = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters.values())
    makes = bool(op.operands) and parameters.keys().isdisjoint(("out", "inplace"))
    return makes and not starred and op.name[-1] != "_"


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
    """What users call for an op: its front, which takes ``out=`` besides."""
    front = op.front
    if not takes_out(op):
        return front

    def store(out: Any, result: Any) -> Any:
        from tensorcore.ops.inplace import write_out

        if not isinstance(result, tuple):
            return write_out(out, result)
        if not isinstance(out, (tuple, list)) or len(out) != len(result):
            met = len(out) if isinstance(out, (tuple, list)) else type(out).__name__
            raise TypeError(f"{op.name}: out= must be a tuple of {len(result)} tensors, got {met}")
        for place, (each, wanted) in enumerate(zip(out, result, strict=True)):
            if each.dtype is not wanted.dtype:
                raise DTypeError(f"{op.name}: out[{place}] must be of dtype {wanted.dtype}, got {each.dtype}")
        stored = [write_out(each, wanted) for each, wanted in zip(out, result, strict=True)]
        return result._make(stored) if hasattr(result, "_make") else tuple(stored)

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs and "out" in kwargs:
            out = kwargs.pop("out")
            result = front(*args, **kwargs)
            return result if out is None else store(out, result)
        return front(*args, **kwargs)

    parameters = op.signature.parameters.values()
    plain = all(parameter.default is parameter.empty for parameter in parameters)
    if len(parameters) == len(op.operands) and plain and not op.variadic:
        # Named arguments cost half of what starred ones do, and these functions are called for every step of a program.
        names = ", ".join(op.operands)
        source = f"lambda {names}, *, out=None: front({names}) if out is None else store(out, front({names}))"
        call = eval(source, {"front": front, "store": store})
    functools.update_wrapper(call, front)
    call.__signature__ = signature(op)  # type: ignore[attr-defined]
    return call
