"""What a failed call of an op tells its caller: the argument at fault, what was met and what was expected.

Nothing here runs for a call that succeeds. A call that fails, wherever it does, is looked at once more with the op's
signature at hand; the error then names the op that was called, not a step of its expression.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType
from tensorcore.errors import ArgumentError, TensorcoreError
from tensorcore.memory_format import layout, memory_format
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["refusal"]

#: Python's own errors that a bad argument brings about somewhere inside; others are not about the call.
_PLAIN: Final = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, AssertionError, RuntimeError)
#: What marks an error of a kernel, whose own words say nothing to a caller.
_KERNEL: Final = "the kernel on "
#: How errors begin that say only that a tensor came where a number or flag is meant.
_BARE: Final = ("bool: ", "item: ", "int: ", "float: ")


def refusal(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Exception:
    """The error to raise for a call of ``op`` that ended in ``error``: that one, or a clearer one in its place."""
    words = str(error)
    if not isinstance(error, _PLAIN):
        return error
    if (isinstance(error, TypeError) or not isinstance(error, TensorcoreError)) and _begins(op, words):
        return error
    try:
        given = op.signature.bind(*args, **_spelled(op, kwargs)).arguments
    except TypeError as misfit:
        return _alone(TypeError(f"{public(op)}: {misfit}; it is called as {public(op)}({_parameters(op)})"), error)
    bare = words.startswith(_BARE) or _KERNEL in words
    told = isinstance(error, (TensorcoreError, NotImplementedError)) and not bare
    name = public(op)
    for problem in _problems(op, given, told):
        return _alone(ArgumentError(f"{name}: {problem}"), error)
    met = f"called as {name}({', '.join(_pair(each, value) for each, value in given.items())})"
    if told:
        if words.startswith(f"{op.name}: "):
            error.args = (f"{name}{words.removeprefix(op.name)}",)
        elif not _names(op, words):
            # The class tells what is wrong; only the words are those of a step.
            error.args = (f"{name}: {words} ({met})",)
        return error
    if _names(op, words) and not bare and type(error) in (TypeError, ValueError, IndexError, RuntimeError):
        return error
    cause = error.__cause__ if _KERNEL in words and isinstance(error.__cause__, Exception) else error
    if isinstance(error, RuntimeError) and cause is not error and type(cause) is RuntimeError:
        # What an engine or a device reports is no fault of the arguments.
        return error
    clearer = ArgumentError(f"{name}: {_sentence(cause)} ({met})")
    clearer.__cause__ = cause
    return clearer


def _spelled(op: Op, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keywords with NumPy's spellings, which every op takes, as PyTorch's."""
    from tensorcore.ops.record import NUMPY_SPELLINGS

    theirs = {other: name for name, other in NUMPY_SPELLINGS.items() if name in op.signature.parameters}
    return {theirs.get(name, name): value for name, value in kwargs.items()}


def _alone(clearer: Exception, error: Exception) -> Exception:
    """``clearer`` without the error that led to it, which would say the same in worse words."""
    clearer.__suppress_context__ = True
    return clearer


def public(op: Op) -> str:
    """The name under which users find an op: ``special.i0e`` of ``special_i0e``."""
    names = [path.rpartition(".")[2] for path in op.paths]
    if not names or op.name in names:
        return op.name
    return next((path for path in op.paths if path.replace(".", "_") == op.name), names[0])


def _begins(op: Op, message: str) -> bool:
    """Whether a check of the op's own front speaks: it begins with the name, as in ``"linalg.solve: "``."""
    said, _, rest = message.partition(": ")
    return said in _called(op) and not rest.startswith(_KERNEL)


def _names(op: Op, message: str) -> bool:
    known = "|".join(map(re.escape, _called(op)))
    return re.search(rf"(?<![\w.])(?:torch\.)?(?:{known})(?!\w)", message) is not None


def _called(op: Op) -> set[str]:
    """What users call the op: its names, with and without their namespaces."""
    return {op.name, *op.paths, *(path.rpartition(".")[2] for path in op.paths)}


def _sentence(error: Exception) -> str:
    words = str(error)
    return f"no value for {words}" if isinstance(error, KeyError) else words or type(error).__name__


# ------------------------------------------------------------------ arguments


def _problems(op: Op, given: dict[str, Any], told: bool) -> Iterator[str]:
    """What is wrong with the types of the arguments; where the error tells something, only what cannot be meant."""
    operands = {name.lstrip("*"): name[0] == "*" for name in op.operands}
    for name, value in given.items():
        parameter = op.signature.parameters[name]
        if name in operands:
            several = operands[name] or parameter.kind is parameter.VAR_POSITIONAL
            yield from _operand_problems(op, parameter, name, value, several, told)
        elif value is not parameter.default:
            expected = _expected(parameter, told)
            if expected is not None and not expected[1](value):
                yield f"{name} must be {expected[0]}, got {_typed(value)}"
    if not told:
        yield from _strays(op, given)


def _strays(op: Op, given: dict[str, Any]) -> Iterator[str]:
    """Arguments of which the annotations say nothing, and which seldom are what is meant: None, strings."""
    for name, value in given.items():
        parameter = op.signature.parameters[name]
        if name == "out" and not isinstance(value, Tensor):
            yield f"out must be a tensor, got {_typed(value)}"
        elif value is not parameter.default and str(parameter.annotation) == "Any":
            if value is None:
                yield f"{name} must not be None"
            elif isinstance(value, str) and not isinstance(parameter.default, str):
                yield f"{name} takes no such string, got {value!r}"


def _operand_problems(op: Op, parameter: Any, name: str, value: Any, several: bool, told: bool) -> Iterator[str]:
    if value is None and (parameter.default is None or "None" in str(parameter.annotation)):
        return
    if several:
        values = value
        if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], (list, tuple)):
            values = value[0]
        if not isinstance(values, (list, tuple, Tensor)):
            yield f"{name} must be a sequence of tensors, got {_typed(value)}"
        if not isinstance(values, (list, tuple)):
            return
        for place, each in enumerate(values):
            if not isinstance(each, Tensor) and (not told or not isinstance(each, (int, float, complex))):
                yield f"{name}[{place}] must be a tensor, got {_typed(each)}"
    elif not isinstance(value, Tensor):
        number = isinstance(value, (int, float, complex))
        if not number:
            yield f"{name} must be a tensor, got {_typed(value)}" + (
                "; make one by tensor(...)" if isinstance(value, (list, tuple)) or hasattr(value, "dtype") else ""
            )
        elif not told and not op.elementwise:
            yield f"{name} must be a tensor, got {_typed(value)}"


def fitting(op: Op) -> tuple[tuple[tuple[int, frozenset[type]], ...], dict[str, frozenset[type]]]:
    """The types of attributes that need no further look: pairs of a place and types, and types by name."""
    places: list[tuple[int, frozenset[type]]] = []
    names: dict[str, frozenset[type]] = {}
    starred = False
    for place, parameter in enumerate(op.signature.parameters.values()):
        starred = starred or parameter.kind is parameter.VAR_POSITIONAL
        written = str(parameter.annotation)
        types = _TYPES.get(parameter.name if written == "Any" else written.removesuffix(" | None"))
        if types is None or parameter.name in op.operands:
            continue
        kinds = frozenset((*types, type(None)) if written.endswith(" | None") or parameter.default is None else types)
        names[parameter.name] = kinds
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and not starred:
            places.append((place, kinds))
    return tuple(places), names


def check(op: Op, which: str | int, value: Any) -> None:
    """Raise ArgumentError for an attribute, by name or place, that is not what its annotation says."""
    parameters = op.signature.parameters
    parameter = parameters[which] if isinstance(which, str) else list(parameters.values())[which]
    if value is parameter.default:
        return
    expected = _expected(parameter, told=False)
    if expected is not None and not expected[1](value):
        raise ArgumentError(f"{public(op)}: {parameter.name} must be {expected[0]}, got {_typed(value)}")


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and (not isinstance(value, Tensor) or value.numel() == 1)


def _is_dims(value: Any) -> bool:
    # Some ops, such as tensordot, take a tuple of tuples.
    return _is_int(value) or (isinstance(value, (list, tuple)) and all(map(_is_dims, value)))


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == 1
    return isinstance(value, (int, float)) or (hasattr(value, "__float__") and not hasattr(value, "__len__"))


def _is_flag(value: Any) -> bool:
    return _is_int(value) or type(value).__name__ in ("bool", "bool_")


def _is_dtype(value: Any) -> bool:
    return isinstance(value, DType) or (isinstance(value, type) and value in (bool, int, float, complex))


#: What annotations say: in words, and whether a value is that.
_EXPECTED: Final[dict[str, tuple[str, Any]]] = {
    "int": ("an int", _is_int),
    "float": ("a number", _is_number),
    "bool": ("True or False", _is_flag),
    "str": ("a string", lambda value: isinstance(value, str)),
    "DType": ("a dtype such as tensorcore.float32", _is_dtype),
    "dim": ("an int or a tuple of ints", _is_dims),
    "Sequence[int]": ("a sequence of ints", lambda value: isinstance(value, (list, tuple)) and _is_dims(value)),
    "Sequence[float]": (
        "a sequence of numbers",
        lambda value: isinstance(value, (list, tuple)) and all(map(_is_number, value)),
    ),
    "int | Sequence[int]": ("an int or a sequence of ints", _is_dims),
    "layout": ("a layout such as tensorcore.strided", lambda value: isinstance(value, layout)),
    "memory_format": (
        "a memory format such as tensorcore.channels_last",
        lambda value: isinstance(value, memory_format),
    ),
}
#: The types that plainly are what an annotation says.
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,), "float": (float, int), "bool": (bool,), "str": (str,), "DType": (DType,),
    "layout": (layout,), "memory_format": (memory_format,),
}  # fmt: skip


def _expected(parameter: inspect.Parameter, told: bool) -> tuple[str, Any] | None:
    """What a parameter takes, in words, and whether a value is that; ``None`` where its record does not say."""
    written, default = str(parameter.annotation), parameter.default
    # PyTorch takes None for these two flags.
    optional = written.endswith(" | None") or parameter.name in ("requires_grad", "pin_memory")
    written = written.removesuffix(" | None")
    if written == "Any" and parameter.name in ("dim", "dims", "shifts", "source", "destination"):
        written, optional = "dim", parameter.name in ("dim", "dims")
    elif written == "Any" and parameter.name in _TYPES:
        written, optional = parameter.name, True
    elif written == "Any" and not told and type(default) in (int, float):
        written = "float"
    known = _EXPECTED.get(written)
    if known is None or not optional:
        return known
    words, fits = known
    return f"{words}, or None", lambda value: value is None or fits(value)


def _parameters(op: Op) -> str:
    """The parameters of an op and their defaults, as they are called."""
    signature = op.signature.replace(return_annotation=inspect.Signature.empty)
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return str(signature.replace(parameters=bare))[1:-1]


def _pair(name: str, value: Any) -> str:
    return f"{name}={_shown(value)}"


def _typed(value: Any) -> str:
    """An argument with its type before it."""
    if value is None or isinstance(value, (Tensor, DType)):
        return f"a tensor {_shown(value)}" if isinstance(value, Tensor) else _shown(value)
    shown = _shown(value)
    return f"{type(value).__name__} {shown}" if not shown.startswith("a ") else shown[2:]


def _shown(value: Any) -> str:
    """An argument in a few words: dtype and shape of a tensor, else its representation and type."""
    if isinstance(value, Tensor):
        return f"{value.dtype.name}{list(value.shape)}"
    if isinstance(value, (bool, int, float, complex, DType)) or value is None:
        return repr(value)
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(_shown, value[:6])) + (", ..." if len(value) > 6 else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else f"{value[:37]}...")
    return f"a {type(value).__module__.partition('.')[0]}.{type(value).__name__}".replace("builtins.", "")
