"""`tc.onnx.export`: a model run once under capture, written in ONNX's format."""

from __future__ import annotations

import enum
import io
import os
import threading
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from tensorcore.onnx import arguments
from tensorcore.onnx.assembling import Assembler
from tensorcore.onnx.converters import takes
from tensorcore.onnx.errors import OnnxExporterError, OnnxExporterWarning, UnsupportedOperatorError
from tensorcore.onnx.probing import Program, probe
from tensorcore.onnx.program import ONNXProgram, load_onnx
from tensorcore.onnx.tracing import Trace
from tensorcore.tensor import Tensor

__all__ = ["OperatorExportTypes", "TrainingMode", "export", "is_in_onnx_export"]

#: The opset where none is asked for, as PyTorch's, and the first and last that converters write.
DEFAULT_OPSET: Final = 20
FIRST_OPSET: Final = 11
LAST_OPSET: Final = 23

#: Models with more bytes of weights are not checked: to be checked they are copied.
_CHECKED: Final = 1 << 28


class TrainingMode(enum.Enum):
    """Which mode the modules of a model are exported in."""

    EVAL = 0
    PRESERVE = 1
    TRAINING = 2


class OperatorExportTypes(enum.Enum):
    """What PyTorch's older exporter did with ops that ONNX has not; here they are errors."""

    ONNX = 0
    ONNX_ATEN = 1
    ONNX_ATEN_FALLBACK = 2
    ONNX_FALLTHROUGH = 3


class _State(threading.local):
    exporting = False


_state: Final = _State()


def is_in_onnx_export() -> bool:
    """Whether a model of this thread is being exported.

    Example:
        >>> import tensorcore as tc
        >>> tc.onnx.is_in_onnx_export()
        False
    """
    return _state.exporting


def export(
    model: Any, args: Any = (), f: str | os.PathLike[str] | io.BytesIO | None = None, *,
    kwargs: dict[str, Any] | None = None, verbose: bool | None = None, input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None, opset_version: int | None = None, dynamo: bool = True,
    external_data: bool | None = None, dynamic_shapes: Any = None, custom_translation_table: Any = None,
    report: bool = False, optimize: bool = True, verify: bool = False, profile: bool = False,
    dump_exported_program: bool = False, artifacts_dir: str | os.PathLike[str] = ".", export_params: bool = True,
    keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Mapping[int, str]] | Mapping[str, Sequence[int]] | None = None,
    training: TrainingMode = TrainingMode.EVAL, operator_export_type: Any = None, do_constant_folding: bool = True,
    custom_opsets: Mapping[str, int] | None = None, export_modules_as_functions: bool | Collection[type] = False,
    autograd_inlining: bool = True,
) -> ONNXProgram | None:  # fmt: skip
    """Write a model in ONNX's format, as the steps that it takes for the inputs ``args``.

    The model is run in evaluation mode without gradients, and what it calls is recorded; Python's own control flow is
    fixed as these inputs take it, with a warning where it depends on values. Dimensions marked as dynamic are
    found in sizes by running the model at several: a size that follows from them is calculated in the graph,
    and one that does not is an error.

    Args:
        model: a module, or a function of tensors.
        args: what it is called with: a tensor, or a tuple of arguments, of which tensors become inputs; a dict at
            the end holds named ones.
        f: a path, a binary file, or ``None`` to have the result alone.
        kwargs: named arguments.
        verbose: whether to print the graph.
        input_names, output_names: names of inputs and outputs in order; further input names go to the parameters.
        opset_version: version of ONNX's ops, from 11 to 23.
        dynamo: which of PyTorch's two exporters is meant: with ``False`` nothing is returned. Models are the same.
        external_data: whether weights go to a file of their own beside ``f``; by default above 2 GB.
        dynamic_shapes: by argument (a dict of names, or in order) the dynamic dimensions, as ``{0: "batch"}`` or as one
            entry for each dimension.
        dynamic_axes: by input or output name the dynamic dimensions, as ``{0: "batch"}`` or as a list.
        training: the mode that modules are in; ``PRESERVE`` leaves it as it is.
        export_params: whether the file holds the parameters; else they are inputs.
        keep_initializers_as_inputs: whether parameters are inputs as well, whose values the file gives.
        do_constant_folding, optimize: whether what follows from constants alone is calculated now.
        verify: whether to compare with onnxruntime.
        report, dump_exported_program: whether to write what was recorded to ``artifacts_dir``.
        profile, operator_export_type, custom_opsets, autograd_inlining: accepted and without effect.

    Returns:
        The model, to be saved or run; ``None`` with ``dynamo=False``.

    Raises:
        OnnxExporterError: naming op, line and reason, for what ONNX has not, and for sizes that do not follow from
            dynamic dimensions; and where the package onnx is not installed.

    Example:
        >>> import io, tensorcore as tc
        >>> model = tc.nn.Sequential(tc.nn.Linear(4, 8), tc.nn.ReLU(), tc.nn.Linear(8, 2))
        >>> file = io.BytesIO()
        >>> program = tc.onnx.export(model, tc.zeros(1, 4), file, input_names=["x"], dynamic_axes={"x": {0: "batch"}})
        >>> [node.op_type for node in program.model_proto.graph.node]
        ['Gemm', 'Relu', 'Gemm']
    """
    onnx = load_onnx()
    if custom_translation_table or export_modules_as_functions:
        given = "custom_translation_table" if custom_translation_table else "export_modules_as_functions"
        raise OnnxExporterError(f"onnx.export: {given} is not supported: every op is written in ONNX's own")
    if not callable(model):
        raise TypeError(f"onnx.export: expected a module or a function, got {type(model).__name__}")
    opset = _opset(onnx, opset_version)
    function = getattr(model, "forward", model)
    positional, named = arguments.call_arguments(function, args, kwargs)
    inputs = arguments.named_inputs(function, positional, named)
    _require_real("input", inputs)
    names = [*(input_names or ())][: len(inputs)]
    names += [name for name, _ in inputs[len(names) :]]
    symbols, output_axes = arguments.dynamic_dimensions(
        inputs, names, output_names, dynamic_axes, dynamic_shapes, function, positional, named
    )
    state = _state_of(model)
    elements: dict[int, bytes | None] = {id(each._array): None for each in state.values()}
    results: list[str] = []

    def run(tensors: list[Tensor]) -> tuple[Trace, list[int]]:
        own = [tensor.detach().clone() for tensor in tensors]
        ours = iter(own)
        call_args, call_kwargs = arguments.rebuild(positional, ours), arguments.rebuild(named, ours)
        trace = Trace(own, lambda *call: takes(opset, *call), elements)
        from tensorcore.compile.capture import recording

        with recording(trace):
            made = model(*call_args, **call_kwargs)
        found: list[tuple[str, Tensor]] = []
        arguments.flatten(made, "output", found)
        if not found:
            raise OnnxExporterError(f"onnx.export: the model returns no tensors but {type(made).__name__}")
        _require_real("output", found)
        results[:] = [name for name, _ in found]
        return trace, [trace.number_of(tensor) for _, tensor in found]

    with _exporting(model, training):
        program = probe(run, [tensor for _, tensor in inputs], symbols)
    wanted = [*(output_names or ())]
    if len(wanted) > len(results):
        raise OnnxExporterError(f"onnx.export: {len(wanted)} output_names for {len(results)} outputs")
    extra = [*(input_names or ())][len(inputs) :]
    titles = dict(zip(state, [*extra, *list(state)[len(extra) :]], strict=True))
    known = {id(tensor._array): titles[name] for name, tensor in state.items()}
    writer = Assembler(program, opset, known, names, [*wanted, *results[len(wanted) :]],
                       do_constant_folding and optimize)  # fmt: skip
    writer.assemble()
    graph = writer.graph(output_axes, with_data=export_params, with_inputs=keep_initializers_as_inputs)
    made = _model(onnx, graph, opset)
    if verbose:
        print(onnx.printer.to_text(made.graph))
    result = ONNXProgram(made, next((tensor.device for _, tensor in inputs), None))
    if verify:
        _verify(result, model, training, inputs, positional, named)
    if report or dump_exported_program:
        _report(program, made, artifacts_dir)
    if f is not None:
        result.save(f, external_data=external_data)
    return result if dynamo else None


def _require_real(what: str, tensors: Iterable[tuple[str, Tensor]]) -> None:
    for name, tensor in tensors:
        if tensor.is_complex():
            raise UnsupportedOperatorError(
                f"onnx.export: {what} {name!r} is of {tensor.dtype}, and ONNX's ops take no complex numbers: "
                "give its real and imaginary parts (view_as_real, view_as_complex)"
            )


def _opset(onnx: Any, wanted: int | None) -> int:
    last = min(LAST_OPSET, onnx.defs.onnx_opset_version())
    if wanted is None:
        return min(DEFAULT_OPSET, last)
    if not 7 <= wanted <= last:
        raise ValueError(f"onnx.export: opset_version must be from {FIRST_OPSET} to {last}, got {wanted}")
    if wanted < FIRST_OPSET:
        warnings.warn(
            f"onnx.export: opset_version {wanted} has too few ops; the model is written for {FIRST_OPSET}",
            OnnxExporterWarning,
            stacklevel=3,
        )
    return max(wanted, FIRST_OPSET)


def _state_of(model: Any) -> dict[str, Tensor]:
    """Parameters and buffers by name; of those that share memory the first name counts."""
    if not hasattr(model, "named_parameters"):
        return {}
    found: dict[str, Tensor] = {}
    known = set()
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if id(tensor._array) not in known:
            known.add(id(tensor._array))
            found[name] = tensor
    return found


@contextmanager
def _exporting(model: Any, training: Any) -> Iterator[None]:
    """Modules in the mode asked for, buffers as they were afterwards, and no gradients."""
    from tensorcore.autograd.mode import no_grad

    modules = list(model.modules()) if hasattr(model, "modules") else []
    modes = [module.training for module in modules]
    mode = getattr(training, "name", None)
    if mode not in TrainingMode.__members__:
        raise TypeError(f"onnx.export: training must be a TrainingMode, got {training!r}")
    before = _state.exporting
    _state.exporting = True
    try:
        if modules and mode != "PRESERVE":
            model.train(mode == "TRAINING")
        with no_grad():
            changing = any(module.training for module in modules)
            kept = [(x, x.detach().clone()) for x in model.buffers()] if changing else []
            yield
            for buffer, held in kept:
                buffer.copy_(held)
    finally:
        _state.exporting = before
        for module, was in zip(modules, modes, strict=True):
            module.training = was


def _model(onnx: Any, graph: Any, opset: int) -> Any:
    from tensorcore.version import __version__

    versions = [onnx.helper.make_operatorsetid("", opset)]
    made = onnx.helper.make_model(
        graph, opset_imports=versions, producer_name="tensorcore", producer_version=__version__,
        ir_version=max(8, onnx.helper.find_min_ir_version_for(versions)),
    )  # fmt: skip
    if sum(len(each.raw_data) for each in graph.initializer) < _CHECKED:
        onnx.checker.check_model(made)
    return made


def _verify(
    program: ONNXProgram, model: Any, training: Any, inputs: list[tuple[str, Tensor]], args: Any, kwargs: Any
) -> None:
    """Compare what onnxruntime calculates with what the model does."""
    with _exporting(model, training):
        ours: list[tuple[str, Tensor]] = []
        arguments.flatten(model(*args, **kwargs), "output", ours)
    theirs = program(*(tensor for _, tensor in inputs))
    for (_, mine), its, info in zip(ours, theirs, program.model_proto.graph.output, strict=True):
        if mine.shape != its.shape or not bool(mine.isclose(its, 1e-3, 1e-5, True).all()):
            far = (mine - its).abs().max().item() if mine.shape == its.shape else "the shape"
            raise OnnxExporterError(f"onnx.export: onnxruntime's {info.name} differs from the model's by {far}")


def _report(program: Program, made: Any, folder: str | os.PathLike[str]) -> None:
    """Write the steps recorded, with where the model calls them, and the graph, to ``onnx_export_report.md``."""
    onnx = load_onnx()
    path = os.path.join(os.fspath(folder), "onnx_export_report.md")
    steps = "\n".join(
        f"| `{call.op.name}` | {', '.join(str(list(each.shape)) for each in call.outputs)} | {call.line} |"
        for call in program.calls
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f"# Exported model\n\n| step | shapes | line |\n| --- | --- | --- |\n{steps}\n\n"
            f"```\n{onnx.printer.to_text(made.graph)}\n```\n"
        )
