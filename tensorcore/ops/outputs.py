"""The argument ``out=`` of functions: the result is stored in a tensor that exists, or several in a tuple of them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

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


def _check_out(op: str, name: str, out: Any, result: Any) -> None:
    if not hasattr(out, "_array"):
        raise ArgumentError(f"{op}: {name} must be a tensor, got {type(out).__name__}")
    if not hasattr(result, "_array"):
        raise TypeError(f"{op}: the result is {type(result).__name__}, no tensor, and takes no out=")
    if result.dtype.category > out.dtype.category:
        raise DTypeError(f"{op}: {name} is of dtype {out.dtype}, which does not hold a result of {result.dtype}")
