"""Activation checkpointing: a part of the model keeps its inputs only, and runs again when backward comes to it."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from weakref import ReferenceType, ref

from tensorcore.autograd.engine import backward
from tensorcore.autograd.function import Function
from tensorcore.autograd.graph import clock, described
from tensorcore.autograd.mode import enable_grad, mode, no_grad
from tensorcore.autograd.saved import Packed, active, saved_tensors_hooks
from tensorcore.errors import InplaceError
from tensorcore.levels import resumed, running
from tensorcore.random.generator import fork_rng, get_rng_state, set_rng_state
from tensorcore.tensor import Tensor, root_of

__all__ = [
    "CheckpointError",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]


class CheckpointError(RuntimeError):
    """The recomputation did not save what the first run saved."""


class _Settings(threading.local):
    early_stop = True
    debug: bool | None = None


_settings: Final = _Settings()


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside the block, whether a recomputation stops as soon as it has what backward needs (the default).

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.checkpoint import set_checkpoint_early_stop
        >>> with set_checkpoint_early_stop(False):
        ...     pass
    """
    before = _settings.early_stop
    _settings.early_stop = enable
    try:
        yield
    finally:
        _settings.early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Inside the block, whether a CheckpointError lists what both runs saved; ``None``: as each call says."""
    before = _settings.debug
    _settings.debug = enabled
    try:
        yield
    finally:
        _settings.debug = before


def noop_context_fn() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Two contexts that do nothing, for the first run and for the recomputation."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)`` without keeping what it computes on the way: backward runs it again.

    Args:
        function: must compute the same when called again.
        use_reentrant: PyTorch's older way, a backward inside backward; ``False`` is better, and is to be said.
        context_fn: returns the contexts of the first run and of the recomputation.
        determinism_check: ``"default"`` compares shape, dtype and device of what both runs save; ``"none"`` nothing.
        debug: let a CheckpointError tell every tensor that both runs saved.
        early_stop: stop recomputing once all that was saved is there.
        preserve_rng_state: draw the same random numbers again.

    Raises:
        CheckpointError: in backward, where the recomputation saves something else than the first run.
        ValueError: for arguments that only the other way knows.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.checkpoint import checkpoint
        >>> x = tc.tensor([1.0, 2.0], requires_grad=True)
        >>> checkpoint(lambda x: (x * x).exp(), x, use_reentrant=False).sum().backward()
        >>> x.grad
        tensor([  5.4366, 218.3926])
    """
    if use_reentrant is None:
        use_reentrant = _said_nothing()
    if not use_reentrant:
        frame = _Frame(function, args, kwargs, context_fn, determinism_check, debug, early_stop, preserve_rng_state)
        return frame.run()
    if kwargs:
        raise ValueError(f"checkpoint: use_reentrant=True takes no keyword arguments, got {', '.join(kwargs)}")
    if context_fn is not noop_context_fn or debug:
        raise ValueError("checkpoint: context_fn and debug ask for use_reentrant=False")
    check_backward_validity(args)
    return _Reentrant.apply(function, preserve_rng_state, *args)


def _said_nothing() -> bool:
    warnings.warn(
        "checkpoint: say use_reentrant=False, which is recommended, or use_reentrant=True, the default until now",
        stacklevel=3,
    )
    return True


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """``functions`` (or a Sequential), one after another, in ``segments`` parts of which all but the last recompute.

    Raises:
        ValueError: unless there are from one to as many segments as functions.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.checkpoint import checkpoint_sequential
        >>> x = tc.ones(2, requires_grad=True)
        >>> checkpoint_sequential([tc.exp, tc.sin, tc.exp], 2, x, use_reentrant=False).sum().backward()
        >>> x.grad
        tensor([-3.7373, -3.7373])
    """
    if use_reentrant is None:
        use_reentrant = _said_nothing()
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"checkpoint_sequential: unexpected arguments {', '.join(kwargs)}")
    steps: Sequence[Any] = list(functions.children()) if hasattr(functions, "children") else list(functions)
    if not 1 <= segments <= len(steps):
        raise ValueError(f"checkpoint_sequential: expected 1 to {len(steps)} segments, got {segments}")
    size = len(steps) // segments
    last = (segments - 1) * size

    def through(start: int, end: int) -> Callable[[Any], Any]:
        def run(value: Any) -> Any:
            for step in steps[start:end]:
                value = step(value)
            return value

        return run

    for start in range(0, last, size):
        part = through(start, start + size)
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return through(last, len(steps))(input)


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """``inputs`` with each tensor a leaf of its own, which requires grad where the tensor does."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"detach_variable: expected a tuple of arguments, got {type(inputs).__name__}")
    return tuple([x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs])


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn where no tensor among ``inputs`` requires grad, so that a reentrant checkpoint has no gradient."""
    if not any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        warnings.warn(
            "checkpoint: none of the inputs requires grad, so with use_reentrant=True no gradients will come of it",
            stacklevel=3,
        )


class _Holder:
    """Stands in the graph for a saved tensor that will be recomputed."""

    __slots__ = ("__weakref__", "described", "frame", "place")

    def __init__(self, frame: _Frame, place: int, described: str) -> None:
        self.frame, self.place, self.described = frame, place, described


class _EnoughError(BaseException):
    """All that the first run saved has been computed again.

    No `Exception`, which ops take for a failure of their kernel where they pass through those of a transform.
    """


@contextmanager
def _autocast_as(active: Any) -> Iterator[None]:
    """Autocast as it was when ``mode.autocast`` was ``active``."""
    before = mode.autocast
    mode.autocast = active
    try:
        yield
    finally:
        mode.autocast = before


def _described(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {tensor.dtype} on {tensor.device}"


class _Frame:
    """One checkpointed call: how to run it again, and what the last recomputation gave."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], context_fn: Any,
        determinism_check: str, debug: bool, early_stop: bool, preserve_rng_state: bool,
    ) -> None:  # fmt: skip
        if determinism_check not in ("default", "none"):
            raise ValueError(f"checkpoint: determinism_check must be 'default' or 'none', got {determinism_check!r}")
        self.function, self.args, self.kwargs = function, args, kwargs
        self.contexts = context_fn()
        self.checked = determinism_check == "default"
        self.debug = debug if _settings.debug is None else _settings.debug
        self.early_stop = early_stop and _settings.early_stop
        self.rng = get_rng_state() if preserve_rng_state else None
        self.levels = running.levels
        #: The tensors it gets, as the hooks on saved tensors around it keep them, and when that was.
        self.kept: dict[int, Packed] = {}
        self.clock = clock.now
        self.autocast = mode.autocast
        self.holders: list[ReferenceType[_Holder]] = []
        self.recomputed: dict[int, Tensor] = {}

    def run(self) -> Any:
        """The first run, of which the graph keeps holders only."""

        def pack(tensor: Tensor) -> _Holder:
            holder = _Holder(self, len(self.holders), _described(tensor))
            self.holders.append(ref(holder))
            return holder

        hooks = active()
        args = self.args
        if hooks is not None:
            self.kept = {place: Packed.of(x, hooks) for place, x in enumerate(args) if isinstance(x, Tensor)}
            self.args = tuple([None if place in self.kept else x for place, x in enumerate(args)])
        first, _ = self.contexts
        with saved_tensors_hooks(pack, _unpack), first:
            return self.function(*args, **self.kwargs)

    def _given(self) -> list[Any]:
        """The arguments once more.

        Raises:
            InplaceError: for one that was changed in place since the first run, which would compute something else now.
        """
        for place, x in enumerate(self.args):
            mark = root_of(x)._changed if isinstance(x, Tensor) else None
            if mark is not None and mark[0] > self.clock:
                raise InplaceError(
                    f"checkpoint: argument {place} of {self._name()}, of shape {list(x.shape)}, was changed in place "
                    f"by {described(mark)} and is needed to compute it again; change a copy"
                )
        return [self._restored(place) if place in self.kept else x for place, x in enumerate(self.args)]

    def _restored(self, place: int) -> Tensor:
        kept = self.kept[place]
        return kept.restored(False).detach().requires_grad_(kept.leaf is not None or kept.node is not None)

    def tensor(self, holder: _Holder) -> Tensor:
        """What ``holder`` stands for."""
        if holder.place not in self.recomputed:
            self._recompute()
        found = self.recomputed.pop(holder.place, None)
        if found is None:
            raise CheckpointError(
                f"checkpoint: the recomputation of {self._name()} saved fewer tensors than the first run, which saved "
                f"{len(self.holders)}; it must compute the same"
            )
        if self.checked and _described(found) != holder.described:
            raise CheckpointError(
                f"checkpoint: saved tensor {holder.place} of {self._name()} was {holder.described} in the first run, "
                f"and is {_described(found)} in the recomputation{self._all()}"
            )
        return found

    def _recompute(self) -> None:
        made: list[Tensor] = []
        args = self._given()

        def pack(tensor: Tensor) -> None:
            made.append(tensor.detach())
            if self.early_stop and len(made) == len(self.holders):
                raise _EnoughError

        def refuse(packed: None) -> Tensor:
            raise CheckpointError("checkpoint: backward inside the recomputed function meets tensors it did not save")

        _, second = self.contexts
        with contextlib.ExitStack() as stack:
            if self.rng is not None:
                stack.enter_context(fork_rng())
                set_rng_state(self.rng)
            stack.enter_context(enable_grad())
            stack.enter_context(resumed(self.levels))
            stack.enter_context(_autocast_as(self.autocast))
            stack.enter_context(saved_tensors_hooks(pack, refuse))
            stack.enter_context(second)
            stack.enter_context(contextlib.suppress(_EnoughError))
            self.function(*args, **self.kwargs)
        if not self.early_stop and len(made) != len(self.holders) and self.checked:
            raise CheckpointError(
                f"checkpoint: {self._name()} saved {len(self.holders)} tensors in the first run and {len(made)} in the "
                "recomputation; it must compute the same"
            )
        # What nobody waits for any more is not kept.
        self.recomputed = {
            place: tensor
            for place, (tensor, holder) in enumerate(zip(made, self.holders, strict=False))
            if holder() is not None
        }

    def _name(self) -> str:
        return getattr(self.function, "__qualname__", type(self.function).__name__)

    def _all(self) -> str:
        if not self.debug:
            return "; debug=True lists all"
        held = [holder() for holder in self.holders]
        first = "\n".join(f"  {h.place}: {h.described}" for h in held if h is not None)
        second = "\n".join(f"  {place}: {_described(x)}" for place, x in sorted(self.recomputed.items()))
        return f"\nfirst run:\n{first}\nrecomputation:\n{second}"


def _unpack(holder: _Holder) -> Tensor:
    return holder.frame.tensor(holder)


class _Reentrant(Function):
    """The older way: backward runs the function under grad mode, and backward through it."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        ctx.function, ctx.preserve = function, preserve
        ctx.rng = get_rng_state() if preserve else None
        ctx.autocast = mode.autocast
        ctx.places = [place for place, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.others = [None if isinstance(x, Tensor) else x for x in args]
        ctx.save_for_backward(*[args[place] for place in ctx.places])
        with no_grad():
            return function(*args)

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        args = list(ctx.others)
        for place, x in zip(ctx.places, detach_variable(ctx.saved_tensors), strict=True):
            args[place] = x
        with contextlib.ExitStack() as stack:
            if ctx.preserve:
                stack.enter_context(fork_rng())
                set_rng_state(ctx.rng)
            stack.enter_context(enable_grad())
            stack.enter_context(_autocast_as(ctx.autocast))
            outputs = ctx.function(*args)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [
            (out, g)
            for out, g in zip(outputs, cotangents, strict=True)
            if isinstance(out, Tensor) and out.requires_grad and g is not None
        ]
        if not pairs:
            raise RuntimeError("checkpoint: none of the outputs requires grad, so there is nothing to go back through")
        backward([out for out, _ in pairs], [g for _, g in pairs])
        return (None, None, *[x.grad if isinstance(x, Tensor) else None for x in args])
