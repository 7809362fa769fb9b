"""Grad mode: whether ops on this thread record what backward needs."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from tensorcore.dtypes import DType

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])


class _Mode(threading.local):
    grad = True
    inference = False
    #: The types of devices for which autocast is on, with its dtypes; see `tensorcore.amp`.
    autocast: Mapping[str, DType] = MappingProxyType({})


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether grad mode is on in this thread.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_grad_enabled()
        True
    """
    return mode.grad


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on in this thread.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_inference_mode_enabled()
        False
    """
    return mode.inference


class _GradMode:
    """A context manager, also usable as a decorator, that sets grad mode and restores it."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self.previous: list[tuple[bool, bool]] = []

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return self._stepwise(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    def _stepwise(self, function: Any) -> Any:
        """A generator whose steps run in the mode, and what is between them does not."""

        @functools.wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                generator = function(*args, **kwargs)
            step: Any = functools.partial(next, generator)
            try:
                while True:
                    with self.clone():
                        made = step()
                    try:
                        step = functools.partial(generator.send, (yield made))
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step = functools.partial(generator.throw, error)
            except StopIteration as end:
                return end.value
            finally:
                with self.clone():
                    generator.close()

        return steps

    def clone(self) -> _GradMode:
        """Another context manager of the same mode."""
        return _GradMode(self.enabled)

    def __enter__(self) -> Self:
        self.previous.append((mode.grad, mode.inference))
        mode.grad = self.enabled and not mode.inference
        return self

    def __exit__(self, *exc: object) -> None:
        mode.grad, mode.inference = self.previous.pop()


class no_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Ops inside record nothing for backward; a context manager and a decorator.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.ones(2, requires_grad=True)
        >>> with tc.no_grad():
        ...     (x * 2).requires_grad
        False
    """

    def __new__(cls, function: Any = None) -> Any:
        if function is not None:
            return cls()(function)
        return super().__new__(cls)

    def __init__(self, function: None = None) -> None:
        super().__init__(False)


class enable_grad(_GradMode):  # noqa: N801 - PyTorch's name
    """Ops inside record for backward again; a context manager and a decorator.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.ones(2, requires_grad=True)
        >>> with tc.no_grad(), tc.enable_grad():
        ...     (x * 2).requires_grad
        True
    """

    def __new__(cls, function: Any = None) -> Any:
        if function is not None:
            return cls()(function)
        return super().__new__(cls)

    def __init__(self, function: None = None) -> None:
        super().__init__(True)


class set_grad_enabled(_GradMode):  # noqa: N801 - PyTorch's name
    """Switch grad mode: at once as a call, or for a block as a context manager.

    Example:
        >>> import tensorcore as tc
        >>> with tc.set_grad_enabled(False):
        ...     tc.is_grad_enabled()
        False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self.__enter__()
        self._fresh = True

    def __enter__(self) -> Self:
        # `with set_grad_enabled(...)` has already been entered by the constructor.
        if self.__dict__.pop("_fresh", False):
            return self
        return super().__enter__()

    def __call__(self, function: F) -> F:
        self.__exit__()
        return super().__call__(function)


class inference_mode(_GradMode):  # noqa: N801 - PyTorch's name
    """Grad mode off for a whole block, ``enable_grad`` inside it included; ``inference_mode(False)`` ends it.

    Example:
        >>> import tensorcore as tc
        >>> with tc.inference_mode():
        ...     tc.is_grad_enabled()
        False
    """

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return cls()(mode)
        return super().__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)

    def clone(self) -> _GradMode:
        """Another context manager of the same mode."""
        return inference_mode(not self.enabled)

    def __enter__(self) -> Self:
        self.previous.append((mode.grad, mode.inference))
        mode.grad, mode.inference = self.enabled, not self.enabled
        return self
