"""What goes wrong with an export."""

from __future__ import annotations

from tensorcore.errors import TensorcoreError

__all__ = ["OnnxExporterError", "OnnxExporterWarning", "SymbolicValueError", "UnsupportedOperatorError"]


class OnnxExporterError(TensorcoreError, RuntimeError):
    """A model that cannot be written as ONNX, with the op and the line that stand in the way."""


class UnsupportedOperatorError(OnnxExporterError):
    """An op, or an op of this dtype or opset, that ONNX has not."""


class SymbolicValueError(OnnxExporterError, ValueError):
    """A number of the model that depends on a dynamic dimension where ONNX takes a fixed one."""


class OnnxExporterWarning(UserWarning):
    """What the exported model fixes that the model itself decides anew at each call."""
