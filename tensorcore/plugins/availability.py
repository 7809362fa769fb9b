"""Whether a backend can be used: what it needs, the contract it is written for, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tensorcore.backend import contract
from tensorcore.dtypes import DType
from tensorcore.errors import BackendUnavailableError, PluginError, described

if TYPE_CHECKING:
    from tensorcore.backend.contract import Backend
    from tensorcore.plugins.registry import Entry

__all__ = ["BackendState", "age", "contract_mismatch", "missing", "require_sound"]


#: More devices than any machine has: a count that is none, and would be listed one by one.
_MOST: Final = 65536


@dataclass(frozen=True, slots=True)
class BackendState:
    """One line of ``tensorcore backends``.

    Attributes:
        name: the device name users write; for a plugin that did not load, the name of its entry point.
        state: ``"loaded"``; ``"available"`` (not loaded yet); ``"unavailable"`` (something it needs is missing);
            ``"incompatible"`` (another version of the contract); ``"conflict"`` (two plugins have the name);
            ``"failed"`` (loading raised); ``"broken plugin"`` (the plugin itself could not be registered).
        devices: its devices as users write them; empty unless loaded.
        distribution: the distribution that brings it, empty where it was registered by hand.
        version: version of that distribution.
        description: one line about it.
        reason: why it is off, empty where it is not.
        traceback: the formatted traceback of what it raised, empty where nothing was.
        notice: what its author has to do before the next version of the contract, empty where nothing.
        requires: import names of what it needs.
    """

    name: str
    state: str
    devices: tuple[str, ...] = ()
    distribution: str = ""
    version: str = ""
    description: str = ""
    reason: str = ""
    traceback: str = ""
    notice: str = ""
    requires: tuple[str, ...] = ()


def contract_mismatch(version: Any, origin: str) -> str | None:
    """Why a plugin from ``origin`` for a version of the contract is not taken; ``None`` for this one and the last."""
    current = contract.CONTRACT_VERSION
    if version in (current, current - 1):
        return None
    if isinstance(version, int) and version > current:
        advice = "upgrade tensorcore-framework"
    else:
        advice = "upgrade the plugin"
    return (
        f"plugin {origin} is written for version {version!r} of the backend contract, "
        f"and this tensorcore accepts {current} and {current - 1}; {advice}"
    )


def age(entry: Entry, made: Backend) -> str:
    """What is to be said of a backend of the contract before this one; of others, nothing."""
    current, version = contract.CONTRACT_VERSION, min(entry.spec.contract, made.contract)
    if version == current:
        return ""
    return (
        f"plugin {entry.origin} is written for version {version} of the backend contract, which the next version will "
        f"refuse; adapt it to version {current}: {contract.CONTRACT_CHANGES[current]}"
    )


def require_sound(made: Backend) -> None:
    """Check what a new backend says of itself, which is read from then on without a look at its type.

    Raises:
        BackendUnavailableError: where it has no device.
        PluginError: for answers that are none.
    """
    count: Any = made.device_count()
    if not isinstance(count, int) or count > _MOST:
        raise PluginError(f"device_count() returned {count!r}, expected the number of devices")
    if count < 1:
        raise BackendUnavailableError("it finds no device on this machine")
    try:
        able: Any = made.capabilities(0)
    except Exception as error:
        raise PluginError(f"capabilities(0) raised {described(error)}") from error
    if not isinstance(able, contract.Capabilities):
        raise PluginError(f"capabilities(0) returned a {type(able).__name__}, expected tensorcore.backend.Capabilities")
    dtypes: Any = able.dtypes
    if not isinstance(dtypes, frozenset) or not all(isinstance(each, DType) for each in dtypes):
        raise PluginError(f"capabilities(0).dtypes is {dtypes!r}, expected a frozenset of tensorcore.DType")


def missing(requires: Iterable[str], install: str) -> str | None:
    """Which required modules are not installed, and how to install them."""
    absent = [name for name in requires if not _findable(name)]
    if not absent:
        return None
    verb = "is" if len(absent) == 1 else "are"
    hint = f"; to install: {install}" if install else ""
    return f"{' and '.join(absent)} {verb} not installed{hint}"


def _findable(name: str) -> bool:
    from importlib.util import find_spec

    # Of a dotted name only the top-level package is looked for: find_spec would import it for more.
    try:
        return find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False
