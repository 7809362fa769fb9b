"""How ops get their operands in the dtype that autocast chooses.

What users call is a function closed over the op's front (`ops.callers`, `methods`). When autocast is first entered,
the functions of listed ops are given a front that casts; until then nothing knows of autocast, and no call pays for it.
Steps inside ops call other ops by their records, past these functions, so that an op chosen here runs as a whole in its
dtype.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tensorcore.amp.op_lists import (
    ACCELERATOR,
    ALONE,
    BANNED,
    CPU,
    FLOAT32,
    FLOAT32_RESULT,
    LOWER,
    STATE,
    exemptions,
)  # fmt: skip
from tensorcore.amp.state import state
from tensorcore.autograd.graph import LEAF
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import FLOATING, DType, float32, float64
from tensorcore.errors import DTypeError
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

__all__ = ["cast", "install"]

_installing: Final = threading.Lock()
_installed = False


def install() -> None:
    """Give the functions of all listed ops their casting fronts; once in a process."""
    global _installed
    with _installing:
        if _installed:
            return
        for op in [REGISTRY[name] for name in {**CPU, **ACCELERATOR}]:
            for function, place in _places(op):
                place(_casting(op, function, CPU.get(op.name), ACCELERATOR.get(op.name)))
        _install_reflected_division()
        _installed = True


def _places(op: Op) -> Iterator[tuple[Callable[..., Any], Callable[[Any], None]]]:
    """The fronts in the functions and methods that users find an op by, each with what puts another in its place."""
    from importlib import import_module

    from tensorcore.derived import DerivedMethods

    seen = set()
    for path in op.paths:
        space, _, name = path.rpartition(".")
        if space == "Tensor":
            continue
        module = import_module(f"tensorcore.{space}" if space else "tensorcore.functions")
        cell = _front_cell(getattr(module, name, None))
        if cell is not None and id(cell) not in seen:
            seen.add(id(cell))
            yield cell.cell_contents, partial(setattr, cell, "cell_contents")
    dunders = (f"__{op.operator}__", f"__r{op.operator}__") if op.operator else ()
    for name in (*op.names_in("Tensor"), *dunders):
        method = DerivedMethods.__dict__.get(name)
        cell = _front_cell(method)
        if cell is not None and id(cell) not in seen:
            seen.add(id(cell))
            yield cell.cell_contents, partial(setattr, cell, "cell_contents")
        elif method is not None and cell is None:
            yield method, partial(setattr, DerivedMethods, name)


def _front_cell(function: Any) -> Any:
    """The cell of the front in a function made by `callers.function`, `callers.guarded` or `methods`."""
    code = getattr(function, "__code__", None)
    names = code.co_freevars if code is not None else ()
    for name in ("front", "guard"):
        if name in names:
            cell = function.__closure__[names.index(name)]
            return cell if name == "front" else _front_cell(cell.cell_contents)
    return None


def _casting(op: Op, plain: Callable[..., Any], on_cpu: str | None, elsewhere: str | None) -> Callable[..., Any]:
    name = op.name

    def front(*args: Any, **kwargs: Any) -> Any:
        active = mode.autocast
        if not active:
            return plain(*args, **kwargs)
        device_type = _device_type(args) or _device_type(kwargs.values())
        policy = on_cpu if device_type == "cpu" else elsewhere
        if policy is None or device_type is None or device_type not in active:
            return plain(*args, **kwargs)
        return _run(op, plain, policy, device_type, active, args, kwargs)

    front.__name__ = front.__qualname__ = name
    front.__doc__ = op.front.__doc__
    return front


def _run(
    op: Op,
    plain: Callable[..., Any],
    policy: str,
    device_type: str,
    active: Mapping[str, DType],
    args: Any,
    kwargs: Any,
) -> Any:
    """Call an op with its operands cast; what it calls itself is not cast again."""
    lower = active[device_type]
    exempt = exemptions.get(op.name)
    if exempt is not None and _tells(exempt, op, args, kwargs):
        return plain(*args, **kwargs)
    if policy is BANNED:
        raise RuntimeError(_ADVICE.format(op=op.name))
    mode.autocast = {name: dtype for name, dtype in active.items() if name != device_type}
    try:
        if policy is ALONE:
            return plain(*args, **kwargs)
        if policy is FLOAT32_RESULT:
            first = args[0] if args else kwargs.get("input")
            place = list(op.signature.parameters).index("dtype")
            given = args[place] if len(args) > place else kwargs.get("dtype")
            if _eligible(first, device_type) and given is None:
                args, kwargs = args[:place], {**kwargs, "dtype": float32}
            return plain(*args, **kwargs)
        if policy is LOWER:
            dtype = lower
        elif policy is FLOAT32:
            dtype = float32
        else:
            dtype = _widest(op.name, lower, _states(args, kwargs) if policy is STATE else (args, kwargs), device_type)
        # One operand given twice stays one, for ops that then do one product in place of two.
        known: dict[int, Any] = {}
        args = [_cast_all(x, dtype, lower, device_type, known) for x in args]
        kwargs = {name: _cast_all(x, dtype, lower, device_type, known) for name, x in kwargs.items()}
        return plain(*args, **kwargs)
    finally:
        mode.autocast = active


_ADVICE: Final = (
    "{op}: unsafe to autocast: the loss of probabilities overflows in 16 bits. Leave out the sigmoid before it and use "
    "binary_cross_entropy_with_logits (BCEWithLogitsLoss), which is safe, or call it under autocast(enabled=False)"
)


def _tells(exempt: Callable[[Any], bool], op: Op, args: Any, kwargs: Any) -> bool:
    try:
        return exempt(op.signature.bind(*args, **kwargs).arguments)
    except (TypeError, KeyError, AttributeError):
        # A wrong call, which the op itself refuses in its words.
        return True


def _device_type(values: Any) -> str | None:
    """The type of the device of the first tensor among arguments."""
    for x in values:
        if isinstance(x, Tensor):
            return x._kind.device.type
        if isinstance(x, (tuple, list)):
            found = _device_type(x)
            if found is not None:
                return found
    return None


def _eligible(x: Any, device_type: str) -> bool:
    """Whether autocast casts a value: a tensor of the device, of a floating-point dtype but float64."""
    if not isinstance(x, Tensor):
        return False
    kind = x._kind
    return kind.dtype.category == FLOATING and kind.dtype is not float64 and kind.device.type == device_type


def _cast_all(x: Any, dtype: DType, lower: DType, device_type: str, known: dict[int, Any]) -> Any:
    if isinstance(x, Tensor):
        if x._kind.dtype is dtype or not _eligible(x, device_type):
            return x
        found = known.get(id(x))
        if found is None:
            found = known[id(x)] = cast(x, dtype, lower)
        return found
    if isinstance(x, (tuple, list)):
        made = [_cast_all(each, dtype, lower, device_type, known) for each in x]
        return type(x)(*made) if hasattr(x, "_fields") else type(x)(made)
    return x


def cast(x: Tensor, dtype: DType, lower: DType) -> Tensor:
    """A tensor in another dtype; the casts of parameters to that of autocast are made once in a region.

    A kept cast holds as long as the parameter's memory is unchanged and grad mode is what it was, so that a step of an
    optimizer in the region is seen, and a pass without gradients leaves none behind for one with them.
    """
    emit = REGISTRY["cast"].emit
    if x._node is not LEAF or dtype is not lower or x._kind.dtype is not float32 or x._view is not None:
        return emit(x, dtype=dtype)
    from tensorcore.dispatch import intercepted

    # A recording must see the cast, and a level of a transform must not outlive it.
    if not state.caching or not state.nesting or x._kind.level is not None or intercepted():
        return emit(x, dtype=dtype)
    kept = state.casts.get((id(x), dtype, mode.grad))
    if kept is not None and kept[0] is x and kept[1] is x._array and kept[2] == x._changes:
        return kept[3]
    made = emit(x, dtype=dtype)
    state.casts[id(x), dtype, mode.grad] = (x, x._array, x._changes, made)
    return made


def _widest(name: str, lower: DType, values: Any, device_type: str) -> DType:
    """The widest dtype among that of autocast and those of the operands; no other of 16 bits goes with it."""
    widest = lower
    for x in _flat(values):
        if isinstance(x, Tensor) and x._kind.dtype.category == FLOATING and x._kind.device.type == device_type:
            dtype = x._kind.dtype
            if dtype is float64:
                return widest
            if dtype is float32:
                widest = float32
            elif dtype is not lower and widest is not float32:
                raise DTypeError(
                    f"{name}: under autocast to {lower} expected operands of {lower} or float32, got {dtype}; "
                    "convert it"
                )
    return widest


def _flat(values: Any) -> Iterator[Any]:
    for x in values.values() if isinstance(values, dict) else values:
        if isinstance(x, (tuple, list, dict)):
            yield from _flat(x)
        else:
            yield x


def _states(args: Any, kwargs: Any) -> Any:
    """The state of a recurrent op that is carried on as it is: the last of its ``hx``."""
    hx = kwargs.get("hx")
    for x in args[1:3]:
        # In the form for packed sequences ``batch_sizes``, integers, comes before it.
        if hx is None and not (isinstance(x, Tensor) and x._kind.dtype.category < FLOATING):
            hx = x
    return (hx[-1],) if isinstance(hx, (tuple, list)) else (hx,)


def _install_reflected_division() -> None:
    """``1 / x`` on accelerators: a reciprocal there, which PyTorch's list has in float32."""
    from tensorcore.derived import DerivedMethods

    plain: Callable[..., Any] = DerivedMethods.__rtruediv__

    def __rtruediv__(self: Any, other: Any) -> Any:  # noqa: N807 - the dunder itself
        kind = self._kind
        if mode.autocast and kind.device.type != "cpu" and kind.device.type in mode.autocast:
            self = cast(self, float32, float32) if _eligible(self, kind.device.type) else self
        return plain(self, other)

    DerivedMethods.__rtruediv__ = __rtruediv__  # type: ignore[method-assign]
