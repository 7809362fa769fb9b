"""What calls leave behind: nothing that another call, of the same or of other operands, could see."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore.autograd.mode import no_grad
from tensorcore.devices import Device
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, to_numpy
from tensorcore_conformance.cases import recipe_from
from tensorcore_conformance.forward import ConformanceError, Measured, expected_dtypes
from tensorcore_conformance.recipes import Recipe, flat_outputs
from tensorcore_conformance.samples import samples_of

__all__ = ["check_after", "check_changed"]


def _results(recipe: Recipe, tensors: list[Any], device: str) -> list[Tensor]:
    with no_grad():
        return [x for x in flat_outputs(recipe.call(tensors, device)) if isinstance(x, Tensor)]


def _differ(got: list[Any], wanted: list[Any], exact: bool) -> int | None:
    """The number of the first output that differs."""
    for place, (a, b) in enumerate(zip(got, wanted, strict=True)):
        same = a.tobytes() == b.tobytes() if exact else _close(a, b)
        if not same:
            return place
    return None


def _close(a: Any, b: Any) -> bool:
    if a.shape != b.shape or a.dtype.kind in "iub":
        return np.array_equal(a, b)
    kind = np.complex128 if a.dtype.kind == "c" else np.float64
    return np.allclose(a.astype(kind), b.astype(kind), rtol=1e-3, atol=1e-3, equal_nan=True)


def check_after(recipe: Recipe, device: str) -> Measured:
    """Calls on operands of other sizes and elements change neither what was returned nor what is returned next."""
    if expected_dtypes(recipe, device)[1] is not None:
        return Measured(oracle="refusal")
    exact = Device(device).capabilities.deterministic
    tensors = recipe.tensors(device)
    first = _results(recipe, tensors, device)
    seen = [to_numpy(x) for x in first]
    for other in _others(recipe):
        try:
            _results(other, other.tensors(device), device)
        except Exception:  # whether it refuses rightly is a check of its own
            continue
    kept = _differ([to_numpy(x) for x in first], seen, True)
    if kept is not None:
        raise ConformanceError(
            f"output {kept} changed when the op was called on other operands: it was {seen[kept].tolist()} and is "
            f"{to_numpy(first[kept]).tolist()}"
        )
    again = [to_numpy(x) for x in _results(recipe, tensors, device)]
    place = _differ(again, seen, exact)
    if place is not None:
        raise ConformanceError(
            f"output {place} depends on calls before: expected {seen[place].tolist()} as at first, "
            f"got {again[place].tolist()}"
        )
    return Measured()


def _others(recipe: Recipe) -> list[Recipe]:
    """The same call on other elements, and on operands of other sizes, larger ones among them."""
    op = REGISTRY[recipe.op]
    found = [recipe.replaced(seed=recipe.seed + 1)]
    for sample in samples_of(op)[1:4]:
        found.append(recipe_from(op, sample, recipe.dtypes[0], "after"))
    if len(recipe.shapes) == 1 and recipe.shapes[0]:
        larger = tuple(3 * side for side in recipe.shapes[0])
        found.append(recipe.replaced(shapes=(larger,)))
    return found


def check_changed(recipe: Recipe, device: str) -> Measured:
    """Operands that were written to in place after a call are read anew by the next one."""
    if expected_dtypes(recipe, device)[1] is not None:
        return Measured(oracle="refusal")
    exact = Device(device).capabilities.deterministic
    other = recipe.replaced(seed=recipe.seed + 1)
    operands = other.operands()
    wanted = [to_numpy(x) for x in _results(other, [_tensor(x, device) for x in operands], device)]
    for place, changed in enumerate(operands):
        if changed is None or not changed.size:
            continue
        # All but one hold the other elements from the start; that one is written to after a first call.
        before = recipe.operands()[place]
        tensors = [_tensor(before if i == place else x, device) for i, x in enumerate(operands)]
        try:
            _results(recipe, tensors, device)
        except Exception:  # operands that do not fit each other, such as indices into another side
            continue
        target: Any = tensors[place]
        with no_grad():
            target.copy_(from_numpy(changed, device))
        got = [to_numpy(x) for x in _results(recipe, tensors, device)]
        number = _differ(got, wanted, exact)
        if number is not None:
            raise ConformanceError(
                f"operand {place} was written to after a call, and the next call gave {got[number].tolist()}; "
                f"with new tensors of the same elements it gives {wanted[number].tolist()}"
            )
    return Measured()


def _tensor(array: Any, device: str) -> Tensor | None:
    return None if array is None else from_numpy(array, device)
