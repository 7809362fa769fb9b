"""Exceptions: what a backend's own package says fails, with scope and reason, and cases it adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tensorcore.devices import Device
from tensorcore.errors import PluginError, described

__all__ = ["Exemption", "ExtraCase", "declared"]


@dataclass(frozen=True)
class Exemption:
    """A declared exception: cases that a device is known to fail. Where all of them pass, that is a failure.

    Attributes:
        op: name of the op or area.
        reason: why, in a sentence; it is printed in the report.
        dtypes: names of the dtypes it is about; all if empty.
        shapes: patterns of the operands' shapes, one of which some operand must match; all if empty. As in
            ``"(0,*)"``, ``"()"``, or ``"empty"`` for any side of 0.
        cases: pattern of the case names, as in ``"special/*"``.
        contract: version of the contract it is declared for; ``None`` for whichever the backend is written for.
        device: the device it is about; filled in for exceptions that a backend declares itself.

    Example:
        >>> from tensorcore_conformance import Exemption
        >>> known = Exemption("atan2", "the library drops the sign of zero", cases="special/*")
        >>> known.covers("special/float32", "float32")
        True
    """

    op: str
    reason: str
    dtypes: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    cases: str = "*"
    contract: int | None = None
    device: str = ""

    def covers(self, case: str, dtype: str, shapes: Sequence[str] = ()) -> bool:
        """Whether a case of the op is within the exception's scope."""
        if self.dtypes and dtype not in self.dtypes:
            return False
        if self.shapes and not any(_matches(shape, pattern) for shape in shapes for pattern in self.shapes):
            return False
        return fnmatchcase(case, self.cases)

    def __str__(self) -> str:
        scope = "".join(f" {word} {', '.join(of)}" for word, of in (("in", self.dtypes), ("of", self.shapes)) if of)
        return f"{self.op} {self.cases}{scope}: {self.reason}"


def _matches(shape: str, pattern: str) -> bool:
    if pattern == "empty":
        return "0" in shape.strip("()").split(",")
    return fnmatchcase(shape, pattern)


@dataclass(frozen=True)
class ExtraCase:
    """A further sample of an op, in the form of the ``samples`` of its record, which every device must pass.

    Attributes:
        op: name of the op.
        sample: ``{"shapes": ((3, 4),), "dim": 1}`` and the like.
        dtype: name of the dtype of the operands for which the sample names none.
    """

    op: str
    sample: Mapping[str, Any]
    dtype: str = "float32"


def declared(device: str) -> tuple[list[Exemption], list[ExtraCase]]:
    """What the device's backend declares in ``tensorcore_conformance_exceptions``, and what plugins register.

    The attribute is a sequence (or a function of none that returns one) of `Exemption`, or of mappings with its
    fields, so that a backend need not import this package.

    Raises:
        PluginError: for a declaration of another form.
    """
    backend = Device(device).backend
    stated = getattr(backend, "tensorcore_conformance_exceptions", ())
    try:
        listed = list(stated() if callable(stated) else stated)
    except Exception as error:
        raise PluginError(f"device {device!r}: tensorcore_conformance_exceptions raised {described(error)}") from error
    found = [_exemption(each, backend.name) for each in listed]
    extra: list[ExtraCase] = []
    for each in _registered():
        if isinstance(each, ExtraCase):
            extra.append(each)
        else:
            exemption = _exemption(each, "")
            if exemption.device in ("", backend.name):
                found.append(exemption)
    return found, extra


def _registered() -> Iterable[Any]:
    from tensorcore.plugins.host import host

    for name in host.conformance_cases():
        yield from host.conformance_case(name)()


def _exemption(stated: Any, device: str) -> Exemption:
    if isinstance(stated, Exemption):
        return stated
    try:
        facts = dict(stated)
        for scope in ("dtypes", "shapes"):
            given = facts.get(scope, ())
            facts[scope] = (given,) if isinstance(given, str) else tuple(given)
        facts.setdefault("device", device)
        made: Exemption | None = Exemption(**facts)
    except (TypeError, ValueError):
        made = None
    if made is None or not made.reason:
        where = f"device {device!r}: " if device else ""
        raise PluginError(
            f"{where}tensorcore_conformance_exceptions: expected a mapping with op, reason and optionally dtypes, "
            f"shapes, cases, contract and device, got {stated!r}"
        )
    return made
