"""The hooks a plugin may implement; each docstring is the contract.

A hook is called once, when the plugins are first asked for, and returns a list of specs. It imports nothing heavy.
"""

from __future__ import annotations

import pluggy

from tensorcore.backend.spec import BackendSpec
from tensorcore.plugins.specs import CommandSpec, ConformanceSpec, DatasetSpec, ModelSpec

__all__ = [
    "hookimpl",
    "tensorcore_backends",
    "tensorcore_commands",
    "tensorcore_conformance_cases",
    "tensorcore_datasets",
    "tensorcore_models",
]

_hookspec = pluggy.HookspecMarker("tensorcore")

#: Marks a function of a plugin as the implementation of the hook of the same name.
hookimpl = pluggy.HookimplMarker("tensorcore")


@_hookspec
def tensorcore_backends() -> list[BackendSpec]:  # type: ignore[empty-body]
    """The backends the plugin brings.

    A spec's target is imported when the first tensor of its device is made. Called, it returns a
    `tensorcore.backend.Backend`, or raises with the reason why it cannot work on this machine.
    """


@_hookspec
def tensorcore_models() -> list[ModelSpec]:  # type: ignore[empty-body]
    """The models the plugin brings, by the names users write."""


@_hookspec
def tensorcore_datasets() -> list[DatasetSpec]:  # type: ignore[empty-body]
    """The data sets the plugin brings, by the names users write."""


@_hookspec
def tensorcore_commands() -> list[CommandSpec]:  # type: ignore[empty-body]
    """The subcommands the plugin adds to the ``tensorcore`` command."""


@_hookspec
def tensorcore_conformance_cases() -> list[ConformanceSpec]:  # type: ignore[empty-body]
    """Conformance cases of the plugin's own, and exceptions it declares for its backends, each with a reason."""
