"""Registers the commands for models and runs."""

from __future__ import annotations

from tensorcore.plugins import CommandSpec, hookimpl


@hookimpl
def tensorcore_commands() -> list[CommandSpec]:
    """The commands by the names users type."""
    return [
        CommandSpec(
            "summary",
            "tensorcore_training.commands:summary",
            "The layers of a model, with shapes, parameters and multiply-adds.",
        ),
        CommandSpec(
            "history",
            "tensorcore_training.commands:history",
            "The figures of a run by epoch, as a table, and drawn into a PNG.",
        ),
    ]
