"""Anomaly mode: NaN and infinity are told where they are born, with the op, its inputs and the user's line."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any, Final, Self

from tensorcore.autograd.graph import Node, OpNode, SelectNode, inspectors, watchers
from tensorcore.autograd.mode import no_grad
from tensorcore.dtypes import FLOATING
from tensorcore.levels import everywhere
from tensorcore.tensor import Tensor, user_line

__all__ = ["AnomalyError", "detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]

_LINE: Final = "anomaly_line"


class AnomalyError(RuntimeError):
    """A number that is none came out of an op, or out of its gradient rule."""


class _State:
    """Anomaly mode of the process, as in PyTorch."""

    enabled = False
    check_nan = True
    check_inf = False
    debug = False


_state: Final = _State()
_lock: Final = threading.Lock()


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_anomaly_enabled()
        False
    """
    return _state.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN in gradients.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_anomaly_check_nan_enabled()
        True
    """
    return _state.check_nan


# ---------------------------------------------------------------------- what is told


def described(tensor: Any) -> str:
    """Shape, dtype and the range of a tensor, and how many of its elements are NaN or infinite.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.autograd.anomaly import described
        >>> described(tc.tensor([1.0, float("nan"), -2.0]))
        'float32 [3], from -2 to 1, mean -0.5; 1 NaN, 0 infinite of 3'
    """
    if not isinstance(tensor, Tensor):
        return repr(tensor)
    head = f"{tensor.dtype.name} {list(tensor.shape)}"
    if tensor.numel() == 0 or tensor.dtype.category != FLOATING:
        return head
    with no_grad():
        flat = everywhere(tensor.detach()).reshape(-1)
        nan, infinite = flat.isnan(), flat.isinf()
        counts = f"{int(nan.sum())} NaN, {int(infinite.sum())} infinite of {flat.numel()}"
        good = flat[(nan | infinite).logical_not()]
        if good.numel() == 0:
            return f"{head}; {counts}"
        low, high, mean = (float(x) for x in (good.min(), good.max(), good.double().mean()))
    return f"{head}, from {low:.4g} to {high:.4g}, mean {mean:.4g}; {counts}"


def _kind(tensor: Any) -> str | None:
    """``"nan"`` or ``"inf"`` where a tensor has what is looked for."""
    if not isinstance(tensor, Tensor) or tensor.dtype.category < FLOATING or tensor.numel() == 0:
        return None
    with no_grad():
        values = everywhere(tensor.detach())
        if _state.check_nan and bool(values.isnan().any()):
            return "nan"
        if _state.check_inf and bool(values.isinf().any()):
            return "inf"
    return None


def _raise(message: str) -> None:
    if _state.debug:
        import pdb

        print(message)
        pdb.set_trace()
    raise AnomalyError(message)


def _line_of(node: Any) -> str:
    owner = node.owner if isinstance(node, SelectNode) else node
    line: str = owner.metadata.get(_LINE, "an unknown line (it was made outside anomaly mode)")
    return line


# ---------------------------------------------------------------------- where it looks


def _note(node: OpNode) -> None:
    node.metadata[_LINE] = user_line()


def _inspect(node: Node, cotangent: Any, results: Any) -> None:
    """After a node's backward: what came out, given what went in."""
    if not (_state.check_nan or _state.check_inf):
        return
    for place, result in enumerate(results):
        found = _kind(result)
        if found is None:
            continue
        arrived = getattr(cotangent, "arrived", None)
        given = [cotangent] if arrived is None else list(arrived.values())
        saved = [x for x in (getattr(node, "inputs", None) or ()) if isinstance(x, Tensor)]
        lines = [
            f"Function '{node.name()}' returned {found} values in its {place}th output.",
            f"  forward op: {getattr(getattr(node, 'op', None), 'name', node.name())} at {_line_of(node)}",
            *(f"  operand it kept: {described(x)}" for x in saved),
            *(f"  gradient that came in: {described(x)}" for x in given),
            f"  gradient that went out: {described(result)}",
        ]
        _raise("\n".join(lines))


def _watch_forward(op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], proceed: Callable[[], Any]) -> Any:
    result = proceed()
    for out in result if isinstance(result, tuple) else (result,):
        found = _kind(out)
        if found is not None and all(_kind(x) is None for x in inputs):
            operands = (f"  {name.lstrip('*')}: {described(x)}" for name, x in zip(op.operands, inputs, strict=False))
            given = ", ".join(f"{name}={value!r}" for name, value in attributes.items())
            _raise(
                "\n".join(
                    [f"{op.name} gave {found} of operands without, at {user_line()}", *operands]
                    + ([f"  {given}"] if given else [])
                    + [f"  result: {described(out)}"]
                )
            )
    return result


def _switch(enabled: bool) -> None:
    with _lock:
        _state.enabled = enabled
        for functions, function in ((watchers, _note), (inspectors, _inspect)):
            if enabled and function not in functions:
                functions.append(function)  # type: ignore[arg-type]
            elif not enabled and function in functions:
                functions.remove(function)  # type: ignore[arg-type]


class detect_anomaly:  # noqa: N801 - PyTorch's name
    """Inside the block, a gradient rule that returns NaN raises, and says which op, of what, on which line.

    Args:
        check_nan: look for NaN in what gradient rules return.
        check_inf: look for infinities as well.
        forward: look at the results of ops too, as they are computed.
        debug: enter the debugger before raising.

    Raises:
        AnomalyError: a RuntimeError, where an op, or its gradient rule, makes NaN (or infinity).

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([0.0], requires_grad=True)
        >>> import warnings
        >>> with warnings.catch_warnings(action="ignore"), tc.autograd.detect_anomaly():
        ...     (x.sqrt() * 0).backward()
        Traceback (most recent call last):
        tensorcore.autograd.anomaly.AnomalyError: Function 'SqrtBackward0' returned nan values in its 0th output.
        ...
    """

    def __init__(
        self, check_nan: bool = True, *, check_inf: bool = False, forward: bool = False, debug: bool = False
    ) -> None:
        self.wanted = (check_nan, check_inf, debug)
        self.forward = forward
        self.before: list[tuple[Any, ...]] = []
        warnings.warn("detect_anomaly: anomaly mode slows programs down; it is for finding errors", stacklevel=2)

    def __enter__(self) -> Self:
        self.before.append((_state.enabled, _state.check_nan, _state.check_inf, _state.debug))
        _state.check_nan, _state.check_inf, _state.debug = self.wanted
        _switch(True)
        from tensorcore.dispatch import intercept

        self.door = intercept(_watch_forward) if self.forward else None
        if self.door is not None:
            self.door.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        if self.door is not None:
            self.door.__exit__(*exc)
        enabled, _state.check_nan, _state.check_inf, _state.debug = self.before.pop()
        _switch(enabled)


class set_detect_anomaly:  # noqa: N801 - PyTorch's name
    """Switch anomaly mode: at once as a call, or for a block as a context manager.

    Example:
        >>> import tensorcore as tc
        >>> with tc.autograd.set_detect_anomaly(True):
        ...     tc.is_anomaly_enabled()
        True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = (_state.enabled, _state.check_nan)
        _state.check_nan = check_nan
        _switch(mode)

    def __enter__(self) -> None:
        """The constructor has switched already."""

    def __exit__(self, *exc: object) -> None:
        enabled, _state.check_nan = self.before
        _switch(enabled)
