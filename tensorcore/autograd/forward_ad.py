"""Forward-mode differentiation by dual tensors, as in ``torch.autograd.forward_ad``.

A dual tensor goes through ops as any other; `unpack_dual` gives its value and tangent back.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from tensorcore.func.dual import DualLevel
from tensorcore.levels import running
from tensorcore.tensor import Tensor

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(NamedTuple):
    """A value, and its tangent or ``None``."""

    primal: Tensor
    tangent: Tensor | None


def _current() -> DualLevel | None:
    return next((level for level in reversed(running.levels) if isinstance(level, _Entered)), None)


class _Entered(DualLevel):
    """A level entered by `dual_level`, not by `func.jvp`."""


def enter_dual_level() -> int:
    """Begin a level in which dual tensors can be made, and return its number, 0; `dual_level` is easier to use.

    Raises:
        RuntimeError: inside another such level; `func.jvp` nests.

    Example:
        >>> import tensorcore as tc
        >>> import tensorcore.autograd.forward_ad as fwAD
        >>> level = fwAD.enter_dual_level()
        >>> fwAD.exit_dual_level(level=level)
    """
    if _current() is not None:
        raise RuntimeError(
            "enter_dual_level: levels of forward_ad do not nest; derivatives of derivatives are func.jvp of func.jvp"
        )
    _Entered().__enter__()
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level; its dual tensors are of no further use.

    Raises:
        RuntimeError: where no level was entered, or a transform inside it still runs.
    """
    current = _current()
    if current is None:
        raise RuntimeError("exit_dual_level: no level was entered")
    if level not in (None, 0):
        raise RuntimeError(f"exit_dual_level: level {level} is not the one entered last, 0")
    if running.levels[-1] is not current:
        raise RuntimeError("exit_dual_level: a transform entered after the level still runs")
    current.__exit__()


class dual_level:  # noqa: N801 - PyTorch's name
    """A level of forward mode as a context manager.

    Example:
        >>> import tensorcore as tc
        >>> import tensorcore.autograd.forward_ad as fwAD
        >>> with fwAD.dual_level():
        ...     x = fwAD.make_dual(tc.tensor([0.0, 1.0]), tc.ones(2))
        ...     primal, tangent = fwAD.unpack_dual(x.sin())
        >>> tangent
        tensor([1.0000, 0.5403])
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()

    def __call__(self, function: Any) -> Any:
        import functools

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return inside

    def clone(self) -> Self:
        """Another context manager of the kind."""
        return type(self)()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A dual tensor: the value ``tensor``, changing along ``tangent`` of its shape and dtype.

    Raises:
        RuntimeError: outside of `dual_level`, or where shapes or dtypes differ.
        ValueError: for a tensor that is neither floating point nor complex.

    Example:
        >>> import tensorcore as tc
        >>> import tensorcore.autograd.forward_ad as fwAD
        >>> with fwAD.dual_level():
        ...     x = fwAD.make_dual(tc.tensor(3.0), tc.tensor(1.0))
        ...     fwAD.unpack_dual(x * x).tangent
        tensor(6.)
    """
    current = _current()
    if current is None:
        raise RuntimeError(
            "make_dual: trying to create a dual tensor for forward AD but no level exists; make sure to use it inside "
            "`with dual_level():`"
        )
    for name, x in (("tensor", tensor), ("tangent", tangent)):
        if isinstance(x, Tensor) and not (x.is_floating_point() or x.is_complex()):
            raise ValueError(f"make_dual: expected {name} to be floating point or complex, but got {x.dtype}")
    primal, known = current.parted(tensor) if isinstance(tensor, Tensor) else (tensor, None)
    if known is not None:
        raise RuntimeError("make_dual: the tensor has a tangent at this level already; unpack it first")
    return current.joined("make_dual", primal, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value and the tangent of a dual tensor; the tangent is ``None`` where there is none.

    Example:
        >>> import tensorcore as tc
        >>> import tensorcore.autograd.forward_ad as fwAD
        >>> fwAD.unpack_dual(tc.tensor(3.0))
        UnpackedDualTensor(primal=tensor(3.), tangent=None)
    """
    current = _current()
    if current is None:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(*current.parted(tensor))
