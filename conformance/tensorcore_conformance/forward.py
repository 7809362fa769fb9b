"""Forward checks: values, dtypes, shapes, operands left as they were, refusals, repeatability."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tensorcore import dtypes
from tensorcore.autograd.mode import no_grad
from tensorcore.devices import Device
from tensorcore.dtypes import BOOL, FLOATING, DType
from tensorcore.errors import DTypeError
from tensorcore.ops.rules import same
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, native, to_numpy, wide, wide_dtype
from tensorcore_conformance.budgets import ZERO_SIGN_IS_FREE, compare, tolerance_of
from tensorcore_conformance.oracles import oracle_of
from tensorcore_conformance.recipes import Recipe, flat_outputs
from tensorcore_conformance.samples import is_elementwise
from tensorcore_conformance.structure import observed

__all__ = [
    "ConformanceError", "DrawError", "Measured", "check_forward", "check_refused", "check_repeat", "described",
    "oracle_call", "oracle_device", "refusal_there",
]  # fmt: skip


class ConformanceError(AssertionError):
    """A check that the device does not pass; the text says why."""


class DrawError(ConformanceError):
    """A drawn call that fails; ``program`` repeats it."""

    def __init__(self, message: str, program: str) -> None:
        super().__init__(message)
        self.program = program


def described(error: BaseException) -> str:
    """An exception as ``Class: text``, also where making the text raises another."""
    try:
        text = str(error)
    except BaseException as another:
        text = f"(its text cannot be made: {type(another).__name__})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@dataclass(frozen=True)
class Measured:
    """What a passed check measured: errors in units in the last place and over their budget, and the oracle."""

    ulp: float = 0.0
    mean_ulp: float = 0.0
    oracle: str = ""
    budget: float = 0.0


def oracle_device(device: str) -> str:
    """The device on which expressions are evaluated where NumPy has no function: the specification, or else the CPU."""
    return "cpu" if Device(device).type == "reference" else "reference"


def expected_dtypes(recipe: Recipe, device: str) -> tuple[list[str] | None, type[BaseException] | None]:
    """Names of the outputs' dtypes (``None`` for outputs that are no tensors), or the class of the refusal."""
    op = recipe.record
    if _lacks(device, list(recipe.dtypes)):
        # A sample may say of what dtype an operand is.
        return None, DTypeError
    if op.primitive and op.outputs == 1 and op.operands and op.rule is not same:
        chosen = recipe.dtypes if op.promotes is None else [recipe.dtypes[place] for place in op.promotes]
        try:
            result = op.rule(dtypes.by_name(chosen[0]), op.name)[1]
        except DTypeError as error:
            return None, type(error)
        if result is not None:
            return [result.name], None
    found, refusal = _dtypes_there(recipe.written("", ""), _Uncached(recipe), oracle_device(device))
    return (None, DTypeError) if _lacks(device, found) else (found, refusal)


def refusal_there(recipe: Recipe, device: str) -> type[BaseException] | None:
    """The class of what the reference device raises for the call, or the device for lack of the result's dtype."""
    found, refusal = _dtypes_there(recipe.written("", ""), _Uncached(recipe), oracle_device(device))
    return DTypeError if refusal is None and _lacks(device, found) else refusal


def _lacks(device: str, found: list[str] | None) -> bool:
    """Whether the device has no arrays of one of these dtypes."""
    able = {each.name for each in Device(device).capabilities.dtypes}
    return found is not None and not able.issuperset(name for name in found if name)


class _Uncached:
    """Makes a recipe, which may hold what cannot be hashed, a key that never counts."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4096)
def _dtypes_there(key: str, recipe: Any, device: str) -> tuple[list[str] | None, type[BaseException] | None]:
    recipe = recipe.value.replaced(layout="contiguous")
    try:
        with no_grad():
            outs = flat_outputs(recipe.call(recipe.tensors(device), device))
    except Exception as error:
        return None, type(error)
    return [x.dtype.name if isinstance(x, Tensor) else "" for x in outs], None


# ------------------------------------------------------------------ what is expected


def _promoted(recipe: Recipe, operands: list[Any]) -> list[Any]:
    """Operands as the kernel should see them: in the dtype that the rule computes in."""
    op = recipe.record
    if not op.primitive and op.rule is same:
        return operands
    places = [place for place in op.promotes or range(len(operands)) if place < len(operands)]
    chosen = [operands[place] for place in places if operands[place] is not None]
    if not chosen:
        return operands
    try:
        compute = op.rule(dtypes.by_name(chosen[0].dtype.name), op.name)[0]
    except DTypeError:
        # The op takes what its record's rule refuses: a kernel of its name would not be asked.
        return operands
    if compute.category == BOOL:
        return operands
    return [x.astype(native(compute)) if x is not None and place in places else x for place, x in enumerate(operands)]


def oracle_call(recipe: Recipe) -> Callable[[list[Any]], list[Any]] | None:
    """The NumPy oracle as a function of the list of operands."""
    oracle = oracle_of(recipe.op)
    if oracle is None:
        return None

    def call(operands: list[Any]) -> list[Any]:
        args, kwargs = recipe.arranged(operands)
        if recipe.op == "ramp":
            args = args[:3]
        kwargs.pop("dtype", None) if recipe.op in ("sum", "prod", "cumsum", "cumprod") else None
        with np.errstate(all="ignore"):
            return flat_outputs(observed(recipe.observe, oracle(*args, **kwargs)))

    return call


def _expression_call(recipe: Recipe, device: str, result: DType) -> Callable[[list[Any]], list[Any]]:
    """The op on another device, in float64 where the operands are floating point."""
    there = oracle_device(device)
    body = recipe.record

    def call(operands: list[Any]) -> list[Any]:
        given = []
        for x in operands:
            if x is not None and x.dtype.kind == "f":
                x = x.astype(np.float64)
            elif x is not None and x.dtype.kind == "c":
                x = x.astype(np.complex128)
            given.append(None if x is None else from_numpy(np.asarray(x), there))
        with no_grad():
            outs = flat_outputs(recipe.call(given, there, body))
        return [wide(to_numpy(x)) if isinstance(x, Tensor) else x for x in outs]

    return call


def expectation(recipe: Recipe, device: str, first: str) -> tuple[list[Any], list[Any], Callable[..., Any], str]:
    """(operands of the oracle, what it expects, the oracle, its description)."""
    operands = _promoted(recipe, recipe.operands())
    precise = wide_dtype(first) if first and first in ("float64", "complex128") else None
    widened = [None if x is None else wide(x) for x in operands]
    if precise is not None:
        widened = [x.astype(np.longdouble) if x is not None and x.dtype == np.float64 else x for x in widened]
    call = oracle_call(recipe)
    if call is not None:
        try:
            return widened, call(widened), call, "NumPy"
        except (NotImplementedError, TypeError):
            pass  # what NumPy's formula does not cover
    call = _expression_call(recipe, device, dtypes.by_name(first) if first else dtypes.float32)
    return operands, call(operands), call, f"expression in float64 on {oracle_device(device)}"


# ------------------------------------------------------------------ checks


def check_forward(recipe: Recipe, device: str, function: Any = None) -> Measured:
    """Compare the op's result with the oracle: dtype, shape, values; operands must stay as they were.

    ``function`` is called in place of the op, such as a compiled form of it.
    """
    names, refusal = expected_dtypes(recipe, device)
    if refusal is not None:
        return check_refused(recipe, device, refusal)
    assert names is not None
    tensors = recipe.tensors(device)
    before = [None if x is None else to_numpy(x) for x in tensors]
    with no_grad():
        result = recipe.call(tensors, device, function)
    _unmodified(tensors, before)
    outs = flat_outputs(result)
    if len(outs) != len(names):
        raise ConformanceError(f"expected {len(names)} outputs, got {len(outs)}")
    operands, expected, oracle, told = expectation(recipe, device, names[0])
    if len(expected) != len(outs):
        raise ConformanceError(f"the oracle ({told}) has {len(expected)} outputs, the op {len(outs)}")
    op = recipe.record
    largest = mean = share = 0.0
    dtype = dtypes.by_name(names[0]) if names[0] else dtypes.bool_
    given = [dtypes.by_name(each) for each in recipe.dtypes]
    exact = (op.primitive and is_elementwise(op)) or op.ulp == 0 or op.view
    budgets = tolerance_of(op, oracle, operands, expected, dtype, given, exact)
    flushes = not Device(device).capabilities.subnormals
    for place, (out, wanted, name) in enumerate(zip(outs, expected, names, strict=True)):
        label = f"output {place}: " if len(outs) > 1 else ""
        if not name:
            if out != wanted:
                raise ConformanceError(f"{label}expected {wanted!r}, got {out!r} (oracle: {told})")
            continue
        wanted = np.asarray(wanted)
        _same_form(label, out, wanted, name, device)
        each = dtypes.by_name(name)
        budget = budgets[place] if each.category >= FLOATING and dtype.category >= FLOATING else 0
        found = compare(to_numpy(out), wanted, budget, flushes, op.name not in ZERO_SIGN_IS_FREE)
        if not found.passed:
            raise ConformanceError(f"{label}{found.message} (oracle: {told})")
        largest, mean, share = max(largest, found.ulp), max(mean, found.mean_ulp), max(share, found.ratio)
    return Measured(largest, mean, told, share)


def _same_form(label: str, out: Any, wanted: Any, name: str, device: str) -> None:
    if not isinstance(out, Tensor):
        raise ConformanceError(f"{label}expected a tensor, got {type(out).__name__}")
    if out.dtype.name != name:
        raise ConformanceError(f"{label}expected dtype {name}, got {out.dtype.name}")
    backend = out._kind.backend
    if not isinstance(out._array, backend.array_type):
        met, meant = type(out._array), backend.array_type
        raise ConformanceError(
            f"{label}expected a native array ({meant.__module__}.{meant.__qualname__}), "
            f"and the kernel returned {met.__module__}.{met.__qualname__}"
        )
    kept = backend.dtype_of(out._array).name
    if kept != name:
        raise ConformanceError(f"{label}expected dtype {name}; the tensor says so, but its native array is {kept}")
    if tuple(out.shape) != wanted.shape:
        raise ConformanceError(f"{label}expected shape {list(wanted.shape)}, got {list(out.shape)}")
    if out.device != Device(device):
        raise ConformanceError(f"{label}expected device {device!r}, got {str(out.device)!r}")


def _unmodified(tensors: list[Any], before: list[Any]) -> None:
    for place, (x, old) in enumerate(zip(tensors, before, strict=True)):
        if x is not None and to_numpy(x).tobytes() != old.tobytes():
            raise ConformanceError(
                f"operand {place} was modified by the op: it was {_listed(old)} and is {_listed(to_numpy(x))}"
            )


def _listed(array: Any) -> str:
    return np.array2string(array, threshold=20, max_line_width=10_000).replace("\n", "")


def check_refused(recipe: Recipe, device: str, refusal: type[BaseException] | None = None) -> Measured:
    """The op must raise what the oracle's device (or the dtype rule) raises."""
    if refusal is None:
        # Whatever the op's rule says of the dtypes, shapes and arguments may be what is refused.
        there = _dtypes_there(recipe.written("", ""), _Uncached(recipe), oracle_device(device))[1]
        refusal = expected_dtypes(recipe, device)[1] or there
        if refusal is None:
            return check_forward(recipe, device)
    try:
        with no_grad():
            got = recipe.call(recipe.tensors(device), device)
    except refusal:
        return Measured(oracle="refusal")
    except Exception as error:
        if inspect.isclass(refusal) and issubclass(refusal, type(error)):
            return Measured(oracle="refusal")
        raise ConformanceError(f"expected {refusal.__name__}, got {type(error).__name__}: {error}") from error
    met = ", ".join(f"{x.dtype.name} {list(x.shape)}" if isinstance(x, Tensor) else repr(x) for x in flat_outputs(got))
    raise ConformanceError(f"expected {refusal.__name__}, got a result: {met}")


def check_repeat(recipe: Recipe, device: str) -> Measured:
    """The same call gives the same bits, also after one with other elements of the same shapes."""
    if expected_dtypes(recipe, device)[1] is not None:
        return Measured(oracle="refusal")
    with no_grad():
        first = flat_outputs(recipe.call(recipe.tensors(device), device))
    check_forward(recipe.replaced(seed=recipe.seed + 1), device)
    with no_grad():
        second = flat_outputs(recipe.call(recipe.tensors(device), device))
    for a, b in zip(first, second, strict=True):
        if isinstance(a, Tensor) and to_numpy(a).tobytes() != to_numpy(b).tobytes():
            raise ConformanceError(
                "the device calls itself deterministic, and two equal calls gave "
                f"{_listed(to_numpy(a))} and {_listed(to_numpy(b))}"
            )
    return Measured()
