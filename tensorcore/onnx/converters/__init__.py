"""Converters: each op's name to the ONNX nodes that do what it does."""

from __future__ import annotations

from tensorcore.onnx.converters import elementwise, movement, neural, recurrent, reductions
from tensorcore.onnx.converters.registry import CONVERTERS, takes

__all__ = ["CONVERTERS", "elementwise", "movement", "neural", "recurrent", "reductions", "takes"]
