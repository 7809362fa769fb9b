"""Registers the subcommand ``tensorcore conformance``."""

from __future__ import annotations

from tensorcore.plugins import CommandSpec, hookimpl


@hookimpl
def tensorcore_commands() -> list[CommandSpec]:
    """``tensorcore conformance DEVICE``."""
    return [
        CommandSpec(
            "conformance",
            "tensorcore_conformance.command:conformance",
            help="Examine a device op by op against NumPy, and write a report.",
            requires=("numpy", "hypothesis"),
            install='pip install "tensorcore-framework[conformance]"',
        )
    ]
