"""Registers the device ``reference``."""

from __future__ import annotations

from tensorcore.plugins import BackendSpec, hookimpl


@hookimpl
def tensorcore_backends() -> list[BackendSpec]:
    """The pure-Python engine; last in line for the default device."""
    return [
        BackendSpec(
            "reference",
            "tensorcore_reference.backend:ReferenceBackend",
            priority=-10,
            description="pure Python, the specification of every primitive",
        )
    ]
