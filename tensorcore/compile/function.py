"""`tc.compile`: functions recorded once and replayed while what they were recorded for holds."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from tensorcore.autograd.mode import mode
from tensorcore.compile.capture import Capture, active, recording
from tensorcore.compile.recording import Recording
from tensorcore.devices import get_default_device
from tensorcore.dtypes import get_default_dtype
from tensorcore.observation import recorders
from tensorcore.tensor import Tensor

__all__ = ["compile"]

#: Recordings kept per function; a function called with ever new shapes stops being recorded.
LIMIT = 16


def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: Any = None,
    mode: str | None = None, options: Any = None, disable: bool = False,
) -> Any:  # fmt: skip
    """Record a function (or module) that works on tensors, and replay the record on later calls.

    The first call runs as always, so that state which is made on first use (an optimiser's buffers) exists; the second
    is recorded; later ones replay. A whole training step can be one function: forward, backward, update, random draws.
    A new record is made when shapes, dtypes, devices, other arguments, a module's mode or an optimiser's settings
    change. What Python does besides calling ops is not repeated. A function that reads values of tensors (``.item()``)
    runs as always, with one warning that names the line; with ``fullgraph`` that is an error. Results that require grad
    can be backpropagated through, once: second derivatives need the function itself.

    The arguments are PyTorch's; ``dynamic``, ``backend``, ``mode`` and ``options`` are accepted and have no effect.

    Example:
        >>> import tensorcore as tc
        >>> @tc.compile
        ... def f(x):
        ...     return (x * 2 + 1).sum()
        >>> [f(tc.ones(3)).item() for _ in range(3)]
        [9.0, 9.0, 9.0]
    """
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, disable=disable)
    if not callable(model):
        raise TypeError(f"compile: expected a function or module, got {type(model).__name__}")
    return model if disable else Compiled(model, fullgraph)


class Compiled:
    """A function under `compile`; attributes are those of the function.

    Attributes:
        recordings: what has been recorded so far, for inspection (``recording.graph`` prints).
    """

    def __init__(self, function: Callable[..., Any], fullgraph: bool) -> None:
        self._function = function
        self._fullgraph = fullgraph
        self.recordings: dict[Any, list[Recording]] = {}
        self._seen: set[Any] = set()
        self._eager: set[Any] = set()
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if active():
            return self._function(*args, **kwargs)
        tensors: list[Tensor] = []
        key = (_signature((args, kwargs), tensors), mode.grad, get_default_dtype(), str(get_default_device()), _casts())
        try:
            if key in self._eager:
                return self._function(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"compile: an argument of {self!r} cannot be compared between calls: {error}") from None
        for recorded in self.recordings.get(key, ()):
            if recorded.holds():
                if recorders:
                    from tensorcore.profiler.session import record_function

                    with record_function(repr(self)):
                        return recorded.replay(tensors)
                return recorded.replay(tensors)
        if key not in self._seen:
            self._seen.add(key)
            return self._function(*args, **kwargs)
        return self._record(key, tensors, args, kwargs)

    def _record(self, key: Any, tensors: list[Tensor], args: Any, kwargs: Any) -> Any:
        capture = Capture(tensors)
        with recording(capture):
            result = self._function(*args, **kwargs)
        recorded = Recording(capture, result) if capture.reason is None else None
        if recorded is None or capture.reason is not None:
            self._eager.add(key)
            text = f"compile: {self!r} runs uncompiled: {capture.reason}"
            if self._fullgraph:
                raise RuntimeError(text)
            warnings.warn(text, stacklevel=3)
            return result
        kept = self.recordings.setdefault(key, [])
        kept.append(recorded)
        if len(kept) > LIMIT:
            self._eager.add(key)
            warnings.warn(
                f"compile: {self!r} runs uncompiled: recorded {LIMIT} times for one signature as its settings "
                "keep changing",
                stacklevel=3,
            )
        return result

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_function"), name)

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", None) or type(self._function).__name__
        return f"<compiled {name}>"


def _casts() -> tuple[tuple[str, Any], ...]:
    """What autocast is set to: under another setting a function records other casts."""
    return tuple(sorted(mode.autocast.items(), key=str)) if mode.autocast else ()


def _signature(value: Any, tensors: list[Tensor]) -> Any:
    """What a recording depends on of the arguments; tensors are collected on the way."""
    if isinstance(value, Tensor):
        known = next((place for place, t in enumerate(tensors) if t is value), None)
        if known is not None:
            return ("same", known)
        tensors.append(value)
        return (value._kind, tuple(value._array.shape), value._node is not None, type(value))
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(_signature(each, tensors) for each in value))
    if isinstance(value, dict):
        return tuple((name, _signature(each, tensors)) for name, each in value.items())
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return (type(value), value)
    try:
        hash(value)
    except TypeError:
        return ("object", id(value))
    return value
