"""Writes the type stubs of what is derived from the records: ``python -m tensorcore.ops.stubs [--check]``."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any, Final

from tensorcore.methods import BINARY_OPERATORS, REFLECTED, UNARY_OPERATORS
from tensorcore.ops.outputs import signature as full_signature
from tensorcore.ops.publish import in_place
from tensorcore.ops.record import REGISTRY, Op

_HEAD: Final = '''"""Generated from the op records by ``python -m tensorcore.ops.stubs``; not to be edited."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.devices import Device, Kind
from tensorcore.dtypes import DType
from tensorcore.random.generator import Generator
from tensorcore.random.ticket import Ticket
from tensorcore.tensor import Tensor

'''


#: The namespaces that are a module of functions and nothing else.
NAMESPACES: Final = ("fft", "linalg", "signal.windows", "special")

#: What a namespace has besides functions.
_BESIDES: Final = {"linalg": "from tensorcore.errors import LinAlgError as LinAlgError\n\n"}

#: Builtin names that are also ops or methods, and would be taken for those inside the stub.
_SHADOWED: Final = re.compile(r"(?<![.\w])(bool|int|float|complex)\b")


def _typed(annotation: Any) -> str:
    return _SHADOWED.sub(r"builtins.\1", annotation) if isinstance(annotation, str) else "Any"


def _default(value: Any) -> str:
    return (
        repr(value)
        if isinstance(value, (int, float, str, bool, type(None), tuple)) and "inf" not in repr(value)
        else "..."
    )


def _parameters(signature: inspect.Signature, method: bool) -> str:
    parts: list[str] = []
    starred = False
    for place, parameter in enumerate(signature.parameters.values()):
        if method and place == 0:
            parts.append("self")
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        star = "*" * ((parameter.kind is parameter.VAR_POSITIONAL) + 2 * (parameter.kind is parameter.VAR_KEYWORD))
        starred |= star == "*"
        kind = _typed(parameter.annotation)
        # Operands may be numbers, and the first of a function is a tensor.
        if kind == "Tensor" and (method or place > 0):
            kind = "Tensor | builtins.complex"
        text = f"{star}{parameter.name}: {kind}"
        if parameter.default is not parameter.empty:
            text += f" = {_default(parameter.default)}"
        parts.append(text)
    return ", ".join(parts)


def _result(signature: inspect.Signature) -> str:
    return _typed(signature.return_annotation)


def _function(name: str, op: Op, method: bool, full: bool = False) -> str:
    indent = "    " if method else ""
    signature = full_signature(op) if full else op.signature
    return f"{indent}def {name}({_parameters(signature, method)}) -> {_result(signature)}: ...\n"


def functions(namespace: str) -> str:
    """The stub of the functions published under ``namespace``."""
    published = [(name, op) for op in REGISTRY.values() for name in op.names_in(namespace)]
    lines = [_function(name, op, False, namespace != "nn.functional") for name, op in published]
    if not namespace:
        published += in_place().items()
        lines += [_function(name, op, False) for name, op in in_place().items()]
    names = sorted(name for name, _ in published)
    text = "".join(sorted(lines))
    # The top level adds this list to its own, so that type checkers see the names exported.
    return (
        _HEAD
        + _BESIDES.get(namespace, "")
        + ("__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n\n" if namespace == "" else "")
        + text
    )


def methods() -> str:
    """The stub of the derived methods."""
    from tensorcore.methods import TensorMethods
    from tensorcore.tensor import Tensor

    own = {*vars(Tensor), *vars(TensorMethods)}
    lines: dict[str, str] = {}
    for op in REGISTRY.values():
        lines.update((name, _function(name, op, True)) for name in op.names_in("Tensor"))
        lines.update(
            (f"{name}_", f"    def {name}_({_parameters(op.signature, True)}) -> Tensor: ...\n")
            for name in op.inplace_names
        )
        if op.operator in UNARY_OPERATORS:
            lines[f"__{op.operator}__"] = f"    def __{op.operator}__(self) -> Tensor: ...\n"
        elif op.operator in BINARY_OPERATORS:
            prefixes = ["", *(["r"] if op.operator in REFLECTED else []), *(["i"] if op.inplace else [])]
            for prefix in prefixes:
                ignore = "  # type: ignore[override]" if op.operator in ("eq", "ne") and not prefix else ""
                name = f"__{prefix}{op.operator}__"
                lines[name] = f"    def {name}(self, other: Any) -> Tensor: ...{ignore}\n"
    return _HEAD + "class DerivedMethods:\n" + "".join(text for name, text in sorted(lines.items()) if name not in own)


def standard() -> str:
    """The stub of the functions of the Array API standard that are derived."""
    derived: Any = importlib.import_module("tensorcore.array_api.derived")
    typed = {1: "x: Tensor, /", 2: "x1: Tensor | complex, x2: Tensor | complex, /"}
    names = sorted(derived.__all__)
    counts = {name: len(inspect.signature(derived.FUNCTIONS[name]).parameters) for name in names}
    return (
        _HEAD.partition("import builtins")[0]
        + "from typing import Any\n\nfrom tensorcore.tensor import Tensor\n\nFUNCTIONS: dict[str, Any]\n\n"
        + "__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n\n"
        + "".join(f"def {name}({typed[counts[name]]}) -> Tensor: ...\n" for name in names)
    )  # fmt: skip


def stubs() -> dict[str, str]:
    """Text of each generated stub by its path within the package."""
    functional: Any = importlib.import_module("tensorcore.nn.functional")
    made = {"functions.pyi": functions(""), "derived.pyi": methods(), "array_api/derived.pyi": standard()}
    made.update((f"{name.replace('.', '/')}.pyi", functions(name)) for name in NAMESPACES)
    text = functions("nn.functional")
    others = [name for name in functional.__all__ if f"def {name}(" not in text]
    rest = "".join(f"def {name}(input: Tensor, *args: Any, **kwargs: Any) -> Tensor: ...\n" for name in sorted(others))
    made["nn/functional.pyi"] = text + rest
    return made


def main() -> int:
    """Write the stubs, or with ``--check`` report those that are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a stub is out of date")
    check = parser.parse_args().check
    importlib.import_module("tensorcore")
    root = Path(__file__).resolve().parent.parent
    stale = []
    for name, text in stubs().items():
        path = root / name
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, "utf-8")
    for name in stale:
        print(f"{'out of date' if check else 'written'}: tensorcore/{name}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
