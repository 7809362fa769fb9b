"""The reference pages, made from the op records: families, all names, primitives for authors of backends."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections import defaultdict
from typing import Any

from coverage_of_pytorch import page as coverage_page
from docstrings import markdown, summary
from op_facts import dtypes_of, gradient_of, quietly

import tensorcore as tc
from tensorcore import array_api
from tensorcore.ops.outputs import signature
from tensorcore.ops.publish import in_place
from tensorcore.ops.record import REGISTRY, Op

#: The namespaces of the index, with what stands before their names.
NAMESPACES = {
    "": "tensorcore", "Tensor": "Tensor", "nn.functional": "nn.functional", "linalg": "linalg", "fft": "fft",
    "special": "special", "signal.windows": "signal.windows",
}  # fmt: skip
_WIDTH = 100


def _named(path: str) -> str:
    """A path as users write it, after ``import tensorcore as tc``."""
    return path if path.startswith("Tensor.") else f"tc.{path}"


def _link(op: Op, text: str) -> str:
    return f"[{text}](#op-{op.name})"


def _refer(name: str) -> str:
    """What a name in single backticks becomes: a link where it is an op's."""
    known = _by_name().get(name)
    return f"`{name}`" if known is None else _link(known, f"`{name}`")


@functools.cache
def _by_name() -> dict[str, Op]:
    public = [op for op in REGISTRY.values() if op.paths]
    names = {path: op for op in public for path in op.paths}
    return names | {op.name: op for op in public}


def _parameter(parameter: inspect.Parameter) -> str:
    star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    kind = parameter.annotation if isinstance(parameter.annotation, str) and parameter.annotation != "Any" else ""
    text = f"{star}{parameter.name}" + (f": {kind}" if kind else "")
    if parameter.default is parameter.empty:
        return text
    return f"{text}{' = ' if kind else '='}{parameter.default!r}"


def _parameters(parameters: list[inspect.Parameter]) -> list[str]:
    parts: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not any(part.startswith("*") for part in parts):
            parts.append("*")
        parts.append(_parameter(parameter))
    return parts


def _call(name: str, parts: list[str], result: Any) -> str:
    gives = f" -> {result}" if isinstance(result, str) and result != "Any" else ""
    line = f"{name}({', '.join(parts)}){gives}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){gives}"])


def _signature(op: Op) -> str:
    path = op.paths[0]
    method = path.startswith("Tensor.")
    written = op.signature if path.startswith(("Tensor.", "nn.functional.")) else signature(op)
    return _call(_named(path), _parameters(list(written.parameters.values())[method:]), written.return_annotation)


def _entry(op: Op) -> str:
    takes, gives = quietly(dtypes_of, op)
    facts = [
        ("Found as", ", ".join(f"`{_named(path)}`" for path in op.paths)),
        ("Dtypes", takes and takes + (f"; gives {gives}" if gives else "")),
        ("Gradient", quietly(gradient_of, op)),
        ("Result", "a view" if op.view else ""),
        ("Array API", f"`{op.standard}`" if op.primitive and op.standard != op.name else ""),
        ("Kind", "primitive" if op.primitive else "composite" + (", which backends may override" if op.body else "")),
    ]
    terms = sorted({path.rpartition(".")[2] for path in op.paths})
    return "\n".join([
        "```{index} " + ", ".join(terms),
        "```",
        f"(op-{op.name})=",
        f"## {op.paths[0]}",
        "",
        "```python",
        _signature(op),
        "```",
        "",
        markdown(op.front, _refer),
        *(f"- **{name}**: {text}" for name, text in facts if text),
        "",
    ])  # fmt: skip


def _others() -> dict[str, Any]:
    """The functions of the package and members of tensors that are no ops, by path."""
    known = {path for op in REGISTRY.values() for path in op.paths} | set(in_place())
    functions = {name: getattr(tc, name) for name in sorted(tc.__all__)}
    members = {f"Tensor.{name}": getattr(tc.Tensor, name) for name in dir(tc.Tensor) if not name.startswith("_")}
    chosen = {name: value for name, value in functions.items() if callable(value) and not inspect.isclass(value)}
    return {path: value for path, value in (chosen | members).items() if path not in known}


def _label(path: str) -> str:
    return f"fn-{path.replace('.', '-')}"


def _others_page() -> str:
    lines = [
        "# Functions and members of tensors that are not ops",
        "",
        "What asks about tensors, makes them of other data, or sets how things are done.",
        "",
    ]
    for path, value in _others().items():
        name = _named(path)
        lines += ["```{index} " + path.rpartition(".")[2], "```", f"({_label(path)})=", f"## {path}", ""]
        if callable(value):
            parameters = list(inspect.signature(value).parameters.values())
            parts = _parameters(parameters[path.startswith("Tensor.") :])
            lines += ["```python", _call(name, parts, inspect.signature(value).return_annotation), "```", ""]
        lines += [markdown(value, _refer), ""]
    return "\n".join(lines)


def _families() -> dict[str, list[Op]]:
    families: dict[str, list[Op]] = defaultdict(list)
    for op in REGISTRY.values():
        families[inspect.unwrap(op.__wrapped__).__module__.rpartition(".")[2]].append(op)
    return families


def _names() -> str:
    """Every published name by namespace, aliases and in-place forms too, each with a link to its op."""
    lines = [
        "# All names",
        "",
        "Every name under which an op is found, and every function and member of tensors; names of one op lead",
        "to the same entry. `t.add_(x)` is `t.add(x)` in place. The [general index](genindex) has them in one list.",
        "",
    ]
    others = _others()
    for namespace, title in NAMESPACES.items():
        found: dict[str, Op] = {}
        for op in REGISTRY.values():
            found.update(dict.fromkeys(op.names_in(namespace), op))
            if namespace == "Tensor":
                found.update((f"{name}_", op) for name in op.inplace_names)
        if not namespace:
            found.update(in_place())
        rows: dict[str, str] = {}
        for name, op in found.items():
            same = name == op.paths[0].rpartition(".")[2]
            what = summary(op.front) if same else f"{_refer(op.name)}{' in place' if name == f'{op.name}_' else ''}"
            rows[name] = f"| {_link(op, f'`{name}`')} | {what} |"
        for path, value in others.items():
            space, _, name = path.rpartition(".")
            if space == namespace:
                rows[name] = f"| [`{name}`](#{_label(path)}) | {summary(value)} |"
        lines += [f"## {title}", "", f"{len(rows)} names.", "", "| name | |", "| --- | --- |"]
        lines += [*(rows[name] for name in sorted(rows, key=str.lower)), ""]
    return "\n".join(lines)


def _primitives() -> str:
    lines = [
        "# Primitives",
        "",
        "What every backend must have. A kernel is called with native arrays in the order of the operands and "
        "the attributes",
        "by keyword; `tensorcore_reference` is the living definition of each.",
        "",
        "| kernel | operands | Array API name | summary |",
        "| --- | --- | --- | --- |",
    ]
    for op in REGISTRY.values():
        if op.primitive:
            summary = (inspect.getdoc(op.front) or "").split("\n")[0].replace("|", "\\|")
            lines.append(
                f"| `{op.name}` | {', '.join(f'`{name}`' for name in op.operands)} | `{op.standard}` | {summary} |"
            )
    return "\n".join(lines) + "\n"


def _standard() -> str:
    lines = [
        "# The Array API namespace",
        "",
        "The functions of `tensorcore.array_api`; the",
        "[guide](../guides/array-api.md)",
    ]
    lines += ["tells how they differ from those of `tensorcore`.", ""]
    for title, module in (("Functions", array_api), ("linalg", array_api.linalg), ("fft", array_api.fft)):
        lines += [f"## {title}", "", "| function | summary |", "| --- | --- |"]
        for name in sorted(module.__all__):
            function = getattr(module, name)
            if inspect.isfunction(function):
                parameters = inspect.signature(function).parameters.values()
                plain = inspect.Signature([each.replace(annotation=each.empty) for each in parameters])
                summary = (inspect.getdoc(function) or "").split("\n")[0].replace("|", "\\|")
                lines.append(f"| `{name}{plain}` | {summary} |")
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Text of each reference page by file name."""
    made = {
        "primitives.md": _primitives(),
        "array_api.md": _standard(),
        "names.md": _names(),
        "coverage.md": coverage_page(),
        "functions.md": _others_page(),
    }
    rows, families = [], []
    for family, ops in sorted(_families().items()):
        public = sorted((op for op in ops if op.paths), key=lambda op: op.name)
        if public:
            title = family.replace("_", " ").capitalize()
            about = summary(importlib.import_module(f"tensorcore.ops.{family}"))
            entries = "\n".join(map(_entry, public))
            made[f"{family}.md"] = f"# {title}\n\n{about}\n\n{entries}"
            families.append(family)
            rows.append(f"| [{title}]({family}.md) | {', '.join(_link(op, f'`{op.name}`') for op in public)} |")
    total = sum(bool(op.paths) for op in REGISTRY.values())
    made["index.md"] = "\n".join([
        "# Operator reference",
        "",
        f"{total} ops under {sum(len(op.paths) for op in REGISTRY.values())} names, made of "
        f"{sum(op.primitive for op in REGISTRY.values())} primitives. Written from the op records: each entry has the",
        "signature, what the op does and refuses, an example that the tests run (and compare with PyTorch's output),",
        "where it is found, the dtypes that it takes and gives, and its gradient with the names of the backward nodes.",
        "",
        "- [All names](names.md), by namespace, aliases too",
        "- [Functions and members of tensors that are not ops](functions.md)",
        "- [PyTorch's names](coverage.md), how many there are of each namespace",
        "- [Primitives](primitives.md), what every backend must have",
        "- [The Array API namespace](array_api.md)",
        "",
        "| family | ops |",
        "| --- | --- |",
        *rows,
        "",
        "```{toctree}",
        ":maxdepth: 1",
        ":hidden:",
        "",
        *("names", "functions", "coverage", "primitives", "array_api", *families),
        "```",
        "",
    ])  # fmt: skip
    return made
