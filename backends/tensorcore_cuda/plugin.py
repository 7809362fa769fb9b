"""Registers the device ``cuda``."""

from __future__ import annotations

from tensorcore.plugins import BackendSpec, hookimpl


@hookimpl
def tensorcore_backends() -> list[BackendSpec]:
    """The CuPy engine; as in PyTorch, used where a program names it."""
    return [
        BackendSpec(
            "cuda",
            "tensorcore_cuda.backend:CudaBackend",
            requires=("cupy",),
            priority=5,
            description="NVIDIA GPUs by CuPy",
            install='pip install "tensorcore-framework[cuda13]"',
        )
    ]
