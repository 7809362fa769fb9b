"""Checkpoints: PyTorch's zip format (`save`, `load`) and safetensors (`tensorcore.serialization.safetensors`)."""

from tensorcore.serialization.allowed_globals import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from tensorcore.serialization.torch_zip import load, save

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]
