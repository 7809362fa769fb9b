"""Hooks on what nodes keep for backward: packed when a node is made, unpacked when its backward runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Self

from tensorcore.autograd.graph import FREED, LEAF, OpNode, watchers
from tensorcore.autograd.mode import no_grad
from tensorcore.tensor import Tensor, wrap

__all__ = ["disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"]

Pack = Callable[[Tensor], Any]
Unpack = Callable[[Any], Tensor]


class _Hooks(threading.local):
    stack: tuple[tuple[Pack, Unpack], ...] = ()
    refusal: str | None = None


_hooks: Final = _Hooks()
_counting: Final = threading.Lock()
_blocks = 0


def _count(change: int) -> None:
    """Look at new nodes as long as a thread is in a block of hooks."""
    global _blocks
    with _counting:
        _blocks += change
        if _blocks and _pack not in watchers:
            watchers.append(_pack)
        elif not _blocks and _pack in watchers:
            watchers.remove(_pack)


def active() -> tuple[Pack, Unpack] | None:
    """The innermost pair of hooks of this thread."""
    return _hooks.stack[-1] if _hooks.stack else None


class Packed(NamedTuple):
    """One saved tensor: what the hook made of it, and how it hangs in the graph."""

    value: Any
    unpack: Unpack
    node: Any
    leaf: Tensor | None
    kind: Any

    @classmethod
    def of(cls, tensor: Tensor, hooks: tuple[Pack, Unpack]) -> Packed:
        """``tensor`` packed; hooks see its values, outside of the graph."""
        pack, unpack = hooks
        leaf = tensor if tensor._node is LEAF else None
        with no_grad():
            bare = tensor if tensor._node is None else tensor.detach()
            return cls(pack(bare), unpack, None if leaf is not None else tensor._node, leaf, tensor._kind)

    def restored(self, create_graph: bool) -> Tensor:
        """The tensor, connected to where it came from.

        Raises:
            TypeError: if the hook gave no tensor.
        """
        with no_grad():
            found = self.unpack(self.value)
        if not isinstance(found, Tensor):
            raise TypeError(f"saved_tensors_hooks: unpack_hook must return a tensor, got {type(found).__name__}")
        if self.leaf is not None and create_graph:
            # The value is the hook's, the gradient goes to the leaf.
            return self.leaf + (found - self.leaf).detach()
        made = wrap(found._array, found._kind)
        made._node = self.node
        return made


class PackedNode(OpNode):
    """A node whose saved tensors were packed; what `OpNode` keeps is put back while its backward runs."""

    __slots__ = ()

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...] | list[Any]:
        packed = self.inputs
        if packed is FREED:
            return super().backward(cotangent, create_graph)
        # What the hook kept may be a copy: changes of the original are no error.
        self.overwritten = None
        inputs, output = packed
        self.inputs = None if inputs is None else tuple(
            None if x is None else x.restored(create_graph) for x in inputs
        )  # fmt: skip
        if isinstance(output, tuple) and not isinstance(output, Packed):
            self.output = tuple(each.restored(False)._array for each in output)
        else:
            self.output = None if output is None else output.restored(False)._array
        try:
            return super().backward(cotangent, create_graph)
        finally:
            if self.inputs is not FREED:
                self.inputs, self.output = packed, None


def _pack(node: OpNode) -> None:
    """Replace what ``node`` keeps by what the hooks make of it."""
    hooks = active()
    if hooks is None or (node.inputs is None and node.output is None):
        return
    inputs = None
    if node.inputs is not None:
        inputs = tuple(None if x is None else Packed.of(x, hooks) for x in node.inputs)
    output: Any = None
    if node.output is not None:
        kinds, arrays = node.kind, node.output
        if node.op.outputs == 1:
            output = Packed.of(wrap(arrays, kinds), hooks)
        else:
            output = tuple(Packed.of(wrap(a, kind), hooks) for a, kind in zip(arrays, kinds, strict=True))
    node.inputs, node.output = (inputs, output), None
    node.__class__ = PackedNode


class saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """Inside the block, what ops keep for backward goes through ``pack_hook``, and back through ``unpack_hook``.

    ``pack_hook(tensor)`` returns anything; ``unpack_hook`` gets that when backward needs the tensor and returns a
    tensor of the same values, shape and device. Of nested blocks the innermost counts.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([2.0], requires_grad=True)
        >>> with tc.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), lambda v: tc.tensor(v)):
        ...     y = x * x
        >>> y.backward()
        >>> x.grad
        tensor([4.])
    """

    def __init__(self, pack_hook: Pack, unpack_hook: Unpack) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> Self:
        if _hooks.refusal is not None:
            raise RuntimeError(_hooks.refusal)
        _hooks.stack = (*_hooks.stack, (self.pack_hook, self.unpack_hook))
        _count(1)
        return self

    def __exit__(self, *exc: object) -> None:
        _count(-1)
        _hooks.stack = _hooks.stack[:-1]


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 - PyTorch's name
    """Inside the block, what ops keep for backward is kept in host memory and brought back when needed.

    Args:
        pin_memory: keep it in page-locked memory, which a device reads faster.
        device_type: PyTorch's argument, without effect.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([3.0], requires_grad=True)
        >>> with tc.autograd.graph.save_on_cpu():
        ...     y = x * x
        >>> y.backward()
        >>> x.grad
        tensor([6.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Tensor) -> tuple[Any, Tensor]:
            held = tensor.detach().to("cpu", copy=True)
            return tensor.device, held.pin_memory() if pin_memory else held

        def unpack(packed: tuple[Any, Tensor]) -> Tensor:
            device, held = packed
            return held.to(device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside the block, entering `saved_tensors_hooks` raises RuntimeError with ``error_message``.

    Example:
        >>> import tensorcore as tc
        >>> with tc.autograd.graph.disable_saved_tensors_hooks("not here"):
        ...     with tc.autograd.graph.save_on_cpu():
        ...         pass
        Traceback (most recent call last):
        RuntimeError: not here
    """
    before = _hooks.refusal
    _hooks.refusal = error_message
    try:
        yield
    finally:
        _hooks.refusal = before
