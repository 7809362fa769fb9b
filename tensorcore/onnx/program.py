"""An exported model in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tensorcore.onnx.errors import OnnxExporterError

__all__ = ["ONNXProgram", "load_onnx"]

#: What one protobuf message may hold; larger models keep their weights in a file of their own.
_LIMIT = 2_000_000_000


def load_onnx() -> Any:
    """The package `onnx`.

    Raises:
        OnnxExporterError: where it is not installed.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.helper
    except ImportError as error:
        raise OnnxExporterError(
            "onnx.export needs the package onnx: pip install 'tensorcore-framework[onnx]', or pip install onnx"
        ) from error
    return onnx


class ONNXProgram:
    """What `export` returns: the model in ONNX's format, which can be saved, and run by onnxruntime.

    Attributes:
        model_proto: the ``onnx.ModelProto``.
    """

    def __init__(self, model_proto: Any, device: Any = None) -> None:
        self.model_proto = model_proto
        self._device = device
        self._session: Any = None

    def save(
        self, destination: Any, *, include_initializers: bool = True, keep_initializers_as_inputs: bool = False,
        external_data: bool | None = None,
    ) -> None:  # fmt: skip
        """Write the model to a path or a binary file; above 2 GB, or where asked for, with its weights beside it.

        Raises:
            OnnxExporterError: for a file object, where the weights do not fit in it.
        """
        onnx = load_onnx()
        model = self.model_proto
        if not include_initializers or keep_initializers_as_inputs:
            model = onnx.ModelProto()
            model.CopyFrom(self.model_proto)
            known = {each.name for each in model.graph.input}
            model.graph.input.extend(
                onnx.helper.make_tensor_value_info(each.name, each.data_type, each.dims)
                for each in model.graph.initializer
                if each.name not in known
            )
            if not include_initializers:
                del model.graph.initializer[:]
        large = sum(len(each.raw_data) for each in model.graph.initializer) > _LIMIT
        if hasattr(destination, "write"):
            if large:
                raise OnnxExporterError("onnx.export: a model of more than 2 GB is written to a path, not to a file")
            destination.write(model.SerializeToString())
            return
        path = os.fspath(destination)
        if not (large or external_data):
            onnx.save_model(model, path)
            return
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        data = f"{os.path.basename(path)}.data"
        beside = os.path.join(os.path.dirname(path), data)
        if os.path.exists(beside):
            # What is there would be added to.
            os.remove(beside)
        onnx.save_model(copy, path, save_as_external_data=True, location=data)

    def initialize_inference_session(self, providers: Sequence[str] = ("CPUExecutionProvider",)) -> Any:
        """A session of onnxruntime for the model.

        Raises:
            OnnxExporterError: where onnxruntime is not installed.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise OnnxExporterError("running an exported model needs onnxruntime: pip install onnxruntime") from error
        self._session = onnxruntime.InferenceSession(self.model_proto.SerializeToString(), providers=list(providers))
        return self._session

    def release(self) -> None:
        """Let the session of onnxruntime go."""
        self._session = None

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Outputs for tensors in the order of the inputs, calculated by onnxruntime, as a tuple of tensors."""
        from tensorcore.onnx.arguments import flatten
        from tensorcore.ops.creation import as_tensor

        session = self._session or self.initialize_inference_session()
        found: list[tuple[str, Any]] = []
        flatten((args, kwargs), "", found)
        wanted = [each.name for each in session.get_inputs()]
        if len(found) != len(wanted):
            raise OnnxExporterError(f"the model takes {len(wanted)} inputs, {', '.join(wanted)}; got {len(found)}")
        given = {name: x.detach().cpu().numpy() for name, (_, x) in zip(wanted, found, strict=True)}
        return tuple(as_tensor(each, device=self._device) for each in session.run(None, given))

    def __repr__(self) -> str:
        graph = self.model_proto.graph
        opset = self.model_proto.opset_import[0].version
        names = ", ".join(each.name for each in graph.input), ", ".join(each.name for each in graph.output)
        return f"<ONNXProgram of {len(graph.node)} nodes, opset {opset}: ({names[0]}) -> ({names[1]})>"
