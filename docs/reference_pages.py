"""The reference pages, made from the op records: one page a family, one of the primitives for authors of backends."""

from __future__ import annotations

import inspect
from collections import defaultdict

from tensorcore import array_api
from tensorcore.ops.record import REGISTRY, Op


def _signature(op: Op) -> str:
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in op.signature.parameters.values()]
    return f"{op.name}{inspect.Signature(plain)}"


def _entry(op: Op) -> str:
    lines = [f"## {op.name}", "", "```python", _signature(op), "```", "", inspect.getdoc(op.front) or "", ""]
    where = [f"`{path if path.startswith('Tensor.') else 'tensorcore.' + path}`" for path in op.paths]
    facts = [
        ("Found as", ", ".join(where) or "internal"),
        ("Kind", "primitive" if op.primitive else "composite" + (", can be overridden" if op.body else "")),
        ("Gradient", "own rule" if op.vjp is not None else "none" if op.primitive else "through its expression"),
        ("Result", "a view" if op.view else ""),
    ]
    lines += [f"- **{name}**: {text}" for name, text in facts if text]
    return "\n".join(lines) + "\n"


def _families() -> dict[str, list[Op]]:
    families: dict[str, list[Op]] = defaultdict(list)
    for op in REGISTRY.values():
        families[inspect.unwrap(op.__wrapped__).__module__.rsplit(".", 1)[-1]].append(op)
    return families


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
    made = {"primitives.md": _primitives(), "array_api.md": _standard()}
    names = []
    for family, ops in sorted(_families().items()):
        public = [op for op in ops if op.paths]
        if public:
            title = family.replace("_", " ").capitalize()
            entries = "\n".join(_entry(op) for op in sorted(public, key=lambda op: op.name))
            made[f"{family}.md"] = f"# {title}\n\n{entries}"
            names.append(family)
    toctree = "\n".join(["primitives", "array_api", *names])
    counts = f"{len(REGISTRY)} ops, {sum(op.primitive for op in REGISTRY.values())} of them primitives"
    made["index.md"] = f"# Operator reference\n\n{counts}.\n\n```{{toctree}}\n:maxdepth: 1\n\n{toctree}\n```\n"
    return made
