"""Hooks on tensors."""

from __future__ import annotations

import itertools
import warnings
import weakref
from collections.abc import Callable
from typing import Any, Self

from tensorcore.autograd.graph import Node
from tensorcore.errors import DTypeError, ShapeError

_next = itertools.count().__next__


class RemovableHandle:
    """What registering a hook returns; ``remove()`` (or leaving its ``with`` block) takes the hook away.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.ones(1, requires_grad=True)
        >>> with x.register_hook(lambda g: g * 2):
        ...     x.sum().backward()
        >>> x.grad
        tensor([2.])
    """

    def __init__(self, hooks: Any, key: int) -> None:
        self.id = key
        self._hooks = hooks

    @classmethod
    def add(cls, hooks: Any, hook: Callable[..., Any]) -> RemovableHandle:
        """Append ``hook`` to the dict ``hooks`` and return its handle."""
        key = _next()
        hooks[key] = hook
        return cls(hooks, key)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register(tensor: Any, hook: Callable[..., Any]) -> RemovableHandle:
    """Register a gradient hook on a leaf or on the node that made the tensor."""
    node = tensor._node
    if node is None:
        raise RuntimeError("register_hook: the tensor does not require grad, so no gradient will be computed for it")
    if isinstance(node, Node):
        if node.hooks is None:
            node.hooks = {}
        return _in_order(node.hooks, hook)
    if tensor._hooks is None:
        tensor._hooks = {}
    return _in_order(tensor._hooks, hook)


def _in_order(hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> RemovableHandle:
    """Add a hook before those that are to see what the others have made of the gradient."""
    handle = RemovableHandle.add(hooks, hook)
    if not hasattr(hook, "late"):
        for key in [key for key, each in hooks.items() if hasattr(each, "late")]:
            hooks[key] = hooks.pop(key)
    return handle


def retain(tensor: Any) -> None:
    """Let backward store the gradient of a non-leaf in its ``grad``."""
    reference = weakref.ref(tensor)

    def keep(gradient: Any) -> None:
        target = reference()
        if target is not None:
            held = target._grad
            target.grad = gradient.detach() if held is None else held + gradient

    keep.late = True  # type: ignore[attr-defined]
    register(tensor, keep)


def checked(op: str, replaced: Any, gradient: Any) -> Any:
    """What a hook returned in place of ``gradient``.

    Raises:
        TypeError: for what is no tensor.
        ShapeError: for another shape.
        DTypeError: for another dtype.
    """
    if not hasattr(replaced, "_kind"):
        raise TypeError(f"{op}: a hook must return a tensor or None, got {type(replaced).__name__} {replaced!r:.60}")
    if replaced._array.shape != gradient._array.shape:
        raise ShapeError(
            f"{op}: a hook returned a gradient of shape {list(replaced.shape)} in place of one of shape "
            f"{list(gradient.shape)}"
        )
    if replaced._kind.dtype is not gradient._kind.dtype:
        raise DTypeError(f"{op}: a hook returned a gradient of {replaced.dtype} in place of one of {gradient.dtype}")
    return replaced


def tell_of_non_leaf(tensor: Any) -> None:
    """Warn that ``grad`` of a tensor that an op made stays ``None``."""
    warnings.warn(
        f"grad: of a tensor that {tensor.grad_fn.name()} made is None: backward keeps gradients of leaves alone; call "
        "retain_grad() before backward, or read grad of the leaf",
        stacklevel=3,
    )


def check_gradient(tensor: Any, value: Any) -> None:
    """Refuse a gradient that does not fit; one in another layout does.

    Raises:
        TypeError: for what is no tensor.
        ShapeError: for another shape, dtype or device.
    """
    if value is tensor:
        raise ShapeError("grad: a tensor cannot be its own gradient; give a copy, by clone()")
    if not hasattr(value, "_kind"):
        raise TypeError(f"grad: expected a tensor or None, got {type(value).__name__}")
    own, other = tensor._kind, value._kind
    if value.shape == tensor.shape and other.dtype is own.dtype and other.device == own.device:
        return
    raise ShapeError(
        f"grad: a gradient of shape {list(value.shape)}, {value.dtype} on {str(value.device)!r} does "
        f"not fit a tensor of shape {list(tensor.shape)}, {tensor.dtype} on {str(tensor.device)!r}"
    )
