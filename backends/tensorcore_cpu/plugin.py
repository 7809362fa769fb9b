"""Registers the device ``cpu``."""

from __future__ import annotations

from tensorcore.plugins import BackendSpec, hookimpl


@hookimpl
def tensorcore_backends() -> list[BackendSpec]:
    """The NumPy engine; first in line for the default device."""
    return [
        BackendSpec(
            "cpu",
            "tensorcore_cpu.backend:CpuBackend",
            requires=("numpy",),
            priority=10,
            description="NumPy",
            install="pip install numpy",
        )
    ]
