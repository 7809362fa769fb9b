"""Inputs as `gradcheck` sees them: what can be moved, along which directions, and forward mode along them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.tensor import Tensor, wrap

__all__ = [
    "GradcheckError", "Probe", "Settings", "as_tuple", "dense", "differentiable", "drawn", "identity", "is_complex",
    "pushed", "real_dtype",
]  # fmt: skip


class GradcheckError(RuntimeError):
    """A gradient that differs from the finite difference, or from one computation to the next."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `gradcheck` was asked for; ``advice`` ends the message about a mismatch."""

    name: str
    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    check_grad_dtypes: bool
    fast: bool
    masked: bool
    advice: str = ""


def as_tuple(x: Any) -> tuple[Any, ...]:
    """What a function was given or returned, as a tuple."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def dense(x: Tensor) -> Tensor:
    """All elements of a tensor, in one dimension."""
    return (x.to_dense() if x._kind.sparse else x).detach().reshape(-1)


def is_complex(x: Tensor) -> bool:
    """Whether its elements are complex."""
    return x.dtype.category >= COMPLEX


def differentiable(results: Sequence[Any]) -> list[int]:
    """The places of the tensors that gradients flow from."""
    return [place for place, y in enumerate(results) if isinstance(y, Tensor) and y.requires_grad]


class Probe:
    """An input that requires grad, which can be moved; of a sparse one with ``masked``, only the elements it holds."""

    def __init__(self, x: Tensor, place: int, masked: bool) -> None:
        self.x = x
        self.place = place
        self.complex = is_complex(x)
        pattern = x.detach()
        if x._kind.sparse and not masked:
            pattern = _filled(pattern)
        self._pattern: Any = pattern._array
        self.values: Tensor = self._pattern.values if x._kind.sparse else pattern

    def like(self, values: Tensor) -> Tensor:
        """A tensor of the input's layout with these values."""
        if not self.x._kind.sparse:
            return values
        from tensorcore.sparse.arrays import wrapped

        return wrapped(self._pattern.with_values(values))

    @contextmanager
    def moved(self, step: Tensor) -> Iterator[None]:
        """The input, itself and not a copy, is elsewhere meanwhile: functions may hold it by other ways."""
        kept = self.x._array
        # Not a change in place: graphs made before stay valid, and engines of immutable arrays do as well.
        self.x._array = self.like(self.values + step)._array
        try:
            yield
        finally:
            self.x._array = kept

    def units(self) -> list[Tensor]:
        """A direction for each element that can be moved."""
        return [row.reshape(self.values.shape) for row in identity(self.values)]

    def drawn(self, generator: Any) -> Tensor:
        """A random direction of length 1; of a sparse input, over the elements that it holds."""
        vector = drawn(self.values, generator).reshape(self.values.shape)
        if not self.x._kind.sparse or self._pattern is self.x._array:
            return vector
        from tensorcore.sparse.arrays import wrapped

        array: Any = self.x._array
        held = _filled(wrapped(array.with_values(array.values * 0 + 1)))._array.values
        return vector * (held != 0)


def _filled(x: Tensor) -> Tensor:
    """A sparse tensor that also holds its zeros."""
    from tensorcore.memory_format import sparse_coo
    from tensorcore.ops.creation import zeros
    from tensorcore.ops.ranges import arange
    from tensorcore.sparse.arrays import Coordinates, unflattened, wrapped
    from tensorcore.sparse.conversion import as_coordinates, to_sparse

    coordinates: Any = as_coordinates(x)._array
    sides, rest = coordinates.sides, coordinates.shape[len(coordinates.sides) :]
    count = 1
    for side in sides:
        count *= side
    places = arange(count, device=x.device)
    indices = unflattened(places, sides) if sides else zeros(0, 1, dtype=places.dtype, device=x.device)
    full = wrapped(Coordinates(indices, x.to_dense().detach().reshape((count, *rest)), coordinates.shape, True))
    layout = x._kind.layout
    return full if layout is sparse_coo else to_sparse(full, layout=layout)


def real_dtype(x: Tensor) -> Any:
    """The dtype of its elements, or of their parts."""
    return x.dtype.to_real() if is_complex(x) else x.dtype


def identity(x: Tensor) -> Tensor:
    """A row for each element."""
    from tensorcore.ops.ranges import eye

    return eye(x.numel(), dtype=real_dtype(x), device=x.device)


def drawn(x: Tensor, generator: Any) -> Tensor:
    """A random direction of length 1 over the elements, none of it negative."""
    from tensorcore.ops.random import rand

    vector = rand(x.numel(), generator=generator, device=x.device).to(real_dtype(x))
    return vector / vector.norm() if x.numel() else vector


def pushed(
    func: Callable[..., Any], inputs: Sequence[Any], tangents: dict[int, Tensor], places: Sequence[int] | None
) -> tuple[Tensor, ...]:
    """By forward mode, the derivatives along tangents of the outputs at ``places``, or of all of floating point."""
    from tensorcore.func import jvp

    constants = [x.detach() if isinstance(x, Tensor) else x for x in inputs]
    others = [place for place in differentiable(inputs) if place not in tangents]

    def run(*duals: Tensor) -> tuple[Any, ...]:
        arguments = list(constants)
        level: Any = duals[0]._kind.level
        for place in others:
            # A constant of the level, not of what is around it: the function may go backward to it.
            lifted = level.lift(constants[place])
            arguments[place] = wrap(lifted._array, lifted._kind)
        for place, x in zip(tangents, duals, strict=True):
            arguments[place] = x
        results = as_tuple(func(*arguments))
        if places is not None:
            return tuple([results[place] for place in places])
        return tuple([y for y in results if isinstance(y, Tensor) and y.dtype.category >= FLOATING])

    along: tuple[Tensor, ...] = jvp(run, tuple([constants[place] for place in tangents]), tuple(tangents.values()))[1]
    return along
