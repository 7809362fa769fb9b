"""Memory of calls: nothing shared that is not a view, nothing read that was not written, nothing kept."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from typing import Any

import numpy as np

from tensorcore import dtypes
from tensorcore.autograd.mode import no_grad
from tensorcore.devices import Device
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, native, to_numpy
from tensorcore_conformance.forward import ConformanceError, Measured, check_forward, expected_dtypes, oracle_device
from tensorcore_conformance.recipes import Recipe, flat_outputs

__all__ = ["check_alone", "check_poisoned", "check_released"]

#: Calls whose arrays must all be freed but those that a cache may hold, the last ones.
ROUNDS = 3


def _poison(x: Tensor) -> Any:
    """Elements that no case holds."""
    kind = native(x.dtype)
    if x.dtype is dtypes.bool_:
        return ~to_numpy(x)
    return np.full(tuple(x.shape), np.nan if x.dtype.category >= dtypes.FLOATING else 99).astype(kind)


def _overwrite(x: Tensor) -> None:
    with no_grad():
        x.copy_(from_numpy(_poison(x), str(x.device)))


def _called(recipe: Recipe, device: str) -> tuple[list[Any], list[Any]]:
    """The operands and the outputs that are tensors."""
    tensors = recipe.tensors(device)
    with no_grad():
        outs = flat_outputs(recipe.call(tensors, device))
    return tensors, [x for x in outs if isinstance(x, Tensor)]


def _shared(recipe: Recipe, device: str) -> list[tuple[int, int, str]]:
    """(operand, output, what changed what) of each pair that is found to share memory."""
    found = []
    tensors, outs = _called(recipe, device)
    kept = [to_numpy(out).tobytes() for out in outs]
    for place, x in enumerate(tensors):
        if x is None or not x.numel():
            continue
        _overwrite(x)
        now = [to_numpy(out).tobytes() for out in outs]
        pairs = enumerate(zip(kept, now, strict=True))
        found += [(place, number, "the result") for number, (a, b) in pairs if a != b]
        kept = now
    tensors, outs = _called(recipe, device)
    before = [None if x is None else to_numpy(x).tobytes() for x in tensors]
    for number, out in enumerate(outs):
        if not out.numel() or any(out is x for x in tensors):
            continue
        try:
            _overwrite(out)
        except RuntimeError:  # a view whose elements share a place, and is not written for that
            continue
        for place, x in enumerate(tensors):
            if x is not None and to_numpy(x).tobytes() != before[place]:
                found.append((place, number, "the operand"))
                before[place] = to_numpy(x).tobytes()
    return found


def check_alone(recipe: Recipe, device: str) -> Measured:
    """Writing to an operand after the call leaves the result as it is, and the other way round, but for views."""
    if expected_dtypes(recipe, device)[1] is not None:
        return Measured(oracle="refusal")
    tensors, outs = _called(recipe, device)
    views = {number for number, out in enumerate(outs) if out._is_view() or any(out is x for x in tensors)}
    met = [each for each in _shared(recipe, device) if each[1] not in views]
    if met:
        allowed = {each[:2] for each in _shared(recipe, oracle_device(device))}
        for place, number, changed in met:
            if (place, number) not in allowed:
                other = "operand" if changed == "the result" else "result"
                raise ConformanceError(
                    f"operand {place} and output {number} share memory: {changed} changed when the {other} was "
                    "written to after the call, and neither is a view of the other"
                )
    return Measured()


def check_poisoned(recipe: Recipe, device: str) -> Measured:
    """Values are right where the memory that the device hands out holds NaN and 99: what is read was written."""
    if expected_dtypes(recipe, device)[1] is not None:
        return Measured(oracle="refusal")
    sizes = {(tuple(x.shape), x.dtype.name) for group in _called(recipe, device) for x in group if x is not None}
    for _ in range(2):
        junk = []
        for shape, name in sorted(sizes):
            x = from_numpy(np.zeros(shape, native(name)), device)
            for _ in range(4):
                junk.append(from_numpy(_poison(x), device))
        del junk, x
        measured = check_forward(recipe, device)
    return measured


def _watched(recipe: Recipe, device: str) -> list[tuple[str, Any]]:
    """Weak references to the native arrays of a call's operands and outputs, of which nothing is left on return."""
    return [
        (f"{what} {place}", weakref.ref(x._array))
        for what, group in zip(("operand", "output"), _called(recipe, device), strict=True)
        for place, x in enumerate(group)
        if x is not None
    ]


def check_released(recipe: Recipe, device: str) -> Measured:
    """The native arrays of operands and results are freed with the tensors that hold them."""
    if expected_dtypes(recipe, device)[1] is not None:
        return Measured(oracle="refusal")
    try:
        _watched(recipe, device)  # the first call may fill caches with constants of its own
        watched = [each for _ in range(ROUNDS) for each in _watched(recipe, device)]
    except TypeError:  # arrays of this engine cannot be watched
        return Measured(oracle="not offered")
    Device(device).backend.synchronize(Device(device).ordinal)
    if any(each() is not None for _, each in watched):
        gc.collect()
    alive = Counter(what for what, each in watched if each() is not None)
    kept = [what for what, rounds in alive.items() if rounds == ROUNDS]  # one of them may be a cache's last
    if kept:
        raise ConformanceError(
            f"after {ROUNDS} calls, whose tensors are gone, native arrays of each are still alive: {', '.join(kept)}"
        )
    return Measured()
