"""In-place changes of what backward needs: what is about to be overwritten is copied first."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from tensorcore.autograd.graph import before_changes
from tensorcore.autograd.mode import no_grad
from tensorcore.autograd.saved import saved_tensors_hooks
from tensorcore.observation import memory_owner
from tensorcore.tensor import Tensor

__all__ = ["allow_mutation_on_saved_tensors"]


class _Held:
    """A saved tensor: the tensor itself, until its memory is about to change, and then a copy."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class MutationContext:
    """The block's own: which saved tensors lie in which memory."""

    def __init__(self) -> None:
        self.open = True
        self._held: dict[int, list[weakref.ref[_Held]]] = {}

    def clear(self) -> None:
        """Forget what was saved."""
        self._held.clear()

    def hold(self, tensor: Tensor) -> _Held:
        """Keep a tensor for backward."""
        held = _Held(tensor.detach())
        alive = [each for each in self._held.get(id(memory_owner(tensor._array)), ()) if each() is not None]
        self._held[id(memory_owner(tensor._array))] = [*alive, weakref.ref(held)]
        return held

    def prepare(self, root: Tensor) -> None:
        """Copy what is saved of memory that is about to change."""
        for reference in self._held.pop(id(memory_owner(root._array)), ()):
            held = reference()
            if held is not None:
                with no_grad():
                    held.tensor = held.tensor.clone()

    def give(self, held: _Held) -> Tensor:
        """The tensor as it was saved.

        Raises:
            RuntimeError: after the block, where changes are not followed.
        """
        if not self.open:
            raise RuntimeError(
                "allow_mutation_on_saved_tensors: backward outside the block in which the graph was made, where "
                "changes are not followed; call it inside"
            )
        return held.tensor


_contexts: list[MutationContext] = []


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[MutationContext]:
    """Inside the block, tensors that backward needs may be changed in place; they are copied before they are.

    Raises:
        RuntimeError: inside another such block; in backward, after the block.

    Example:
        >>> import tensorcore as tc
        >>> with tc.autograd.graph.allow_mutation_on_saved_tensors():
        ...     x = tc.ones(2, 3, requires_grad=True)
        ...     y = x.clone()
        ...     out = (y**2).sum()
        ...     y.sin_()
        ...     out.backward()
        tensor([[0.8415, 0.8415, 0.8415],
                [0.8415, 0.8415, 0.8415]], grad_fn=<SinBackward0>)
        >>> x.grad
        tensor([[2., 2., 2.],
                [2., 2., 2.]])
    """
    if _contexts:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    context = MutationContext()
    _contexts.append(context)
    before_changes.append(context.prepare)
    try:
        with saved_tensors_hooks(context.hold, context.give):
            yield context
    finally:
        before_changes.remove(context.prepare)
        _contexts.remove(context)
        context.clear()
        context.open = False
