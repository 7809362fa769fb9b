"""In-place forms and views: what shares memory, what is written where."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore import autograd
from tensorcore.devices import Device
from tensorcore.errors import DTypeError, TensorcoreError
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, native, to_numpy
from tensorcore_conformance.forward import Failed, Measured
from tensorcore_conformance.recipes import Recipe, flat_outputs

__all__ = ["check_inplace", "check_view"]


def _result(recipe: Recipe, tensors: list[Any], device: str) -> list[Any]:
    with autograd.no_grad():
        return flat_outputs(recipe.call(tensors, device))


def check_view(recipe: Recipe, device: str) -> Measured:
    """Writing to a view writes to what it views, and (where memory is mutable) the other way round."""
    tensors = recipe.tensors(device)
    x = tensors[0]
    assert x is not None
    try:
        outs = _result(recipe, tensors, device)
    except (TensorcoreError, TypeError):
        return Measured(oracle="refusal")
    if recipe.record.view and not outs[0]._is_view():
        raise Failed("the record says that the result is a view, and it is none")
    if not any(_views(out, x) for out in outs):
        return Measured(oracle="no view")
    numbers = np.arange(x.numel(), dtype=np.int64).reshape(tuple(x.shape))
    places = _result(recipe, [from_numpy(numbers, device), *tensors[1:]], device)
    for number, (out, at) in enumerate(zip(outs, places, strict=True)):
        if not _views(out, x):
            continue
        where = to_numpy(at).reshape(-1)
        if len(set(where.tolist())) < where.size:
            continue  # expanded: several elements are one, and writing is refused
        label = f"view {number}" if len(outs) > 1 else "the view"
        wanted = to_numpy(x)
        wanted.reshape(-1)[where] = 7
        with autograd.no_grad():
            out.fill_(7)
        _same(f"writing 7 into {label} must write into its base", to_numpy(x), wanted)
        if Device(device).capabilities.mutable:
            with autograd.no_grad():
                x.fill_(3)
            _same(f"writing 3 into the base must show in {label}", to_numpy(out), np.full(tuple(out.shape), 3))
    return Measured(oracle="NumPy")


def _views(out: Any, x: Tensor) -> bool:
    return isinstance(out, Tensor) and out._is_view() and out._base is x and out.numel() > 0


def _same(what: str, got: Any, wanted: Any) -> None:
    if not np.array_equal(got, wanted.astype(got.dtype)):
        raise Failed(f"{what}: expected {np.asarray(wanted).tolist()}, got {got.tolist()}")


def check_inplace(recipe: Recipe, device: str) -> Measured:
    """``x.op_(...)`` gives the bits of ``x.op(...)`` in the memory of ``x``, and in a part of a tensor no others change."""
    name = f"{recipe.op}_"
    operands = recipe.operands()
    tensors = recipe.tensors(device)
    try:
        (wanted,) = _result(recipe, tensors, device)
    except (TensorcoreError, TypeError):
        return Measured(oracle="refusal")
    x = from_numpy(operands[0], device)
    if tuple(wanted.shape) != tuple(x.shape):
        return Measured(oracle="another shape")
    args, kwargs = recipe.arranged([x, *tensors[1:]])
    if wanted.dtype.category > x.dtype.category:
        _refuses(name, args, kwargs)
        return Measured(oracle="refusal")
    with autograd.no_grad():
        expected = to_numpy(wanted.to(x.dtype))
        got = getattr(x, name)(*args[1:], **kwargs)
    if got is not x:
        raise Failed(f"{name} must return the tensor it changed")
    if x.dtype is not tensors[0].dtype:  # type: ignore[union-attr]
        raise Failed(f"{name} changed the dtype from {operands[0].dtype} to {x.dtype.name}")
    _bits(f"{name} and {recipe.op}", to_numpy(x), expected)
    if x.ndim and x.shape[0]:
        _part(recipe, name, operands[0], tensors[1:], expected, device)
    return Measured(oracle="the op itself")


def _refuses(name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    try:
        with autograd.no_grad():
            getattr(args[0], name)(*args[1:], **kwargs)
    except DTypeError:
        return
    raise Failed(f"{name}: the result's category does not fit the tensor's dtype, and DTypeError was expected")


def _bits(what: str, got: Any, expected: Any) -> None:
    if got.tobytes() != expected.tobytes() and not np.array_equal(got, expected, equal_nan=got.dtype.kind in "fc"):
        raise Failed(f"{what} must give the same elements: expected {expected.tolist()}, got {got.tolist()}")


def _part(recipe: Recipe, name: str, operand: Any, rest: list[Any], expected: Any, device: str) -> None:
    """The in-place form on a part of a larger tensor."""
    border = np.ones((1, *operand.shape[1:]), native(operand.dtype.name))
    whole = from_numpy(np.concatenate([border, operand, border]), device)
    part = whole[1:-1]
    args, kwargs = recipe.arranged([part, *rest])
    with autograd.no_grad():
        getattr(part, name)(*args[1:], **kwargs)
    _bits(f"{name} on a part of a tensor", to_numpy(whole), np.concatenate([border, expected, border]))
