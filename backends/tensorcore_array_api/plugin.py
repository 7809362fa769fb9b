"""Registers a device for each known Array API library."""

from __future__ import annotations

import sys

from tensorcore.plugins import BackendSpec, hookimpl

STRICT = "array_api_strict"
#: Elsewhere than on macOS, MLX comes without a library to compute with: its extras bring those, another one CUDA's.
MLX = "mlx" if sys.platform == "darwin" else '"mlx[cpu]"'


@hookimpl
def tensorcore_backends() -> list[BackendSpec]:
    """The libraries, each a device of its own name; never the default while ``cpu`` is available."""
    return [
        BackendSpec(
            name,
            "tensorcore_array_api.backend:make",
            requires=("array_api_compat", *modules),
            priority=priority,
            description=description,
            install=f"pip install {install}",
            argument=argument,
        )
        for name, argument, modules, priority, description, install in (
            ("torch", "torch", ("torch",), -20, "PyTorch's tensors", "torch"),
            ("jax", "jax", ("jax", "jaxlib"), -21, "JAX's arrays", "jax"),
            ("mlx", "mlx=mlx.core", ("mlx",), -22, "Apple's MLX", MLX),
            ("dpnp", "dpnp", ("dpnp",), -23, "Intel's dpnp", "dpnp"),
            (STRICT, STRICT, (STRICT,), -30, "the standard's strict test engine", "array-api-strict"),
        )
    ]
