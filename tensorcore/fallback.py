"""What happens where a backend has no kernel for a primitive: an error, or the op on the host.

By default it is an error that says what to implement. A backend under construction can be used sooner: its operands are
copied to the host, a host backend's kernel runs there, and the result is copied back. Each such call is counted.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import MissingKernelError

if TYPE_CHECKING:
    from tensorcore.backend.contract import Kernel
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op

__all__ = ["counts", "get_policy", "reset_counts", "set_policy"]

POLICIES: Final = ("error", "warn", "allow")


class _State:
    policy = "error"


_state: Final = _State()
_counts: Counter[tuple[str, str]] = Counter()


def set_policy(policy: str) -> None:
    """Choose for the process what a missing kernel does: ``"error"``, ``"warn"`` (once an op) or ``"allow"``.

    Raises:
        ValueError: for another word.

    Example:
        >>> import tensorcore as tc
        >>> tc.fallback.set_policy("warn")
        >>> tc.fallback.set_policy("error")
    """
    if policy not in POLICIES:
        raise ValueError(f"fallback: policy must be one of {', '.join(map(repr, POLICIES))}, got {policy!r}")
    _state.policy = policy


def get_policy() -> str:
    """The policy in force.

    Example:
        >>> import tensorcore as tc
        >>> tc.fallback.get_policy()
        'error'
    """
    return _state.policy


def counts() -> dict[tuple[str, str], int]:
    """How often each (device name, op) ran on the host, since the start or `reset_counts`.

    Example:
        >>> import tensorcore as tc
        >>> tc.fallback.counts()
        {}
    """
    return dict(_counts)


def reset_counts() -> None:
    """Start counting anew.

    Example:
        >>> import tensorcore as tc
        >>> tc.fallback.reset_counts()
    """
    _counts.clear()


def missing_kernel(op: Op, kind: Kind) -> Kernel:
    """What stands in for the kernel that a backend lacks; the policy is asked at each call."""
    backend, index = kind.backend, kind.device.ordinal

    def kernel(*arrays: Any, **attributes: Any) -> Any:
        if _state.policy == "error":
            met = ", ".join("None" if a is None else f"{list(a.shape)} {backend.dtype_of(a).name}" for a in arrays)
            raise MissingKernelError(
                f"{op.name}: backend {backend.name!r} has no kernel for ({met or kind.dtype.name}) on "
                f"{str(kind.device)!r}; its author adds a method {op.name}({', '.join(op.operands)}, ...) to "
                f"{type(backend).__name__}; until then tensorcore.fallback.set_policy('warn') runs it on the host"
            )
        from tensorcore.plugins.host import host

        helper = host.host_backend(other_than=backend.name)
        found = helper.kernel(op.name, kind.dtype, 0)
        if found is None:
            raise MissingKernelError(f"{op.name}: neither {backend.name!r} nor {helper.name!r} has a kernel")
        key = (backend.name, op.name)
        if _state.policy == "warn" and key not in _counts:
            warnings.warn(f"{op.name}: runs on {helper.name!r}, as {backend.name!r} has no kernel for it", stacklevel=4)
        _counts[key] += 1
        moved = [
            None if a is None else helper.from_host(backend.to_host(a), backend.dtype_of(a), tuple(a.shape), 0)
            for a in arrays
        ]
        if "index" in attributes and not op.operands:
            attributes["index"] = 0
        made = found(*moved, **attributes)

        def back(array: Any) -> Any:
            array = array if type(array) is helper.array_type else helper.as_array(array)
            return backend.from_host(helper.to_host(array), helper.dtype_of(array), tuple(array.shape), index)

        return tuple(map(back, made)) if isinstance(made, tuple) else back(made)

    return kernel
