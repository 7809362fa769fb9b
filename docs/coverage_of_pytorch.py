"""How many of PyTorch's documented functions and methods are here.

Run as a program, with PyTorch, it notes PyTorch's names.
"""

from __future__ import annotations

import fnmatch
import inspect
import json
import operator
import re
from pathlib import Path
from typing import Any

import tensorcore as tc

HERE = Path(__file__).parent
#: What PyTorch documents, by namespace, and its version; noted so that the pages are made without PyTorch.
NAMES = HERE / "pytorch_names.json"
NAMESPACES = ("torch", "Tensor", "nn.functional", "linalg", "fft", "special", "signal.windows")


def _found(package: Any, namespace: str) -> Any:
    return package if namespace == "torch" else operator.attrgetter(namespace)(package)


def documented(torch: Any) -> dict[str, list[str]]:
    """The names of PyTorch's functions, methods and attributes of tensors that have a docstring."""

    def counts(where: Any, name: str) -> bool:
        value = getattr(where, name)
        mine = (callable(value) and not inspect.isclass(value)) or inspect.isdatadescriptor(value)
        return mine and bool((value.__doc__ or "").strip()) and getattr(value, "__module__", "") != "typing"

    spaces = {namespace: _found(torch, namespace) for namespace in NAMESPACES}
    return {
        namespace: [name for name in sorted(dir(where)) if name[0] != "_" and counts(where, name)]
        for namespace, where in spaces.items()
    }


def left_out() -> list[str]:
    """Patterns of the names that differences.md says are left out, some with their namespace.

    They stand after the colon of each point, what is in parentheses aside.
    """
    section = (HERE / "differences.md").read_text("utf-8").partition("\n## Left out\n")[2].partition("\n## ")[0]
    points = [re.sub(r"\([^)]*\)", "", point.partition(": ")[2]) for point in re.split(r"\n\* ", section)[1:]]
    return [pattern for point in points for pattern in re.findall(r"`([\w.*]+)`", point)]


def missing() -> dict[str, list[str]]:
    """The documented names that are not here."""
    names = json.loads(NAMES.read_text("utf-8"))["names"]
    return {
        namespace: [name for name in names[namespace] if not hasattr(_found(tc, namespace), name)]
        for namespace in NAMESPACES
    }


def matches(name: str, pattern: str) -> bool:
    """Whether a name with its namespace is meant by a pattern, with or without one."""
    return fnmatch.fnmatch(name, pattern) or any(
        name.startswith(f"{namespace}.") and fnmatch.fnmatch(name[len(namespace) + 1 :], pattern)
        for namespace in NAMESPACES
    )


def unexplained() -> list[str]:
    """The missing names that are not said to be left out."""
    patterns = left_out()
    names = [f"{namespace}.{name}" for namespace, names in missing().items() for name in names]
    return [name for name in names if not any(matches(name, pattern) for pattern in patterns)]


def page() -> str:
    """The table of the reference."""
    noted = json.loads(NAMES.read_text("utf-8"))
    absent = missing()
    lines = [
        "# PyTorch's names",
        "",
        f"The functions and methods that PyTorch {noted['version']} documents (those with a docstring), and how many",
        "are here.",
        "Why the others are left out is told under [differences](../differences.md#left-out).",
        "",
        "| namespace | documented | here | left out |",
        "| --- | --- | --- | --- |",
    ]
    total = 0
    for namespace, names in noted["names"].items():
        gone = absent[namespace]
        total += len(names) - len(gone)
        lines.append(
            f"| `{namespace}` | {len(names)} | {len(names) - len(gone)} | {', '.join(f'`{name}`' for name in gone)} |"
        )
    everything = sum(map(len, noted["names"].values()))
    return "\n".join([*lines, f"| all | {everything} | {total} | {everything - total} |", ""])


if __name__ == "__main__":
    import torch

    made = {"version": torch.__version__.partition("+")[0], "names": documented(torch)}
    NAMES.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
