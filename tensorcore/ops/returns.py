"""Named tuples that ops return, shown as PyTorch shows them."""

from __future__ import annotations

from collections import namedtuple
from functools import cache
from typing import Any, Final


@cache
def _type(op: str, fields: tuple[str, ...]) -> Any:
    made: Any = namedtuple(op, fields)  # type: ignore[misc] # name and fields come at run time

    def shown(self: Any) -> str:
        parts = ",\n".join(f"{name}={value!r}" for name, value in zip(fields, self, strict=True))
        return f"tensorcore.return_types.{op}(\n{parts})"

    made.__repr__ = shown  # type: ignore[method-assign]
    made.__module__ = "tensorcore.return_types"
    return made


def named(op: str, **fields: Any) -> Any:
    """The fields as the named tuple of ``op``."""
    made: Any = tuple.__new__(_type(op, tuple(fields)), fields.values())
    return made


def chosen(op: str, pair: tuple[Any, Any]) -> Any:
    """Values and indices as the named tuple of ``op``."""
    made: Any = tuple.__new__(_type(op, _CHOSEN), pair)
    return made


_CHOSEN: Final = ("values", "indices")
