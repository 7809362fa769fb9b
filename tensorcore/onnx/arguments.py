"""What `export` is given, as a list of tensors with names and dynamic dimensions."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorcore.onnx.errors import OnnxExporterError, OnnxExporterWarning
from tensorcore.onnx.probing import Symbol
from tensorcore.tensor import Tensor

__all__ = ["call_arguments", "dynamic_dimensions", "flatten", "named_inputs", "rebuild"]


def call_arguments(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments; a dict at the end holds named ones where the model has these names."""
    given = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    named = dict(kwargs or {})
    if kwargs is None and given and isinstance(given[-1], dict):
        names = _parameters(function)
        if names is None or all(isinstance(key, str) and key in names for key in given[-1]):
            given, named = given[:-1], given[-1]
    return given, named


def _parameters(function: Callable[..., Any]) -> list[str] | None:
    """The names of a function's arguments; ``None`` where it takes any."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return [each.name for each in parameters if each.kind is not each.VAR_POSITIONAL]


def flatten(value: Any, name: str, found: list[tuple[str, Tensor]]) -> None:
    """Collect the tensors in nested tuples, lists, dicts and dataclasses, with names of where they lie."""
    if isinstance(value, Tensor):
        found.append((name, value))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            flatten(each, f"{name}_{key}" if name else str(key), found)
    elif isinstance(value, (tuple, list)):
        fields = getattr(value, "_fields", None) or range(len(value))
        for key, each in zip(fields, value, strict=True):
            flatten(each, f"{name}_{key}" if name else str(key), found)
    elif hasattr(value, "__dataclass_fields__"):
        for key in value.__dataclass_fields__:
            flatten(getattr(value, key), f"{name}_{key}" if name else key, found)


def rebuild(value: Any, tensors: Any) -> Any:
    """``value`` with its tensors taken, in order, from the iterator ``tensors``."""
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, Mapping):
        parts = {key: rebuild(each, tensors) for key, each in value.items()}
        return parts if type(value) is dict else type(value)(parts)  # type: ignore[call-arg]
    if isinstance(value, (tuple, list)):
        parts_in_order = [rebuild(each, tensors) for each in value]
        return type(value)(*parts_in_order) if hasattr(value, "_fields") else type(value)(parts_in_order)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        import dataclasses

        return dataclasses.replace(
            value, **{key: rebuild(getattr(value, key), tensors) for key in value.__dataclass_fields__}
        )
    return value


def named_inputs(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[
    tuple[str, Tensor]
]:  # fmt: skip
    """The tensors of the arguments, named by the model's own names for them."""
    names = _names(function, args)
    found: list[tuple[str, Tensor]] = []
    for name, value in [*zip(names, args, strict=True), *kwargs.items()]:
        flatten(value, name, found)
    return found


def _names(function: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    names: list[str] = []
    try:
        for each in inspect.signature(function).parameters.values():
            if each.kind is each.VAR_POSITIONAL:
                names += [f"{each.name}_{place}" for place in range(len(args) - len(names))]
            elif each.kind is not each.KEYWORD_ONLY and each.kind is not each.VAR_KEYWORD:
                names.append(each.name)
    except (TypeError, ValueError):
        pass
    return [*names[: len(args)], *(f"input_{place}" for place in range(len(names), len(args)))]


def dynamic_dimensions(
    inputs: list[tuple[str, Tensor]], names: list[str], outputs: Sequence[str] | None, axes: Any, shapes: Any,
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any],
) -> tuple[list[Symbol], dict[str, dict[int, str]]]:  # fmt: skip
    """The dynamic dimensions of the inputs, those of one name being one, and the names for those of the outputs."""
    marked: list[dict[int, str]] = [{} for _ in inputs]
    of_outputs: dict[str, dict[int, str]] = {}
    if axes is not None and shapes is not None:
        raise OnnxExporterError("onnx.export: give dynamic_axes or dynamic_shapes, not both")
    for name, given in (axes or {}).items():
        dims = given if isinstance(given, Mapping) else {dim: f"{name}_dynamic_axes_{dim}" for dim in given}
        own = next((p for p, (own, _) in enumerate(inputs) if name in (names[p], own)), None)
        if own is not None:
            marked[own] = {int(dim): str(symbol) for dim, symbol in dims.items()}
        elif outputs is not None and name in outputs:
            of_outputs[name] = {int(dim): str(symbol) for dim, symbol in dims.items()}
        elif outputs is not None:
            warnings.warn(
                f"onnx.export: dynamic_axes names {name!r}, which is no input or output of the model: "
                f"{', '.join((*names, *outputs))}",
                OnnxExporterWarning,
                stacklevel=3,
            )
    if shapes is not None:
        marked = _from_shapes(inputs, shapes, function, args, kwargs)
    symbols: dict[str, Symbol] = {}
    for place, ((_, tensor), dims) in enumerate(zip(inputs, marked, strict=True)):
        for dim, name in dims.items():
            if not -tensor.ndim <= dim < tensor.ndim:
                raise OnnxExporterError(
                    f"onnx.export: dynamic dimension {name!r}: input {names[place]!r} of shape {list(tensor.shape)} "
                    f"has no dimension {dim}"
                )
            size = tensor.shape[dim]
            symbol = symbols.setdefault(name, Symbol(name, [], size))
            if symbol.size != size:
                raise OnnxExporterError(
                    f"onnx.export: dynamic dimension {name!r} is {symbol.size} in input "
                    f"{names[symbol.places[0][0]]!r} and {size} in {names[place]!r}"
                )
            symbol.places.append((place, dim % tensor.ndim))
    return list(symbols.values()), of_outputs


def _from_shapes(
    inputs: list[tuple[str, Tensor]], shapes: Any, function: Callable[..., Any], args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> list[dict[int, str]]:  # fmt: skip
    found: list[dict[int, str]] = []
    given = shapes
    if isinstance(shapes, Mapping):
        names = [*_names(function, args), *kwargs]
        unknown = [name for name in shapes if name not in names]
        if unknown:
            raise OnnxExporterError(
                f"onnx.export: dynamic_shapes names {unknown[0]!r}; the arguments given are {', '.join(names)}"
            )
        given = [shapes.get(name) for name in names]
    if not isinstance(given, (tuple, list)) or len(given) != len(args) + len(kwargs):
        raise OnnxExporterError(
            f"onnx.export: dynamic_shapes must have an entry for each of the {len(args) + len(kwargs)} arguments"
        )
    for value, spec in zip([*args, *kwargs.values()], given, strict=True):
        _match(value, spec, found)
    return [
        {dim: symbol if isinstance(symbol, str) else f"{name}_dim_{dim}" for dim, symbol in dims.items()}
        for (name, _), dims in zip(inputs, found, strict=True)
    ]


def _match(value: Any, spec: Any, found: list[Any]) -> None:
    """Go through an argument and what `dynamic_shapes` says of it together."""
    if isinstance(value, Tensor):
        dims = spec.items() if isinstance(spec, Mapping) else enumerate(spec or ())
        found.append({dim: _symbol(each) for dim, each in dims if _symbol(each) is not None})
    elif isinstance(value, Mapping):
        for key, each in value.items():
            _match(each, (spec or {}).get(key), found)
    elif isinstance(value, (tuple, list)):
        for place, each in enumerate(value):
            _match(each, spec[place] if spec else None, found)


def _symbol(spec: Any) -> Any:
    """The name of a dynamic dimension; True for one without a name, ``None`` for a fixed one."""
    if spec is None or isinstance(spec, int):
        return None
    if isinstance(spec, str):
        return spec
    name = getattr(spec, "__name__", None) or getattr(spec, "name", None)
    return {"STATIC": None, "AUTO": True, "DYNAMIC": True}.get(name, name) if isinstance(name, str) else True
