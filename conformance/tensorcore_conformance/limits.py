"""How much is tried: the levels ``--quick`` and ``--full``, and what lies between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

__all__ = ["LEVELS", "Limits"]


@dataclass(frozen=True)
class Limits:
    """How much is tried; a slow device takes less.

    Attributes:
        examples: Hypothesis draws per op; 0 leaves them out.
        long: whether sums over many elements are tried.
        samples: samples of each record tried in every dtype.
        gradients: samples of each record whose derivatives are tried.
        compiled: whether each op is also tried as a compiled function, with its gradient.
        memory: samples of each record tried for what their calls share, read and keep.
        steps: steps of the trainings.
        dtypes: names of the dtypes that ops are tried in; all of the device's if empty.
        seed: another seed gives other operands and draws.

    Example:
        >>> from tensorcore_conformance import Limits
        >>> Limits.level("quick").examples < Limits.level("full").examples
        True
    """

    examples: int = 8
    long: bool = True
    samples: int = 2
    gradients: int = 1000
    compiled: bool = False
    memory: int = 1
    steps: int = 200
    dtypes: tuple[str, ...] = ()
    seed: int = 0

    @classmethod
    def level(cls, name: str, **changes: Any) -> Limits:
        """The limits of a level, ``"quick"`` or ``"full"``, with some changed."""
        return cls(**{**LEVELS[name], **changes})

    def as_dict(self) -> dict[str, Any]:
        """The limits as JSON values."""
        return {**asdict(self), "dtypes": list(self.dtypes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Limits:
        """The inverse of `as_dict`."""
        known = {each.name for each in fields(cls)}
        given = {name: value for name, value in values.items() if name in known}
        return cls(**{**given, "dtypes": tuple(given.get("dtypes", ()))})


#: What is tried at each level.
LEVELS: Final[dict[str, dict[str, Any]]] = {
    "quick": {"examples": 3, "samples": 1, "gradients": 2},
    "full": {"examples": 100, "samples": 1000, "compiled": True, "memory": 1000},
}
