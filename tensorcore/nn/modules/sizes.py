"""Sizes given as one number for all dimensions, or one for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final


def per_dimension(value: Any, count: int) -> tuple[Any, ...]:
    """``value`` once for each of ``count`` dimensions, or the values that it holds.

    Example:
        >>> per_dimension(3, 2), per_dimension([1, 2], 2)
        ((3, 3), (1, 2))
    """
    return tuple(value) if isinstance(value, Iterable) else (value,) * count


def of_dimensions(count: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """`per_dimension` for ``count`` dimensions, under a name."""

    def parse(value: Any) -> tuple[Any, ...]:
        return per_dimension(value, count)

    parse.__name__ = parse.__qualname__ = name
    return parse


single: Final = of_dimensions(1, "_single")
pair: Final = of_dimensions(2, "_pair")
triple: Final = of_dimensions(3, "_triple")
quadruple: Final = of_dimensions(4, "_quadruple")


def repeated_backwards(values: Any, count: int) -> tuple[Any, ...]:
    """Each value ``count`` times, the last first: the padding of layers as `pad` takes it.

    Example:
        >>> repeated_backwards((1, 2), 2)
        (2, 2, 1, 1)
    """
    return tuple(value for value in reversed(values) for _ in range(count))


def filled_up(sizes: Any, defaults: Any) -> Any:
    """Sizes of an output, ``None`` standing for that of the input.

    Raises:
        ValueError: if the input has no dimension more than there are sizes.

    Example:
        >>> filled_up((None, 3), (5, 6, 7))
        [6, 3]
    """
    if isinstance(sizes, int):
        return sizes
    if len(defaults) <= len(sizes):
        raise ValueError(f"Input dimension should be at least {len(sizes) + 1}, got {len(defaults)}")
    return [d if size is None else size for size, d in zip(sizes, defaults[-len(sizes) :], strict=True)]
