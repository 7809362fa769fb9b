"""In-place forms and views: what shares memory, what is written where."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore import autograd
from tensorcore.devices import Device
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import DTypeError
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import dtype_named, from_numpy, names, native, to_numpy, wide
from tensorcore_conformance.budgets import compare, spacing
from tensorcore_conformance.forward import ConformanceError, Measured
from tensorcore_conformance.recipes import Recipe, flat_outputs

__all__ = ["VIEWS", "check_inplace", "check_view"]

#: The ops that PyTorch documents as views of a contiguous tensor.
VIEWS = names(
    "alias basic_index diagonal expand expand_as flatten movedim narrow permute ravel reshape reshape_as "
    "select squeeze t transpose unflatten unfold unsqueeze view view_as unbind split tensor_split hsplit "
    "vsplit dsplit chunk broadcast_to broadcast_tensors"
)

#: Views by strides or of the parts of numbers, which not every engine has: they may be copies.
MAY_COPY = names("as_strided diagonal unfold_dimension view_as_complex view_as_real")


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
    except Exception:  # whether it refuses rightly is a forward check of the same operands
        return Measured(oracle="refusal")
    if recipe.op in MAY_COPY and not any(out._is_view() for out in outs):
        return Measured(oracle="a copy")
    if not all(isinstance(out, Tensor) and out._is_view() for out in outs):
        raise ConformanceError("the op is one of those that return views, and its result is none")
    numbers: Any = np.arange(x.numel(), dtype=np.int64).reshape(tuple(x.shape))
    rest = [_as_integers(t) if t is not None and t.dtype is x.dtype else t for t in tensors[1:]]
    try:
        places = _result(recipe, [from_numpy(numbers, device), *rest], device)
    except DTypeError:  # a view of numbers that are no integers, as of the parts of complex ones
        return Measured(oracle="another dtype")
    for number, (out, at) in enumerate(zip(outs, places, strict=True)):
        if not _views(out, x):
            continue
        where = to_numpy(at).reshape(-1)
        label = f"view {number}" if len(outs) > 1 else "the view"
        if len(set(where.tolist())) < where.size:
            # Expanded: several elements are one, and writing is refused; what is written to the base must show.
            if Device(device).capabilities.mutable:
                with autograd.no_grad():
                    x.fill_(3)
                _same(f"writing 3 into the base must show in {label}", to_numpy(out), np.full(tuple(out.shape), 3))
            continue
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


def _as_integers(tensor: Tensor) -> Tensor:
    """Another operand of an op that takes one dtype only."""
    return from_numpy(to_numpy(tensor).astype(np.int64), str(tensor.device))


def _views(out: Any, x: Tensor) -> bool:
    return isinstance(out, Tensor) and out._is_view() and out._base is x and out.numel() > 0


def _same(what: str, got: Any, wanted: Any) -> None:
    if not np.array_equal(got, wanted.astype(got.dtype)):
        raise ConformanceError(f"{what}: expected {np.asarray(wanted).tolist()}, got {got.tolist()}")


def check_inplace(recipe: Recipe, device: str) -> Measured:
    """``x.op_(...)`` gives what ``x.op(...)`` gives, in the memory of ``x``; on a part of a tensor the rest stays."""
    name = f"{recipe.op}_"
    operands = recipe.operands()
    tensors = recipe.tensors(device)
    if recipe.order and isinstance(recipe.order[0], str):
        return Measured(oracle="the tensor is not the first argument")
    try:
        (wanted,) = _result(recipe, tensors, device)
    except Exception:  # whether it refuses rightly is a forward check of the same operands
        return Measured(oracle="refusal")
    x = from_numpy(operands[0], device)
    if tuple(wanted.shape) != tuple(x.shape) and name not in REGISTRY:
        return Measured(oracle="another shape")
    args, kwargs = recipe.arranged([x, *tensors[1:]])
    if wanted.dtype.category > x.dtype.category:
        _refuses(name, args, kwargs)
        return Measured(oracle="refusal")
    with autograd.no_grad():
        expected = to_numpy(wanted.to(x.dtype))
        got = getattr(x, name)(*args[1:], **kwargs)
    if got is not x:
        raise ConformanceError(f"{name} must return the tensor it changed")
    if x.dtype is not tensors[0].dtype:  # type: ignore[union-attr]
        raise ConformanceError(f"{name} changed the dtype from {operands[0].dtype} to {x.dtype.name}")
    _alike(f"{name} and {recipe.op}", recipe, to_numpy(x), expected)
    if operands[0].ndim and operands[0].shape[0] and expected.shape == operands[0].shape:
        _part(recipe, name, operands[0], tensors[1:], expected, device)
    return Measured(oracle="the op itself")


def _refuses(name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    try:
        with autograd.no_grad():
            getattr(args[0], name)(*args[1:], **kwargs)
    except DTypeError:
        return
    raise ConformanceError(
        f"{name}: the result's category does not fit the tensor's dtype, and DTypeError was expected"
    )


def _alike(what: str, recipe: Recipe, got: Any, expected: Any) -> None:
    """Equal elements; a kernel that writes in place may round otherwise, within the op's budget."""
    dtype = dtype_named(expected.dtype.name)
    wide_expected = wide(expected)
    budget: Any = 0
    if dtype.category >= FLOATING:
        budget = max(recipe.record.ulp, 0.5) * (4 if dtype.category == COMPLEX else 1) * spacing(wide_expected, dtype)
    found = compare(got, wide_expected, budget, zero_signs=False)
    if not found.passed:
        raise ConformanceError(f"{what} must give the same elements: {found.message}")


def _part(recipe: Recipe, name: str, operand: Any, rest: list[Any], expected: Any, device: str) -> None:
    """The in-place form on a part of a larger tensor."""
    border = np.ones((1, *operand.shape[1:]), native(operand.dtype.name))
    whole = from_numpy(np.concatenate([border, operand, border]), device)
    part = whole[1:-1]
    args, kwargs = recipe.arranged([part, *rest])
    with autograd.no_grad():
        getattr(part, name)(*args[1:], **kwargs)
    _alike(f"{name} on a part of a tensor", recipe, to_numpy(whole), np.concatenate([border, expected, border]))
