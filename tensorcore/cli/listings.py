"""``tensorcore backends``, ``models``, ``datasets`` and ``info``."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from rich.text import Text

from tensorcore.cli.console import console, print_json, print_table

__all__ = ["show_backends", "show_datasets", "show_info", "show_models"]

_COLOURS: Final = {"loaded": "green", "available": "green", "unavailable": "yellow"}


def show_backends(*, verbose: bool, as_json: bool) -> None:
    """Print each backend, after trying to load it, and each plugin that did not load."""
    from tensorcore.plugins.host import host

    states = host.states()
    if as_json:
        print_json([dataclasses.asdict(state) for state in states])
        return
    print_table(
        ("name", "version", "devices", "state", "description, or why it is off"),
        [
            (
                state.name,
                state.version or "-",
                ", ".join(state.devices) or "-",
                Text(state.state, style=_COLOURS.get(state.state, "red")),
                state.reason or "; ".join(filter(None, (state.description, state.notice))),
            )
            for state in states
        ],
    )
    for state in states:
        if verbose and state.traceback:
            console().print(Text(f"\n{state.name}:\n{state.traceback.rstrip()}"))
    if not verbose and any(state.traceback for state in states):
        console().print("\n--verbose shows the tracebacks of those that failed.")


def show_models(*, as_json: bool) -> None:
    """Print the registered models."""
    from tensorcore.plugins.host import host

    specs = host.models().values()
    if as_json:
        print_json([dataclasses.asdict(spec) for spec in specs])
        return
    print_table(
        ("name", "data sets", "weights", "description"),
        [
            (spec.name, ", ".join(spec.datasets) or "-", ", ".join(spec.weights) or "-", spec.description)
            for spec in specs
        ],
    )


def show_datasets(*, as_json: bool) -> None:
    """Print the registered data sets."""
    from tensorcore.plugins.host import host

    specs = host.datasets().values()
    if as_json:
        print_json([dataclasses.asdict(spec) for spec in specs])
        return
    print_table(("name", "description"), [(spec.name, spec.description) for spec in specs])


def show_info(*, as_json: bool) -> None:
    """Print what a report of a fault should say about the machine and the installation."""
    facts = _facts()
    if as_json:
        print_json(facts)
        return
    rows = [(key, str(value)) for key, value in facts.items() if isinstance(value, str | int)]
    rows += [("library", f"{name} {version}") for name, version in facts["libraries"].items()]
    for plugin in facts["plugins"]:
        origin = f"({plugin['distribution']} {plugin['version']})" if plugin["distribution"] else ""
        rows.append(("plugin", f"{plugin['name']} {origin} {plugin['problem']}".strip()))
    print_table(("fact", "value"), rows)


def _facts() -> dict[str, Any]:
    import os
    import platform
    import sys

    import tensorcore
    from tensorcore.backend.contract import CONTRACT_VERSION
    from tensorcore.errors import TensorcoreError
    from tensorcore.utils.collect_env import versions

    try:
        default = str(tensorcore.get_default_device())
    except TensorcoreError as error:
        default = f"none: {error}"
    return {
        "tensorcore": tensorcore.__version__,
        "backend contract": CONTRACT_VERSION,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "executable": sys.executable,
        "platform": platform.platform(),
        "processors": os.cpu_count() or 0,
        "default device": default,
        "libraries": versions(),
        "plugins": _plugins(),
    }


def _plugins() -> list[dict[str, str]]:
    from tensorcore.plugins.host import host

    registered = {
        entry.plugin: (entry.distribution, entry.version)
        for specs in host.registry.entries.values()
        for entries in specs.values()
        for entry in entries
    }
    found = [
        {"name": name, "distribution": origin[0], "version": origin[1], "problem": ""}
        for name, origin in sorted(registered.items())
    ]
    found += [
        {"name": each.plugin, "distribution": each.distribution, "version": each.version, "problem": each.reason}
        for each in host.problems()
    ]
    return found
