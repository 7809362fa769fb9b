"""Export of models to ONNX, for onnxruntime and other engines.

A model is run once under the capture that `tensorcore.compile` uses, and each step becomes ONNX's ops. It needs the
package onnx (``pip install 'tensorcore-framework[onnx]'``), which is imported with the first export.
"""

from __future__ import annotations

from tensorcore.onnx import errors
from tensorcore.onnx.errors import OnnxExporterError
from tensorcore.onnx.export import OperatorExportTypes, TrainingMode, export, is_in_onnx_export
from tensorcore.onnx.program import ONNXProgram

__all__ = [
    "ONNXProgram",
    "OnnxExporterError",
    "OperatorExportTypes",
    "TrainingMode",
    "errors",
    "export",
    "is_in_onnx_export",
]
